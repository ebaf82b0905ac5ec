"""Table updates in detail: what a row of the matrix cannot say in one line."""

import pytest

from catalog.errors import InvalidInput
from catalog.iceberg.parsing import parse_updates
from catalog.iceberg.updates import update_table
from catalog.iceberg.validation import check_table

K = 1000
NOW = 1000 * K


def put(**properties):
    return {"action": "set-properties", "updates": properties}


def main(number, **more):
    return {
        "action": "set-snapshot-ref",
        "ref-name": "main",
        "type": "branch",
        "snapshot-id": number,
    } | more


def test_row_14_an_upgrade_to_v3_leaves_snapshots_without_row_ids(make, commit):
    base = make.table("T2a")
    table = commit(base, [{"action": "upgrade-format-version", "format-version": 3}])
    assert table["snapshots"] == base["snapshots"]
    assert table["next-row-id"] == 0


def test_row_16_an_upgrade_from_v1_drops_the_members_of_v1(make, commit):
    table = commit(make.table("T1"), [{"action": "upgrade-format-version", "format-version": 2}])
    assert {"schema", "partition-spec"}.isdisjoint(table)
    check_table(table)


def test_v1_keeps_its_own_members_in_step(make, commit):
    schema = make.schema({"id": 4, "name": "c", "required": False, "type": "int"})
    table = commit(
        make.table("T1"),
        [
            {"action": "add-schema", "schema": schema},
            {"action": "set-current-schema", "schema-id": -1},
            {
                "action": "add-spec",
                "spec": {"fields": [{"name": "c", "transform": "identity", "source-id": 4}]},
            },
            {"action": "set-default-spec", "spec-id": -1},
        ],
    )
    assert table["schema"] == table["schemas"][1]
    assert table["partition-spec"] == [
        {"name": "c", "transform": "identity", "source-id": 4, "field-id": 1000}
    ]
    assert "last-sequence-number" not in table
    check_table(table)


def test_v1_without_lists_is_completed_as_readers_do(make, commit):
    old = make.table("T1")
    for member in (
        *("schemas", "current-schema-id", "partition-specs", "default-spec-id"),
        *("last-partition-id", "sort-orders", "default-sort-order-id", "refs"),
    ):
        del old[member]
    old["partition-spec"] = [{"name": "ts_day", "transform": "day", "source-id": 3}]
    table = commit(old, [put(a="b")])
    assert table["partition-specs"] == make.table("T1")["partition-specs"]
    assert table["last-partition-id"] == 1000
    assert table["schemas"] == [make.schema()]
    assert table["sort-orders"] == [{"order-id": 0, "fields": []}]


def test_row_33_types_are_written_in_canonical_form(make, commit):
    schema = make.schema(
        {"id": 4, "name": "g", "required": False, "type": "Geometry"},
        {"id": 5, "name": "d", "required": False, "type": "DECIMAL( 9,2 )"},
        {"id": 6, "name": "h", "required": False, "type": "geography('EPSG:4326', 'Karney')"},
    )
    table = commit(make.table("T3"), [{"action": "add-schema", "schema": schema}])
    assert [field["type"] for field in table["schemas"][1]["fields"][3:]] == [
        "geometry(OGC:CRS84)",
        "decimal(9, 2)",
        "geography(EPSG:4326, karney)",
    ]


def test_the_client_does_not_choose_the_schema_id(make, commit):
    column = {"id": 4, "name": "c", "required": False, "type": "int"}
    schema = make.schema(column, schema_id=77)
    table = commit(make.table("T2"), [{"action": "add-schema", "schema": schema}])
    assert table["schemas"][1] == make.schema(column, schema_id=1)


def spec_fields(commit, base, *fields):
    update = {"action": "add-spec", "spec": {"spec-id": 0, "fields": list(fields)}}
    return commit(base, [update])["partition-specs"][-1]["fields"]


def test_row_43_a_new_partition_field_counts_on(make, commit):
    field = {"name": "d", "transform": "day", "source-id": 3}
    assert spec_fields(commit, make.table("T2p"), field) == [field | {"field-id": 1002}]


