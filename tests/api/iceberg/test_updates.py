"""Every update and every requirement of the specification, sent by HTTP and read back."""

import orjson
import pytest

from catalog.operations.warehouses import get_warehouse

FIELDS = [
    {"id": 1, "name": "id", "type": "long", "required": True},
    {"id": 2, "name": "day", "type": "date", "required": False},
]
SCHEMA = {"type": "struct", "schema-id": 0, "fields": FIELDS}


class Table:
    """A table that takes updates by HTTP."""

    def __init__(self, lake, version):
        self.lake, self.path = lake, "/namespaces/ns/tables/t"
        body = {
            "name": "t",
            "schema": SCHEMA,
            "properties": {"format-version": str(version)},
        }
        self.metadata = lake.iceberg("POST", "main", "/namespaces/ns/tables", body)["metadata"]

    def update(self, *updates, requirements=(), status=200):
        body = {"requirements": list(requirements), "updates": list(updates)}
        answer = self.lake.iceberg("POST", "main", self.path, body, status)
        if status != 200:
            return answer["error"]
        loaded = self.lake.iceberg("GET", "main", self.path)
        assert loaded["metadata"] == answer["metadata"]
        self.metadata = answer["metadata"]
        return self.metadata

    def snapshot(self, snapshot_id=1, **members):
        return {
            "action": "add-snapshot",
            "snapshot": {
                "snapshot-id": snapshot_id,
                "sequence-number": 1,
                "timestamp-ms": self.metadata["last-updated-ms"],
                "manifest-list": f"{self.metadata['location']}/metadata/snap-{snapshot_id}.avro",
                "summary": {"operation": "append"},
                "schema-id": 0,
                **members,
            },
        }


def main_ref(snapshot_id=1):
    return {
        "action": "set-snapshot-ref",
        "ref-name": "main",
        "type": "branch",
        "snapshot-id": snapshot_id,
    }


@pytest.fixture
def table(lake):
    return Table(lake, 2)


@pytest.fixture
def v3(lake):
    return Table(lake, 3)


def test_versions_go_up_and_never_down(lake):
    table = Table(lake, 1)
    for version in (2, 3):
        update = {"action": "upgrade-format-version", "format-version": version}
        assert table.update(update)["format-version"] == version
    error = table.update({"action": "upgrade-format-version", "format-version": 2}, status=400)
    assert "downgrade" in error["message"]


def test_assign_uuid_confirms_and_never_changes(table):
    same = {"action": "assign-uuid", "uuid": table.metadata["table-uuid"]}
    assert table.update(same)["table-uuid"] == same["uuid"]
    other = {"action": "assign-uuid", "uuid": "018f2b1e-0000-7000-8000-000000000001"}
    table.update(other, status=400)


def test_schemas_specs_and_orders_are_added_chosen_and_removed(table):
    wider = [*FIELDS, {"id": 3, "name": "x", "type": "int", "required": False}]
    metadata = table.update(
        {"action": "add-schema", "schema": {**SCHEMA, "fields": wider}, "last-column-id": 3},
        {"action": "set-current-schema", "schema-id": -1},
        {
            "action": "add-spec",
            "spec": {
                "spec-id": 1,
                "fields": [
                    {"source-id": 2, "field-id": 1000, "name": "day", "transform": "identity"}
                ],
            },
        },
        {"action": "set-default-spec", "spec-id": -1},
        {
            "action": "add-sort-order",
            "sort-order": {
                "order-id": 1,
                "fields": [
                    {
                        "source-id": 1,
                        "transform": "identity",
                        "direction": "asc",
                        "null-order": "nulls-first",
                    }
                ],
            },
        },
        {"action": "set-default-sort-order", "sort-order-id": -1},
    )
    assert metadata["current-schema-id"] == metadata["default-spec-id"] == 1
    assert metadata["default-sort-order-id"] == 1
    assert metadata["last-column-id"] == 3
    metadata = table.update(
        {"action": "remove-schemas", "schema-ids": [0]},
        {"action": "remove-partition-specs", "spec-ids": [0]},
    )
    assert [schema["schema-id"] for schema in metadata["schemas"]] == [1]
    assert [spec["spec-id"] for spec in metadata["partition-specs"]] == [1]
    table.update({"action": "remove-schemas", "schema-ids": [1]}, status=400)
    table.update({"action": "remove-partition-specs", "spec-ids": [1]}, status=400)


def test_a_commit_that_took_place_may_come_again(table):
    """As a proxy sends it. By 409 or 400 clients would delete the files of a snapshot that is."""
    empty = {"type": "assert-ref-snapshot-id", "ref": "main", "snapshot-id": None}
    commit = (table.snapshot(), main_ref())
    first = table.update(*commit, requirements=[empty])
    second = table.snapshot(2, **{"sequence-number": 2, "parent-snapshot-id": 1})
    went_on = table.update(second, main_ref(2))
    head = table.lake.head()
    assert table.update(*commit, requirements=[empty]) == went_on
    assert table.lake.head() == head
    other = table.snapshot(**{"manifest-list": f"{first['location']}/metadata/another.avro"})
    table.update(other, main_ref(), requirements=[empty], status=409)
    table.update(other, main_ref(), status=400)
    assert table.lake.head() == head


