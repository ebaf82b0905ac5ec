"""New tables: rows 97-104 of the matrix, staged creation and replacement."""

import pytest

from catalog.errors import CommitFailed, InvalidInput, ValidationFailed
from catalog.iceberg.creation import new_table
from catalog.iceberg.parsing import parse_requirements, parse_updates
from catalog.iceberg.requirements import check_requirements
from catalog.iceberg.updates import update_table
from catalog.iceberg.validation import check_table

K = 1000
NOW = 1000 * K
UUID = "9c12d441-03fe-4693-9a96-a0705ddf69c1"


def field(number, name, kind="long", required=False, **more):
    return {"id": number, "name": name, "required": required, "type": kind} | more


def struct(*fields):
    return {"type": "struct", "fields": list(fields)}


def listed(number, element):
    return {"type": "list", "element-id": number, "element": element, "element-required": False}


def mapped(key, value, of):
    return {
        "type": "map",
        "key-id": key,
        "key": "string",
        "value-id": value,
        "value": of,
        "value-required": False,
    }


def simple(**request):
    schema = struct(field(1, "id", required=True), field(2, "data", "string"))
    return {"name": "t", "schema": schema} | request


def create(request, location="s3://b/t"):
    table = new_table(request, location=location, table_uuid=UUID, now_ms=NOW)
    check_table(table)
    return table


def test_row_97_a_new_table_gets_fresh_ids_breadth_first():
    request = {
        "name": "t",
        "schema": struct(
            field(101, "a", required=True, **{"write-default": 7, "doc": "key"}),
            field(
                102,
                "b",
                struct(
                    field(110, "c", "int"), field(111, "d", listed(112, struct(field(113, "e"))))
                ),
            ),
            field(103, "f", mapped(120, 121, struct(field(122, "g", "int")))),
            field(104, "h", "int"),
        )
        | {"schema-id": 9, "identifier-field-ids": [101]},
        "partition-spec": {
            "spec-id": 7,
            "fields": [{"name": "h", "transform": "identity", "source-id": 104, "field-id": 1005}],
        },
    }
    table = create(request)
    schema = table["schemas"][0]
    a, b, f, h = schema["fields"]
    assert [a["id"], b["id"], f["id"], h["id"]] == [1, 2, 3, 4]
    assert a == field(1, "a", required=True, **{"write-default": 7, "doc": "key"})
    c, d = b["type"]["fields"]
    assert [c["id"], d["id"], d["type"]["element-id"]] == [5, 6, 7]
    assert d["type"]["element"]["fields"][0]["id"] == 8
    assert [f["type"]["key-id"], f["type"]["value-id"]] == [9, 10]
    assert f["type"]["value"]["fields"][0]["id"] == 11
    assert table["last-column-id"] == 11
    assert schema["schema-id"] == 0
    assert schema["identifier-field-ids"] == [1]
    assert table["partition-specs"] == [
        {
            "spec-id": 0,
            "fields": [{"name": "h", "transform": "identity", "source-id": 4, "field-id": 1000}],
        }
    ]
    assert table["last-partition-id"] == 1000


def test_a_sort_order_of_a_new_table_is_1_and_follows_the_fresh_ids():
    by = {"transform": "identity", "source-id": 2, "direction": "asc", "null-order": "nulls-last"}
    table = create(simple(**{"write-order": {"order-id": 4, "fields": [by]}}))
    assert table["sort-orders"] == [{"order-id": 1, "fields": [by]}]
    assert table["default-sort-order-id"] == 1


def test_row_98_reserved_properties_are_not_stored_and_format_version_is_obeyed():
    table = create(simple(properties={"format-version": "3", "uuid": "z", "owner": "x"}))
    assert table["format-version"] == 3
    assert table["next-row-id"] == 0
    assert table["current-snapshot-id"] is None
    assert table["properties"] == {
        "owner": "x",
        "write.parquet.compression-codec": "zstd",
        "gc.enabled": "false",
    }


def test_the_request_chooses_its_codec_but_not_who_deletes_files():
    deletes = ("gc.enabled", "write.metadata.delete-after-commit.enabled")
    properties = {"write.parquet.compression-codec": "snappy", **dict.fromkeys(deletes, "true")}
    assert create(simple(properties=properties))["properties"] == properties | dict.fromkeys(
        deletes, "false"
    )


