"""Changed rows between revisions, of tables that pyiceberg wrote."""

import json
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyiceberg.schema import Schema
from pyiceberg.types import LongType, NestedField, StringType

from catalog.client import RequestFailed, Warehouse, connect
from tests.engines.lake import Lake

SLIDES = Schema(
    NestedField(1, "id", LongType(), required=True),
    NestedField(2, "grade", StringType(), required=False),
    identifier_field_ids=[1],
)


def rows(*pairs: tuple[int, str | None]) -> pa.Table:
    schema = pa.schema([pa.field("id", pa.int64(), nullable=False), pa.field("grade", pa.string())])
    return pa.Table.from_pylist([{"id": one, "grade": other} for one, other in pairs], schema)


def bag(*values: str | None) -> pa.Table:
    return pa.table({"v": pa.array(values, pa.string())})


@pytest.fixture
def opened(lake: Lake) -> Iterator[Warehouse]:
    """Give a warehouse with ns.keyed and ns.bag, released as release/1."""
    with connect(lake.server, warehouse=lake.warehouse, author="Ada Byron") as warehouse:
        catalog = warehouse.branch().iceberg()
        catalog.create_namespace("ns")
        keyed = rows((1, "benign"), (2, None), (3, "malignant"))
        catalog.create_table("ns.keyed", SLIDES).append(keyed)
        catalog.create_table("ns.bag", bag().schema).append(bag("a", "a", None))
        warehouse.release("release/1")
        yield warehouse


def changed(warehouse: Warehouse, table: str, *key: str, **query: object) -> list[tuple]:
    found = warehouse.diff_rows("release/1", "main", table, key=key, **query)
    return [tuple(row.values()) for row in found.to_pylist()]


def test_rows_with_identifier_fields_are_added_removed_and_changed(opened: Warehouse) -> None:
    table = opened.branch().iceberg().load_table("ns.keyed")
    table.overwrite(rows((1, "benign"), (2, "benign"), (4, "unsure")))
    assert changed(opened, "ns.keyed") == [
        ("before", ["grade"], 2, None),
        ("after", ["grade"], 2, "benign"),
        ("removed", None, 3, "malignant"),
        ("added", None, 4, "unsure"),
    ]
    assert len(changed(opened, "ns.keyed", limit=1)) == 2
    assert changed(opened, "ns.bag") == []


def test_rows_without_identifier_fields_are_counted(opened: Warehouse) -> None:
    table = opened.branch().iceberg().load_table("ns.bag")
    table.append(bag("a", "b", None))
    table.delete("v = 'a'")
    assert changed(opened, "ns.bag") == [
        ("removed", None, "a"),
        ("removed", None, "a"),
        ("added", None, "b"),
        ("added", None, None),
    ]
    opened.branch().iceberg().load_table("ns.keyed").overwrite(rows((1, "other")))
    by_grade = changed(opened, "ns.keyed", "grade")
    assert {change for change, *_ in by_grade} == {"removed", "added"}


def test_renamed_columns_and_tables_are_followed_and_new_columns_were_null(
    opened: Warehouse,
) -> None:
    catalog = opened.branch().iceberg()
    table = catalog.load_table("ns.keyed")
    with table.update_schema() as update:
        update.rename_column("grade", "diagnosis")
        update.add_column("stain", StringType())
    catalog.create_namespace("ns.deep")
    catalog.rename_table("ns.keyed", "ns.deep.slides")
    assert changed(opened, "ns.deep.slides") == []
    table = catalog.load_table("ns.deep.slides")
    more = pa.table(
        {"id": [9], "diagnosis": ["new"], "stain": ["HE"]},
        schema=table.schema().as_arrow(),
    )
    table.append(more)
    expected = [("added", None, 9, "new", "HE")]
    assert changed(opened, "ns.deep.slides") == changed(opened, "ns.keyed") == expected


