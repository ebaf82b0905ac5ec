"""Imports from a catalog of pyiceberg's: tables read and written on both sides."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Any

import pytest
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.table import Table

from catalog.errors import InvalidInput, ProtectedBranch
from catalog.governance.protections import Rules
from catalog.operations.history import get_commit
from catalog.operations.imports import Foreign, Import, Imported, Outcome, Reason, import_tables
from catalog.operations.protections import put_protection
from catalog.versioning.ids import to_hex
from catalog.versioning.keys import Key
from catalog.versioning.objects import EntryKind
from tests.lakes import CALLER, SCHEMA, Lake, arrow

T = ("ns", "t")


@pytest.fixture
def source(tmp_path: Path) -> Iterator[SqlCatalog]:
    """Another catalog, whose tables lie in the warehouse's location; it holds `ns.t`, one row."""
    made = SqlCatalog("s", uri=f"sqlite:///{tmp_path}/s.db", warehouse=(tmp_path / "old").as_uri())
    made.create_namespace("ns", {"owner": "lab"})
    made.create_table("ns.t", SCHEMA).append(arrow([(1, "mon", 10)]))
    yield made
    made.close()


def run(
    lake: Lake,
    *tables: Foreign,
    namespaces: dict[Key, dict[str, str]] | None = None,
    branch: str = "main",
    update: bool = False,
    dry_run: bool = False,
) -> Import:
    return import_tables(
        lake.warehouse,
        branch,
        namespaces or {},
        tables,
        update=update,
        dry_run=dry_run,
        caller=CALLER,
    )


def foreign(table: Table, *key: str, **fields: Any) -> Foreign:
    return Foreign(key or tuple(table.name()), table.metadata_location, **fields)


def of(done: Import, *key: str) -> Imported:
    (found,) = [name for name in done.names if name.key == (key or T)]
    return found


def ended(done: Import, *key: str) -> tuple[Outcome, Reason | None]:
    found = of(done, *key)
    return found.outcome, found.reason


def test_all_is_one_commit_and_the_files_stay_where_they_are(
    lake: Lake, source: SqlCatalog
) -> None:
    table = source.load_table("ns.t")
    other = source.create_table("ns.u", SCHEMA)
    before = lake.head()
    done = run(lake, foreign(table), foreign(other), namespaces={("ns",): {"owner": "lab"}})
    assert {name.outcome for name in done.names} == {Outcome.ADDED}
    assert lake.head() == to_hex(done.commit_id)
    logged, _ = get_commit(lake.warehouse, lake.head())
    commit = logged.commit
    assert [to_hex(parent) for parent in commit.parents] == [before]
    assert commit.message == "Import 2 tables, 1 namespace"
    here = lake.table()
    assert (here.metadata_location, here.metadata.table_uuid) == (
        table.metadata_location,
        table.metadata.table_uuid,
    )
    assert lake.rows() == [(1, "mon", 10)]
    assert lake.at().load_namespace_properties("ns")["owner"] == "lab"


def test_an_import_again_changes_nothing(lake: Lake, source: SqlCatalog) -> None:
    table = foreign(source.load_table("ns.t"))
    first = run(lake, table)
    again = run(lake, table, namespaces={("ns",): {"owner": "another"}})
    assert again.commit_id == first.commit_id
    assert {name.outcome for name in again.names} == {Outcome.UNCHANGED}
    assert "owner" not in lake.at().load_namespace_properties("ns")


def test_what_was_left_out_comes_with_the_next_import(lake: Lake, source: SqlCatalog) -> None:
    table = source.load_table("ns.t")
    missing = Foreign(("ns", "u"), f"{table.location()}/metadata/none.metadata.json")
    first = run(lake, foreign(table), missing)
    assert ended(first, "ns", "u") == (Outcome.LEFT_OUT, Reason.MISSING_FILE)
    other = source.create_table("ns.u", SCHEMA)
    second = run(lake, foreign(table), foreign(other))
    assert ended(second) == (Outcome.UNCHANGED, None)
    assert ended(second, "ns", "u") == (Outcome.ADDED, None)


