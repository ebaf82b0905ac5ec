"""The table of metadata changes, as cases: what both sides did, and what follows.

base ── ours (the target)
  └──── theirs (the source)
"""

import ast
import copy
from pathlib import Path

import pytest
from pyiceberg.schema import Schema
from pyiceberg.table.metadata import TableMetadataUtil

from catalog.iceberg.merging.owed import Claim, Side
from catalog.iceberg.merging.shapes.shape import MergedShapes, merge_shapes
from catalog.iceberg.metadata import written
from tests.iceberg.merging.tables import (
    FIELDS,
    add,
    apply,
    change,
    check_valid,
    column,
    columns,
    commit,
    current,
    drop,
    field,
    identify,
    names,
    partition,
    promote,
    put,
    relocate,
    rename,
    reorder,
    set_properties,
    snapshot,
    sort,
    struct,
    table,
    unset,
    upgrade,
    with_member,
)


def merge(base, ours, theirs):
    """Merge what edits made of a base, and hold that nothing changed under way."""
    sides = [base, apply(base, *ours), apply(base, *theirs)]
    before = copy.deepcopy(sides)
    result = merge_shapes(*sides)
    assert sides == before
    if isinstance(result, MergedShapes):
        check_valid(result.metadata)
    return result


def merged(base, ours, theirs):
    result = merge(base, ours, theirs)
    assert isinstance(result, MergedShapes), result
    return result


def problems(base, ours, theirs):
    result = merge(base, ours, theirs)
    assert isinstance(result, list), result.metadata
    for problem in result:
        assert problem.detail[0].isupper(), problem
        assert problem.detail.endswith("."), problem
    return {problem.code: problem.detail for problem in result}


def claims(result):
    return {(each.claim, each.side, each.field_id) for each in result.owed}


# What both sides did to the columns of id, v, name, at; and the columns that follow.
CLEAN = [
    ([add("a")], [rename("v", "w")], ["id", "w", "name", "at", "a"]),
    ([add("a", after="v")], [add("b", "int", after="v")], ["id", "v", "a", "b", "name", "at"]),
    ([add("a")], [add("a")], ["id", "v", "name", "at", "a"]),
    ([drop("v")], [drop("name")], ["id", "at"]),
    ([drop("v")], [drop("v")], ["id", "name", "at"]),
    ([rename("v", "w")], [rename("v", "w")], ["id", "w", "name", "at"]),
    ([rename("v", "w")], [promote("v", "long")], ["id", "w", "name", "at"]),
    ([rename("v", "w")], [change("v", doc="the value")], ["id", "w", "name", "at"]),
    ([promote("v", "long")], [change("v", required=True)], ["id", "v", "name", "at"]),
    ([drop("v")], [reorder("at", "id", "v", "name")], ["at", "id", "name"]),
    ([reorder("at", "id", "v", "name")], [add("a", after="v")], ["at", "id", "v", "a", "name"]),
    ([add("a", after="v")], [reorder("at", "id", "v", "name")], ["at", "id", "v", "a", "name"]),
    ([drop("name"), add("a")], [rename("v", "w")], ["id", "w", "at", "a"]),
]


@pytest.mark.parametrize(("ours", "theirs", "expected"), CLEAN)
def test_changes_of_columns_that_go_together(ours, theirs, expected):
    assert names(merged(table(), ours, theirs).metadata) == expected


