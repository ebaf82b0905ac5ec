"""Laws of table updates over random histories, and agreement with pyiceberg where it is right."""

import copy

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter
from pyiceberg.table.metadata import TableMetadataUtil
from pyiceberg.table.update import TableUpdate, update_table_metadata

from catalog.iceberg.files import decode_metadata, encode_metadata
from catalog.iceberg.parsing import parse_updates
from catalog.iceberg.updates import update_table
from catalog.iceberg.validation import check_table, table_for_snapshots

K = 1000
NOW = 1000 * K
LAWS = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
NAMES = st.sampled_from(["c", "d", "e", "f"])
REFS = st.sampled_from(["b1", "b2"])
KEYS = st.sampled_from(["k", "l", "write.metadata.previous-versions-max"])


def add_schema(draw, table):
    current = next(
        item for item in table["schemas"] if item["schema-id"] == table["current-schema-id"]
    )
    name = draw(NAMES)
    number = table["last-column-id"] + draw(st.integers(1, 3))
    kind = draw(st.sampled_from(["int", "decimal(9, 2)", "timestamp", "fixed[4]"]))
    column = {"id": number, "name": name, "required": False, "type": kind, "future": number}
    kept = [field for field in current["fields"] if field["name"] != name]
    schema = {
        "type": "struct",
        "schema-id": max(item["schema-id"] for item in table["schemas"]) + 1,
        "fields": [*kept, column],
    }
    return [{"action": "add-schema", "schema": schema}]


def set_current_schema(draw, table):
    # The default spec and order of these tables use none of the columns that come and go.
    schema = draw(st.sampled_from(table["schemas"]))
    return [{"action": "set-current-schema", "schema-id": schema["schema-id"]}]


def add_spec(draw, table):
    last = table["last-partition-id"]
    name = f"p{last}"
    transform = draw(st.sampled_from(["day", "month", "year"]))
    fields = [{"name": name, "transform": transform, "source-id": 3, "field-id": last + 1}]
    if table["format-version"] == 1:
        fields[0]["field-id"] = 1000
    spec_id = max(spec["spec-id"] for spec in table["partition-specs"]) + 1
    return [{"action": "add-spec", "spec": {"spec-id": spec_id, "fields": fields}}]


def set_default_spec(draw, table):
    spec = draw(st.sampled_from(table["partition-specs"]))
    return [{"action": "set-default-spec", "spec-id": spec["spec-id"]}]


def add_sort_order(draw, table):
    # A new count of columns each time, for pyiceberg appends equal orders twice.
    by = {"transform": "identity", "source-id": 1, "direction": "asc", "null-order": "nulls-first"}
    order_id = max(order["order-id"] for order in table["sort-orders"]) + 1
    order = {"order-id": order_id, "fields": [by] * order_id}
    return [{"action": "add-sort-order", "sort-order": order}]


def set_default_sort_order(draw, table):
    order = draw(st.sampled_from(table["sort-orders"]))
    return [{"action": "set-default-sort-order", "sort-order-id": order["order-id"]}]


def add_snapshot(draw, table):
    number = draw(st.integers(10**6, 10**9))
    last = table.get("last-sequence-number", 0)
    snapshot = {
        "snapshot-id": number,
        "timestamp-ms": draw(st.integers(NOW - 100, NOW + 100)),
        "summary": {"operation": draw(st.sampled_from(["append", "overwrite"]))},
        "manifest-list": f"s3://b/t/metadata/snap-{number}.avro",
        "schema-id": table["current-schema-id"],
        "future": {"x": number},
    }
    if table["format-version"] > 1:
        snapshot["sequence-number"] = last + draw(st.integers(1, 2))
    if table["format-version"] > 2:
        snapshot |= {"first-row-id": table["next-row-id"], "added-rows": draw(st.integers(0, 9))}
    if table["current-snapshot-id"] not in (None, -1):
        snapshot["parent-snapshot-id"] = table["current-snapshot-id"]
    target = draw(st.sampled_from([None, "main", "main", "b1"]))
    if any(other["snapshot-id"] == number for other in table["snapshots"]):
        return []
    added = {"action": "add-snapshot", "snapshot": snapshot}
    return [added] if target is None else [added, ref_update(target, number)]


def ref_update(name, number, kind="branch", **more):
    update = {"action": "set-snapshot-ref", "ref-name": name, "type": kind, "snapshot-id": number}
    return update | more


