"""Tables: load, create, stage, register, rename, drop."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from catalog.clock import to_millis
from catalog.errors import AlreadyExists, InvalidInput
from catalog.iceberg.creation import new_table
from catalog.iceberg.facts import table_facts, view_facts
from catalog.iceberg.functions import function_facts
from catalog.iceberg.locations import new_location
from catalog.iceberg.metadata import Metadata
from catalog.iceberg.validation import check_table
from catalog.iceberg.views import check_view, new_view
from catalog.operations.callers import Caller
from catalog.operations.commit import Head, Plan, commit
from catalog.operations.entries import (
    check_name,
    find_entry,
    missing_error,
    require_namespace,
    shown,
    taken_error,
)
from catalog.operations.metadata import read_foreign_metadata, read_metadata_bytes, write_metadata
from catalog.operations.paths import check_paths, new_metadata_location
from catalog.operations.resolve import head_of
from catalog.operations.warehouses import Warehouse
from catalog.versioning.ids import ObjectId
from catalog.versioning.keys import Key
from catalog.versioning.object_store import Objects
from catalog.versioning.objects import Entry, EntryKind
from catalog.versioning.tree import get


@dataclass(frozen=True, slots=True)
class Loaded:
    """A table or view with its metadata as plain JSON; `location` is None for a staged one."""

    location: str | None
    metadata: bytes


def get_table(
    warehouse: Warehouse, commit_id: ObjectId, key: Key, kind: EntryKind = EntryKind.TABLE
) -> Entry:
    """Return the entry of a table or view.

    Raises:
        NoSuchTable, NoSuchView: if the key names none of that kind at this commit.
    """
    entry = find_entry(warehouse, commit_id, key)
    if entry is None or entry.kind is not kind:
        raise missing_error(kind, key)
    return entry


def load_table(
    warehouse: Warehouse, commit_id: ObjectId, key: Key, kind: EntryKind = EntryKind.TABLE
) -> Loaded:
    """Return a table or view with the metadata file's own bytes.

    Raises:
        NoSuchTable, NoSuchView: if the key names none of that kind at this commit.
        NoSuchFile: if its metadata file is gone.
    """
    location = get_table(warehouse, commit_id, key, kind).metadata_location
    assert location is not None
    return Loaded(location, read_metadata_bytes(warehouse, location))


def create_table(
    warehouse: Warehouse,
    branch: str,
    key: Key,
    request: Mapping[str, Any],
    *,
    caller: Caller,
    kind: EntryKind = EntryKind.TABLE,
) -> Loaded:
    """Create a table, or a view, from the specification's create request.

    Raises:
        AlreadyExists: if the name is taken.
        NoSuchNamespace: if the namespace is missing.
        InvalidInput: if the request breaks a rule; nothing is written then.
    """
    metadata = _initial(warehouse, branch, key, request, kind)
    location = new_metadata_location(warehouse, metadata)
    written: list[bytes] = []

    def build(objects: Objects, head: Head) -> Plan:
        _check_free(objects, head.commit.tree, key, kind, branch)
        if not written:
            written.append(write_metadata(warehouse, {location: metadata})[location])
        return Plan(
            {key: new_entry(kind, location, metadata)},
            f"Create {kind.value} {shown(key)}",
            reads=frozenset([key[:-1]]),
            returns=lambda done: Loaded(location, written[-1]),
        )

    commit(warehouse, branch, build, caller=caller, operation=f"create-{kind.value}")
    return Loaded(location, written[-1])


def stage_table(
    warehouse: Warehouse, branch: str, key: Key, request: Mapping[str, Any]
) -> Metadata:
    """Return the metadata of a table to be, for a later commit with `assert-create`.

    Nothing is stored; on a file system the table's folders are made, which DuckDB relies on.
    """
    metadata = _initial(warehouse, branch, key, request, EntryKind.TABLE)
    warehouse.files.make_directories(
        [f"{metadata['location']}/metadata", f"{metadata['location']}/data"]
    )
    return metadata


def register_table(
    warehouse: Warehouse,
    branch: str,
    key: Key,
    location: str,
    *,
    overwrite: bool,
    caller: Caller,
    kind: EntryKind = EntryKind.TABLE,
) -> Loaded:
    """Point a name at an existing metadata file, which stays as it is.

    Raises:
        AlreadyExists: if the name is taken and `overwrite` does not allow to replace it.
        NoSuchFile: if the file does not exist.
        InvalidInput: if it lies outside the warehouse or is no valid metadata.
    """
    check_name(key)
    location = warehouse.resolve_location(location)
    metadata = read_foreign_metadata(warehouse, location)
    (check_table if kind is EntryKind.TABLE else check_view)(metadata)
    check_paths(warehouse, metadata)
    warehouse.resolve_location(location, beside=metadata["location"])
    loaded = Loaded(location, read_metadata_bytes(warehouse, location))

    def build(objects: Objects, head: Head) -> Plan:
        require_namespace(objects, head.commit.tree, key[:-1], where=f"branch {branch!r}")
        existing = get(objects, head.commit.tree, key)
        if existing is not None and not (overwrite and existing.kind is kind):
            raise taken_error(kind, existing, key)
        return Plan(
            {key: new_entry(kind, location, metadata)},
            f"Register {kind.value} {shown(key)}",
            reads=frozenset([key[:-1]]),
            returns=lambda done: loaded,
        )

    commit(warehouse, branch, build, caller=caller, operation=f"register-{kind.value}")
    return loaded


def rename_table(
    warehouse: Warehouse,
    branch: str,
    source: Key,
    target: Key,
    *,
    caller: Caller,
    kind: EntryKind = EntryKind.TABLE,
) -> None:
    """Give a table or view another name, in another namespace if asked.

    Raises:
        NoSuchTable, NoSuchView: if the source does not exist.
        NoSuchNamespace: if the target's namespace does not exist.
        AlreadyExists: if the target does.
    """
    check_name(target)

    def build(objects: Objects, head: Head) -> Plan | None:
        entry = get(objects, head.commit.tree, source)
        if source == target and entry is not None and entry.kind is kind:
            return None
        if target[:-1] != source[:-1]:
            require_namespace(objects, head.commit.tree, target[:-1], where=f"branch {branch!r}")
        if entry is None or entry.kind is not kind:
            raise missing_error(kind, source)
        existing = get(objects, head.commit.tree, target)
        if existing is not None:
            raise AlreadyExists(
                f"Cannot rename {shown(source)} to {shown(target)}."
                f" {existing.kind.value.capitalize()} already exists"
            )
        return Plan(
            {source: None, target: entry},
            f"Rename {kind.value} {shown(source)} to {shown(target)}",
            reads=frozenset([target[:-1]]),
        )

    commit(warehouse, branch, build, caller=caller, operation=f"rename-{kind.value}")


def drop_table(
    warehouse: Warehouse,
    branch: str,
    key: Key,
    *,
    caller: Caller,
    kind: EntryKind = EntryKind.TABLE,
) -> Entry:
    """Drop a table's or view's entry and return it; its files stay, for other revisions' sake.

    Raises:
        NoSuchTable, NoSuchView: if it does not exist.
    """
    dropped: list[Entry] = []

    def build(objects: Objects, head: Head) -> Plan:
        entry = get(objects, head.commit.tree, key)
        if entry is None or entry.kind is not kind:
            raise missing_error(kind, key)
        dropped.append(entry)
        return Plan({key: None}, f"Drop {kind.value} {shown(key)}")

    commit(warehouse, branch, build, caller=caller, operation=f"drop-{kind.value}")
    return dropped[-1]


def unregister_table(warehouse: Warehouse, branch: str, key: Key, *, caller: Caller) -> Loaded:
    """Drop a table's entry and return the table as its last commit left it; its files stay.

    Raises:
        NoSuchTable: if it does not exist.
        NoSuchFile: if its metadata file is gone; the entry stays then.
    """

    def build(objects: Objects, head: Head) -> Plan:
        entry = get(objects, head.commit.tree, key)
        if entry is None or entry.kind is not EntryKind.TABLE:
            raise missing_error(EntryKind.TABLE, key)
        assert entry.metadata_location is not None
        data = read_metadata_bytes(warehouse, entry.metadata_location)
        unregistered.append(Loaded(entry.metadata_location, data))
        return Plan(
            {key: None},
            f"Unregister table {shown(key)}",
            returns=lambda done: unregistered[-1],
        )

    unregistered: list[Loaded] = []
    commit(warehouse, branch, build, caller=caller, operation="unregister-table")
    return unregistered[-1]


def new_entry(kind: EntryKind, location: str, metadata: Metadata) -> Entry:
    """Return what the tree holds for what has its metadata at `location`."""
    if kind is EntryKind.FUNCTION:
        return Entry(kind, metadata["function-uuid"], location, facts=function_facts(metadata))
    if kind is EntryKind.VIEW:
        return Entry(kind, metadata["view-uuid"], location, facts=view_facts(metadata))
    return Entry(kind, metadata["table-uuid"], location, facts=table_facts(metadata))


def _initial(
    warehouse: Warehouse, branch: str, key: Key, request: Mapping[str, Any], kind: EntryKind
) -> Metadata:
    check_name(key)
    head = head_of(warehouse, branch)
    objects = warehouse.objects()
    tree = objects.commit(head).tree
    _check_free(objects, tree, key, kind, branch)
    uuid = str(uuid4())
    asked = request.get("location")
    if asked is not None and not isinstance(asked, str):
        raise InvalidInput(f"Cannot parse to a string value: location: {asked}")
    location = (
        warehouse.resolve_location(asked)
        if asked
        else default_location(warehouse, objects, tree, key, uuid[:8])
    )
    now_ms = to_millis(warehouse.catalog.clock())
    if kind is EntryKind.VIEW:
        metadata = new_view(dict(request), location=location, view_uuid=uuid, now_ms=now_ms)
    else:
        metadata = new_table(dict(request), location=location, table_uuid=uuid, now_ms=now_ms)
    check_paths(warehouse, metadata)
    return metadata


def _check_free(objects: Objects, tree: ObjectId, key: Key, kind: EntryKind, branch: str) -> None:
    require_namespace(objects, tree, key[:-1], where=f"branch {branch!r}")
    existing = get(objects, tree, key)
    if existing is not None:
        raise taken_error(kind, existing, key)


def default_location(
    warehouse: Warehouse, objects: Objects, tree: ObjectId, key: Key, short_uuid: str
) -> str:
    """Return a location of its own for what is created, under the nearest namespace with one."""
    for depth in range(len(key) - 1, 0, -1):
        namespace = get(objects, tree, key[:depth])
        if namespace is not None and "location" in namespace.properties:
            parent = warehouse.resolve_location(namespace.properties["location"])
            return new_location(parent, key[depth:], short_uuid)
    return new_location(warehouse.location, key, short_uuid)
