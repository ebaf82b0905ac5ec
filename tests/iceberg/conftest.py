"""The tables of the matrix of commits, and how a request is applied to one."""

import copy
from types import SimpleNamespace
from typing import Any

import pytest

from catalog.iceberg.parsing import parse_requirements, parse_updates
from catalog.iceberg.requirements import check_requirements
from catalog.iceberg.updates import update_table
from catalog.iceberg.views import check_view_requirements, update_view

K = 1000
NOW = 1000 * K
UUID = "9c12d441-03fe-4693-9a96-a0705ddf69c1"
VIEW_UUID = "fa6506c3-7681-40c8-86dc-e36561f83385"
FILES = [f"s3://b/t/metadata/0000{n}-a.metadata.json" for n in range(3)]
FIELDS = [
    {"id": 1, "name": "id", "required": True, "type": "long"},
    {"id": 2, "name": "data", "required": False, "type": "string"},
    {"id": 3, "name": "ts", "required": False, "type": "timestamptz"},
]


def _schema(*more, schema_id=0, fields=FIELDS):
    return {"type": "struct", "schema-id": schema_id, "fields": [*fields, *more]}


def _snapshot(number, seq, ts, parent=None, **more):
    snapshot = {
        "snapshot-id": number,
        "sequence-number": seq,
        "timestamp-ms": ts,
        "summary": {"operation": "append"},
        "manifest-list": f"s3://b/t/metadata/snap-{number}.avro",
        "schema-id": 0,
    }
    if parent is not None:
        snapshot["parent-snapshot-id"] = parent
    return snapshot | {name.replace("_", "-"): value for name, value in more.items()}


def _branch(number, **more):
    return {"snapshot-id": number, "type": "branch"} | more


def _log(*entries):
    return [{"timestamp-ms": ts, "snapshot-id": number} for ts, number in entries]


def _files(*entries):
    return [{"timestamp-ms": ts, "metadata-file": file} for ts, file in entries]


def _t2(**more):
    return {
        "format-version": 2,
        "table-uuid": UUID,
        "location": "s3://b/t",
        "last-sequence-number": 0,
        "last-updated-ms": 100 * K,
        "last-column-id": 3,
        "current-schema-id": 0,
        "schemas": [_schema()],
        "default-spec-id": 0,
        "partition-specs": [{"spec-id": 0, "fields": []}],
        "last-partition-id": 999,
        "default-sort-order-id": 0,
        "sort-orders": [{"order-id": 0, "fields": []}],
        "properties": {"gc.enabled": "false"},
        "current-snapshot-id": -1,
        "refs": {},
        "snapshots": [],
        "statistics": [],
        "partition-statistics": [],
        "snapshot-log": [],
        "metadata-log": [],
    } | more


def _t2a():
    return _t2() | {
        "snapshots": [_snapshot(11, 1, 200 * K)],
        "refs": {"main": _branch(11)},
        "current-snapshot-id": 11,
        "snapshot-log": _log((200 * K, 11)),
        "last-sequence-number": 1,
        "last-updated-ms": 200 * K,
        "metadata-log": _files((100 * K, FILES[0])),
    }


def _t2b():
    file = {"snapshot-id": 11, "statistics-path": "s3://b/t/st", "file-size-in-bytes": 5}
    return _t2a() | {
        "snapshots": [_snapshot(11, 1, 200 * K), _snapshot(12, 2, 300 * K, parent=11)],
        "refs": {"main": _branch(12), "rel": {"snapshot-id": 11, "type": "tag"}},
        "current-snapshot-id": 12,
        "snapshot-log": _log((200 * K, 11), (300 * K, 12)),
        "last-sequence-number": 2,
        "last-updated-ms": 300 * K,
        "metadata-log": _files((100 * K, FILES[0]), (200 * K, FILES[1])),
        "statistics": [file | {"file-footer-size-in-bytes": 3, "blob-metadata": []}],
        "partition-statistics": [file],
    }


def _t2p():
    bucket = {"name": "id_bucket", "transform": "bucket[16]", "source-id": 1, "field-id": 1000}
    data = {"name": "data", "transform": "identity", "source-id": 2, "field-id": 1001}
    return _t2() | {
        "partition-specs": [{"spec-id": 0, "fields": [bucket]}, {"spec-id": 1, "fields": [data]}],
        "last-partition-id": 1001,
    }


def _t1():
    day = {"name": "ts_day", "transform": "day", "source-id": 3, "field-id": 1000}
    table = _t2() | {
        "format-version": 1,
        "schema": _schema(),
        "partition-spec": [day],
        "partition-specs": [{"spec-id": 0, "fields": [day]}],
        "last-partition-id": 1000,
    }
    del table["last-sequence-number"]
    return table


