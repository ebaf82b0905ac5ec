"""The handles that operations take, and the life of a warehouse."""

import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from importlib import import_module
from typing import cast
from uuid import uuid4

from catalog.clock import Clock
from catalog.errors import InvalidInput, NoSuchWarehouse
from catalog.files.cache import ByteCache
from catalog.files.file_io import FileIO, RoutedFiles, open_files
from catalog.files.secrets import Secrets
from catalog.files.signing import Signer
from catalog.files.trust import Trust
from catalog.files.vending import Vendor
from catalog.iceberg import locations
from catalog.operations.callers import Caller
from catalog.operations.idempotency import record
from catalog.operations.sites import check_apart, checked_site, with_sites
from catalog.settings import Settings
from catalog.store import commits, objects, refs, warehouses
from catalog.store.engine import Connection, Engine, read, transact
from catalog.store.warehouses import Site
from catalog.versioning.ids import ObjectId
from catalog.versioning.object_store import ObjectCache, Objects
from catalog.versioning.objects import Commit
from catalog.versioning.revisions import check_ref_name, check_warehouse_name
from catalog.versioning.tree import empty_tree

# A replica sees what another did to a warehouse's row (location, storage) after this long.
_ROW_LIFETIME_SECONDS = 2.0

# The module and class by a location's scheme, loaded for the first location that has it: a cloud's
# own libraries are slow to import, and most servers need one of them at most.
_VENDORS: Mapping[str, tuple[str, str]] = {
    "s3": ("catalog.files.aws", "AwsAccess"),
    "abfss": ("catalog.files.azure", "AzureAccess"),
    "abfs": ("catalog.files.azure", "AzureAccess"),
    "gs": ("catalog.files.gcs", "GcsAccess"),
}


@dataclass(frozen=True, slots=True)
class Catalog:
    """Everything that one server process shares among its requests."""

    engine: Engine
    settings: Settings
    clock: Clock
    monotonic: Callable[[], float]
    objects: ObjectCache
    metadata: ByteCache
    responses: ByteCache
    secrets: Secrets
    trust: Trust
    _files: dict[tuple[tuple[str, str], ...], FileIO] = field(default_factory=dict)
    _access: dict[tuple[str, tuple[tuple[str, str], ...]], Vendor] = field(default_factory=dict)
    _rows: dict[str, tuple[float, warehouses.Warehouse]] = field(default_factory=dict)
    _locks: defaultdict[tuple[int, str], threading.Lock] = field(
        default_factory=lambda: defaultdict(threading.Lock)
    )

    def files_for(self, storage: Mapping[str, str]) -> FileIO:
        """Return the one FileIO of this process for these storage properties."""
        key = tuple(sorted(storage.items()))
        if key not in self._files:
            self._files[key] = open_files(storage, self.trust)
        return self._files[key]

    def access_for(self, scheme: str, storage: Mapping[str, str]) -> Vendor:
        """Return the one access to a cloud's interfaces of this process for these properties."""
        module, name = _VENDORS[scheme]
        key = (name, tuple(sorted(storage.items())))
        if key not in self._access:
            access: Vendor = getattr(import_module(module), name)(storage, self.clock, self.trust)
            self._access.setdefault(key, access)
        return self._access[key]

    def lock_for(self, warehouse_id: int, branch: str) -> threading.Lock:
        """Return the lock under which this process's writers to one branch queue."""
        return self._locks[(warehouse_id, branch)]

    def remembered_row(self, name: str) -> warehouses.Warehouse | None:
        """Return the warehouse's row if one at most two seconds old is in memory."""
        seen = self._rows.get(name)
        fresh = seen is not None and self.monotonic() - seen[0] < _ROW_LIFETIME_SECONDS
        return seen[1] if seen is not None and fresh else None

    def find_row(self, name: str) -> warehouses.Warehouse | None:
        """Return the warehouse's row, at most two seconds old."""
        remembered = self.remembered_row(name)
        if remembered is not None:
            return remembered
        row = read(self.engine, lambda connection: warehouses.find(connection, name))
        if row is None:
            self._rows.pop(name, None)
        else:
            self._rows[name] = (self.monotonic(), row)
        return row

    def forget_row(self, name: str) -> None:
        """Drop what is remembered of a warehouse, after a change of it."""
        self._rows.pop(name, None)