def test_a_table_that_moved_on_in_its_catalog_is_followed_if_asked(
    lake: Lake, source: SqlCatalog
) -> None:
    table = source.load_table("ns.t")
    run(lake, foreign(table))
    table.append(arrow([(2, "tue", 20)]))
    assert ended(run(lake, foreign(table))) == (Outcome.LEFT_OUT, Reason.MOVED_ON)
    assert lake.rows() == [(1, "mon", 10)]
    assert ended(run(lake, foreign(table), update=True)) == (Outcome.UPDATED, None)
    assert lake.rows() == [(1, "mon", 10), (2, "tue", 20)]


def test_a_table_that_went_on_here_stays(lake: Lake, source: SqlCatalog) -> None:
    table = source.load_table("ns.t")
    run(lake, foreign(table))
    lake.append((2, "tue", 20))
    assert ended(run(lake, foreign(table), update=True)) == (Outcome.UNCHANGED, None)
    assert lake.rows() == [(1, "mon", 10), (2, "tue", 20)]


def test_no_commit_here_is_lost_to_an_update(lake: Lake, source: SqlCatalog) -> None:
    table = source.load_table("ns.t")
    run(lake, foreign(table))
    lake.append((2, "tue", 20))
    table.append(arrow([(3, "wed", 30)]))
    done = run(lake, foreign(table), update=True)
    assert ended(done) == (Outcome.LEFT_OUT, Reason.DIVERGED)
    assert lake.rows() == [(1, "mon", 10), (2, "tue", 20)]


def test_an_imported_table_forbids_engines_to_delete_files(lake: Lake, source: SqlCatalog) -> None:
    table = source.load_table("ns.t")
    assert "gc.enabled" not in table.properties
    run(lake, foreign(table))
    assert lake.table().properties["gc.enabled"] == "false"
    lake.append((2, "tue", 20))
    assert lake.table().properties["gc.enabled"] == "false"


def test_a_table_is_not_imported_under_a_second_name(lake: Lake, source: SqlCatalog) -> None:
    table = source.load_table("ns.t")
    run(lake, foreign(table))
    done = run(lake, foreign(table, "ns", "renamed"))
    assert ended(done, "ns", "renamed") == (Outcome.LEFT_OUT, Reason.UNDER_ANOTHER_NAME)
    assert "ns.t" in of(done, "ns", "renamed").detail
    twice = run(lake, foreign(table, "other", "a"), foreign(table, "other", "b"))
    assert {name.reason for name in twice.names} == {Reason.UNDER_ANOTHER_NAME}


def interrupted(lake: Lake, act: Callable[[], object]) -> Lake:
    """The lake as a process has it that is interrupted between its plan and the commit."""
    left = [act]

    def clock() -> datetime:
        while left:
            left.pop()()
        return lake.warehouse.catalog.clock()

    catalog = replace(lake.warehouse.catalog, clock=clock, _locks=defaultdict(Lock))
    return replace(lake, warehouse=replace(lake.warehouse, catalog=catalog))


def test_of_two_imports_of_a_table_under_two_names_at_once_one_takes_place(
    lake: Lake, source: SqlCatalog
) -> None:
    table = source.load_table("ns.t")
    lake.at().create_namespace("ns")
    other = interrupted(lake, lambda: run(lake, foreign(table, "ns", "first")))
    done = run(other, foreign(table, "ns", "second"))
    assert ended(done, "ns", "second") == (Outcome.LEFT_OUT, Reason.UNDER_ANOTHER_NAME)
    assert lake.at().list_tables("ns") == [("ns", "first")]


def test_a_table_that_is_written_while_an_update_is_planned_keeps_what_was_written(
    lake: Lake, source: SqlCatalog
) -> None:
    table = source.load_table("ns.t")
    run(lake, foreign(table))
    table.append(arrow([(3, "wed", 30)]))
    late = interrupted(lake, lambda: lake.append((2, "tue", 20)))
    done = run(late, foreign(table), update=True)
    assert ended(done) == (Outcome.LEFT_OUT, Reason.DIVERGED)
    assert lake.rows() == [(1, "mon", 10), (2, "tue", 20)]


