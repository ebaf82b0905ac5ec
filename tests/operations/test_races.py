"""Races between operations, each held at the moment at which it hurts."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from threading import Barrier, Lock, Thread
from typing import Any

import orjson
import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import OperationalError

from catalog.errors import (
    CatalogError,
    InvalidInput,
    NoSuchRevision,
    NoSuchTable,
    NoSuchWarehouse,
    ProtectedBranch,
)
from catalog.governance.protections import MoveKind, Rules
from catalog.iceberg.parsing import parse_requirements, parse_updates
from catalog.operations.callers import Caller
from catalog.operations.changes import TableChange, commit_tables
from catalog.operations.commit import Committed, Plan, commit
from catalog.operations.history import list_reflog
from catalog.operations.moves import delete_warehouse
from catalog.operations.namespaces import create_namespace
from catalog.operations.protections import put_protection
from catalog.operations.refs import create_branch, delete_branch, get_branch, reset_branch
from catalog.operations.resolve import resolve
from catalog.operations.tables import create_table, drop_table, load_table
from catalog.operations.warehouses import (
    Catalog,
    Warehouse,
    alter_warehouse,
    create_warehouse,
    get_warehouse,
)
from catalog.store.warehouses import Site
from catalog.versioning.ids import to_hex
from catalog.versioning.object_store import ObjectCache
from catalog.versioning.objects import Entry, EntryKind

CALLER = Caller("test")
NUMBERS = count()
SCHEMA = {"type": "struct", "fields": [{"id": 1, "name": "x", "type": "long", "required": False}]}


def put(warehouse: Warehouse, name: str, branch: str = "main") -> Committed:
    plan = Plan({(name,): Entry(EntryKind.TABLE, name, f"file:///{name}")}, f"Write {name}")
    return commit(warehouse, branch, lambda objects, head: plan, caller=CALLER, operation="edit")


def another_process(warehouse: Warehouse, clock: Callable[[], datetime] | None = None) -> Warehouse:
    """Return the warehouse as another server process has it, which shares no lock and no cache."""
    catalog = replace(
        warehouse.catalog,
        objects=ObjectCache(1 << 24),
        clock=clock or warehouse.catalog.clock,
        _locks=defaultdict(Lock),
        _rows={},
    )
    return replace(warehouse, catalog=catalog)


def interrupted(warehouse: Warehouse, act: Callable[[], object]) -> Warehouse:
    """Return the warehouse as a process has it that is interrupted when it looks at the clock."""
    left = [act]

    def clock() -> datetime:
        while left:
            left.pop()()
        return warehouse.catalog.clock()

    return another_process(warehouse, clock)


def test_a_transaction_relies_on_tables_that_it_only_makes_assertions_about(
    warehouse: Warehouse, tmp_path: Path
):
    lake = replace(warehouse, sites=(Site(tmp_path.as_uri(), {}),))
    create_namespace(lake, "main", ("ns",), {}, caller=CALLER)
    for name in "ab":
        create_table(lake, "main", ("ns", name), {"name": name, "schema": SCHEMA}, caller=CALLER)
    head = resolve(lake).commit_id
    uuid = orjson.loads(load_table(lake, head, ("ns", "b")).metadata)["table-uuid"]
    changes = [
        TableChange(
            ("ns", "a"),
            [],
            parse_updates([{"action": "set-properties", "updates": {"from": "b"}}]),
        ),
        TableChange(
            ("ns", "b"), parse_requirements([{"type": "assert-table-uuid", "uuid": uuid}]), []
        ),
    ]
    racing = interrupted(
        lake, lambda: drop_table(another_process(lake), "main", ("ns", "b"), caller=CALLER)
    )
    with pytest.raises(NoSuchTable):
        commit_tables(racing, "main", changes, caller=CALLER)
    loaded = load_table(lake, resolve(lake).commit_id, ("ns", "a"))
    assert "from" not in orjson.loads(loaded.metadata)["properties"]


def test_the_default_branch_is_not_deleted_where_another_process_just_made_it_that(
    warehouse: Warehouse,
):
    create_branch(warehouse, "next", "main", caller=CALLER)
    alter_warehouse(another_process(warehouse), storage=None, default_branch="next", caller=CALLER)
    assert warehouse.default_branch == "main"
    with pytest.raises(InvalidInput, match="default branch"):
        delete_branch(warehouse, "next", caller=CALLER)
    delete_branch(warehouse, "main", caller=CALLER)


def test_the_reflog_of_a_branch_never_goes_back_in_time(warehouse: Warehouse):
    # One process's clock is behind the other's.
    behind = another_process(warehouse, lambda: warehouse.catalog.clock() - timedelta(hours=1))
    before = get_branch(warehouse, "main").commit_id
    first = put(warehouse, "a").commit_id
    second = put(behind, "b").commit_id
    reset_branch(behind, "main", to_hex(before), caller=CALLER)
    entries = list_reflog(warehouse, "main", before=None, limit=10)
    assert [entry.commit_id for entry in entries] == [before, second, first, before]
    times = [entry.at for entry in entries]
    assert times == sorted(times, reverse=True)


def test_a_move_is_timed_once_its_transaction_has_begun(warehouse: Warehouse):
    # Time spent waiting for the database must not count: whoever asked meanwhile where the branch
    # stood would be told otherwise later.
    begun: list[datetime] = []

    def begin(connection: Any) -> None:
        begun.append(warehouse.catalog.clock())

    event.listen(warehouse.catalog.engine, "begin", begin)
    try:
        put(warehouse, "a")
    finally:
        event.remove(warehouse.catalog.engine, "begin", begin)
    assert list_reflog(warehouse, "main", before=None, limit=1)[0].at >= begun[-1]


@pytest.fixture
def lake(on_postgresql: Catalog) -> Warehouse:
    name = f"race{next(NUMBERS)}"
    return create_warehouse(on_postgresql, name, location=f"file:///pg/{name}", caller=CALLER)


def waiting_for_a_lock(catalog: Catalog) -> bool:
    with catalog.engine.connect() as connection:
        query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        return bool(connection.execute(text(query)).scalar())


def in_a_thread(act: Callable[[], object]) -> tuple[Thread, list[object]]:
    """Start `act`; the list gets what it returns or raises."""
    outcome: list[object] = []

    def run() -> None:
        try:
            outcome.append(act())
        except CatalogError as error:
            outcome.append(error)

    thread = Thread(target=run)
    thread.start()
    return thread, outcome


@pytest.mark.slow
def test_a_protection_is_not_acknowledged_before_the_commits_that_did_not_see_it(lake: Warehouse):
    # The commit has passed the check and not ended; the protection comes; then the commit ends.
    threads: list[tuple[Thread, list[object]]] = []

    def protect() -> None:
        rules = Rules(require_merge=True)
        threads.append(
            in_a_thread(lambda: put_protection(another_process(lake), "main", rules, caller=CALLER))
        )
        while threads[0][0].is_alive() and not waiting_for_a_lock(lake.catalog):
            pass

    def at_commit(connection: Any) -> None:
        if not threads and connection.get_execution_options().get("writes"):
            protect()
            acknowledged.append(bool(threads[0][1]))

    acknowledged: list[bool] = []
    event.listen(lake.catalog.engine, "commit", at_commit)
    try:
        put(lake, "a")
    finally:
        event.remove(lake.catalog.engine, "commit", at_commit)
    threads[0][0].join()
    assert acknowledged == [False]
    with pytest.raises(ProtectedBranch):
        put(lake, "b")


@pytest.mark.slow
def test_a_commit_still_under_way_in_the_database_is_waited_for(lake: Warehouse):
    # The connection to the database breaks while it is committing, and then it does commit.
    held: list[Any] = []

    def lose(connection: Any) -> None:
        if not held and connection.get_execution_options().get("writes"):
            driver = connection.connection.driver_connection
            held.append(driver)
            driver.close, driver.really_close = lambda: None, driver.close
            raise OperationalError("COMMIT", None, ConnectionError("lost"))

    event.listen(lake.catalog.engine, "commit", lose)
    try:
        thread, outcome = in_a_thread(lambda: put(lake, "a"))
        while thread.is_alive() and not (held and waiting_for_a_lock(lake.catalog)):
            pass
        held[0].commit()
        held[0].really_close()
        thread.join()
    finally:
        event.remove(lake.catalog.engine, "commit", lose)
    (done,) = outcome
    assert isinstance(done, Committed)
    assert get_branch(lake, "main").commit_id == done.commit_id


def test_a_change_of_a_warehouse_leaves_what_another_process_changed_of_it(warehouse: Warehouse):
    create_branch(warehouse, "next", "main", caller=CALLER)
    storage = {"s3.region": "eu-central-1"}
    alter_warehouse(another_process(warehouse), storage=storage, default_branch=None, caller=CALLER)
    assert warehouse.sites[0].storage == {}
    altered = alter_warehouse(warehouse, storage=None, default_branch="next", caller=CALLER)
    stored = get_warehouse(another_process(warehouse).catalog, warehouse.name)
    assert (stored.sites[0].storage, stored.default_branch) == (storage, "next")
    assert (altered.sites[0].storage, altered.default_branch) == (storage, "next")


def test_a_warehouse_that_was_deleted_is_not_taken_for_the_next_one(catalog: Catalog, tmp_path):
    old, new = (f"{name}-{next(NUMBERS)}" for name in ("old", "new"))
    location = (tmp_path / old).as_uri()
    warehouse = create_warehouse(catalog, old, location=location, caller=CALLER)
    # This process looks at a warehouse's row again after two seconds only.
    late = get_warehouse(another_process(warehouse).catalog, old)
    delete_warehouse(warehouse, caller=CALLER)
    location = (tmp_path / new).as_uri()
    created = create_warehouse(catalog, new, location=location, caller=CALLER)
    head = get_branch(created, "main").commit_id
    with pytest.raises(NoSuchRevision, match=old):
        create_namespace(late, "main", ("ns",), {}, caller=CALLER)
    with pytest.raises(NoSuchRevision):
        get_branch(late, "main")
    with pytest.raises(NoSuchWarehouse):
        put_protection(late, "main", Rules(require_merge=True), caller=CALLER)
    assert get_branch(created, "main").commit_id == head


@pytest.mark.slow
def test_branches_are_deleted_side_by_side(lake: Warehouse):
    # Both have moved their ref and logged it before either looks up the default branch.
    for name in "ab":
        create_branch(lake, name, "main", caller=CALLER)
    both = Barrier(2, timeout=30)
    met: list[str] = []
    undone: list[Any] = []

    def meet(connection: Any, cursor: Any, statement: str, *more: Any) -> None:
        if "default_branch" in statement and "FOR" in statement and len(met) < 2:
            met.append(statement)
            both.wait()

    def note(connection: Any) -> None:
        undone.append(connection)

    engine = lake.catalog.engine
    event.listen(engine, "before_cursor_execute", meet)
    event.listen(engine, "rollback", note)
    try:
        threads = [
            in_a_thread(lambda name=name: delete_branch(another_process(lake), name, caller=CALLER))
            for name in "ab"
        ]
        for thread, _ in threads:
            thread.join()
    finally:
        event.remove(engine, "before_cursor_execute", meet)
        event.remove(engine, "rollback", note)
    assert [outcome for _, outcome in threads] == [[None], [None]]
    assert len(met) == 2
    assert not [each for each in undone if each.get_execution_options().get("writes")]


@pytest.mark.parametrize("forbidden", [False, True])
def test_what_was_merged_inside_a_table_is_refused_by_a_protection_set_meanwhile(
    warehouse: Warehouse, forbidden: bool
):
    def build(objects: Any, head: Any) -> Plan:
        rules = Rules(merge_inside_tables=not forbidden)
        put_protection(another_process(warehouse), "main", rules, caller=CALLER)
        entry = Entry(EntryKind.TABLE, "a", "file:///a")
        return Plan({("a",): entry}, "Merge", exact=True, merges_inside=True)

    before = get_branch(warehouse, "main").commit_id
    if not forbidden:
        commit(warehouse, "main", build, caller=CALLER, operation="merge", kind=MoveKind.MERGE)
        return
    with pytest.raises(ProtectedBranch) as refused:
        commit(warehouse, "main", build, caller=CALLER, operation="merge", kind=MoveKind.MERGE)
    assert refused.value.facts == {"rule": "merge_inside_tables", "pattern": "main"}
    assert get_branch(warehouse, "main").commit_id == before
