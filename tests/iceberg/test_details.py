"""What differs between two states of a table or view, as people are told it."""

import pytest

from catalog.iceberg.data_changes import data_change
from catalog.iceberg.details import namespace_detail, table_detail, view_detail

LONG = {"id": 1, "name": "id", "type": "long", "required": True}
GRADE = {"id": 2, "name": "grade", "type": "string", "required": False}
BOX = {
    "id": 3,
    "name": "box",
    "required": False,
    "type": {
        "type": "struct",
        "fields": [{"id": 4, "name": "left", "type": "int", "required": False}],
    },
}


def table(*fields, uuid="u", identifiers=(), spec=(), order=(), properties=None, **more):
    schema = {"type": "struct", "schema-id": 0, "fields": list(fields or (LONG, GRADE, BOX))}
    return {
        "format-version": 2,
        "table-uuid": uuid,
        "location": "s3://lake/t",
        "schemas": [schema | {"identifier-field-ids": list(identifiers)}],
        "current-schema-id": 0,
        "partition-specs": [{"spec-id": 0, "fields": list(spec)}],
        "default-spec-id": 0,
        "sort-orders": [{"order-id": 0, "fields": list(order)}],
        "default-sort-order-id": 0,
        "properties": properties or {},
        **more,
    }


def told(before, after):
    return [
        (each["change"], each["part"], each["name"], *each.get("aspects", ()))
        for each in table_detail(before, after)["parts"]
    ]


def test_equal_states_differ_in_nothing_whatever_their_ids_are() -> None:
    other = table()
    other["schemas"][0]["schema-id"] = other["current-schema-id"] = 7
    other["partition-specs"][0]["spec-id"] = other["default-spec-id"] = 3
    assert told(table(), other) == []


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ((LONG, GRADE), [("removed", "column", "box"), ("removed", "column", "box.left")]),
        (
            (LONG, GRADE, BOX, {**GRADE, "id": 5, "name": "stain"}),
            [("added", "column", "stain")],
        ),
        (
            (LONG, GRADE | {"name": "diagnosis"}, BOX),
            [("modified", "column", "diagnosis", "renamed")],
        ),
        (
            (LONG, GRADE | {"required": True, "doc": "by whom"}, BOX),
            [("modified", "column", "grade", "required", "doc")],
        ),
        (
            (LONG, GRADE | {"write-default": "none"}, BOX),
            [("modified", "column", "grade", "default")],
        ),
        ((GRADE, BOX, LONG), []),
    ],
)
def test_columns_are_compared_by_field_id(after, expected) -> None:
    assert told(table(), table(*after)) == expected


def test_a_renamed_struct_leaves_its_columns_as_they_were_and_a_nested_one_is_promoted() -> None:
    renamed = BOX | {"name": "frame"}
    assert told(table(), table(LONG, GRADE, renamed)) == [
        ("modified", "column", "frame", "renamed")
    ]
    left = {**BOX["type"]["fields"][0], "type": "long"}
    wider = renamed | {"type": {"type": "struct", "fields": [left]}}
    assert told(table(), table(LONG, GRADE, wider)) == [
        ("modified", "column", "frame", "renamed"),
        ("modified", "column", "frame.left", "type"),
    ]


def test_spec_order_identifiers_properties_and_version_are_told() -> None:
    field = {"source-id": 2, "field-id": 1000, "name": "grade", "transform": "identity"}
    by = {"source-id": 1, "transform": "identity", "direction": "asc", "null-order": "nulls-first"}
    before = table(properties={"a": "1", "b": "1"})
    after = table(spec=[field], order=[by], identifiers=[1], properties={"a": "2", "c": "3"}) | {
        "format-version": 3,
        "refs": {"kept": {"snapshot-id": 1, "type": "tag"}},
    }
    assert told(before, after) == [
        ("modified", "format-version", "format-version"),
        ("added", "identifier-fields", "identifier-fields"),
        ("added", "partition-spec", "partition-spec"),
        ("added", "sort-order", "sort-order"),
        ("modified", "property", "a"),
        ("added", "property", "c"),
        ("added", "ref", "kept"),
        ("removed", "property", "b"),
    ]
    renamed = table(LONG, GRADE | {"name": "diagnosis"}, BOX, spec=[field])
    assert told(table(spec=[field]), renamed) == [("modified", "column", "diagnosis", "renamed")]


def test_a_table_made_anew_is_compared_by_the_names_of_its_columns() -> None:
    again = table({**GRADE, "id": 1}, {**LONG, "id": 2, "type": "int"}, uuid="v")
    assert told(table(LONG, GRADE), again) == [("modified", "column", "id", "type")]
    assert table_detail(table(), again)["data"]["basis"] == "replaced"


def test_a_view_is_told_by_its_sql_in_each_dialect() -> None:
    def view(sql, **properties):
        version = {
            "version-id": 1,
            "schema-id": 0,
            "default-namespace": ["ns"],
            "representations": [{"type": "sql", "dialect": "Spark", "sql": sql}],
        }
        return {
            "format-version": 1,
            "current-version-id": 1,
            "versions": [version],
            "schemas": [{"schema-id": 0, "type": "struct", "fields": [LONG]}],
            "properties": properties,
        }

    (changed, added) = view_detail(view("SELECT 1"), view("SELECT 2", by="me"))["parts"]
    assert changed == {
        "part": "sql", "name": "spark", "change": "modified", "from": "SELECT 1", "to": "SELECT 2",
    }  # fmt: skip
    assert added == {"part": "property", "name": "by", "change": "added", "to": "me"}