def test_a_taken_name_keeps_what_it_names(lake: Lake, source: SqlCatalog) -> None:
    lake.create()
    lake.append((7, "sun", 70))
    table = source.load_table("ns.t")
    done = run(lake, foreign(table), foreign(table, "ns", "t", "deep"), update=True)
    assert ended(done) == (Outcome.LEFT_OUT, Reason.NAME_TAKEN)
    assert ended(done, "ns", "t", "deep") == (Outcome.LEFT_OUT, Reason.NAME_TAKEN)
    assert lake.rows() == [(7, "sun", 70)]


def test_what_cannot_be_does_not_keep_the_rest_back(
    lake: Lake, source: SqlCatalog, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    table = source.load_table("ns.t")
    bad = tmp_path / "bad.metadata.json"
    bad.write_text('{"format-version": 2}')
    outside = tmp_path_factory.mktemp("outside") / "x.metadata.json"
    outside.write_bytes(Path(table.metadata_location.removeprefix("file://")).read_bytes())
    moved = tmp_path / "moved.metadata.json"
    moved.write_text(outside.read_text().replace(table.location(), "file:///elsewhere"))
    done = run(
        lake,
        foreign(table),
        Foreign(("ns", "bad"), bad.as_uri()),
        Foreign(("ns", "outside"), outside.as_uri()),
        Foreign(("ns", "moved"), moved.as_uri()),
        Foreign(("ns", "a@b"), table.metadata_location),
        Foreign(("ns", "view"), table.metadata_location, EntryKind.VIEW),
        namespaces={("x\ny",): {}},
    )
    reasons = {name.key[-1]: name.reason for name in done.names}
    assert reasons == {
        "ns": None,
        "t": None,
        "bad": Reason.INVALID_METADATA,
        "outside": Reason.OUTSIDE_WAREHOUSE,
        "moved": Reason.OUTSIDE_WAREHOUSE,
        "a@b": Reason.INVALID_NAME,
        "view": Reason.INVALID_METADATA,
        "x\ny": Reason.INVALID_NAME,
    }
    assert all(name.detail for name in done.names if name.outcome is Outcome.LEFT_OUT)
    assert lake.at().list_tables("ns") == [T]


def test_what_is_left_out_makes_no_namespace(lake: Lake, source: SqlCatalog) -> None:
    before = lake.head()
    run(lake, Foreign(("new", "t"), f"{source.load_table('ns.t').location()}/none.metadata.json"))
    assert lake.head() == before


def test_a_namespace_outside_the_warehouse_loses_its_location(lake: Lake) -> None:
    done = run(lake, namespaces={("ns",): {"location": "file:///elsewhere", "owner": "lab"}})
    assert of(done, "ns").outcome is Outcome.ADDED
    assert "file:///elsewhere" in of(done, "ns").detail
    assert lake.at().load_namespace_properties("ns") == {"owner": "lab"}


def test_a_namespace_inside_another_brings_that(lake: Lake) -> None:
    done = run(lake, namespaces={("a", "b"): {"owner": "lab"}})
    assert [name.key for name in done.names] == [("a",), ("a", "b")]
    assert lake.at().load_namespace_properties(("a", "b")) == {"owner": "lab"}


def test_a_dry_run_says_the_same_and_changes_nothing(lake: Lake, source: SqlCatalog) -> None:
    before = lake.head()
    table = foreign(source.load_table("ns.t"))
    dry = run(lake, table, dry_run=True)
    assert lake.head() == before == to_hex(dry.commit_id)
    assert dry.names == run(lake, table).names


def test_an_import_goes_to_its_branch(lake: Lake, source: SqlCatalog) -> None:
    lake.branch("work")
    before = lake.head()
    run(lake, foreign(source.load_table("ns.t")), branch="work")
    assert lake.rows(branch="work") == [(1, "mon", 10)]
    assert lake.head() == before


def test_a_protection_refuses(lake: Lake, source: SqlCatalog) -> None:
    put_protection(lake.warehouse, "main", Rules(require_merge=True), caller=CALLER)
    with pytest.raises(ProtectedBranch):
        run(lake, foreign(source.load_table("ns.t")))


def test_a_name_may_be_given_once(lake: Lake, source: SqlCatalog) -> None:
    table = foreign(source.load_table("ns.t"))
    with pytest.raises(InvalidInput, match="only once"):
        run(lake, table, table)