def _t3():
    return _t2() | {"format-version": 3, "next-row-id": 0, "current-snapshot-id": None}


def _t3a():
    return _t3() | {
        "snapshots": [_snapshot(11, 1, 200 * K, first_row_id=0, added_rows=10)],
        "refs": {"main": _branch(11)},
        "current-snapshot-id": 11,
        "snapshot-log": _log((200 * K, 11)),
        "last-sequence-number": 1,
        "last-updated-ms": 200 * K,
        "next-row-id": 10,
    }


def _view_version(number, *, schema=0, ts=K, sql="select 1", dialect="spark", **more):
    return {
        "version-id": number,
        "timestamp-ms": ts,
        "schema-id": schema,
        "summary": {"engine-name": "spark"},
        "default-namespace": [],
        "representations": [{"type": "sql", "sql": sql, "dialect": dialect}],
    } | more


def _view():
    fields = [{"id": 1, "name": "x", "required": False, "type": "long"}]
    return {
        "view-uuid": VIEW_UUID,
        "format-version": 1,
        "location": "s3://b/v",
        "schemas": [_schema(fields=fields)],
        "current-version-id": 1,
        "versions": [_view_version(1)],
        "version-log": [{"timestamp-ms": K, "version-id": 1}],
    }


_TABLES = {
    "T1": (_t1, FILES[0]),
    "T2": (_t2, FILES[0]),
    "T2a": (_t2a, FILES[1]),
    "T2b": (_t2b, FILES[2]),
    "T2p": (_t2p, FILES[0]),
    "T3": (_t3, FILES[0]),
    "T3a": (_t3a, FILES[1]),
}


def _table(name: str, **members: Any) -> dict[str, Any]:
    return _TABLES[name][0]() | members


def _commit(base, updates, requirements=(), *, now_ms=NOW, location=None):
    """Do what the server does with a commit request, and insist that the base stays as it was."""
    before = copy.deepcopy(base)
    required = parse_requirements(list(requirements))
    parsed = parse_updates(updates)
    check_requirements(required, base)
    result = update_table(
        base, parsed, base_location=None if base is None else location or FILES[0], now_ms=now_ms
    )
    assert base == before
    return result


def _commit_view(base, updates, requirements=(), *, now_ms=NOW):
    before = copy.deepcopy(base)
    check_view_requirements(parse_requirements(list(requirements)), base)
    result = update_view(base, parse_updates(list(updates)), now_ms=now_ms)
    assert base == before
    return result


def _ids(items, member):
    return [item[member] for item in items]


def _outline(table):
    """Return what a row of the matrix speaks about, in its own short form."""
    known = {
        "schema": table["current-schema-id"],
        "schemas": _ids(table["schemas"], "schema-id"),
        "spec": table["default-spec-id"],
        "specs": _ids(table["partition-specs"], "spec-id"),
        "order": table["default-sort-order-id"],
        "orders": _ids(table["sort-orders"], "order-id"),
        "snapshots": _ids(table["snapshots"], "snapshot-id"),
        "refs": {name: ref["snapshot-id"] for name, ref in table["refs"].items()},
        "current": table["current-snapshot-id"],
        "log": [(entry["timestamp-ms"], entry["snapshot-id"]) for entry in table["snapshot-log"]],
        "files": [
            (entry["timestamp-ms"], entry["metadata-file"]) for entry in table["metadata-log"]
        ],
        "properties": {k: v for k, v in table["properties"].items() if k != "gc.enabled"},
        "statistics": _ids(table["statistics"], "snapshot-id"),
        "partition-statistics": _ids(table["partition-statistics"], "snapshot-id"),
    }
    scalars = {name: value for name, value in table.items() if not isinstance(value, list | dict)}
    return scalars | known


@pytest.fixture
def make():
    """Builders of tables, views and their parts."""
    return SimpleNamespace(
        table=_table,
        file_of=lambda name: _TABLES[name][1],
        view=_view,
        view_version=_view_version,
        schema=_schema,
        snapshot=_snapshot,
        fields=FIELDS,
        uuid=UUID,
        files=FILES,
        now=NOW,
    )


@pytest.fixture
def commit():
    """Apply a commit request to a table."""
    return _commit


@pytest.fixture
def commit_view():
    """Apply a commit request to a view."""
    return _commit_view


@pytest.fixture
def outline():
    """Shorten metadata to what a row of the matrix speaks about."""
    return _outline