TWICE = "column-changed-twice"
DROPPED = "column-changed-and-dropped"
TAKEN = "column-name-taken"
USED = "column-used-and-dropped"
CONFLICTS = [
    ([rename("v", "w")], [rename("v", "x")], TWICE, "the target to w and the source to x"),
    ([rename("v", "w")], [drop("v")], DROPPED, "changed on the target (name) and dropped on"),
    ([drop("v")], [promote("v", "long")], DROPPED, "changed on the source (type)"),
    ([drop("v")], [change("v", required=True)], DROPPED, "changed on the source (required)"),
    ([change("v", doc="a")], [change("v", doc="b")], TWICE, "its comment"),
    ([rename("v", "w")], [add("w")], TAKEN, "w (field id 2) and w (field id 5)"),
    ([rename("v", "W")], [rename("name", "w")], TAKEN, "W (field id 2) and w (field id 3)"),
    ([add("a"), add("b")], [add("B", "int")], TAKEN, "b (field id 6) and B (field id 7)"),
    ([add("a", "int")], [add("a", "long")], TAKEN, "a (field id 5) and a (field id 6)"),
    ([drop("v")], [partition(("v", "identity"))], USED, "partitions the table"),
    ([partition(("v", "identity"))], [drop("v")], USED, "Column v was dropped"),
    ([drop("v")], [sort("v")], USED, "sorts the table"),
    ([identify("id")], [change("name", required=True), identify("name")],
     "identifiers-changed-twice", "the target to id and the source to name"),
    ([partition(("v", "identity"))], [partition(("at", "day"))],
     "partitioning-changed-twice", "the target to v_identity and the source to at_day"),
    ([sort("v")], [sort("at")], "sort-order-changed-twice", "to different ones"),
    ([partition(("at", "day"))], [promote("at", "timestamp")],
     "column-promoted", "from date to timestamp on the source, and the target partitions"),
    ([promote("at", "timestamp")], [sort("at")], "column-promoted", "the source partitions"),
    ([promote("at", "timestamp")], [promote("at", "timestamp_ns")], TWICE, "its type"),
    ([put(a="1")], [put(a="2")], "property-conflict", "'1' on the target and '2' on the source"),
    ([relocate("s3://b/u")], [relocate("s3://b/w")], "location-changed-twice", "s3://b/u"),
    ([with_member("new", 1)], [with_member("new", 2)], "member-changed-twice", "member new"),
]  # fmt: skip


@pytest.mark.parametrize(("ours", "theirs", "code", "words"), CONFLICTS)
def test_changes_that_do_not_go_together(ours, theirs, code, words):
    found = problems(table(version=3), ours, theirs)
    assert list(found) == [code]
    assert words in found[code]


def test_every_problem_is_told_at_once():
    ours = [rename("v", "w"), put(a="1"), sort("id")]
    theirs = [rename("v", "x"), put(a="2"), sort("at")]
    assert set(problems(table(), ours, theirs)) == {
        TWICE,
        "property-conflict",
        "sort-order-changed-twice",
    }


def test_a_clash_of_promotions_says_which_side_to_promote():
    base = table(*FIELDS, field(5, "d", "decimal(5, 2)"))
    found = problems(base, [promote("d", "decimal(7, 2)")], [promote("d", "decimal(9, 2)")])
    assert "promote it to decimal(9, 2) on the target first" in found[TWICE]


def test_attributes_of_one_column_are_merged_one_by_one():
    base = table(*FIELDS[:2], field(5, "d", "int", doc="old"))
    ours = [rename("d", "e"), change("e", doc=None)]
    theirs = [promote("d", "long"), with_member("x", 1)]
    found = column(merged(base, ours, theirs).metadata, "e")
    assert found == {"id": 5, "name": "e", "required": False, "type": "long"}


def test_required_and_write_default_go_together():
    base = table(*FIELDS, version=3)
    result = merged(base, [change("v", write_default=7)], [change("v", required=True)])
    assert column(result.metadata, "v") == field(2, "v", "int", required=True, write_default=7)
    assert claims(result) == {(Claim.NO_NULLS, Side.OURS, 2)}


def test_two_write_defaults_are_a_conflict():
    base = table(*FIELDS, version=3)
    found = problems(base, [change("v", write_default=7)], [change("v", write_default=8)])
    assert "write-default" in found[TWICE]


def test_unknown_members_of_a_column_survive_and_merge():
    base = table(*FIELDS, field(5, "d", "int", hint="a"))
    result = merged(base, [change("d", hint="b")], [change("d", other=[1])])
    assert column(result.metadata, "d") == field(5, "d", "int", hint="b", other=[1])


def test_both_sides_moving_columns_keeps_our_order_and_says_so():
    ours, theirs = ["at", "id", "v", "name"], ["name", "id", "v", "at"]
    result = merged(table(), [reorder(*ours)], [reorder(*theirs)])
    assert names(result.metadata) == ours
    assert result.notes == ("Both sides moved columns, differently: the target's order is kept.",)


def test_columns_dropped_on_both_sides_may_not_be_all():
    base = table(field(1, "a"), field(2, "b"))
    found = problems(base, [drop("a")], [drop("b")])
    assert found == {"no-columns-left": "Together the two sides dropped every column of the table."}


# --- field ids ---------------------------------------------------------------------------------