def set_ref(draw, table):
    if not table["snapshots"]:
        return []
    number = draw(st.sampled_from(table["snapshots"]))["snapshot-id"]
    kind = draw(st.sampled_from(["branch", "tag"]))
    return [ref_update(draw(REFS), number, kind, **{"max-ref-age-ms": draw(st.integers(1, 9))})]


def roll_back(draw, table):
    if not table["snapshots"]:
        return []
    return [ref_update("main", draw(st.sampled_from(table["snapshots"]))["snapshot-id"])]


def remove_ref(draw, table):
    names = [name for name in table["refs"] if name != "main"]
    if not names:
        return []
    return [{"action": "remove-snapshot-ref", "ref-name": draw(st.sampled_from(names))}]


def set_properties(draw, table):
    return [{"action": "set-properties", "updates": {draw(KEYS): str(draw(st.integers(1, 4)))}}]


def remove_properties(draw, table):
    names = sorted(set(table["properties"]) - {"gc.enabled"})
    if not names:
        return []
    return [{"action": "remove-properties", "removals": [draw(st.sampled_from(names))]}]


def set_location(draw, table):
    return [{"action": "set-location", "location": f"s3://b/{draw(NAMES)}"}]


def set_statistics(draw, table):
    if not table["snapshots"]:
        return []
    number = draw(st.sampled_from(table["snapshots"]))["snapshot-id"]
    statistics = {
        "snapshot-id": number,
        "statistics-path": f"s3://b/st-{draw(st.integers(1, 9))}",
        "file-size-in-bytes": 1,
        "file-footer-size-in-bytes": 1,
        "blob-metadata": [],
    }
    return [{"action": "set-statistics", "statistics": statistics}]


def remove_snapshots(draw, table):
    known = [snapshot["snapshot-id"] for snapshot in table["snapshots"]]
    chosen = draw(st.lists(st.sampled_from([*known, 5]), max_size=3, unique=True))
    return [{"action": "remove-snapshots", "snapshot-ids": [number]} for number in chosen]


def remove_main(draw, table):
    return [{"action": "remove-snapshot-ref", "ref-name": "main"}]


def upgrade(draw, table):
    version = draw(st.integers(table["format-version"], 3))
    return [{"action": "upgrade-format-version", "format-version": version}]


def remove_shapes(draw, table):
    schemas = {item["schema-id"] for item in table["schemas"]} - {table["current-schema-id"]}
    specs = {item["spec-id"] for item in table["partition-specs"]} - {table["default-spec-id"]}
    return [
        {"action": "remove-schemas", "schema-ids": sorted(schemas)[:1]},
        {"action": "remove-partition-specs", "spec-ids": sorted(specs)[:1]},
    ]


# Here pyiceberg does what Java does.
AGREED = [
    add_schema,
    set_current_schema,
    add_spec,
    set_default_spec,
    add_sort_order,
    set_default_sort_order,
    add_snapshot,
    set_ref,
    roll_back,
    remove_ref,
    set_properties,
    remove_properties,
    set_location,
    set_statistics,
]
ALL = [*AGREED, remove_snapshots, remove_main, upgrade, remove_shapes]


def applied(base, updates, *, now_ms=NOW):
    before = copy.deepcopy(base)
    result = update_table(
        base,
        parse_updates(updates),
        base_location="s3://b/t/metadata/00007-a.metadata.json",
        now_ms=now_ms,
    )
    assert base == before
    return result


def draw_commit(data, base, operations, most):
    """Draw updates that are valid one after the other from the base on."""
    updates, state = [], base
    for _ in range(data.draw(st.integers(1, most))):
        updates += data.draw(st.sampled_from(operations))(data.draw, state)
        state = applied(base, updates)
    return updates, state


def numbers(table):
    return [
        table.get("last-sequence-number", 0),
        table["last-column-id"],
        table["last-partition-id"],
        table.get("next-row-id", 0),
        table["last-updated-ms"],
        table["format-version"],
    ]