def test_row_44_a_known_partition_field_lends_its_id(make, commit):
    field = {"name": "b", "transform": "BUCKET[16]", "source-id": 1}
    assert spec_fields(commit, make.table("T2p"), field) == [
        {"name": "b", "transform": "bucket[16]", "source-id": 1, "field-id": 1000}
    ]


def test_a_lent_partition_field_id_is_lent_once(make, commit):
    one = {"name": "b", "transform": "bucket[16]", "source-id": 1}
    other = {"name": "c", "transform": "bucket[16]", "source-id": 1}
    fields = spec_fields(commit, make.table("T2p"), one, other)
    assert [field["field-id"] for field in fields] == [1000, 1002]


def test_row_48_an_unknown_transform_is_kept_verbatim(make, commit):
    field = {"name": "z", "transform": "ZOrder[3]", "source-id": 2, "field-id": 1000}
    assert spec_fields(commit, make.table("T2"), field) == [field]


def test_row_49_several_sources_are_kept_without_source_id(make, commit):
    field = {"name": "p", "transform": "bucketv2[8]", "source-ids": [1, 2], "field-id": 1000}
    assert spec_fields(commit, make.table("T3"), field | {"source-id": 1}) == [field]


def test_one_source_in_a_list_is_written_as_source_id(make, commit):
    field = {"name": "p", "transform": "day", "source-ids": [3], "field-id": 1000}
    assert spec_fields(commit, make.table("T2"), field) == [
        {"name": "p", "transform": "day", "source-id": 3, "field-id": 1000}
    ]


def test_partition_field_ids_do_not_leave_32_bits(make, commit):
    base = make.table("T2", **{"last-partition-id": 2**31 - 1})
    with pytest.raises(InvalidInput, match="No id is left"):
        spec_fields(commit, base, {"name": "d", "transform": "day", "source-id": 3})


def test_row_72_retention_that_is_left_out_is_cleared(make, commit):
    base = make.table("T2b")
    base["refs"]["b1"] = {"snapshot-id": 11, "type": "branch", "min-snapshots-to-keep": 5}
    update = {
        "action": "set-snapshot-ref",
        "ref-name": "b1",
        "type": "branch",
        "snapshot-id": 12,
    }
    assert commit(base, [update])["refs"]["b1"] == {"snapshot-id": 12, "type": "branch"}


def test_row_74_children_of_a_removed_snapshot_keep_their_parent(make, commit):
    table = commit(make.table("T2b"), [{"action": "remove-snapshots", "snapshot-ids": [11]}])
    assert table["snapshots"] == [make.snapshot(12, 2, 300 * K, parent=11)]


def test_removals_one_by_one_equal_a_removal_at_once(make, commit):
    def remove(*numbers):
        return {"action": "remove-snapshots", "snapshot-ids": list(numbers)}

    base = make.table("T2b")
    updates = parse_updates([remove(11), remove(99), remove(12)])
    apart = update_table(base, updates, base_location=None, now_ms=NOW)
    assert apart == commit(base, [remove(11, 12)], now_ms=NOW) | {
        "metadata-log": base["metadata-log"]
    }
    assert updates == parse_updates([remove(11), remove(99), remove(12)])


def test_row_76_history_before_a_removed_snapshot_is_not_told(make, commit):
    base = make.table("T2")
    base["snapshots"] = [make.snapshot(n, n, n * K) for n in (1, 2, 3)]
    base |= {"last-sequence-number": 3, "current-snapshot-id": 3}
    base["refs"] = {"main": {"snapshot-id": 3, "type": "branch"}}
    base["snapshot-log"] = [{"timestamp-ms": n * K, "snapshot-id": n} for n in (1, 2, 3)]
    table = commit(base, [{"action": "remove-snapshots", "snapshot-ids": [2]}])
    assert table["snapshot-log"] == [{"timestamp-ms": 3 * K, "snapshot-id": 3}]