def test_a_column_whose_id_is_taken_gets_a_fresh_one_if_theirs_wrote_none():
    result = merged(table(), [add("email")], [add("phone"), identify()])
    assert [(each["id"], each["name"]) for each in columns(result.metadata)[4:]] == [
        (5, "email"),
        (6, "phone"),
    ]
    assert result.metadata["last-column-id"] == 6
    (owed,) = result.owed
    assert (owed.claim, owed.side, owed.field_id) == (Claim.NOT_WRITTEN, Side.THEIRS, 5)
    assert owed.problem.code == "column-id-taken"
    assert owed.problem.detail == (
        "The source added column phone and the target column email, both under the field id 5, and"
        " files of the source may have been written with it, so that a merge would show the values"
        " of one column in the other: start a branch from the target, add the column and write the"
        " source's rows there, or take one side of this table."
    )


def test_a_fresh_id_is_followed_wherever_theirs_names_the_column():
    mapping = '[{"field-id":5,"names":["phone"]}]'
    theirs = [
        add("phone", required=True, initial_default="x"),
        identify("phone"),
        partition(("phone", "bucket[4]")),
        sort("phone"),
        set_properties(
            {
                "schema.name-mapping.default": mapping,
                "write.metadata.metrics.column.phone": "full",
            }
        ),
    ]
    result = merged(table(version=3), [add("email")], theirs)
    metadata = result.metadata
    assert column(metadata, "phone")["id"] == 6
    assert current(metadata)["identifier-field-ids"] == [6]
    assert metadata["partition-specs"][-1]["fields"][0]["source-id"] == 6
    assert metadata["sort-orders"][-1]["fields"][0]["source-id"] == 6
    assert metadata["properties"]["schema.name-mapping.default"] == mapping.replace("5", "6")
    assert metadata["properties"]["write.metadata.metrics.column.phone"] == "full"
    meanings = {
        (each["id"], each["name"]) for schema in metadata["schemas"] for each in schema["fields"]
    }
    assert {name for number, name in meanings if number == 5} == {"email"}


def test_the_same_columns_in_another_order_become_the_target_s():
    result = merged(table(), [add("a"), add("b")], [add("b"), add("a")])
    assert [(each["id"], each["name"]) for each in columns(result.metadata)[4:]] == [
        (5, "a"),
        (6, "b"),
    ]
    assert {(each.problem.code, each.field_id) for each in result.owed} == {
        ("column-added-twice", 5),
        ("column-added-twice", 6),
    }


def test_a_column_that_ours_added_and_dropped_keeps_its_id():
    result = merged(table(), [add("a"), drop("a")], [add("b")])
    assert column(result.metadata, "b")["id"] == 6
    assert claims(result) == {(Claim.NOT_WRITTEN, Side.THEIRS, 5)}


def test_a_column_that_theirs_added_and_dropped_does_not_come_back_as_ours():
    result = merged(table(), [add("a")], [add("b"), drop("b")])
    assert column(result.metadata, "a")["id"] == 5
    assert claims(result) == {(Claim.NOT_WRITTEN, Side.THEIRS, 5)}


def test_an_id_that_theirs_used_and_forgot_is_not_trusted():
    forget = commit({"action": "remove-schemas", "schema-ids": [1]})
    result = merged(table(), [add("a")], [add("b"), drop("b"), forget])
    assert claims(result) == {(Claim.NOT_WRITTEN, Side.THEIRS, 5)}


def test_an_id_that_ours_used_and_forgot_is_not_given_again():
    forget = commit({"action": "remove-schemas", "schema-ids": [1]})
    result = merged(table(), [add("a"), drop("a"), forget], [add("b")])
    assert column(result.metadata, "b")["id"] == 6


def test_one_column_added_on_both_sides_with_the_same_id_owes_nothing():
    assert merged(table(), [add("a")], [add("a")]).owed == ()


def test_our_comment_on_a_column_that_both_added_is_kept():
    result = merged(table(), [add("a", doc="ours")], [add("a", doc="theirs")])
    assert column(result.metadata, "a")["doc"] == "ours"


def test_a_table_whose_earlier_merge_gave_fresh_ids_is_not_merged_again():
    """After the first merge the target has phone as 6, the source has it as 5 still.

    The base of the second merge is the source's old head, where 5 is phone; on the target it is
    email, which no rename made of it.
    """
    start = table()
    theirs = apply(start, add("phone"))
    first = merged(start, [add("email")], [add("phone")]).metadata
    found = merge_shapes(theirs, first, apply(theirs, snapshot(1)))
    assert isinstance(found, list)
    assert [problem.code for problem in found] == ["column-unknown"]
    assert "column phone (field id 5)" in found[0].detail