def test_a_new_table_is_version_2_without_slashes_at_its_end():
    table = create(simple(), location="s3://b/t//")
    assert (table["format-version"], table["location"]) == (2, "s3://b/t")
    assert table["last-updated-ms"] == NOW
    assert table["table-uuid"] == UUID
    assert table["last-partition-id"] == 999
    assert table["refs"] == {}


@pytest.mark.parametrize(
    ("request_json", "kind", "text"),
    [
        ({}, InvalidInput, "Invalid schema: null"),
        ([], InvalidInput, "Cannot parse create table request"),
        (simple(schema="int"), InvalidInput, "Cannot create schema, not a struct type"),
        (
            simple(properties={"commit.retry.num-retries": "-1"}),
            ValidationFailed,
            "commit.retry.num-retries must have non negative integer value",
        ),
        (
            simple(properties={"commit.retry.num-retries": "few"}),
            ValidationFailed,
            "must have integer value",
        ),
        (
            simple(properties={"write.metadata.metrics.column.nope": "full"}),
            ValidationFailed,
            "Invalid metrics config, could not find column nope",
        ),
        (
            simple(properties={"encryption.key-id": "k"}),
            InvalidInput,
            "Invalid properties for v2",
        ),
        (
            simple(properties={"format-version": "abc"}),
            InvalidInput,
            "Unsupported format version: vabc (supported: v3)",
        ),
        (
            simple(properties={"format-version": "4"}),
            InvalidInput,
            "Unsupported format version: v4",
        ),
        (
            simple(properties={"format-version": "0"}),
            InvalidInput,
            "Unsupported format version: v0",
        ),
        (simple(properties=[]), InvalidInput, "Cannot parse string map from non-object value"),
        (
            {"name": "t", "schema": struct(field(1, "v", "variant"))},
            InvalidInput,
            "variant is not supported until v3",
        ),
        (
            simple(
                **{
                    "partition-spec": {
                        "fields": [{"name": "v", "transform": "void", "source-id": 9}]
                    }
                }
            ),
            ValidationFailed,
            "Cannot find source column 9",
        ),
    ],
)
def test_row_99_what_a_new_table_cannot_be_is_refused(request_json, kind, text):
    with pytest.raises(kind) as raised:
        create(request_json)
    assert text in raised.value.message


def test_metrics_of_a_nested_column_are_named_without_element():
    schema = struct(field(1, "l", listed(2, struct(field(3, "x")))))
    properties = {"write.metadata.metrics.column.l.x": "full"}
    assert create({"name": "t", "schema": schema, "properties": properties})


def staged_updates(staged):
    return [
        {"action": "assign-uuid", "uuid": staged["table-uuid"]},
        {"action": "upgrade-format-version", "format-version": staged["format-version"]},
        {"action": "add-schema", "schema": staged["schemas"][0]},
        {"action": "set-current-schema", "schema-id": -1},
        {"action": "add-spec", "spec": staged["partition-specs"][0]},
        {"action": "set-default-spec", "spec-id": -1},
        {"action": "add-sort-order", "sort-order": staged["sort-orders"][0]},
        {"action": "set-default-sort-order", "sort-order-id": -1},
        {"action": "set-location", "location": staged["location"]},
        {"action": "set-properties", "updates": staged["properties"]},
    ]


def finish_staged(updates, **options):
    check_requirements(parse_requirements([{"type": "assert-create"}]), None)
    table = update_table(None, parse_updates(updates), base_location=None, now_ms=NOW, **options)
    check_table(table)
    return table


@pytest.mark.parametrize("version", ["1", "2", "3"])
def test_row_100_a_staged_table_comes_back_as_it_was(version):
    by = {"transform": "identity", "source-id": 2, "direction": "asc", "null-order": "nulls-last"}
    staged = create(
        simple(
            **{
                "partition-spec": {
                    "fields": [{"name": "d", "transform": "bucket[4]", "source-id": 2}]
                },
                "write-order": {"order-id": 1, "fields": [by]},
                "properties": {"format-version": version},
            }
        )
    )
    assert finish_staged(staged_updates(staged)) == staged


def test_row_100_a_staged_table_takes_its_first_snapshot(make):
    staged = create(simple())
    table = finish_staged(
        [
            *staged_updates(staged),
            {"action": "add-snapshot", "snapshot": make.snapshot(11, 1, 900 * K)},
            {
                "action": "set-snapshot-ref",
                "ref-name": "main",
                "type": "branch",
                "snapshot-id": 11,
            },
        ]
    )
    assert table["current-snapshot-id"] == 11
    assert table["metadata-log"] == []
    assert table["snapshot-log"] == [{"timestamp-ms": 900 * K, "snapshot-id": 11}]