def test_tables_that_came_went_or_were_made_anew_have_their_rows(opened: Warehouse) -> None:
    catalog = opened.branch().iceberg()
    catalog.create_table("ns.new", bag().schema).append(bag("x"))
    catalog.create_table("ns.empty", bag().schema)
    catalog.drop_table("ns.bag")
    catalog.drop_table("ns.keyed")
    again = pa.table({"grade": ["benign", "other"], "id": [1, 2]})
    catalog.create_table("ns.keyed", again.schema).append(again)
    assert changed(opened, "ns.new") == [("added", None, "x")]
    assert changed(opened, "ns.empty") == []
    assert sorted(map(str, changed(opened, "ns.bag"))) == sorted(
        map(str, [("removed", None, "a")] * 2 + [("removed", None, None)])
    )
    assert changed(opened, "ns.keyed", "id") == [
        ("before", ["grade"], None, 2),
        ("after", ["grade"], "other", 2),
        ("removed", None, "malignant", 3),
    ]


def test_a_merge_inside_a_table_brought_what_the_branch_had_added(opened: Warehouse) -> None:
    day = opened.create_branch("day/1")
    day.iceberg().load_table("ns.bag").append(bag("day", None))
    opened.branch().iceberg().load_table("ns.bag").append(bag("main"))
    day.merge()
    found = opened.diff_rows("main~1", "main", "ns.bag").to_pylist()
    assert [tuple(row.values()) for row in found] == [
        ("added", None, "day"),
        ("added", None, None),
    ]
    moved = {}
    for revision in ("main~1", "day/1"):
        (change,) = opened.diff(revision, "main", detail=True)
        assert change.detail is not None
        moved[revision] = change.detail["data"]
    assert (moved["main~1"]["basis"], moved["main~1"]["rows_added"]) == ("snapshots", 2)
    # The snapshot of the branch was written anew on main's, so it is no ancestor of it.
    assert (moved["day/1"]["basis"], moved["day/1"]["difference"]["rows"]) == ("totals", 1)


def test_branches_and_commits_are_compared_and_faults_told(opened: Warehouse) -> None:
    day = opened.create_branch("day/1")
    day.iceberg().load_table("ns.bag").append(bag("c"))
    found = opened.diff_rows(f"{opened.branch().commit_id[:12]}", "day/1", "ns.bag")
    assert found.column("_change").to_pylist() == ["added"]
    assert found.schema.field("v").type == pa.string()
    with pytest.raises(RequestFailed, match="no column nothing"):
        opened.diff_rows("main", "day/1", "ns.bag", key=["nothing"])
    with pytest.raises(RequestFailed, match=r"ns\.none"):
        opened.diff_rows("main", "day/1", "ns.none")
    with pytest.raises(RequestFailed, match="nowhere"):
        opened.diff_rows("main", "nowhere", "ns.bag")


def test_the_command_prints_and_writes_them(opened: Warehouse, lake: Lake, tmp_path) -> None:
    opened.branch().iceberg().load_table("ns.keyed").overwrite(rows((1, "other"), (2, None)))
    asked = ("diff", "release/1", "main", "--rows", "ns.keyed")
    assert lake.command(*asked).splitlines() == [
        "before\tgrade\t1\tbenign",
        "after\tgrade\t1\tother",
        "removed\t\t3\tmalignant",
    ]
    assert len(lake.command(*asked, "--limit", "1").splitlines()) == 2
    document = json.loads(lake.command(*asked, "--json"))
    assert document[0] == {
        "_change": "before", "_changed_columns": ["grade"], "id": 1, "grade": "benign",
    }  # fmt: skip
    head, *lines = lake.command(*asked, "--format", "csv").splitlines()
    assert head == "_change,_changed_columns,id,grade"
    assert lines[2] == "removed,,3,malignant"
    path = tmp_path / "rows.parquet"
    assert lake.command(*asked, "--output", str(path)) == ""
    assert pq.read_table(path).column("id").to_pylist() == [1, 1, 3]