def test_a_rename_is_no_other_column():
    base = table()
    ours = apply(base, rename("v", "w"))
    again = merge_shapes(base, apply(ours, rename("w", "x")), apply(base, add("a")))
    assert isinstance(again, MergedShapes)
    assert names(again.metadata) == ["id", "x", "name", "at", "a"]


# --- nested columns ----------------------------------------------------------------------------

NESTED = [
    field(1, "id", "long"),
    field(2, "s", struct(field(3, "x"), field(4, "y"))),
    field(
        5,
        "m",
        {
            "type": "map",
            "key-id": 6,
            "key": "string",
            "value-id": 7,
            "value-required": False,
            "value": struct(field(8, "z", "int")),
        },
    ),
]


def test_fields_added_inside_one_struct_are_joined():
    base = table(*NESTED)
    ours = change("s", type=struct(field(3, "x"), field(4, "y"), field(9, "a")))
    theirs = change("s", type=struct(field(3, "xx"), field(4, "y"), field(9, "b")))
    result = merged(base, [ours], [theirs])
    assert column(result.metadata, "s")["type"] == struct(
        field(3, "xx"), field(4, "y"), field(9, "a"), field(10, "b")
    )


def test_a_field_added_to_a_struct_that_was_dropped_is_a_conflict():
    theirs = change("s", type=struct(field(3, "x"), field(4, "y"), field(9, "b")))
    found = problems(table(*NESTED), [drop("s")], [theirs])
    assert "s.b is new or changed on the source" in found[DROPPED]


def test_value_of_a_map_is_a_field_of_its_own():
    base = table(*NESTED)
    value = struct(field(8, "z", "long"))
    map_type = NESTED[2]["type"]
    ours = change("m", type={**map_type, "value-required": True})
    theirs = change("m", type={**map_type, "value": value})
    result = merged(base, [ours], [theirs])
    assert column(result.metadata, "m")["type"] == {
        **map_type,
        "value-required": True,
        "value": value,
    }
    assert claims(result) == {(Claim.NO_NULLS, Side.THEIRS, 7)}


def test_lists_added_on_both_sides_keep_their_elements_apart():
    def listed(kind):
        return lambda next_id: {
            "type": "list",
            "element-id": next_id,
            "element": kind,
            "element-required": False,
        }

    result = merged(table(), [add("a", listed("int"))], [add("b", listed("string"))])
    ids = [(each["id"], each["type"]["element-id"]) for each in columns(result.metadata)[4:]]
    assert ids == [(5, 6), (7, 8)]


# --- what the files must prove -----------------------------------------------------------------


def test_a_column_made_required_owes_the_nulls_of_the_other_side():
    result = merged(table(), [add("a")], [change("v", required=True)])
    assert (Claim.NO_NULLS, Side.OURS, 2) in claims(result)
    assert any("Column v is required now" in note for note in result.notes)
    mirror = merged(table(), [change("v", required=True)], [add("a")])
    assert (Claim.NO_NULLS, Side.THEIRS, 2) in claims(mirror)


def test_a_required_column_without_default_owes_that_the_other_side_added_no_rows():
    result = merged(table(), [put(a="1")], [add("a", required=True)])
    assert claims(result) == {(Claim.NO_DATA_FILES, Side.OURS, None)}


def test_a_required_column_with_a_default_owes_nothing():
    result = merged(
        table(version=3), [put(a="1")], [add("a", "int", required=True, initial_default=1)]
    )
    assert result.owed == ()


def test_a_dropped_column_owes_that_no_rows_were_deleted_by_it():
    result = merged(table(), [put(a="1")], [drop("v")])
    assert claims(result) == {(Claim.NO_EQUALITY_DELETES, Side.OURS, 2)}
    assert result.notes == (
        "Column v was dropped on the source: rows that the target added meanwhile lose it.",
    )


def test_other_identifier_fields_owe_that_no_rows_were_deleted_by_keys():
    result = merged(table(), [identify("id")], [put(a="1")])
    assert claims(result) == {(Claim.NO_EQUALITY_DELETES, Side.THEIRS, None)}


def test_date_to_timestamp_owes_that_nothing_is_partitioned_by_it():
    result = merged(table(version=3), [put(a="1")], [promote("at", "timestamp")])
    assert claims(result) == {(Claim.NOT_PARTITIONED_BY, Side.OURS, 4)}