def test_snapshots_and_refs(table):
    table.update(table.snapshot(), main_ref())
    tag = {
        "action": "set-snapshot-ref",
        "ref-name": "release",
        "type": "tag",
        "snapshot-id": 1,
        "max-ref-age-ms": 7,
    }
    refs = table.update(tag)["refs"]
    assert refs["main"] == {"snapshot-id": 1, "type": "branch"}
    assert refs["release"] == {"snapshot-id": 1, "type": "tag", "max-ref-age-ms": 7}
    second = table.snapshot(2, **{"sequence-number": 2, "parent-snapshot-id": 1})
    assert table.update(second, main_ref(2))["current-snapshot-id"] == 2
    metadata = table.update(
        {"action": "remove-snapshot-ref", "ref-name": "release"},
        {"action": "remove-snapshots", "snapshot-ids": [1]},
    )
    assert [each["snapshot-id"] for each in metadata["snapshots"]] == [2]
    assert list(metadata["refs"]) == ["main"]


def test_statistics_and_partition_statistics(table):
    table.update(table.snapshot(), main_ref())
    location = f"{table.metadata['location']}/metadata/stats.puffin"
    statistics = {
        "snapshot-id": 1,
        "statistics-path": location,
        "file-size-in-bytes": 10,
        "file-footer-size-in-bytes": 4,
        "blob-metadata": [
            {"type": "ndv", "snapshot-id": 1, "sequence-number": 1, "fields": [1]},
        ],
    }
    partitions = {"snapshot-id": 1, "statistics-path": location, "file-size-in-bytes": 10}
    metadata = table.update(
        {"action": "set-statistics", "statistics": statistics},
        {"action": "set-partition-statistics", "partition-statistics": partitions},
    )
    assert metadata["statistics"] == [statistics]
    assert metadata["partition-statistics"] == [partitions]
    metadata = table.update(
        {"action": "remove-statistics", "snapshot-id": 1},
        {"action": "remove-partition-statistics", "snapshot-id": 1},
    )
    assert not metadata.get("statistics")
    assert not metadata.get("partition-statistics")


def test_row_lineage_counts_the_rows_of_every_snapshot(v3):
    assert v3.metadata["next-row-id"] == 0
    metadata = v3.update(v3.snapshot(**{"first-row-id": 0, "added-rows": 5}), main_ref())
    assert metadata["next-row-id"] == 5
    behind = v3.snapshot(2, **{"sequence-number": 2, "first-row-id": 3, "added-rows": 1})
    v3.update(behind, main_ref(2), status=409)
    v3.update(v3.snapshot(3, **{"sequence-number": 2}), main_ref(3), status=400)
    metadata = v3.update(
        v3.snapshot(4, **{"sequence-number": 2, "first-row-id": 5, "added-rows": 2}), main_ref(4)
    )
    assert metadata["next-row-id"] == 7


def test_encryption_keys_are_added_named_and_removed(v3):
    key = {
        "key-id": "k1",
        "encrypted-key-metadata": "c2VjcmV0",
        "encrypted-by-id": "kek",
        "properties": {"a": "1"},
    }
    metadata = v3.update({"action": "add-encryption-key", "encryption-key": key})
    assert metadata["encryption-keys"] == [key]
    rows = {"first-row-id": 0, "added-rows": 0}
    metadata = v3.update(v3.snapshot(**rows, **{"key-id": "k1"}), main_ref())
    assert metadata["snapshots"][0]["key-id"] == "k1"
    metadata = v3.update({"action": "remove-encryption-key", "key-id": "k1"})
    assert not metadata.get("encryption-keys")


def test_deletion_vectors_are_counted_in_the_summary_as_written(v3):
    summary = {"operation": "delete", "added-dvs": "1", "total-delete-files": "1"}
    rows = {"first-row-id": 0, "added-rows": 0}
    metadata = v3.update(v3.snapshot(**rows, summary=summary), main_ref())
    assert metadata["snapshots"][0]["summary"] == summary


def test_location_and_properties(table):
    location = f"{table.metadata['location']}/moved"
    metadata = table.update(
        {"action": "set-location", "location": location},
        {"action": "set-properties", "updates": {"a": "1", "b": "2"}},
        {"action": "remove-properties", "removals": ["a"]},
    )
    assert metadata["location"] == location
    assert (metadata["properties"].get("a"), metadata["properties"]["b"]) == (None, "2")


def test_unknown_members_of_metadata_survive(lake):
    loaded = lake.iceberg("GET", "main", "/namespaces/ns/tables/a")
    strange = {**loaded["metadata"], "x-strange": {"deep": [1, None]}}
    other = loaded["metadata-location"].replace("00000-", "00007-")
    warehouse = get_warehouse(lake.client.app.state.catalog, lake.name)
    warehouse.files.write_all({other: orjson.dumps(strange)})
    body = {"name": "s", "metadata-location": other}
    lake.iceberg("POST", "main", "/namespaces/ns/register", body)
    lake.write("s", x="1")
    metadata = lake.iceberg("GET", "main", "/namespaces/ns/tables/s")["metadata"]
    assert metadata["x-strange"] == {"deep": [1, None]}


