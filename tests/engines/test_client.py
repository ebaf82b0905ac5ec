"""The Python client against a real server."""

import gc
import warnings

import pyarrow as pa
import pytest
from pyiceberg.exceptions import ForbiddenError, NoSuchTableError

from catalog.client import MergeConflicts, RequestFailed, Warehouse, connect
from tests.engines.lake import Lake

ROWS = pa.table({"id": [1, 2, 3], "v": ["a", "b", "c"]})


@pytest.fixture
def opened(lake: Lake):
    """Give a warehouse whose `main` has ns.t with three rows."""
    with connect(lake.server, warehouse=lake.warehouse, author="Zoë Byron") as warehouse:
        catalog = warehouse.branch().iceberg()
        catalog.create_namespace("ns")
        catalog.create_table("ns.t", ROWS.schema).append(ROWS)
        yield warehouse


def test_a_branch_is_written_merged_and_released(opened: Warehouse) -> None:
    work = opened.create_branch("ingest/1")
    work.iceberg().load_table("ns.t").append(ROWS.slice(0, 1))
    work.iceberg().create_namespace("ns.deep")
    work.iceberg().create_table("ns.deep.u", ROWS.schema)
    assert opened.branch().to_arrow("ns.t").num_rows == 3
    would = work.merge(dry_run=True)
    assert would.commit_id is None
    assert opened.branch().to_arrow("ns.t").num_rows == 3
    merged = work.merge(message="A day")
    assert [change.name for change in merged.changes] == [change.name for change in would.changes]
    assert {("ns.t", "table", "modified"), ("ns.deep.u", "table", "added")} <= {
        (change.name, change.kind, change.change) for change in merged.changes
    }
    assert opened.branch().commit_id == merged.commit_id
    assert opened.branch().tables() == ["ns.deep.u", "ns.t"]
    release = opened.release("release/1", message="First", metadata={"run": "7"})
    assert release.commit_id == merged.commit_id
    assert [(each.name, each.message) for each in opened.releases()] == [("release/1", "First")]
    work.delete()
    with pytest.raises(RequestFailed, match="ingest/1"):
        opened.branch("ingest/1")


def test_tables_are_read_whole_or_in_part(opened: Warehouse) -> None:
    main = opened.branch()
    assert main.to_arrow("ns.t") == ROWS
    part = main.to_arrow("ns.t", columns=["v"], where="id > 1")
    assert part.to_pydict() == {"v": ["b", "c"]}
    assert main.to_arrow("ns.t", columns="v").column_names == ["v"], "one column needs no list"
    assert main.to_arrow("ns.t", limit=1).num_rows == 1
    with pytest.raises(NoSuchTableError):
        main.to_arrow("ns.nothing")


def test_a_notebook_shows_what_an_object_is(opened: Warehouse, lake: Lake) -> None:
    assert repr(opened) == f"Warehouse({lake.warehouse!r} at {lake.server})"
    assert repr(opened.branch()) == "Branch('main')"
    commit = opened.branch().commit_id
    assert repr(opened.at("main")) == f"Revision({commit!r})"


def test_branches_are_listed_by_name(opened: Warehouse) -> None:
    for name in ("work", "ingest/2", "ingest/1"):
        opened.create_branch(name)
    assert [branch.name for branch in opened.branches()] == ["ingest/1", "ingest/2", "main", "work"]
    assert [branch.name for branch in opened.branches("ingest/")] == ["ingest/1", "ingest/2"]


def test_a_row_is_known_by_one_column(opened: Warehouse) -> None:
    before = opened.branch().commit_id
    changed = pa.table({"id": [1], "v": ["z"]})
    opened.branch().iceberg().load_table("ns.t").overwrite(changed, overwrite_filter="id = 1")
    rows = opened.diff_rows(before, "main", "ns.t", key="id")
    assert rows["_change"].to_pylist() == ["before", "after"]