def test_row_78_an_empty_snapshot_log_survives_expiry(make, commit):
    base = make.table("T2a", **{"snapshot-log": []})
    base["snapshots"].insert(0, make.snapshot(10, 0, 100 * K))
    table = commit(base, [{"action": "remove-snapshots", "snapshot-ids": [10]}])
    assert table["snapshot-log"] == []
    assert [snapshot["snapshot-id"] for snapshot in table["snapshots"]] == [11]


def test_row_83_statistics_of_a_snapshot_are_replaced_in_place(make, commit):
    base = make.table("T2b")
    old = base["statistics"][0]
    base["statistics"] = [old, old | {"snapshot-id": 12}, old]
    new = old | {
        "statistics-path": "s3://b/t/new",
        "key-metadata": "a2V5",
        "blob-metadata": [
            {"type": "x", "snapshot-id": 11, "sequence-number": 1, "fields": [1], "future": 1}
        ],
    }
    table = commit(base, [{"action": "set-statistics", "statistics": new}])
    assert table["statistics"] == [new, old | {"snapshot-id": 12}]


def test_row_85_an_encryption_key_is_never_overwritten(make, commit):
    def add(secret):
        key = {"key-id": "k1", "encrypted-key-metadata": secret, "future": [1]}
        return {"action": "add-encryption-key", "encryption-key": key}

    table = commit(make.table("T3"), [add("QQ=="), add("Qg==")])
    assert table["encryption-keys"] == [
        {"key-id": "k1", "encrypted-key-metadata": "QQ==", "future": [1]}
    ]
    gone = commit(table, [{"action": "remove-encryption-key", "key-id": "k1"}])
    assert "encryption-keys" not in gone


@pytest.mark.parametrize("given", [None, "true", "FALSE"])
def test_whatever_is_written_keeps_files_safe_from_engines(make, commit, given):
    base = make.table("T2", properties={} if given is None else {"gc.enabled": given})
    assert commit(base, [put(a="b")])["properties"] == {"a": "b", "gc.enabled": "false"}


@pytest.mark.parametrize("given", ["true", "TRUE", "1"])
def test_metadata_files_stay_after_a_commit_whatever_the_table_says(make, commit, given):
    name = "write.metadata.delete-after-commit.enabled"
    before = commit(make.table("T2"), [put(**{name: given})])
    assert before["properties"] == {"gc.enabled": "false", name: "false"}
    base = make.table("T2", properties={name: given})
    assert commit(base, [put(a="b")])["properties"][name] == "false"


def test_nothing_is_written_for_the_sake_of_gc_enabled_alone(make, commit):
    base = make.table("T2", properties={"gc.enabled": "true"})
    assert commit(base, []) is base


def test_gc_enabled_cannot_be_removed(make, commit):
    update = {"action": "remove-properties", "removals": ["gc.enabled", "a"]}
    base = make.table("T2", properties={"gc.enabled": "false", "a": "b"})
    assert commit(base, [update])["properties"] == {"gc.enabled": "false"}


def test_the_clock_of_a_table_never_runs_backwards(make, commit):
    table = commit(make.table("T2b"), [main(11)], now_ms=250 * K)
    assert table["last-updated-ms"] == 300 * K
    assert table["snapshot-log"][-1] == {"timestamp-ms": 300 * K, "snapshot-id": 11}


def test_v2_needs_a_manifest_list_and_an_operation(make, commit):
    snapshot = make.snapshot(11, 1, 200 * K)
    for missing, text in (("manifest-list", "manifest-list"), ("summary", "operation")):
        cut = {name: value for name, value in snapshot.items() if name != missing}
        with pytest.raises(InvalidInput, match=text):
            commit(make.table("T2"), [{"action": "add-snapshot", "snapshot": cut}])


def test_v1_takes_manifests_and_means_overwrite_without_an_operation(make, commit):
    snapshot = {
        "snapshot-id": 11,
        "timestamp-ms": 200 * K,
        "manifests": ["s3://b/t/m.avro"],
        "summary": {"x": "y"},
    }
    table = commit(make.table("T1"), [{"action": "add-snapshot", "snapshot": snapshot}])
    assert table["snapshots"] == [snapshot | {"summary": {"operation": "overwrite", "x": "y"}}]