REQUIREMENTS = [
    ({"type": "assert-ref-snapshot-id", "ref": "main", "snapshot-id": 1}, {"snapshot-id": 2}),
    ({"type": "assert-ref-snapshot-id", "ref": "zz", "snapshot-id": None}, {"ref": "main"}),
    ({"type": "assert-last-assigned-field-id", "last-assigned-field-id": 2}, None),
    ({"type": "assert-current-schema-id", "current-schema-id": 0}, None),
    ({"type": "assert-last-assigned-partition-id", "last-assigned-partition-id": 999}, None),
    ({"type": "assert-default-spec-id", "default-spec-id": 0}, None),
    ({"type": "assert-default-sort-order-id", "default-sort-order-id": 0}, None),
]


@pytest.mark.parametrize(("holds", "broken"), REQUIREMENTS, ids=lambda each: str(each)[:60])
def test_a_requirement_holds_or_answers_409(table, holds, broken):
    table.update(table.snapshot(), main_ref())
    change = {"action": "set-properties", "updates": {"a": "1"}}
    table.update(change, requirements=[holds])
    fails = {**holds, **(broken or {list(holds)[-1]: 77})}
    error = table.update(change, requirements=[fails], status=409)
    assert error["type"] == "CommitFailedException"


def test_uuid_requirements(table):
    change = {"action": "set-properties", "updates": {"a": "1"}}
    uuid = table.metadata["table-uuid"]
    table.update(change, requirements=[{"type": "assert-table-uuid", "uuid": uuid}])
    table.update(change, requirements=[{"type": "assert-view-uuid", "uuid": uuid}], status=400)
    table.update(change, requirements=[{"type": "assert-create"}], status=409)


def test_a_staged_table_comes_to_be_by_assert_create(lake):
    path = "/namespaces/ns/tables"
    body = {"name": "s", "schema": SCHEMA, "stage-create": True}
    staged = lake.iceberg("POST", "main", path, body)["metadata"]
    updates = [
        {"action": "assign-uuid", "uuid": staged["table-uuid"]},
        {"action": "upgrade-format-version", "format-version": 2},
        {"action": "add-schema", "schema": SCHEMA},
        {"action": "set-current-schema", "schema-id": -1},
        {"action": "add-spec", "spec": {"spec-id": 0, "fields": []}},
        {"action": "set-default-spec", "spec-id": -1},
        {"action": "add-sort-order", "sort-order": {"order-id": 0, "fields": []}},
        {"action": "set-default-sort-order", "sort-order-id": -1},
        {"action": "set-location", "location": staged["location"]},
    ]
    change = {"requirements": [{"type": "assert-create"}], "updates": updates}
    made = lake.iceberg("POST", "main", f"{path}/s", change)["metadata"]
    assert made["table-uuid"] == staged["table-uuid"]
    lake.iceberg("POST", "main", f"{path}/s", change, 409)


def test_view_updates(lake):
    version = {
        "version-id": 1,
        "timestamp-ms": 1,
        "schema-id": 0,
        "summary": {"engine": "spark"},
        "representations": [{"type": "sql", "sql": "select 1", "dialect": "spark"}],
        "default-namespace": ["ns"],
    }
    body = {"name": "v", "schema": SCHEMA, "view-version": version, "properties": {}}
    made = lake.iceberg("POST", "main", "/namespaces/ns/views", body)["metadata"]
    other = {**version, "version-id": 2, "schema-id": -1, "summary": {"engine": "trino"}}
    wider = [*FIELDS, {"id": 3, "name": "x", "type": "int", "required": False}]
    updates = [
        {"action": "assign-uuid", "uuid": made["view-uuid"]},
        {"action": "upgrade-format-version", "format-version": 1},
        {"action": "add-schema", "schema": {**SCHEMA, "fields": wider}},
        {"action": "add-view-version", "view-version": other},
        {"action": "set-current-view-version", "view-version-id": -1},
        {"action": "set-location", "location": f"{made['location']}/moved"},
        {"action": "set-properties", "updates": {"a": "1", "b": "2"}},
        {"action": "remove-properties", "removals": ["a"]},
    ]
    requirements = [{"type": "assert-view-uuid", "uuid": made["view-uuid"]}]
    path = "/namespaces/ns/views/v"
    change = {"requirements": requirements, "updates": updates}
    metadata = lake.iceberg("POST", "main", path, change)["metadata"]
    assert metadata["current-version-id"] == 2
    assert metadata["properties"] == {"b": "2"}
    requirements[0]["uuid"] = "018f2b1e-0000-7000-8000-000000000001"
    lake.iceberg("POST", "main", path, change, 409)
    lake.iceberg("POST", "main", path, {"updates": [{"action": "add-spec", "spec": {}}]}, 400)
    lake.iceberg("POST", "main", path, {"updates": []})