def test_a_revision_stays_while_the_branch_moves(opened: Warehouse) -> None:
    opened.release("release/1")
    pinned = [opened.at("release/1"), opened.at("main@{now}")]
    before = opened.branch().commit_id
    opened.branch().iceberg().load_table("ns.t").delete("id = 1")
    for revision in pinned:
        assert revision.commit_id == before
        assert revision.to_arrow("ns.t").num_rows == 3
        with pytest.raises(ForbiddenError):
            revision.iceberg().drop_table("ns.t")
    assert opened.branch().to_arrow("ns.t").num_rows == 2
    (change,) = opened.diff("release/1", "main")
    assert (change.name, change.change, change.detail) == ("ns.t", "modified", None)
    (change,) = opened.diff("release/1", "main", detail=True)
    assert change.detail is not None
    data = change.detail["data"]
    assert (data["basis"], data["rows_added"], data["rows_removed"]) == ("snapshots", 2, 3)
    assert [part["part"] for part in change.detail["parts"]] == ["snapshot"]


def test_conflicts_are_told_and_nothing_changes(opened: Warehouse) -> None:
    work = opened.create_branch("work")
    work.iceberg().drop_table("ns.t")
    opened.branch().iceberg().load_table("ns.t").delete("id = 1")
    before = opened.branch().commit_id
    with pytest.raises(MergeConflicts) as told:
        work.merge()
    assert [conflict["key"] for conflict in told.value.conflicts] == [["ns", "t"]]
    assert opened.branch().commit_id == before


def test_a_table_that_both_sides_changed_is_merged_as_strictly_as_is_asked(
    opened: Warehouse,
) -> None:
    work = opened.create_branch("work")
    work.iceberg().load_table("ns.t").delete("id = 1")
    opened.branch().iceberg().load_table("ns.t").append(ROWS.slice(2, 1))
    with pytest.raises(MergeConflicts) as refused:
        work.merge()
    (conflict,) = refused.value.conflicts
    assert conflict["key"] == ["ns", "t"]
    assert len(conflict["causes"]) == 1
    work.merge(isolation="snapshot")
    assert sorted(opened.branch().to_arrow("ns.t")["id"].to_pylist()) == [2, 3, 3]


def test_history_tells_who_did_what(opened: Warehouse) -> None:
    newest, *older = opened.log(limit=3)
    assert newest.author == "Zoë Byron"
    assert newest.id == opened.branch().commit_id
    assert len(older) == 2
    assert newest.committed_at >= older[0].committed_at
    parts = {(each.part, each.name): each.commit for each in opened.blame("ns.t")}
    assert parts[("snapshot", "snapshot")] == newest
    created = parts[("column", "v")]
    assert created == parts[("table", "table")] == opened.log(table="ns.t")[-1]


def test_a_check_opens_a_protected_branch(opened: Warehouse, lake: Lake) -> None:
    lake.call("PUT", "protections", "main", require_merge=True, required_checks=["dbt"])
    work = opened.create_branch("work")
    work.iceberg().load_table("ns.t").delete("id = 1")
    with pytest.raises(RequestFailed, match="dbt") as refused:
        work.merge()
    assert refused.value.problem["status"] == 403
    work.report_check("dbt", "success", "all green")
    work.merge()
    assert opened.branch().to_arrow("ns.t").num_rows == 2


def test_what_is_not_there_is_told(served: str) -> None:
    with pytest.raises(RequestFailed, match="nowhere"):
        connect(served, warehouse="nowhere")
    with pytest.raises(RequestFailed, match="No server answers"):
        connect("http://127.0.0.1:9")


def test_a_connection_that_failed_is_closed(served: str) -> None:
    gc.collect()
    with warnings.catch_warnings(record=True) as left:
        warnings.simplefilter("always", ResourceWarning)
        with pytest.raises(RequestFailed):
            connect(served, warehouse="nowhere")
        gc.collect()
    assert [str(each.message) for each in left] == []