def test_null_members_of_a_snapshot_count_as_absent(make, commit):
    snapshot = make.snapshot(11, 1, 200 * K)
    nulls = dict.fromkeys(("parent-snapshot-id", "schema-id", "first-row-id", "key-id"))
    update = {"action": "add-snapshot", "snapshot": snapshot | nulls}
    del snapshot["schema-id"]
    assert commit(make.table("T2"), [update])["snapshots"] == [snapshot]


def test_unknown_members_survive_at_every_depth(make, commit):
    base = make.table("T2b", future={"deep": [1, {"x": None}]})
    base["schemas"][0]["future"] = 1
    base["schemas"][0]["fields"][1]["future"] = [2]
    base["partition-specs"][0]["future"] = "spec"
    base["snapshots"][1]["future"] = {"row": 3}
    base["refs"]["rel"]["future"] = 4
    base["snapshot-log"][1]["future"] = 5
    base["statistics"][0]["future"] = 6
    snapshot = make.snapshot(13, 3, 400 * K, parent=12, future={"new": True})
    field = {"id": 4, "name": "c", "required": False, "type": "int", "future": "field"}
    table = commit(
        base,
        [
            {"action": "add-schema", "schema": make.schema(field) | {"future": "schema"}},
            {"action": "add-snapshot", "snapshot": snapshot},
            main(13),
        ],
    )
    assert table["future"] == {"deep": [1, {"x": None}]}
    assert table["schemas"][0] == base["schemas"][0]
    assert table["schemas"][1]["future"] == "schema"
    assert table["schemas"][1]["fields"][3] == field
    assert table["partition-specs"] == base["partition-specs"]
    assert table["snapshots"] == [*base["snapshots"], snapshot]
    assert table["refs"]["rel"] == base["refs"]["rel"]
    assert table["snapshot-log"][1] == base["snapshot-log"][1]
    assert table["statistics"] == base["statistics"]


def test_members_stand_in_the_order_of_java(make, commit):
    table = commit(make.table("T3a", future=1), [put(a="b")])
    assert list(table) == [
        "format-version",
        "table-uuid",
        "location",
        "last-sequence-number",
        "last-updated-ms",
        "last-column-id",
        "current-schema-id",
        "schemas",
        "default-spec-id",
        "partition-specs",
        "last-partition-id",
        "default-sort-order-id",
        "sort-orders",
        "properties",
        "current-snapshot-id",
        "next-row-id",
        "refs",
        "snapshots",
        "statistics",
        "partition-statistics",
        "snapshot-log",
        "metadata-log",
        "future",
    ]


def test_a_current_snapshot_without_refs_is_main(make, commit):
    base = make.table("T2a")
    del base["refs"]
    assert commit(base, [main(11)]) is base


@pytest.mark.parametrize("current", [None, "absent", -1])
def test_the_three_ways_of_having_no_snapshot_are_one(make, commit, current):
    base = make.table("T2", **{"current-snapshot-id": current})
    if current == "absent":
        del base["current-snapshot-id"]
    assert commit(base, [put(a="b")])["current-snapshot-id"] == -1


def test_parts_that_did_not_change_are_shared_with_the_base(make, commit):
    base = make.table("T2b")
    snapshot = make.snapshot(13, 3, 400 * K, parent=12)
    table = commit(base, [{"action": "add-snapshot", "snapshot": snapshot}, main(13)])
    assert table["snapshots"][0] is base["snapshots"][0]
    assert table["schemas"] is base["schemas"]


def test_a_snapshot_removed_and_added_again_is_there_once(make, commit):
    again = make.snapshot(12, 3, 400 * K, parent=11)
    updates = [
        {"action": "remove-snapshots", "snapshot-ids": [12]},
        {"action": "add-snapshot", "snapshot": again},
        main(12),
    ]
    table = commit(make.table("T2b"), updates)
    assert [snapshot["snapshot-id"] for snapshot in table["snapshots"]] == [11, 12]
    assert table["snapshots"][1] == again
    check_table(table)
