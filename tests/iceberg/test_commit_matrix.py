"""The matrix of table commits, rows 1-92; each id is the row and its variant."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from catalog.errors import CommitFailed, InvalidInput, ValidationFailed

K = 1000
NOW = 1000 * K
U = "9c12d441-03fe-4693-9a96-a0705ddf69c1"
OTHER = "00000000-0000-4000-8000-000000000001"
F0, F1, F2 = (f"s3://b/t/metadata/0000{n}-a.metadata.json" for n in range(3))
S0 = [
    {"id": 1, "name": "id", "required": True, "type": "long"},
    {"id": 2, "name": "data", "required": False, "type": "string"},
    {"id": 3, "name": "ts", "required": False, "type": "timestamptz"},
]
SAME = "the base itself"


@dataclass
class Row:
    """One row: what is asked of which table, and what comes of it."""

    number: str
    base: str
    updates: list[Any]
    then: Any
    requirements: list[Any] = field(default_factory=list)
    members: dict[str, Any] = field(default_factory=dict)


def column(number, name, kind="long", **more):
    return {"id": number, "name": name, "required": False, "type": kind} | more


def schema(*more, fields=S0, **members):
    return {"type": "struct", "fields": [*fields, *more]} | members


def add_schema(*more, fields=S0, last=None, **members):
    update = {"action": "add-schema", "schema": schema(*more, fields=fields, **members)}
    return update if last is None else update | {"last-column-id": last}


def cur(number=-1):
    return {"action": "set-current-schema", "schema-id": number}


def part(name, transform, source, number=None):
    made = {"name": name, "transform": transform, "source-id": source}
    return made if number is None else made | {"field-id": number}


def add_spec(*fields, spec_id=0):
    return {"action": "add-spec", "spec": {"spec-id": spec_id, "fields": list(fields)}}


def default_spec(number=-1):
    return {"action": "set-default-spec", "spec-id": number}


def by(source, transform="identity", direction="asc", nulls="nulls-first"):
    return {
        "transform": transform,
        "source-id": source,
        "direction": direction,
        "null-order": nulls,
    }


def add_order(*fields, order_id=1):
    return {"action": "add-sort-order", "sort-order": {"order-id": order_id, "fields": [*fields]}}


def default_order(number=-1):
    return {"action": "set-default-sort-order", "sort-order-id": number}


def add(number, seq, ts, parent=None, **more):
    snapshot = {
        "snapshot-id": number,
        "sequence-number": seq,
        "timestamp-ms": ts,
        "summary": {"operation": "append"},
        "manifest-list": f"s3://b/t/metadata/snap-{number}.avro",
    }
    if parent is not None:
        snapshot["parent-snapshot-id"] = parent
    snapshot |= {name.replace("_", "-"): value for name, value in more.items()}
    return {"action": "add-snapshot", "snapshot": snapshot}


def ref(name, number, kind="branch", **more):
    update = {"action": "set-snapshot-ref", "ref-name": name, "type": kind, "snapshot-id": number}
    return update | {member.replace("_", "-"): value for member, value in more.items()}


def main(number, **more):
    return ref("main", number, **more)


def remove(*numbers):
    return {"action": "remove-snapshots", "snapshot-ids": list(numbers)}


def put(**properties):
    return {"action": "set-properties", "updates": properties}


def version(number):
    return {"action": "upgrade-format-version", "format-version": number}


def statistics(number, path="s3://b/t/new", **more):
    return {
        "snapshot-id": number,
        "statistics-path": path,
        "file-size-in-bytes": 7,
        "file-footer-size-in-bytes": 3,
        "blob-metadata": [],
    } | more


def key(number, secret):
    return {
        "action": "add-encryption-key",
        "encryption-key": {"key-id": number, "encrypted-key-metadata": secret},
    }


READING = [
    Row("1", "T2", [{"action": "frobnicate"}], "frobnicate"),
    Row("2", "T2", [], "assert-moon", requirements=[{"type": "assert-moon"}]),
    Row("3", "T2", [{"action": "SET-Location", "location": "s3://b/u"}], {"location": "s3://b/u"}),
    Row("4", "T2", [{}], "Cannot parse metadata update. Missing field: action"),
    *(
        Row(f"5-{bad}", "T2", [cur(bad)], "Cannot parse to an integer value: schema-id")
        for bad in ("0", True, 0.0, None, 2**31)
    ),
    Row("6", "T2", [], SAME, requirements=[{"type": "assert-table-uuid", "uuid": U}]),
    Row(
        "7",
        "T2",
        [{"action": "set-properties", "updates": {"a": "1s"}, "updated": {"a": "2s"}}],
        {"properties": {"a": "1s"}},
    ),
    Row(
        "7-legacy",
        "T2",
        [{"action": "set-properties", "updated": {"a": "2s"}}],
        {"properties": {"a": "2s"}},
    ),
    Row("8", "T2", [put(a=None)], "Cannot parse to a string value: a"),
    Row(
        "9",
        "T2",
        [{"action": "remove-properties", "removals": ["nope"]}],
        {"properties": {}, "files": [(100 * K, F0)]},
    ),
    Row(
        "10", "T2", [put(**{"format-version": "3", "x": "y"})], "reserved property: format-version"
    ),
    Row(
        "11",
        "T2",
        [{"action": "set-current-view-version", "view-version-id": 1}],
        "Cannot apply update SetCurrentViewVersion to a table",
    ),
    Row("no-array", "T2", {"action": "x"}, "Cannot parse metadata updates from non-array"),
    Row("non-object", "T2", [7], "Cannot parse metadata update from non-object value: 7"),
]

IDENTITY = [
    Row("12", "T2", [{"action": "assign-uuid", "uuid": U.upper()}], SAME),
    Row("13", "T2", [{"action": "assign-uuid", "uuid": OTHER}], "Cannot reassign uuid"),
    Row("13-null", "T2", [{"action": "assign-uuid", "uuid": None}], "Cannot set uuid to null"),
    Row("13-text", "T2", [{"action": "assign-uuid", "uuid": "abc"}], "Not a UUID"),
    Row("14", "T2a", [version(3)], {"next-row-id": 0, "current": 11, "format-version": 3}),
    Row("15", "T2", [version(3)], {"current": None}),
    Row("16", "T1", [version(2)], {"last-sequence-number": 0, "format-version": 2}),
    Row("17", "T3", [version(2)], "Cannot downgrade v3 table to v2"),
    Row("18", "T2", [version(9)], "Cannot upgrade table to unsupported format version: v9"),
    Row("18-v4", "T3", [version(4)], "Cannot upgrade table to unsupported format version: v4"),
    Row("18-v0", "T2", [version(0)], "Not a format version: v0"),
    Row("19", "T2", [version(3), add_schema(column(4, "v", "variant"))], {"schemas": [0, 1]}),
    Row(
        "19-swapped",
        "T2",
        [add_schema(column(4, "v", "variant")), version(3)],
        "Invalid schema for v2:\n- Invalid type for v: variant is not supported until v3",
    ),
]

SCHEMAS = [
    Row(
        "20",
        "T2",
        [add_schema(column(4, "c", "int"), last=2, **{"schema-id": 77})],
        {"schemas": [0, 1], "last-column-id": 4, "schema": 0},
    ),
    Row("21", "T2", [add_schema(column(4, "c", "int")), cur()], {"schema": 1}),
    Row("22", "T2", [add_schema(**{"schema-id": 5})], SAME),
    Row("23", "T2", [add_schema(), cur()], SAME),
    Row("24", "T2", [cur()], (ValidationFailed, "no schema has been added")),
    Row("25", "T2", [cur(9)], "Cannot set current schema to unknown schema: 9"),
    Row(
        "26",
        "T2",
        [add_schema(column(4, "a")), add_schema(column(4, "b")), add_schema(column(4, "a")), cur()],
        {"schemas": [0, 1, 2], "schema": 1},
    ),
    Row("27", "T2", [add_schema(fields=[S0[0] | {"doc": "x"}, *S0[1:]])], {"schemas": [0, 1]}),
    Row("28", "T2", [add_schema(fields=S0[:2]), cur()], {"schema": 1, "last-column-id": 3}),
    Row(
        "29",
        "T2",
        [
            add_schema(
                column(4, "a", {"type": "struct", "fields": [column(5, "b")]}), column(6, "a.b")
            )
        ],
        (ValidationFailed, "Invalid schema: multiple fields for name a.b: 5 and 6"),
    ),
    Row("30", "T2", [add_schema(column(4, "a"), column(4, "b"))], "Multiple entries with same key"),
    Row(
        "31-optional",
        "T2",
        [add_schema(**{"identifier-field-ids": [2]})],
        "Cannot add field data as an identifier field: not a required field",
    ),
    Row("31-new", "T2", [add_schema(**{"identifier-field-ids": [1]})], {"schemas": [0, 1]}),
    Row(
        "31-order",
        "T2",
        [
            add_schema(column(4, "k", required=True), **{"identifier-field-ids": [1, 4]}),
            add_schema(column(4, "k", required=True), **{"identifier-field-ids": [4, 1]}),
        ],
        {"schemas": [0, 1]},
    ),
    Row(
        "32",
        "T2",
        [add_schema(column(4, "d", "decimal(9,2)")), add_schema(column(4, "d", "decimal(9, 2)"))],
        {"schemas": [0, 1]},
    ),
    Row(
        "33",
        "T3",
        [add_schema(column(4, "g", "geometry")), add_schema(column(4, "g", "geometry(ogc:crs84)"))],
        {"schemas": [0, 1]},
    ),
    Row(
        "34",
        "T2",
        [add_schema(column(4, "n", **{"initial-default": 1}))],
        "Invalid initial default for n: non-null default (1) is not supported until v3",
    ),
    Row(
        "34-write", "T2", [add_schema(column(4, "n", **{"write-default": 1}))], {"schemas": [0, 1]}
    ),
    Row(
        "34-null",
        "T2",
        [add_schema(column(4, "n", **{"initial-default": None}))],
        {"schemas": [0, 1]},
    ),
    Row(
        "35",
        "T3",
        [add_schema(column(4, "u", "unknown", required=True))],
        "Cannot create required field with unknown type: u",
    ),
    Row(
        "36",
        "T3",
        [add_schema(column(4, "f", "float", **{"write-default": 1}))],
        {"schemas": [0, 1]},
    ),
    Row(
        "36-scale",
        "T3",
        [add_schema(column(4, "d", "decimal(9,2)", **{"write-default": "1.5"}))],
        "Cannot parse default as a decimal(9, 2) value",
    ),
    Row(
        "36-struct",
        "T3",
        [add_schema(column(4, "s", {"type": "struct", "fields": []}, **{"write-default": {}}))],
        "Invalid default value for struct<>: {} (must be null)",
    ),
    Row(
        "37",
        "T2",
        [add_schema(fields=[S0[0], column(2, "data", "int"), S0[2]]), cur()],
        {"schema": 1},
    ),
    Row(
        "38",
        "T2p",
        [add_schema(column(4, "id_bucket", "string")), cur()],
        "Cannot create identity partition sourced from different field in schema: id_bucket",
    ),
    Row(
        "39",
        "T2p",
        [add_schema(fields=S0[1:]), cur()],
        (ValidationFailed, "Cannot find source column for partition field"),
    ),
    Row("39-other", "T2p", [add_schema(fields=[S0[0], S0[2]]), cur()], {"schema": 1}),
]

THREE = {
    "schemas": [
        schema(**{"schema-id": 0}),
        schema(column(4, "b"), **{"schema-id": 1}),
        schema(column(4, "c"), **{"schema-id": 2}),
    ],
    "last-column-id": 4,
}


def drop_schemas(*numbers):
    return {"action": "remove-schemas", "schema-ids": list(numbers)}


def drop_specs(*numbers):
    return {"action": "remove-partition-specs", "spec-ids": list(numbers)}


REMOVED_SCHEMAS = [
    Row("40", "T2", [drop_schemas(0)], "Cannot remove the current schema", members=THREE),
    Row("40-unknown", "T2", [drop_schemas(7)], {"files": [(100 * K, F0)]}, members=THREE),
    Row("40-empty", "T2", [drop_schemas()], SAME, members=THREE),
    Row(
        "40-reuse",
        "T2",
        [drop_schemas(1, 2), add_schema(column(5, "d"))],
        {"schemas": [0, 1], "last-column-id": 5},
        members=THREE,
    ),
    Row(
        "40-gone",
        "T2",
        [drop_schemas(1), cur(1)],
        "Cannot set current schema to unknown schema: 1",
        members=THREE,
    ),
]

LIST = {"type": "list", "element-id": 5, "element": "int", "element-required": False}

SPECS = [
    Row(
        "41",
        "T2",
        [add_spec(part("d", "day", 3, 1000)), default_spec()],
        {"spec": 1, "last-partition-id": 1000},
    ),
    Row("42", "T2p", [add_spec(part("id_bucket", "bucket[16]", 1, 1009))], SAME),
    Row(
        "43",
        "T2p",
        [add_spec(part("d", "day", 3))],
        {"specs": [0, 1, 2], "last-partition-id": 1002},
    ),
    Row(
        "44",
        "T2p",
        [add_spec(part("b", "bucket[16]", 1))],
        {"specs": [0, 1, 2], "last-partition-id": 1001},
    ),
    Row(
        "45",
        "T2",
        [add_spec(part("a", "day", 3, 1000), part("b", "hour", 3))],
        "Cannot parse spec with missing field IDs: 1 missing of 2 fields.",
    ),
    Row(
        "46",
        "T2",
        [add_schema(column(4, "c")), add_spec(part("p", "identity", 4)), cur()],
        (ValidationFailed, "Cannot find source column for partition field: p: identity(4)"),
    ),
    Row(
        "46-current",
        "T2",
        [add_schema(column(4, "c")), cur(), add_spec(part("p", "identity", 4))],
        {"specs": [0, 1]},
    ),
    Row("47", "T2", [add_spec(part("p", "bucket[0]", 1))], "Invalid number of buckets: 0"),
    Row("47-width", "T2", [add_spec(part("p", "truncate[0]", 1))], "Invalid truncate width: 0"),
    Row(
        "47-double",
        "T2",
        [add_schema(column(4, "x", "double")), cur(), add_spec(part("p", "bucket[4]", 4))],
        "Cannot bucket by type: double",
    ),
    Row(
        "47-ts", "T2", [add_spec(part("p", "truncate[2]", 3))], "Cannot truncate type: timestamptz"
    ),
    Row(
        "47-date",
        "T2",
        [add_schema(column(4, "d", "date")), cur(), add_spec(part("p", "hour", 4))],
        "Unsupported type: date",
    ),
    Row("48", "T2", [add_spec(part("p", "zorder[3]", 2))], {"specs": [0, 1]}),
    Row(
        "49-v2",
        "T2",
        [add_spec({"name": "p", "transform": "bucketv2[8]", "source-ids": [1, 2]})],
        "not supported until v3",
    ),
    Row(
        "49-known",
        "T3",
        [add_spec({"name": "p", "transform": "bucket[8]", "source-ids": [1, 2]})],
        "takes one source column, not 2",
    ),
    Row(
        "49-missing",
        "T3",
        [add_spec({"name": "p", "transform": "bucketv2[8]", "source-ids": [1, 9]})],
        "Cannot find source column for partition field",
    ),
    Row(
        "50",
        "T2",
        [add_schema(column(4, "l", LIST)), cur(), add_spec(part("p", "identity", 5))],
        (ValidationFailed, "Invalid partition field parent: list<int>"),
    ),
    Row(
        "50-list",
        "T2",
        [add_schema(column(4, "l", LIST)), cur(), add_spec(part("p", "zorder", 4))],
        (ValidationFailed, "Cannot partition by non-primitive source field: list<int>"),
    ),
    Row(
        "51",
        "T1",
        [add_spec(part("a", "day", 3, 1000), part("b", "identity", 2, 1005))],
        (ValidationFailed, "Spec does not use sequential IDs that are required in v1"),
    ),
    Row("52", "T2p", [default_spec(9)], "Cannot set default partition spec to unknown spec: 9"),
    Row("52-none", "T2p", [default_spec()], (ValidationFailed, "no spec has been added")),
    Row("53", "T2p", [drop_specs(0)], "Cannot remove the default partition spec"),
    Row("53-one", "T2p", [drop_specs(1)], {"specs": [0], "last-partition-id": 1001}),
    Row(
        "53-twice", "T2", [add_spec(part("a", "day", 3, 1000), part("b", "hour", 3, 1000))], "twice"
    ),
    Row("53-empty-name", "T2", [add_spec(part("", "day", 3))], "Cannot use empty partition name"),
    Row(
        "53-same-name",
        "T2",
        [add_spec(part("a", "day", 3), part("a", "hour", 3))],
        "Cannot use partition name more than once: a",
    ),
    Row("53-readded", "T2p", [add_spec(part("data", "identity", 2)), default_spec()], {"spec": 1}),
]

ORDERS = [
    Row(
        "54",
        "T2",
        [add_order(by(2), order_id=5), default_order()],
        {"orders": [0, 1], "order": 1},
    ),
    Row(
        "55",
        "T2",
        [add_order(order_id=0), default_order()],
        {"orders": [1, 0], "order": 0},
        members={"sort-orders": [{"order-id": 1, "fields": [by(2)]}], "default-sort-order-id": 1},
    ),
    Row("56", "T2", [add_order(by(2), order_id=0)], "Sort order ID 0 is reserved"),
    Row("56-empty", "T2", [add_order(order_id=3)], "Unsorted order ID must be 0"),
    Row("57", "T2", [default_order(4)], "Cannot set default sort order to unknown sort order: 4"),
    Row("57-none", "T2", [default_order()], (ValidationFailed, "no sort order has been added")),
    Row("57-direction", "T2", [add_order(by(2, direction="up"))], "Invalid sort direction: up"),
    Row("57-nulls", "T2", [add_order(by(2, nulls="nulls"))], "Unexpected null order: nulls"),
    Row(
        "57-source",
        "T2",
        [add_order(by(9))],
        (ValidationFailed, "Cannot find source column for sort field"),
    ),
    Row(
        "57-case",
        "T2",
        [add_order(by(2)), add_order(by(2, "Identity", "ASC", "NULLS-First"))],
        {"orders": [0, 1]},
    ),
    Row(
        "57-dropped",
        "T2",
        [add_order(by(2)), default_order(), add_schema(fields=[S0[0], S0[2]]), cur()],
        (ValidationFailed, "Cannot find source column for sort field"),
    ),
]

STALE = "Validation failed, please retry: Cannot add snapshot with sequence number 2 older than"

SNAPSHOTS = [
    Row(
        "58",
        "T2a",
        [add(12, 2, 300 * K, 11), main(12)],
        {
            "current": 12,
            "last-sequence-number": 2,
            "log": [(200 * K, 11), (300 * K, 12)],
            "last-updated-ms": NOW,
            "files": [(100 * K, F0), (200 * K, F1)],
        },
    ),
    Row(
        "59",
        "T2a",
        [add(12, 2, 300 * K, 11)],
        {"last-sequence-number": 2, "log": [(200 * K, 11)], "refs": {"main": 11}, "current": 11},
    ),
    Row(
        "60", "T2a", [add(11, 2, 300 * K)], (ValidationFailed, "Snapshot already exists for id: 11")
    ),
    Row("61", "T2b", [add(13, 2, 400 * K, 12)], (CommitFailed, f"{STALE} last sequence number 2")),
    Row(
        "62",
        "T2b",
        [add(13, 1, 400 * K), ref("x", 13)],
        {"last-sequence-number": 2, "refs": {"main": 12, "rel": 11, "x": 13}},
    ),
    Row("63", "T1", [add(11, 1, 200 * K)], "Sequence number must be 0 in v1: 1"),
    Row("64", "T3a", [add(12, 2, 300 * K, 11, first_row_id=10, added_rows=5)], {"next-row-id": 15}),
    Row("64-none", "T3a", [add(12, 2, 300 * K, 11)], (ValidationFailed, "first-row-id is null")),
    Row(
        "64-behind",
        "T3a",
        [add(12, 2, 300 * K, 11, first_row_id=7, added_rows=5)],
        (CommitFailed, "first-row-id is behind table next-row-id: 7 < 10"),
    ),
    Row(
        "64-ahead",
        "T3a",
        [add(12, 2, 300 * K, 11, first_row_id=20, added_rows=5)],
        {"next-row-id": 25},
    ),
    Row(
        "64-rows",
        "T3a",
        [add(12, 2, 300 * K, 11, first_row_id=10)],
        "Invalid added-rows (required when first-row-id is set): null",
    ),
    Row(
        "64-overflow",
        "T3a",
        [add(12, 2, 300 * K, 11, first_row_id=2**63 - 1, added_rows=5)],
        "No row id is left",
    ),
    Row(
        "65",
        "T3a",
        [
            add(12, 2, 300 * K, 11, first_row_id=10, added_rows=5),
            add(13, 3, 300 * K, 12, first_row_id=15, added_rows=5),
            ref("b", 13),
        ],
        {"next-row-id": 20, "current": 11},
    ),
    Row(
        "66",
        "T2",
        [add(11, 1, 200 * K), main(11), add(12, 2, 300 * K, 11), main(12)],
        {"log": [(300 * K, 12)]},
    ),
    Row(
        "67",
        "T2a",
        [add(12, 2, 300 * K, 11), main(12), add(13, 3, 400 * K, 12), main(13)],
        {"log": [(200 * K, 11), (400 * K, 13)]},
    ),
    Row(
        "68",
        "T2a",
        [add(12, 2, 300 * K, 11), main(12), main(11)],
        {"log": [(200 * K, 11), (NOW, 11)], "snapshots": [11, 12]},
    ),
    Row(
        "69",
        "T2b",
        [main(11)],
        {"log": [(200 * K, 11), (300 * K, 12), (NOW, 11)], "snapshots": [11, 12], "current": 11},
    ),
    Row("70", "T2a", [main(11)], SAME),
    Row("71", "T2a", [main(11, min_snapshots_to_keep=5)], {"log": [(200 * K, 11)]}),
    Row(
        "73-main",
        "T2a",
        [ref("main", 11, "tag")],
        (ValidationFailed, "Cannot set main to a tag, it must be a branch"),
    ),
    Row(
        "73-tag",
        "T2a",
        [ref("t", 11, "tag", min_snapshots_to_keep=1)],
        "Tags do not support setting minSnapshotsToKeep",
    ),
    Row(
        "73-tag-age",
        "T2a",
        [ref("t", 11, "tag", max_snapshot_age_ms=1)],
        "Tags do not support setting maxSnapshotAgeMs",
    ),
    Row(
        "73-age",
        "T2a",
        [ref("b", 11, max_snapshot_age_ms=0)],
        "Max snapshot age must be greater than 0 ms",
    ),
    Row("73-ref-age", "T2a", [ref("b", 11, max_ref_age_ms=0)], "Max reference age must be greater"),
    Row(
        "73-unknown",
        "T2a",
        [ref("x", 99)],
        (ValidationFailed, "Cannot set x to unknown snapshot: 99"),
    ),
    Row("73-type", "T2a", [ref("x", 11, "twig")], "Invalid snapshot ref type: twig"),
    Row(
        "74",
        "T2b",
        [remove(11, 99)],
        {
            "snapshots": [12],
            "refs": {"main": 12},
            "statistics": [],
            "partition-statistics": [],
            "log": [(300 * K, 12)],
        },
    ),
    Row("75", "T2b", [remove(12)], {"refs": {"rel": 11}, "current": -1, "log": []}),
    Row(
        "77",
        "T2b",
        [add(13, 3, 400 * K, 12), main(13), remove(11), remove(12)],
        {"log": [(400 * K, 13)], "snapshots": [13]},
    ),
    Row(
        "79",
        "T2a",
        [{"action": "remove-snapshots"}],
        "Invalid set of snapshot ids to remove: must be non-null",
    ),
    Row(
        "80",
        "T2b",
        [{"action": "remove-snapshot-ref", "ref-name": "main"}],
        {"current": -1, "log": [(200 * K, 11), (300 * K, 12)], "snapshots": [11, 12]},
    ),
    Row("80-nope", "T2b", [{"action": "remove-snapshot-ref", "ref-name": "nope"}], SAME),
    Row(
        "81",
        "T2a",
        [add(12, 2, NOW + 60_001, 11), main(12)],
        (
            InvalidInput,
            "timestamp-ms 1060001 is more than 60000 ms ahead of the table's clock 1000000",
        ),
    ),
    Row(
        "81-accepted",
        "T2a",
        [add(12, 2, NOW + 60_000, 11), main(12)],
        {"last-updated-ms": NOW + 60_000, "log": [(200 * K, 11), (NOW + 60_000, 12)]},
    ),
    Row(
        "82",
        "T2a",
        [add(12, 2, 100 * K, 11), main(12)],
        {"log": [(200 * K, 11), (200 * K, 12)], "last-updated-ms": NOW},
    ),
    Row("none", "T2", [add(-1, 1, 200 * K)], "Invalid snapshot id: -1"),
]

ATTACHMENTS = [
    Row(
        "83",
        "T2b",
        [{"action": "set-statistics", "snapshot-id": 12, "statistics": statistics(11)}],
        {"statistics": [11]},
    ),
    Row(
        "83-unknown",
        "T2b",
        [{"action": "set-statistics", "statistics": statistics(99)}],
        {"statistics": [11, 99]},
    ),
    Row("84", "T2b", [{"action": "remove-statistics", "snapshot-id": 12}], SAME),
    Row(
        "84-partition",
        "T2b",
        [{"action": "remove-partition-statistics", "snapshot-id": 11}],
        {"partition-statistics": [], "statistics": [11]},
    ),
    Row("85-unknown", "T3", [{"action": "remove-encryption-key", "key-id": "k9"}], SAME),
    Row("85-text", "T3", [key("k1", "not base64!")], "not base64"),
    Row(
        "85-null",
        "T3",
        [{"action": "add-encryption-key"}],
        "Invalid encryption key, must be non-null object: null",
    ),
]

MOST = "write.metadata.previous-versions-max"
ALL_FILES = [(100 * K, F0), (200 * K, F1), (300 * K, F2)]

FILES = [
    Row("86-2", "T2b", [put(a="b")], {"files": ALL_FILES[1:]}, members={"properties": {MOST: "2"}}),
    Row("86-0", "T2b", [put(a="b")], {"files": ALL_FILES[2:]}, members={"properties": {MOST: "0"}}),
    Row("86-new", "T2b", [put(**{MOST: "1"})], {"files": ALL_FILES[2:]}),
    Row("86-x", "T2b", [put(a="b")], {"files": ALL_FILES}, members={"properties": {MOST: "x"}}),
    Row(
        "87-zstd",
        "T2",
        [put(**{"write.metadata.compression-codec": "zstd"})],
        "Invalid codec name: zstd",
    ),
    Row(
        "89", "T2", [{"action": "set-location", "location": "s3://b/u//"}], {"location": "s3://b/u"}
    ),
    Row(
        "89-slash",
        "T2",
        [{"action": "set-location", "location": "s3://b/t/"}],
        {"location": "s3://b/t", "files": [(100 * K, F0)]},
    ),
    Row(
        "89-empty",
        "T2",
        [{"action": "set-location", "location": ""}],
        "path must not be null or empty",
    ),
    Row("gc", "T2", [put(**{"gc.enabled": "TRUE"})], "garbage collection deletes files"),
]


def asserted(name, number):
    return [{"type": "assert-ref-snapshot-id", "ref": name, "snapshot-id": number}]


def on_id(kind, number):
    return [{"type": f"assert-{kind}", kind: number}]


REQUIREMENTS = [
    Row(
        "90-moved",
        "T2b",
        [],
        (CommitFailed, "Requirement failed: branch main has changed: expected id 11 != 12"),
        requirements=asserted("main", 11),
    ),
    Row(
        "90-created",
        "T2b",
        [],
        (CommitFailed, "branch main was created concurrently"),
        requirements=asserted("main", None),
    ),
    Row(
        "90-missing",
        "T2b",
        [],
        (CommitFailed, "branch or tag nope is missing, expected 5"),
        requirements=asserted("nope", 5),
    ),
    Row("90-absent", "T2b", [], SAME, requirements=asserted("nope", None)),
    Row("90-tag", "T2b", [], SAME, requirements=asserted("rel", 11)),
    Row(
        "90-tag-moved",
        "T2b",
        [],
        (CommitFailed, "tag rel has changed: expected id 12 != 11"),
        requirements=asserted("rel", 12),
    ),
    Row("91-uuid", "T2", [], SAME, requirements=[{"type": "Assert-Table-UUID", "uuid": U.upper()}]),
    Row(
        "91-uuid-other",
        "T2",
        [],
        (CommitFailed, f"UUID does not match: expected {U} != {OTHER}"),
        requirements=[{"type": "assert-table-uuid", "uuid": OTHER}],
    ),
    *(
        row
        for kind, right, words in (
            ("last-assigned-field-id", 3, "last assigned field id"),
            ("current-schema-id", 0, "current schema"),
            ("last-assigned-partition-id", 999, "last assigned partition id"),
            ("default-spec-id", 0, "default partition spec"),
            ("default-sort-order-id", 0, "default sort order"),
        )
        for row in (
            Row(f"91-{kind}", "T2", [], SAME, requirements=on_id(kind, right)),
            Row(
                f"91-{kind}-other",
                "T2",
                [],
                (CommitFailed, f"Requirement failed: {words} changed: expected id 7 != {right}"),
                requirements=on_id(kind, 7),
            ),
        )
    ),
    Row(
        "92",
        "T2",
        [cur(9)],
        (CommitFailed, "UUID does not match"),
        requirements=[{"type": "assert-table-uuid", "uuid": OTHER}],
    ),
    Row(
        "93",
        "T2",
        [],
        (CommitFailed, "Requirement failed: table already exists"),
        requirements=[{"type": "assert-create"}],
    ),
    Row(
        "94",
        "T2",
        [],
        "Invalid create requirements",
        requirements=[{"type": "assert-create"}, {"type": "assert-table-uuid", "uuid": U}],
    ),
    Row(
        "95",
        "T2",
        [],
        (ValidationFailed, "Cannot validate AssertViewUUID against a table"),
        requirements=[{"type": "assert-view-uuid", "uuid": U}],
    ),
]

ROWS = [
    *READING,
    *IDENTITY,
    *SCHEMAS,
    *REMOVED_SCHEMAS,
    *SPECS,
    *ORDERS,
    *SNAPSHOTS,
    *ATTACHMENTS,
    *FILES,
    *REQUIREMENTS,
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.number)
def test_row_of_the_matrix(row, make, commit, outline):
    base = make.table(row.base, **row.members)
    location = make.file_of(row.base)

    def run():
        return commit(base, row.updates, row.requirements, location=location)

    if row.then == SAME:
        assert run() is base
    elif isinstance(row.then, dict):
        shown = outline(run())
        assert {member: shown[member] for member in row.then} == row.then
    else:
        kind, text = row.then if isinstance(row.then, tuple) else (InvalidInput, row.then)
        with pytest.raises(kind) as raised:
            run()
        assert text in raised.value.message
