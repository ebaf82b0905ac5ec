"""Lakes to measure on: any number of tables of 20 columns, put into the store in a few seconds.

The tables are committed through the one door that every commit takes, many at a time, with entries
as a server makes them. Those that are measured have metadata files of their own; all others share
one file, which nothing reads.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson

from catalog.api.app import open_catalog
from catalog.iceberg.creation import new_table
from catalog.iceberg.metadata import Metadata
from catalog.operations.callers import Caller
from catalog.operations.commit import Plan, commit
from catalog.operations.tables import new_entry
from catalog.operations.warehouses import Warehouse, get_warehouse
from catalog.settings import Settings
from catalog.versioning.keys import Key
from catalog.versioning.objects import Entry, EntryKind

CHANGED = 200
SNAPSHOTS = 100
# Of its own, so that changing it disturbs no other table's measurement.
HISTORY: Key = ("history", "snapshots")
SPARE: Key = ("history", "spare")

_PER_NAMESPACE = 100
_PER_COMMIT = 2_000
_BEGAN_MS = 2_000_000_000_000
_CALLER = Caller("bench")


@dataclass(frozen=True, slots=True)
class Lake:
    """A lake of `tables` tables, a hundred in a namespace."""

    tables: int

    def key(self, number: int) -> Key:
        """Return the key of a table by its place in the order of all."""
        return (f"n{number // _PER_NAMESPACE:05}", f"t{number % _PER_NAMESPACE:02}")

    def neighbours(self) -> list[Key]:
        """Return the changed tables where they lie in a few namespaces."""
        begin = (self.tables - CHANGED) // 2 // _PER_NAMESPACE * _PER_NAMESPACE
        return [self.key(begin + number) for number in range(CHANGED)]

    def scattered(self) -> list[Key]:
        """Return the changed tables where they lie all over the lake."""
        return [self.key(number * self.tables // CHANGED) for number in range(CHANGED)]


def table_request(name: str = "t") -> dict[str, Any]:
    """Return the create request of a table of 20 columns."""
    types = ("long", "string", "double", "timestamptz", "date")
    fields = [
        {"id": number, "name": f"column_{number}", "type": types[number % 5], "required": False}
        for number in range(1, 21)
    ]
    return {"name": name, "schema": {"type": "struct", "schema-id": 0, "fields": fields}}


def seed(settings: Settings, lake: Lake) -> None:
    """Fill the default warehouse's default branch."""
    catalog = open_catalog(settings)
    try:
        warehouse = get_warehouse(catalog)
        own = {*lake.neighbours(), *lake.scattered()}
        shared = _write(warehouse, ("shared",), _metadata(warehouse, ("shared",)))
        edits = _namespaces(lake)
        for key in (HISTORY, SPARE):
            edits[key] = _write(warehouse, key, _metadata(warehouse, key))
        for number in range(lake.tables):
            key = lake.key(number)
            if key in own:
                edits[key] = _write(warehouse, key, _metadata(warehouse, key))
            else:
                edits[key] = replace(shared, uuid=str(uuid4()))
            if len(edits) >= _PER_COMMIT:
                _commit(warehouse, edits)
                edits = {}
        _commit(warehouse, edits)
    finally:
        catalog.engine.dispose()


def _namespaces(lake: Lake) -> dict[Key, Entry | None]:
    names = {lake.key(number)[:1] for number in range(0, lake.tables, _PER_NAMESPACE)}
    return {name: Entry(EntryKind.NAMESPACE, str(uuid4())) for name in names | {HISTORY[:1]}}


def _commit(warehouse: Warehouse, edits: dict[Key, Entry | None]) -> None:
    plan = Plan(edits, f"Add {len(edits)} entries")
    branch = warehouse.default_branch
    commit(warehouse, branch, lambda *_: plan, caller=_CALLER, operation="bench")


def _metadata(warehouse: Warehouse, key: Key) -> Metadata:
    location = f"{warehouse.location}/{'/'.join(key)}-{uuid4().hex[:8]}"
    created = new_table(
        table_request(), location=location, table_uuid=str(uuid4()), now_ms=_BEGAN_MS
    )
    return _with_snapshots(created) if key == HISTORY else created


def snapshot(location: str, number: int) -> dict[str, Any]:
    """Return the snapshot of this number, as an engine would append it."""
    return {
        "snapshot-id": number + 1,
        "sequence-number": number + 1,
        "timestamp-ms": _BEGAN_MS + number,
        "schema-id": 0,
        "manifest-list": f"{location}/metadata/snap-{number}-{uuid4()}.avro",
        "summary": {
            "operation": "append",
            **{
                f"{prefix}-{what}": str(1_000_000 + number)
                for prefix in ("added", "total")
                for what in ("records", "data-files", "files-size", "delete-files")
            },
        },
        **({"parent-snapshot-id": number} if number else {}),
    }


def _with_snapshots(metadata: Metadata) -> Metadata:
    snapshots = [snapshot(metadata["location"], number) for number in range(SNAPSHOTS)]
    return metadata | {
        "snapshots": snapshots,
        "current-snapshot-id": SNAPSHOTS,
        "last-sequence-number": SNAPSHOTS,
        "refs": {"main": {"snapshot-id": SNAPSHOTS, "type": "branch"}},
        "snapshot-log": [
            {"snapshot-id": each["snapshot-id"], "timestamp-ms": each["timestamp-ms"]}
            for each in snapshots
        ],
        "last-updated-ms": snapshots[-1]["timestamp-ms"],
    }


def _write(warehouse: Warehouse, key: Key, metadata: Metadata) -> Entry:
    """Write the metadata file without making it durable, which would take minutes for a lake."""
    location = f"{metadata['location']}/metadata/00000-{uuid4()}.metadata.json"
    path = Path(location.removeprefix("file://"))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(orjson.dumps(metadata))
    return new_entry(EntryKind.TABLE, location, metadata)
