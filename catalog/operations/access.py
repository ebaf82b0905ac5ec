"""What a client is given to get at a table's files: credentials, signatures, or nothing."""

from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from catalog.errors import Forbidden
from catalog.files.delegation import Delegation, delegations
from catalog.files.scopes import Scope, find_scope
from catalog.files.signing import SignRequest, check_request
from catalog.iceberg.locations import normalise
from catalog.operations.tables import load_table
from catalog.operations.warehouses import Warehouse
from catalog.store.warehouses import Site
from catalog.versioning.ids import ObjectId
from catalog.versioning.keys import Key

# Under which names clients of a store learn where to get fresh credentials.
_REFRESH = {
    "s3": "client.refresh-credentials-endpoint",
    "abfss": "adls.refresh-credentials-endpoint",
    "abfs": "adls.refresh-credentials-endpoint",
    "gs": "gcs.oauth2.refresh-credentials-endpoint",
}


@dataclass(frozen=True, slots=True)
class Access:
    """What one client is given for one table: short-lived credentials, or else signatures."""

    prefix: str
    credentials: Mapping[str, str] | None

    @property
    def refresh_property(self) -> str:
        """The name under which a client learns where to get fresh ones."""
        return _REFRESH[self.prefix.partition(":")[0]]


def offers_access(warehouse: Warehouse) -> bool:
    """Tell whether answers of this warehouse may hold what is for one client only."""
    return any(delegations(site.storage) for site in warehouse.sites)


def grant(
    warehouse: Warehouse, location: str, *, read_only: bool, wanted: frozenset[str]
) -> Access | None:
    """Return the first that the warehouse offers of what a client can use, credentials before all.

    The scope is the table's location, which must lie below one of the warehouse's own.

    Raises:
        StorageUnavailable: if the cloud does not vend credentials.
    """
    site = warehouse.site_of(location)
    scope = None if site is None else _scope(site, location, read_only=read_only)
    if site is None or scope is None:
        return None
    usable = {each for each in delegations(site.storage) if each.value in wanted}
    if Delegation.VENDED in usable:
        vended = warehouse.vendor_of(site).vend(scope, f"mainstem-{warehouse.name}")
        return Access(normalise(location), vended.properties)
    if Delegation.SIGNING in usable:
        return Access(normalise(location), None)
    return None


def own_keys(warehouse: Warehouse, location: str) -> Mapping[str, str]:
    """Return the server's own keys to a table's store if it hands them out, else nothing.

    Raises:
        StorageUnavailable: if it hands them out and there are none.
    """
    site = warehouse.site_of(location)
    if site is None or Delegation.STATIC not in delegations(site.storage):
        return {}
    return warehouse.signer_of(site).own_keys()


def load_credentials(
    warehouse: Warehouse, commit_id: ObjectId, key: Key, *, read_only: bool
) -> Access | None:
    """Return fresh credentials for a table; None if the warehouse vends none.

    Raises:
        NoSuchTable: if the key names no table at this commit.
        StorageUnavailable: if STS does not vend credentials.
    """
    location = table_location(load_table(warehouse, commit_id, key).metadata)
    return grant(
        warehouse, location, read_only=read_only, wanted=frozenset({Delegation.VENDED.value})
    )


def sign_request(
    warehouse: Warehouse, commit_id: ObjectId, key: Key, request: SignRequest, *, read_only: bool
) -> dict[str, str]:
    """Return the headers that let a client send a request to the table's files.

    Raises:
        NoSuchTable: if the key names no table at this commit.
        Forbidden: if the warehouse signs nothing, or the request leaves the table's files, or
            writes through a revision that cannot be written to.
    """
    location = table_location(load_table(warehouse, commit_id, key).metadata)
    site = warehouse.site_of(location)
    scope = None if site is None else _scope(site, location, read_only=read_only)
    if site is None or scope is None or Delegation.SIGNING not in delegations(site.storage):
        raise Forbidden(f"Warehouse {warehouse.name!r} does not sign requests for {location}")
    check_request(request, scope, site.storage)
    return warehouse.signer_of(site).sign(request)


def table_location(metadata: bytes) -> str:
    """Return the location that a metadata file names."""
    location: str = orjson.loads(metadata)["location"]
    return location


def _scope(site: Site, location: str, *, read_only: bool) -> Scope | None:
    whole = normalise(location) == site.location
    return None if whole else find_scope(location, read_only=read_only)