@dataclass(frozen=True, slots=True)
class Warehouse:
    """One warehouse, as operations take it."""

    catalog: Catalog
    id: int
    name: str
    default_branch: str
    sites: tuple[Site, ...]

    @property
    def location(self) -> str:
        """Where files lie unless a namespace or a table has another of the locations."""
        return self.sites[0].location

    @property
    def files(self) -> FileIO:
        """Object storage of this warehouse."""
        stores = {site.location: self.catalog.files_for(self.opened(site)) for site in self.sites}
        return RoutedFiles(stores) if len(stores) > 1 else stores[self.location]

    def opened(self, site: Site) -> dict[str, str]:
        """Return the storage properties of one of this warehouse's sites with their secrets."""
        return {**site.storage, **self.catalog.secrets.of(self.name, self._further(site))}

    def signer_of(self, site: Site) -> Signer:
        """Return what signs for one of this warehouse's sites, which is one at S3."""
        return cast("Signer", self.vendor_of(site))

    def vendor_of(self, site: Site) -> Vendor:
        """Return what vends credentials for one of this warehouse's sites."""
        scheme = site.location.partition(":")[0]
        return self.catalog.access_for(scheme, self.opened(site))

    def _further(self, site: Site) -> str | None:
        return None if site.location == self.location else site.location

    def site_of(self, location: str) -> Site | None:
        """Return the site that holds a location."""
        inside = (site for site in self.sites if locations.contains(site.location, location))
        return next(inside, None)

    def objects(self) -> Objects:
        """Return a view of the stored objects, for one operation."""
        engine = self.catalog.engine

        def fetch(ids: Collection[ObjectId]) -> dict[ObjectId, bytes]:
            return read(engine, lambda connection: objects.fetch(connection, ids))

        return Objects(fetch, self.catalog.objects)

    def resolve_location(self, location: str, *, beside: str | None = None) -> str:
        """Return the normal form of `location`, with symbolic links resolved.

        Raises:
            InvalidInput: if it does not lie inside the warehouse, or not in the same one of its
                locations as `beside`, where a table lives.
        """
        normal = locations.normalise(location)
        site = self.site_of(normal)
        files = self.files
        if site is None or not locations.contains(
            files.resolve(site.location), files.resolve(normal)
        ):
            places = ", ".join(each.location for each in self.sites)
            raise InvalidInput(
                f"Location {location} lies outside warehouse {self.name!r}, which keeps its files"
                f" under {places}; choose a location there, or none",
                location=location,
            )
        if beside is not None and self.site_of(beside) is not site:
            raise InvalidInput(
                f"Location {location} lies under {site.location}, but the table does not: all of a"
                " table lies in one location of its warehouse",
                location=location,
            )
        return normal


def handle(catalog: Catalog, row: warehouses.Warehouse) -> Warehouse:
    """Return the handle for a row of the database."""
    return Warehouse(catalog, row.id, row.name, row.default_branch, row.sites)


def get_warehouse(catalog: Catalog, name: str | None = None) -> Warehouse:
    """Return the warehouse called `name`, or the server's default one.

    Raises:
        NoSuchWarehouse: if there is none.
    """
    wanted = name or catalog.settings.default_warehouse
    row = catalog.find_row(wanted)
    if row is None:
        raise missing_error(wanted)
    return handle(catalog, row)


def get_warehouse_by_id(catalog: Catalog, warehouse_id: int) -> Warehouse:
    """Return the warehouse that a row of the database names by its number.

    Raises:
        NoSuchWarehouse: if it has been deleted.
    """
    for warehouse in list_warehouses(catalog):
        if warehouse.id == warehouse_id:
            return warehouse
    raise NoSuchWarehouse(f"Warehouse number {warehouse_id} does not exist any more")


def missing_error(name: str) -> NoSuchWarehouse:
    """Return the error that there is no warehouse of this name."""
    return NoSuchWarehouse(f"Warehouse does not exist: {name}", warehouse=name)


def list_warehouses(catalog: Catalog) -> list[Warehouse]:
    """Return all warehouses by name."""
    return [handle(catalog, row) for row in read(catalog.engine, warehouses.list_)]