@LAWS
@given(data=st.data())
def test_every_history_of_valid_updates_can_be_opened_and_its_numbers_never_fall(make, data):
    table = make.table(data.draw(st.sampled_from(["T1", "T2b", "T2p", "T3a"])), future=["kept"])
    for _ in range(data.draw(st.integers(1, 4))):
        updates, after = draw_commit(data, table, ALL, most=4)
        check_table(after)
        check_table(table_for_snapshots(after, "refs"))
        assert (
            decode_metadata(encode_metadata(after, "a.metadata.json"), "a.metadata.json") == after
        )
        assert all(old <= new for old, new in zip(numbers(table), numbers(after), strict=True))
        assert applied(table, updates) == after
        assert after is table or after["properties"]["gc.enabled"] == "false"
        table = after
    assert table["future"] == ["kept"]


@LAWS
@given(data=st.data())
def test_what_no_update_names_stays_as_it_was(make, data):
    base = make.table(data.draw(st.sampled_from(["T1", "T2b", "T2p", "T3a"])))
    for part in ("schemas", "partition-specs", "sort-orders", "snapshots"):
        for number, item in enumerate(base[part]):
            item["future"] = [number]
    updates, after = draw_commit(data, base, ALL, most=6)
    removed = {
        "snapshots": {i for u in updates for i in u.get("snapshot-ids", ())},
        "schemas": {i for u in updates for i in u.get("schema-ids", ())},
        "partition-specs": {i for u in updates for i in u.get("spec-ids", ())},
        "sort-orders": set(),
    }
    for part, member in (
        ("snapshots", "snapshot-id"),
        ("schemas", "schema-id"),
        ("partition-specs", "spec-id"),
        ("sort-orders", "order-id"),
    ):
        kept = [item for item in base[part] if item[member] not in removed[part]]
        left = [item for item in after[part] if item in base[part]]
        assert left == kept


@LAWS
@given(data=st.data())
def test_one_commit_of_many_updates_has_the_parts_of_many_commits(make, data):
    base = make.table(data.draw(st.sampled_from(["T2b", "T3a"])))
    updates, at_once = draw_commit(data, base, ALL, most=5)
    apart = base
    for update in updates:
        apart = applied(apart, [update])
    # The logs and the clock tell of commits; −1 was not used, so nothing else may differ.
    for member in ("snapshot-log", "metadata-log", "last-updated-ms"):
        at_once, apart = at_once | {member: None}, apart | {member: None}
    assert at_once == apart


def comparable(metadata):
    """Return metadata as pyiceberg knows it, without what it is known to do otherwise."""
    table = TableMetadataUtil.parse_obj(metadata).model_dump(by_alias=True)
    log = [entry["snapshot-id"] for entry in table.pop("snapshot-log")]
    del table["last-updated-ms"]
    table["properties"].pop("gc.enabled", None)
    # A set by snapshot: Java lists it in the order of its hash map, the specification in none.
    statistics = sorted(table.pop("statistics"), key=lambda item: item["snapshot-id"])
    return table | {"snapshot-log": log, "statistics": statistics}


@LAWS
@given(data=st.data())
def test_pyiceberg_builds_the_same_where_it_follows_java(make, data):
    base = make.table(data.draw(st.sampled_from(["T2", "T2b"])))
    location = "s3://b/t/metadata/00007-a.metadata.json"
    for _ in range(data.draw(st.integers(1, 5))):
        updates = data.draw(st.sampled_from(AGREED))(data.draw, base)
        ours = applied(base, updates)
        if ours is not base:
            parsed = TypeAdapter(tuple[TableUpdate, ...]).validate_python(updates)
            theirs = update_table_metadata(
                TableMetadataUtil.parse_obj(base), parsed, metadata_location=location
            )
            assert comparable(ours) == comparable(theirs.model_dump(by_alias=True))
        base = ours


@pytest.mark.parametrize("count", [2000])
def test_a_commit_on_many_snapshots_shares_all_but_the_new_one(make, commit, count):
    base = make.table("T2b")
    base["snapshots"] = [make.snapshot(n, 1, 200 * K) for n in range(100, 100 + count)]
    base["snapshots"].append(make.snapshot(12, 2, 300 * K))
    base["refs"] = {"main": {"snapshot-id": 12, "type": "branch"}}
    new = make.snapshot(13, 3, 400 * K, parent=12)
    table = commit(base, [{"action": "add-snapshot", "snapshot": new}, ref_update("main", 13)])
    assert all(
        ours is theirs for ours, theirs in zip(table["snapshots"], base["snapshots"], strict=False)
    )
    assert table["snapshots"][-1] == new
