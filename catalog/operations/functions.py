"""Functions: set and drop on a branch; they are versioned with tables and views."""

from typing import Any
from uuid import uuid4

from catalog.clock import to_millis
from catalog.iceberg.functions import next_function
from catalog.iceberg.metadata import Metadata
from catalog.operations.callers import Caller
from catalog.operations.commit import Head, Plan, commit
from catalog.operations.entries import check_name, require_namespace, shown, taken_error
from catalog.operations.metadata import read_metadata, read_metadata_bytes, write_metadata
from catalog.operations.paths import check_paths, new_metadata_location
from catalog.operations.tables import Loaded, default_location, drop_table, load_table, new_entry
from catalog.operations.warehouses import Warehouse
from catalog.versioning.ids import ObjectId
from catalog.versioning.keys import Key
from catalog.versioning.object_store import Objects
from catalog.versioning.objects import EntryKind
from catalog.versioning.tree import get


def get_function(warehouse: Warehouse, commit_id: ObjectId, key: Key) -> Loaded:
    """Return a function with its metadata file's own bytes.

    Raises:
        NoSuchFunction: if the key names none at this commit.
    """
    return load_table(warehouse, commit_id, key, EntryKind.FUNCTION)


def put_function(
    warehouse: Warehouse, branch: str, key: Key, request: dict[str, Any], *, caller: Caller
) -> Loaded:
    """Create a function, or give one that is there the definitions of `request`.

    Raises:
        AlreadyExists: if the name is taken by what is no function.
        NoSuchNamespace: if the namespace is missing.
        InvalidInput: if the definitions break a rule of the format; nothing is written then.
    """
    check_name(key)

    def build(objects: Objects, head: Head) -> Plan | None:
        base, base_location = _current(warehouse, objects, head, branch, key)
        metadata = _next(warehouse, objects, head, key, base, request)
        if metadata is base:
            assert base_location is not None
            loaded.append(Loaded(base_location, read_metadata_bytes(warehouse, base_location)))
            return None
        location = new_metadata_location(warehouse, metadata, previous=base_location)
        data = write_metadata(warehouse, {location: metadata})[location]
        loaded.append(Loaded(location, data))
        return Plan(
            {key: new_entry(EntryKind.FUNCTION, location, metadata)},
            f"{'Create' if base is None else 'Replace'} function {shown(key)}",
            reads=frozenset([key[:-1]]),
            returns=lambda done: loaded[-1],
        )

    loaded: list[Loaded] = []
    commit(warehouse, branch, build, caller=caller, operation="put-function")
    return loaded[-1]


def drop_function(warehouse: Warehouse, branch: str, key: Key, *, caller: Caller) -> None:
    """Drop a function's entry; its files stay, for other revisions' sake.

    Raises:
        NoSuchFunction: if it does not exist.
    """
    drop_table(warehouse, branch, key, caller=caller, kind=EntryKind.FUNCTION)


def _current(
    warehouse: Warehouse, objects: Objects, head: Head, branch: str, key: Key
) -> tuple[Metadata | None, str | None]:
    require_namespace(objects, head.commit.tree, key[:-1], where=f"branch {branch!r}")
    entry = get(objects, head.commit.tree, key)
    if entry is None:
        return None, None
    if entry.kind is not EntryKind.FUNCTION:
        raise taken_error(EntryKind.FUNCTION, entry, key)
    assert entry.metadata_location is not None
    return read_metadata(warehouse, entry.metadata_location), entry.metadata_location


def _next(
    warehouse: Warehouse,
    objects: Objects,
    head: Head,
    key: Key,
    base: Metadata | None,
    request: dict[str, Any],
) -> Metadata:
    uuid = str(uuid4())
    metadata = next_function(
        base,
        request,
        location=default_location(warehouse, objects, head.commit.tree, key, uuid[:8]),
        function_uuid=uuid,
        now_ms=to_millis(warehouse.catalog.clock()),
    )
    check_paths(warehouse, metadata, base)
    return metadata