@pytest.mark.parametrize(
    ("left_out", "text"),
    [
        ("add-schema", "no schema has been added"),
        ("add-spec", "no spec has been added"),
        ("add-sort-order", "no sort order has been added"),
        ("set-location", "Table location is required in format v2"),
        ("assign-uuid", "UUID is required in format v2"),
    ],
)
def test_row_101_a_creation_without_a_part_is_refused(left_out, text):
    updates = [u for u in staged_updates(create(simple())) if u["action"] != left_out]
    with pytest.raises(InvalidInput, match=text):
        finish_staged(updates)


@pytest.mark.parametrize(
    ("left_out", "text"),
    [
        (("add-schema", "set-current-schema", "add-spec", "set-default-spec"), "schema"),
        (("add-spec", "set-default-spec"), "Partition specs cannot be null or empty"),
        (("add-sort-order", "set-default-sort-order"), "Sort orders cannot be null or empty"),
    ],
)
def test_row_101_a_creation_that_names_nothing_of_a_part_is_refused(left_out, text):
    updates = [u for u in staged_updates(create(simple())) if u["action"] not in left_out]
    with pytest.raises(InvalidInput, match=text):
        finish_staged(updates)


def test_a_creation_without_assign_uuid_takes_the_uuid_that_the_server_made():
    updates = staged_updates(create(simple()))[1:]
    assert finish_staged(updates, table_uuid=UUID)["table-uuid"] == UUID


def test_row_102_a_creation_may_add_a_second_schema_spec_and_order():
    by = {"transform": "identity", "source-id": 2, "direction": "asc", "null-order": "nulls-last"}
    staged = create(simple(**{"write-order": {"order-id": 1, "fields": [by]}}))
    wider = staged["schemas"][0]["fields"] + [field(3, "c")]
    table = finish_staged(
        [
            *staged_updates(staged),
            {"action": "add-schema", "schema": struct(*wider)},
            {"action": "set-current-schema", "schema-id": -1},
            {
                "action": "add-spec",
                "spec": {"fields": [{"name": "c", "transform": "identity", "source-id": 3}]},
            },
            {"action": "set-default-spec", "spec-id": -1},
            {
                "action": "add-sort-order",
                "sort-order": {"order-id": 1, "fields": [by | {"source-id": 3}]},
            },
            {"action": "set-default-sort-order", "sort-order-id": -1},
        ]
    )
    assert table["current-schema-id"] == 1
    assert table["default-spec-id"] == 1
    assert table["default-sort-order-id"] == 2


def test_requirements_on_a_table_that_is_not_there_fail():
    with pytest.raises(CommitFailed):
        check_requirements(parse_requirements([{"type": "assert-table-uuid", "uuid": UUID}]), None)


def replacement(make, *, sequence):
    wider = make.schema(field(4, "new"))
    snapshot = make.snapshot(20, sequence, 900 * K)
    return [
        {"action": "add-schema", "schema": wider},
        {"action": "set-current-schema", "schema-id": -1},
        {"action": "set-properties", "updates": {"write.parquet.compression-codec": "zstd"}},
        {"action": "add-snapshot", "snapshot": snapshot},
        {"action": "set-snapshot-ref", "ref-name": "main", "type": "branch", "snapshot-id": 20},
    ]


REPLACES = [
    {"type": "assert-table-uuid", "uuid": UUID},
    {"type": "assert-last-assigned-field-id", "last-assigned-field-id": 3},
]


def test_row_103_a_replacement_keeps_identity_history_and_tags(make, commit, outline):
    table = commit(make.table("T2b"), replacement(make, sequence=3), REPLACES)
    shown = outline(table)
    assert shown["table-uuid"] == UUID
    assert shown["snapshots"] == [11, 12, 20]
    assert shown["log"] == [(200 * K, 11), (300 * K, 12), (900 * K, 20)]
    assert shown["refs"] == {"main": 20, "rel": 11}
    assert shown["last-sequence-number"] == 3


def test_a_replacement_whose_sequence_number_trails_does_not_lower_the_tables(make, commit):
    table = commit(make.table("T2b"), replacement(make, sequence=1), REPLACES)
    assert table["last-sequence-number"] == 2
    check_table(table)


def test_row_104_a_replacement_of_another_replacement_is_refused(make, commit):
    with pytest.raises(CommitFailed, match="last assigned field id changed"):
        commit(make.table("T2b", **{"last-column-id": 4}), replacement(make, sequence=3), REPLACES)
