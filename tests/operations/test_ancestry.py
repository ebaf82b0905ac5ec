"""Walks far back in a history ask the database rarely, and find the same."""

from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event

from catalog.operations.callers import Caller
from catalog.operations.commit import Plan, commit
from catalog.operations.history import LogFilter, list_commits
from catalog.operations.merge import Options, merge
from catalog.operations.refs import create_branch, create_tag
from catalog.operations.warehouses import Catalog, Warehouse, create_warehouse
from catalog.versioning.ids import ObjectId, to_hex
from catalog.versioning.object_store import ObjectCache
from catalog.versioning.objects import Entry, EntryKind

CALLER = Caller("test")
DEPTH = 300


def put(warehouse: Warehouse, name: str, value: int, branch: str = "main") -> ObjectId:
    plan = Plan({(name,): Entry(EntryKind.TABLE, name, f"file:///{value}")}, f"{name} {value}")
    done = commit(warehouse, branch, lambda objects, head: plan, caller=CALLER, operation="edit")
    return done.commit_id


@pytest.fixture(scope="module")
def deep(on_sqlite: Catalog) -> Warehouse:
    """A warehouse whose `main` is far ahead of `old`, and of the tag `middle`."""
    #   main  o -- t0 -- t1 -- … -- t150 (middle) -- … -- t299
    #          \
    #   old     mine
    warehouse = create_warehouse(on_sqlite, "deep", location="file:///deep", caller=CALLER)
    create_branch(warehouse, "old", "main", caller=CALLER)
    put(warehouse, "mine", 1, "old")
    for number in range(DEPTH):
        made = put(warehouse, "t", number)
        if number == DEPTH // 2:
            create_tag(warehouse, "middle", to_hex(made), caller=CALLER)
    return warehouse


def started(warehouse: Warehouse) -> Warehouse:
    """Return the warehouse as a process that has just started has it."""
    return replace(warehouse, catalog=replace(warehouse.catalog, objects=ObjectCache(1 << 24)))


@contextmanager
def statements(warehouse: Warehouse) -> Any:
    """Count the statements that are executed."""
    counted: list[str] = []

    def count(connection: Any, cursor: Any, statement: str, *more: Any) -> None:
        counted.append(statement)

    event.listen(warehouse.catalog.engine, "before_cursor_execute", count)
    try:
        yield counted
    finally:
        event.remove(warehouse.catalog.engine, "before_cursor_execute", count)


@pytest.mark.parametrize(("source", "target"), [("old", "main"), ("main", "old")])
def test_a_merge_with_a_branch_far_behind_asks_rarely(deep: Warehouse, source: str, target: str):
    fresh = started(deep)
    with statements(deep) as counted:
        told = merge(fresh, source, target, options=Options(dry_run=True), caller=CALLER)
    assert [".".join(change.key) for change in told.changes] == ["mine" if source == "old" else "t"]
    assert len(counted) < 40


@pytest.mark.parametrize(("revision", "expected"), [("main", DEPTH + 1), ("middle", 152)])
def test_a_log_asks_rarely(deep: Warehouse, revision: str, expected: int):
    fresh = started(deep)
    with statements(deep) as counted:
        page = list_commits(fresh, revision, wanted=LogFilter(), limit=1000)
    assert len(page.commits) == expected
    assert len(counted) < 40


def test_a_later_page_of_a_log_asks_rarely(deep: Warehouse):
    first = list_commits(deep, "main", wanted=LogFilter(), limit=100)
    fresh = started(deep)
    with statements(deep) as counted:
        page = list_commits(fresh, "main", going_on=first.going_on, wanted=LogFilter(), limit=500)
    assert len(page.commits) == DEPTH + 1 - 100
    assert len(counted) < 40