def test_a_change_of_type_that_is_no_promotion_owes_that_no_rows_were_added():
    result = merged(table(), [put(a="1")], [promote("v", "string")])
    assert claims(result) == {(Claim.NO_DATA_FILES, Side.OURS, None)}


def test_position_deletes_may_not_come_into_a_v3_table():
    result = merged(table(), [upgrade(3)], [put(a="1")])
    assert claims(result) == {(Claim.NO_POSITION_DELETES, Side.THEIRS, None)}
    assert merged(table(), [put(a="1")], [upgrade(3)]).owed == ()


# --- specs, orders, versions -------------------------------------------------------------------


def test_theirs_partitioning_is_taken_with_its_ids():
    result = merged(table(), [snapshot(1)], [partition(("at", "month"))])
    assert result.metadata["default-spec-id"] == 1
    assert result.metadata["last-partition-id"] == 1000
    assert result.spec_ids == {0: 0, 1: 1}


def test_the_same_partitioning_on_both_sides_is_one():
    result = merged(table(), [partition(("at", "day"))], [partition(("at", "day"))])
    assert len(result.metadata["partition-specs"]) == 2
    assert result.owed == ()


def test_a_spec_whose_ids_are_taken_is_renumbered():
    back = commit({"action": "set-default-spec", "spec-id": 0})
    result = merged(table(), [partition(("v", "identity")), back], [partition(("at", "day"))])
    metadata = result.metadata
    assert result.spec_ids == {0: 0, 1: 2}
    assert metadata["default-spec-id"] == 2
    assert [
        (each["spec-id"], each["fields"][0]["field-id"]) for each in metadata["partition-specs"][1:]
    ] == [(1, 1000), (2, 1001)]
    assert metadata["last-partition-id"] == 1001
    (owed,) = result.owed
    assert (owed.claim, owed.side, owed.spec_id) == (Claim.SPEC_NOT_USED, Side.THEIRS, 1)
    assert "at_day" in owed.problem.detail


def test_v1_specs_count_from_1000_each():
    back = commit({"action": "set-default-spec", "spec-id": 0})
    result = merged(
        table(version=1), [partition(("v", "identity")), back], [partition(("at", "day"))]
    )
    fields = result.metadata["partition-specs"][2]["fields"]
    assert [each["field-id"] for each in fields] == [1000]
    assert result.owed == ()


def test_sort_orders_are_renumbered_and_reused():
    back = commit({"action": "set-default-sort-order", "sort-order-id": 0})
    result = merged(table(), [sort("v"), back], [sort("at")])
    assert result.order_ids == {0: 0, 1: 2}
    assert result.metadata["default-sort-order-id"] == 2
    same = merged(table(), [sort("v")], [sort("v")])
    assert len(same.metadata["sort-orders"]) == 2


def test_a_partition_field_may_not_have_the_name_of_a_new_column():
    found = problems(table(), [add("at_day")], [partition(("at", "day"))])
    assert "at_day" in found["invalid-result"]


def test_a_schema_that_ours_removed_comes_back_only_for_snapshots_of_theirs():
    forget = commit({"action": "remove-schemas", "schema-ids": [0]})
    ours = [add("a"), forget]
    kept = merged(table(), ours, [put(x="1")]).metadata
    assert [each["schema-id"] for each in kept["schemas"]] == [1]
    back = merged(table(), ours, [snapshot(1)])
    assert [each["schema-id"] for each in back.metadata["schemas"]] == [1, 0]
    assert back.schema_ids == {0: 0}


def test_schemas_of_theirs_are_added_under_free_ids():
    result = merged(table(), [add("a")], [rename("v", "w")])
    metadata = result.metadata
    assert result.schema_ids == {0: 0, 1: 2}
    assert [each["schema-id"] for each in metadata["schemas"]] == [0, 1, 2, 3]
    assert metadata["current-schema-id"] == 3


def test_the_format_version_never_goes_down():
    assert merged(table(), [upgrade(3)], [put(a="1")]).metadata["format-version"] == 3
    assert merged(table(version=1), [put(a="1")], [upgrade(2)]).metadata["format-version"] == 2


def test_a_format_version_that_nobody_knows_is_refused():
    theirs = with_member("format-version", 4)
    (found,) = merge_shapes(table(), table(), apply(table(), theirs))
    assert found.code == "format-version-unsupported"