def create_warehouse(
    catalog: Catalog,
    name: str,
    *,
    location: str,
    default_branch: str = "main",
    storage: Mapping[str, str] | None = None,
    further: Sequence[Site] = (),
    caller: Caller,
) -> Warehouse:
    """Create a warehouse whose default branch holds one empty commit.

    Raises:
        AlreadyExists: if the name is taken.
        InvalidInput: if the name, the branch, a location or the storage properties cannot be.
    """
    check_warehouse_name(name)
    branch = check_ref_name(default_branch)
    sites = tuple(checked_site(site) for site in (Site(location, storage or {}), *further))
    check_apart(name, sites, read(catalog.engine, warehouses.list_))
    for site in sites:
        own = None if site is sites[0] else site.location
        catalog.files_for({**site.storage, **catalog.secrets.of(name, own)}).check(site.location)
    staged = Objects(lambda ids: {}, catalog.objects)
    now = catalog.clock()
    root = _put_first_commit(staged, name, caller, now)

    def write(connection: Connection) -> warehouses.Warehouse:
        # Again, for another may have been created in the meantime.
        check_apart(name, sites, warehouses.lock_all(connection))
        row = warehouses.insert(
            connection,
            name=name,
            default_branch=branch,
            sites=sites,
            created_at=now,
        )
        objects.insert(connection, staged.staged)
        commits.insert(connection, row.id, [root])
        _begin_branch(connection, row, root, caller)
        record(connection, caller.once, handle(catalog, row))
        return row

    row = transact(catalog.engine, write)
    staged.publish()
    catalog.forget_row(name)
    return handle(catalog, row)


def _put_first_commit(staged: Objects, name: str, caller: Caller, now: datetime) -> ObjectId:
    return staged.put_commit(
        Commit(
            tree=empty_tree(staged),
            parents=(),
            generation=0,
            author=caller.author or caller.name,
            committer=caller.name,
            committed_at=now,
            message=caller.message or f"Create warehouse {name}",
            metadata={**caller.metadata, "mainstem.warehouse": str(uuid4())},
            changed_keys=(),
        )
    )


def _begin_branch(
    connection: Connection, row: warehouses.Warehouse, root: ObjectId, caller: Caller
) -> None:
    refs.insert(
        connection,
        row.id,
        name=row.default_branch,
        kind=refs.RefKind.BRANCH,
        commit_id=root,
        created_at=row.created_at,
        created_by=caller.name,
    )
    refs.append_reflog(
        connection,
        row.id,
        branch=row.default_branch,
        commit_id=root,
        previous_commit_id=None,
        at=row.created_at,
        by=caller.name,
        operation="create-warehouse",
    )


def alter_warehouse(
    warehouse: Warehouse,
    *,
    storage: Mapping[str, str] | None,
    default_branch: str | None,
    further: Sequence[Site] = (),
    caller: Caller,
) -> Warehouse:
    """Change storage properties or the default branch, or add locations; no location goes.

    Raises:
        InvalidInput: if the new default branch does not exist, or a location or the storage
            properties cannot be.
    """
    catalog = warehouse.catalog
    first = () if storage is None else (Site(warehouse.location, storage),)
    given = [checked_site(site) for site in (*first, *further)]

    def write(connection: Connection) -> Warehouse:
        # Whoever deletes a branch waits for the change of this row, and finds out.
        known = warehouses.lock_all(connection)
        row = next((each for each in known if each.id == warehouse.id), None)
        if row is None:
            raise missing_error(warehouse.name)
        row = replace(
            row,
            sites=with_sites(row.sites, given),
            default_branch=default_branch or row.default_branch,
        )
        check_apart(row.name, row.sites, known)
        changed = handle(catalog, row)
        for site in given:
            catalog.files_for(changed.opened(site)).check(site.location)
        warehouses.update(connection, row)
        ref = refs.find(connection, warehouse.id, changed.default_branch)
        if ref is None or ref.kind is not refs.RefKind.BRANCH:
            raise InvalidInput(
                f"Branch {changed.default_branch!r} does not exist in warehouse"
                f" {warehouse.name!r}; create it before making it the default"
            )
        record(connection, caller.once, changed)
        return changed

    changed = transact(catalog.engine, write)
    catalog.forget_row(warehouse.name)
    return changed