def test_a_namespace_is_told_by_its_properties() -> None:
    parts = namespace_detail({"a": "1"}, {"a": "1", "b": "2"})["parts"]
    assert [(each["change"], each["name"]) for each in parts] == [("added", "b")]


def snapshots(*steps, current=-1):
    """Make a table whose snapshots add and delete rows: (operation, added, deleted, more)."""
    made, total, files = [], 0, 0
    for number, (operation, added, deleted, more) in enumerate(steps, 1):
        total, files = total + added - deleted, files + bool(added) - bool(deleted)
        numbers = {
            "added-records": added,
            "added-data-files": int(bool(added)),
            "added-files-size": 10 * added,
            "deleted-records": deleted,
            "deleted-data-files": int(bool(deleted)),
            "removed-files-size": 10 * deleted,
        }
        summary = {name: str(value) for name, value in numbers.items() if value}
        summary |= {"operation": operation, "total-records": str(total), **more}
        summary |= {"total-data-files": str(files), "total-files-size": str(10 * total)}
        made.append({"snapshot-id": number, "timestamp-ms": number, "summary": summary})
        if number > 1:
            made[-1]["parent-snapshot-id"] = number - 1
    ids = [each["snapshot-id"] for each in made]
    return table(snapshots=made, **({"current-snapshot-id": ids[current]} if ids else {}))


APPEND, REPLACED = ("append", 10, 0, {}), ("overwrite", 4, 6, {})


def test_snapshots_between_are_summed_up_and_back_again() -> None:
    before, after = snapshots(APPEND), snapshots(APPEND, APPEND, REPLACED)
    there, back = data_change(before, after), data_change(after, before)
    assert there["basis"] == back["basis"] == "snapshots"
    assert (there["rows_added"], there["rows_removed"]) == (14, 6)
    assert (there["bytes_added"], there["files_removed"]) == (140, 1)
    assert (back["rows_added"], back["rows_removed"]) == (6, 14)
    assert (there["snapshots_added"], back["snapshots_removed"]) == (2, 2)
    assert there["difference"]["rows"] == 8
    assert there["exact"]
    assert [each["snapshot_id"] for each in there["snapshots"]] == [3, 2]


def test_a_first_snapshot_comes_after_none() -> None:
    first = data_change(snapshots(), snapshots(APPEND))
    assert (first["basis"], first["rows_added"], first["before"]["rows"]) == ("snapshots", 10, 0)


def test_a_compaction_moves_files_and_no_rows() -> None:
    compacted = data_change(snapshots(APPEND), snapshots(APPEND, ("replace", 10, 10, {})))
    assert (compacted["rows_added"], compacted["rows_removed"]) == (0, 0)
    assert (compacted["files_added"], compacted["files_removed"]) == (1, 1)


def test_rows_that_position_deletes_take_away_are_removed_but_not_exactly() -> None:
    deletes = {"added-position-deletes": "3", "added-delete-files": "1", "total-delete-files": "1"}
    change = data_change(snapshots(APPEND), snapshots(APPEND, ("delete", 0, 0, deletes)))
    assert (change["rows_removed"], change["delete_files_added"]) == (3, 1)
    assert not change["exact"]


def test_of_lines_that_forked_only_the_totals_are_told() -> None:
    ours, theirs = snapshots(APPEND, APPEND), snapshots(APPEND, REPLACED)
    theirs["snapshots"][1]["snapshot-id"] = theirs["current-snapshot-id"] = 9
    change = data_change(ours, theirs)
    assert change["basis"] == "totals"
    assert "rows_added" not in change
    assert (change["before"]["rows"], change["after"]["rows"]) == (20, 8)
    assert change["difference"]["rows"] == -12


def test_what_snapshots_do_not_tell_is_not_made_up() -> None:
    """A writer that gives totals alone, or no figures at all, or whose snapshots are expired."""
    silent = snapshots(APPEND, APPEND)
    for name in ("added-records", "added-data-files"):
        del silent["snapshots"][1]["summary"][name]
    assert data_change(snapshots(APPEND), silent)["basis"] == "totals"
    silent["snapshots"][1]["summary"] = {"operation": "append"}
    change = data_change(snapshots(APPEND), silent)
    assert (change["basis"], change["after"], change["difference"]) == ("totals", None, None)
    expired = snapshots(APPEND, APPEND, APPEND)
    del expired["snapshots"][1]
    assert data_change(snapshots(APPEND), expired)["basis"] == "totals"


def test_a_new_table_brings_what_it_holds_and_a_dropped_one_takes_it() -> None:
    held = snapshots(APPEND, REPLACED)
    created, dropped = data_change(None, held), data_change(held, None)
    assert (created["basis"], created["rows_added"], created["rows_removed"]) == ("created", 8, 0)
    assert (dropped["basis"], dropped["rows_added"], dropped["rows_removed"]) == ("dropped", 0, 8)
    assert data_change(held, held)["basis"] == "same"