# --- what else hangs on a table ----------------------------------------------------------------


def test_members_that_nobody_knows_are_merged_by_name():
    base = apply(table(), with_member("a", 1), with_member("b", 1), with_member("c", [1]))
    ours = [with_member("a", 2), with_member("d", {"x": 1})]
    theirs = [with_member("b", None), with_member("e", 5)]
    found = merged(base, ours, theirs).metadata
    assert {name: found.get(name) for name in "abcde"} == {
        "a": 2,
        "b": None,
        "c": [1],
        "d": {"x": 1},
        "e": 5,
    }


def test_the_location_of_the_side_that_moved_the_table_is_taken():
    assert merged(table(), [put(a="1")], [relocate("s3://b/u")]).metadata["location"] == "s3://b/u"


def test_statistics_of_known_snapshots_are_taken_and_never_conflict():
    def stats(number, path):
        return {
            "snapshot-id": number,
            "statistics-path": path,
            "file-size-in-bytes": 1,
            "file-footer-size-in-bytes": 1,
            "blob-metadata": [],
        }

    def setting(number, path):
        return commit({"action": "set-statistics", "statistics": stats(number, path)})

    base = apply(table(), snapshot(1))
    result = merged(base, [snapshot(2), setting(2, "a")], [setting(1, "b")])
    assert [each["statistics-path"] for each in result.metadata["statistics"]] == ["a", "b"]
    both = merged(base, [setting(1, "a")], [setting(1, "b")])
    assert [each["statistics-path"] for each in both.metadata["statistics"]] == ["a"]
    unknown = merged(base, [snapshot(2)], [snapshot(3), setting(3, "c")])
    assert unknown.metadata["statistics"] == []


def test_encryption_keys_of_both_sides_are_kept():
    def key(name, content):
        item = {"key-id": name, "encrypted-key-metadata": content}
        return commit({"action": "add-encryption-key", "encryption-key": item})

    base = table(version=3)
    result = merged(base, [key("a", "AAAA")], [key("b", "BBBB")])
    assert [each["key-id"] for each in result.metadata["encryption-keys"]] == ["a", "b"]
    found = problems(base, [key("a", "AAAA")], [key("a", "BBBB")])
    assert list(found) == ["encryption-key-changed-twice"]


def test_snapshots_refs_and_logs_are_left_as_ours():
    base = apply(table(), snapshot(1))
    ours = apply(base, snapshot(2))
    result = merge_shapes(base, ours, apply(base, snapshot(3), add("a")))
    assert isinstance(result, MergedShapes)
    for member in ("snapshots", "refs", "snapshot-log", "current-snapshot-id", "metadata-log"):
        assert result.metadata[member] == ours[member]


def test_what_was_merged_opens_in_pyiceberg():
    ours = [add("email"), partition(("at", "day")), put(a="1")]
    theirs = [add("tags", lambda next_id: struct(field(next_id, "x"))), rename("v", "w"), sort("w")]
    metadata = merged(table(), ours, theirs).metadata
    opened = TableMetadataUtil.parse_obj(written(metadata))
    assert [each.name for each in opened.schema().fields] == names(metadata)
    assert isinstance(opened.schema(), Schema)
    assert opened.spec().fields[0].name == "at_day"
    assert opened.sort_order().fields[0].source_id == 2


def test_properties_removed_on_one_side_are_removed():
    base = apply(table(), put(a="1", b="2"))
    found = merged(base, [unset("a")], [put(c="3")]).metadata["properties"]
    assert found == {"gc.enabled": "false", "b": "2", "c": "3"}


ROOT = Path(__file__).parents[3]


def codes_of(module: Path) -> set[str]:
    """The constants that are called as their values are: the codes of problems."""
    source = module.read_text()
    return {
        each.value.value
        for each in ast.parse(source).body
        if isinstance(each, ast.Assign)
        and isinstance(each.value, ast.Constant)
        and isinstance(each.value.value, str)
        and ast.unparse(each.targets[0]) == each.value.value.upper().replace("-", "_")
    }


def test_every_code_stands_on_the_page_on_merging():
    page = (ROOT / "docs/merge.md").read_text()
    modules = (ROOT / "catalog/iceberg/merging/shapes").glob("*.py")
    known = {code for module in modules for code in codes_of(module)}
    assert len(known) > 25
    assert {code for code in known if f"`{code}`" not in page} == set()
