"""How changes within tables are told to a person."""

from typing import Any

from catalog.cli.details import parts_shown, stat_shown
from catalog.cli.output import Paragraph

GRADE = {"name": "grade", "type": "string", "required": False}


def told(*parts: dict[str, Any], change: str = "modified") -> list[str]:
    shown = {"key": ["ns", "t"], "change": change, "detail": {"parts": list(parts)}}
    blocks = parts_shown([shown])
    return [block.text for block in blocks if isinstance(block, Paragraph) and block.text]


def column(change: str, name: str, *aspects: str, **sides: Any) -> dict[str, Any]:
    more = {"aspects": list(aspects)} if change == "modified" else {}
    return {"part": "column", "name": name, "change": change, "field_id": 1, **more, **sides}


def test_columns_are_told_by_what_became_of_them() -> None:
    assert told(
        column("added", "stain", to=GRADE | {"name": "stain", "required": True}),
        column("removed", "grade", **{"from": GRADE}),
        column(
            "modified",
            "diagnosis",
            *("renamed", "type", "required", "doc", "default"),
            to={"name": "diagnosis", "type": "long", "required": True, "doc": "by whom"},
            **{"from": GRADE | {"type": "int"}},
        ),
    ) == [
        "ns.t",
        "+ column stain: string required",
        "- column grade: string",
        "~ column diagnosis: was called grade, int -> long, required now, doc none -> by whom,"
        " another default",
    ]


def test_columns_within_one_that_came_as_a_whole_are_not_listed() -> None:
    struct = {"name": "box", "type": "struct", "required": False}
    assert told(
        column("added", "box", to=struct),
        column("added", "box.left", to=GRADE),
        column("added", "boxes", to=GRADE),
    ) == ["ns.t", "+ column box: struct", "+ column boxes: string"]


def test_other_parts_are_told_in_a_line_each() -> None:
    day = {"name": "ts_day", "source_ids": [2], "sources": ["ts"], "transform": "day"}
    bucket = {"name": "b", "source_ids": [1], "sources": ["id"], "transform": "bucket[16]"}
    by = {"source_ids": [1], "sources": ["id"], "transform": "identity", "direction": "asc"}
    assert told(
        {"part": "partition-spec", "name": "partition-spec", "change": "modified", "from": [day],
         "to": [day, bucket]},
        {"part": "sort-order", "name": "sort-order", "change": "added", "to": [by]},
        {"part": "identifier-fields", "name": "identifier-fields", "change": "removed",
         "from": ["id", "ts"]},
        {"part": "property", "name": "team", "change": "modified", "from": "a", "to": "b"},
        {"part": "sql", "name": "spark", "change": "modified", "from": "SELECT\n1",
         "to": "x" * 200},
        {"part": "snapshot", "name": "snapshot", "change": "added", "to": 7},
    ) == [
        "ns.t",
        "~ partition spec: day(ts) -> day(ts), bucket(16, id)",
        "+ sort order: id asc",
        "- identifier fields: id, ts",
        "~ property team: a -> b",
        f"~ sql spark: SELECT 1 -> {'x' * 99}…",
    ]  # fmt: skip


def test_what_came_or_went_is_told_by_its_name_alone() -> None:
    assert told(column("added", "id", to=GRADE), change="added") == []


def test_what_cannot_be_read_says_why() -> None:
    (_, _, why) = parts_shown(
        [{"key": ["ns", "t"], "change": "modified", "detail": {"unreadable": "it is gone"}}]
    )
    assert why.text == "cannot be told: it is gone"


def data(**more: Any) -> dict[str, Any]:
    numbers = ("rows", "files", "bytes", "delete_files")
    moved = {f"{name}_{way}": 0 for name in numbers for way in ("added", "removed")}
    return {
        **moved, "basis": "snapshots", "exact": True, "snapshots_added": 1, "snapshots_removed": 0,
        **more,
    }  # fmt: skip


def test_the_statistics_tell_each_table_and_all() -> None:
    by_totals = {
        "basis": "totals", "exact": True, "snapshots_added": 0, "snapshots_removed": 0,
        "difference": {"rows": -1200, "files": 1, "bytes": 1_500_000},
    }  # fmt: skip
    changes = [
        {"key": ["ns", name], "detail": {"data": each}}
        for name, each in {
            "a": data(rows_added=1500, rows_removed=20, bytes_added=15_300, files_added=2),
            "b": data(rows_removed=3, exact=False, snapshots_added=0, snapshots_removed=2),
            "c": by_totals,
        }.items()
    ]
    totals = {
        **data(rows_added=1500, rows_removed=23, bytes_added=15_300, files_added=2),
        "tables": 3, "unreadable": 1, "left_out": 0,
        "by_difference": {"tables": 1, "rows": -1200},
    }  # fmt: skip
    table, note = stat_shown([*changes, {"key": ["ns"], "detail": {"data": None}}], totals)
    assert table.rows == [
        ("ns.a", "+1,500 -20", "+2", "+15 kB", "+1", "snapshots"),
        ("ns.b", "about -3", "", "", "-2", "snapshots"),
        ("ns.c", "-1,200", "+1", "+1.5 MB", "", "difference"),
    ]
    assert note.text == (
        "3 tables: +1,500 -23 rows, +2 files, +15 kB; besides, 1 table of which only the difference"
        " is known: -1,200 rows; 1 cannot be read"
    )
