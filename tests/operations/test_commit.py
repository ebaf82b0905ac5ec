"""The commit protocol: what is acknowledged is in the log once, and what is refused nowhere."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from threading import Lock
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import OperationalError

from catalog.errors import (
    CommitStateUnknown,
    HeadMoved,
    NoSuchRevision,
    ProtectedBranch,
    StaleHead,
    Unavailable,
)
from catalog.governance.protections import Rules
from catalog.operations.callers import Caller, Once
from catalog.operations.commit import Committed, Head, Plan, commit
from catalog.operations.history import LogFilter, list_commits, list_reflog
from catalog.operations.idempotency import Answer, find_answer
from catalog.operations.merge import Options, merge
from catalog.operations.protections import put_protection
from catalog.operations.refs import (
    create_branch,
    create_tag,
    delete_branch,
    get_branch,
    reset_branch,
)
from catalog.operations.warehouses import Warehouse
from catalog.store.engine import read
from catalog.versioning.ids import ObjectId, to_hex
from catalog.versioning.keys import Key
from catalog.versioning.object_store import ObjectCache, Objects
from catalog.versioning.objects import Entry, EntryKind
from catalog.versioning.tree import get, scan

CALLER = Caller("test")
A: Key = ("a",)
B: Key = ("b",)


def entry(value: str, key: Key = A) -> Entry:
    return Entry(EntryKind.TABLE, f"uuid of {key}", f"file:///{value}")


def put(warehouse: Warehouse, key: Key, value: str | None, branch: str = "main") -> Committed:
    plan = Plan({key: None if value is None else entry(value, key)}, f"Write {value}")
    return commit(warehouse, branch, lambda objects, head: plan, caller=CALLER, operation="edit")


def state(warehouse: Warehouse, branch: str = "main") -> dict[str, str]:
    """Return what a branch holds, by name."""
    objects = warehouse.objects()
    tree = objects.commit(get_branch(warehouse, branch).commit_id).tree
    return {
        ".".join(key): (held.metadata_location or "").removeprefix("file:///")
        for key, held in scan(objects, tree)
    }


def log(warehouse: Warehouse, branch: str = "main") -> list[ObjectId]:
    page = list_commits(warehouse, branch, wanted=LogFilter(), limit=1000)
    return [each.commit_id for each in page.commits]


def moves(warehouse: Warehouse, branch: str = "main") -> list[ObjectId | None]:
    entries = list_reflog(warehouse, branch, before=None, limit=1000)
    return [each.commit_id for each in entries]


def head(warehouse: Warehouse, branch: str = "main") -> ObjectId:
    return get_branch(warehouse, branch).commit_id


def another_process(warehouse: Warehouse) -> Warehouse:
    """Return the warehouse as another server process has it, which shares no lock and no cache."""
    catalog = replace(
        warehouse.catalog,
        objects=ObjectCache(1 << 24),
        _locks=defaultdict(Lock),
    )
    return replace(warehouse, catalog=catalog)


def first_time(act: Callable[[], object]) -> Callable[[], None]:
    """Return what acts when it is called first, and never again."""
    left = [act]

    def once() -> None:
        while left:
            left.pop()()

    return once


# Losing the race for the head


def test_a_plan_that_nothing_disturbed_is_put_on_the_new_head_as_it_is(warehouse: Warehouse):
    interrupt = first_time(lambda: put(warehouse, B, "other"))
    plans = []

    def build(objects: Objects, current: Head) -> Plan:
        plans.append(current.commit_id)
        interrupt()
        return Plan({A: entry("mine")}, "Slow")

    done = commit(warehouse, "main", build, caller=CALLER, operation="edit")
    assert len(plans) == 1
    assert done.previous != plans[0]
    assert state(warehouse) == {"a": "mine", "b": "other"}
    assert log(warehouse)[:2] == [done.commit_id, done.previous]


@pytest.mark.parametrize(
    ("relied", "disturbed"),
    [
        ({}, False),
        ({"reads": frozenset({B})}, True),
        ({"reads": frozenset({("c",)})}, False),
        ({"ranges": (B,)}, True),
        ({"ranges": ((),)}, True),
        ({"ranges": (("b", "b"),)}, False),
        ({"exact": True}, True),
    ],
)
def test_a_plan_is_made_anew_if_what_it_relied_on_moved(
    warehouse: Warehouse, relied: dict[str, Any], disturbed: bool
):
    interrupt = first_time(lambda: put(warehouse, B, "other"))
    plans = []

    def build(objects: Objects, current: Head) -> Plan:
        plans.append(current.commit_id)
        interrupt()
        return Plan({A: entry("mine")}, "Slow", **relied)

    commit(warehouse, "main", build, caller=CALLER, operation="edit")
    assert len(plans) == (2 if disturbed else 1)
    assert state(warehouse) == {"a": "mine", "b": "other"}


def test_what_lies_in_a_range_disturbs_at_any_depth(warehouse: Warehouse):
    interrupt = first_time(lambda: put(warehouse, ("ns", "deep", "t"), "other"))
    plans = []

    def build(objects: Objects, current: Head) -> Plan:
        plans.append(current)
        interrupt()
        return Plan({A: entry("mine")}, "Slow", ranges=(("ns",),))

    commit(warehouse, "main", build, caller=CALLER, operation="edit")
    assert len(plans) == 2


def test_a_plan_that_is_made_anew_may_be_refused_and_leaves_nothing(warehouse: Warehouse):
    interrupt = first_time(lambda: put(warehouse, A, "faster"))

    def build(objects: Objects, current: Head) -> Plan:
        if get(objects, current.commit.tree, A) is not None:
            raise StaleHead("A is there already")
        interrupt()
        return Plan({A: entry("mine")}, "Create")

    with pytest.raises(StaleHead, match="already"):
        commit(warehouse, "main", build, caller=CALLER, operation="edit")
    assert state(warehouse) == {"a": "faster"}
    assert len(log(warehouse)) == len(moves(warehouse)) == 2


def test_nothing_to_do_makes_no_commit(warehouse: Warehouse):
    before = head(warehouse)
    done = commit(warehouse, "main", lambda objects, current: None, caller=CALLER, operation="edit")
    assert done == Committed(before, before, None)
    assert moves(warehouse) == [before]


def test_a_change_that_was_taken_back_meanwhile_does_not_disturb(warehouse: Warehouse):
    put(warehouse, A, "one")
    before = to_hex(head(warehouse))

    def away_and_back() -> None:
        put(warehouse, A, "two")
        reset_branch(warehouse, "main", before, caller=CALLER)

    interrupt = first_time(away_and_back)

    def build(objects: Objects, current: Head) -> Plan:
        interrupt()
        return Plan({A: entry("three")}, "Slow")

    done = commit(warehouse, "main", build, caller=CALLER, operation="edit")
    assert to_hex(done.previous) == before
    assert state(warehouse) == {"a": "three"}


def test_a_commit_lands_on_the_history_to_which_its_branch_was_reset(warehouse: Warehouse):
    put(warehouse, A, "one")
    start = to_hex(head(warehouse))
    put(warehouse, B, "dropped by the reset")
    interrupt = first_time(lambda: reset_branch(warehouse, "main", start, caller=CALLER))

    def build(objects: Objects, current: Head) -> Plan:
        interrupt()
        return Plan({A: entry("two")}, "Slow")

    done = commit(warehouse, "main", build, caller=CALLER, operation="edit")
    assert to_hex(done.previous) == start
    assert state(warehouse) == {"a": "two"}


def test_a_commit_to_a_branch_that_was_deleted_meanwhile_is_refused(warehouse: Warehouse):
    create_branch(warehouse, "work", "main", caller=CALLER)
    interrupt = first_time(lambda: delete_branch(warehouse, "work", caller=CALLER))

    def build(objects: Objects, current: Head) -> Plan:
        interrupt()
        return Plan({A: entry("mine")}, "Slow")

    with pytest.raises(NoSuchRevision):
        commit(warehouse, "work", build, caller=CALLER, operation="edit")
    assert moves(warehouse, "work")[0] is None


def test_a_commit_never_moves_a_tag_that_took_the_name_of_its_branch(warehouse: Warehouse):
    create_branch(warehouse, "name", "main", caller=CALLER)

    def replaced() -> None:
        delete_branch(warehouse, "name", caller=CALLER)
        create_tag(warehouse, "name", "main", caller=CALLER)

    interrupt = first_time(replaced)

    def build(objects: Objects, current: Head) -> Plan:
        interrupt()
        return Plan({A: entry("mine")}, "Slow")

    with pytest.raises(NoSuchRevision):
        commit(warehouse, "name", build, caller=CALLER, operation="edit")


def test_a_writer_that_is_always_too_late_gets_its_turn(warehouse: Warehouse):
    # While a patient writer plans, this process's others queue: here one that would not end.
    plans = []

    def build(objects: Objects, current: Head) -> Plan:
        plans.append(current)
        if len(plans) <= 3:
            put(warehouse, A, f"faster {len(plans)}")
        return Plan({A: entry("mine")}, "Slow")

    commit(warehouse, "main", build, caller=CALLER, operation="edit")
    assert len(plans) == 4
    assert state(warehouse) == {"a": "mine"}


def test_after_its_time_a_commit_gives_up_and_says_so(warehouse: Warehouse):
    # Time passes only by being looked at.
    seconds = iter(range(1000))
    hurried = replace(
        warehouse, catalog=replace(warehouse.catalog, monotonic=lambda: float(next(seconds)) * 30)
    )

    def build(objects: Objects, current: Head) -> Plan:
        put(warehouse, A, current.commit_id.hex())
        return Plan({A: entry("mine")}, "Slow")

    with pytest.raises(HeadMoved, match="retry"):
        commit(hurried, "main", build, caller=CALLER, operation="edit")
    assert state(warehouse)["a"] != "mine"


def test_a_commit_that_another_process_keeps_overtaking_gives_up_in_time(warehouse: Warehouse):
    # Nothing that it relies on moves, so it is never planned anew, and yet it must end.
    other = another_process(warehouse)
    seconds = iter(range(1000))

    def clock() -> datetime:
        put(other, B, str(next(seconds)))
        return warehouse.catalog.clock()

    slow = replace(
        warehouse,
        catalog=replace(warehouse.catalog, clock=clock, monotonic=lambda: float(next(seconds)) * 5),
    )
    with pytest.raises(HeadMoved, match="retry"):
        put(slow, A, "mine")
    assert "a" not in state(warehouse)


def test_attempts_that_lost_the_race_leave_nothing_in_the_store(warehouse: Warehouse):
    other = another_process(warehouse)
    interrupt = first_time(lambda: put(other, B, f"other {warehouse.name}"))

    def clock() -> datetime:
        interrupt()
        return warehouse.catalog.clock()

    def count(connection: Any) -> int:
        rows: int = connection.execute(text("SELECT count(*) FROM objects")).scalar()
        return rows

    slow = replace(warehouse, catalog=replace(warehouse.catalog, clock=clock))
    before = read(warehouse.catalog.engine, count)
    put(slow, A, f"mine {warehouse.name}")
    # Two commits, each with a tree of one node.
    assert read(warehouse.catalog.engine, count) == before + 4


def test_a_merge_is_made_anew_on_a_moved_target_and_its_source_stays(warehouse: Warehouse):
    #   main  o ------ b -- m      b and a2 come from another process once the merge is planned.
    #          \          /
    #   day     a1 ------/-- a2
    create_branch(warehouse, "day", "main", caller=CALLER)
    source = put(warehouse, A, "one", "day").commit_id
    other = another_process(warehouse)

    def both() -> None:
        put(other, B, "two")
        put(other, A, "two", "day")

    interrupt = first_time(both)

    def clock() -> datetime:
        interrupt()
        return warehouse.catalog.clock()

    slow = replace(warehouse, catalog=replace(warehouse.catalog, clock=clock))
    merged = merge(slow, "day", "main", options=Options(), caller=CALLER)
    assert merged.source == source
    assert merged.commit_id is not None
    assert warehouse.objects().commit(merged.commit_id).parents == (merged.previous, source)
    assert state(warehouse) == {"a": "one", "b": "two"}


# Many writers at once


@pytest.fixture(params=["one process", "two processes"])
def handles(warehouse: Warehouse, request: Any) -> list[Warehouse]:
    """The warehouse as one server process has it, or as two have."""
    return (
        [warehouse] if request.param == "one process" else [warehouse, another_process(warehouse)]
    )


def test_every_acknowledged_commit_is_in_the_log_and_the_reflog_once(handles: list[Warehouse]):
    def work(writer: int) -> list[ObjectId]:
        warehouse = handles[writer % len(handles)]
        return [put(warehouse, (f"t{writer}",), str(turn)).commit_id for turn in range(8)]

    with ThreadPoolExecutor(6) as pool:
        acknowledged = [each for ids in pool.map(work, range(6)) for each in ids]
    found = log(handles[0])
    assert sorted(acknowledged) == sorted(found[:-1])
    assert moves(handles[0]) == found
    assert state(handles[0]) == {f"t{writer}": "7" for writer in range(6)}


def test_no_increment_of_a_counter_is_lost(handles: list[Warehouse]):
    def increment(objects: Objects, current: Head) -> Plan:
        held = get(objects, current.commit.tree, A)
        number = 0 if held is None else int((held.metadata_location or "").rpartition("/")[2])
        return Plan({A: entry(str(number + 1))}, "Increment")

    def work(writer: int) -> None:
        for _ in range(8):
            commit(
                handles[writer % len(handles)], "main", increment, caller=CALLER, operation="edit"
            )

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert state(handles[0]) == {"a": "32"}
    assert len(log(handles[0])) == 33


# Answers that get lost


class Serialization(Exception):
    """As a driver tells that two transactions cannot be put one after the other."""

    sqlstate = "40001"


@contextmanager
def lost_answers(warehouse: Warehouse, *, committed: bool) -> Iterator[list[int]]:
    """Lose the connection at the next commit of a transaction, before or after it took place."""
    left = [1]

    def lose(connection: Any) -> None:
        if left and connection.get_execution_options().get("writes"):
            left.pop()
            if committed:
                driver = connection.connection.driver_connection
                driver.execute("COMMIT") if hasattr(driver, "execute") else driver.commit()
            raise OperationalError("COMMIT", None, ConnectionError("lost"))

    event.listen(warehouse.catalog.engine, "commit", lose)
    try:
        yield left
    finally:
        event.remove(warehouse.catalog.engine, "commit", lose)


def test_a_commit_whose_answer_was_lost_is_acknowledged_if_it_took_place(warehouse: Warehouse):
    with lost_answers(warehouse, committed=True) as left:
        done = put(warehouse, A, "mine")
    assert not left
    assert head(warehouse) == done.commit_id
    assert moves(warehouse) == log(warehouse) == [done.commit_id, done.previous]


def test_a_commit_that_did_not_take_place_is_told_so_and_can_be_tried_again(warehouse: Warehouse):
    before = head(warehouse)
    with lost_answers(warehouse, committed=False), pytest.raises(Unavailable, match="not changed"):
        put(warehouse, A, "mine")
    assert moves(warehouse) == [before]
    assert put(warehouse, A, "mine").previous == before


def test_a_commit_of_which_nothing_can_be_known_says_so(warehouse: Warehouse):
    def refuse(*_: Any) -> None:
        raise OperationalError("", None, ConnectionError("gone"))

    engine = warehouse.catalog.engine

    def lose(connection: Any) -> None:
        event.listen(engine, "before_cursor_execute", refuse)
        raise OperationalError("COMMIT", None, ConnectionError("lost"))

    event.listen(engine, "commit", lose)
    try:
        with pytest.raises(CommitStateUnknown):
            put(warehouse, A, "mine")
    finally:
        event.remove(engine, "commit", lose)
        event.remove(engine, "before_cursor_execute", refuse)


def test_an_answer_that_was_rolled_back_is_not_taken_for_stored(warehouse: Warehouse):
    """A database that serializes lets one of two commits pass, and ends the other."""
    now = datetime.now(UTC)
    once = Once(str(uuid4()), b"asked", now, now, answer=lambda result: Answer(204, None, b""))

    def build(objects: Objects, current: Head) -> Plan | None:
        there = get(objects, current.commit.tree, A)
        return None if there == entry("one") else Plan({A: entry("one")}, "Write one")

    def interrupt(connection: Any) -> None:
        if connection.get_execution_options().get("writes"):
            event.remove(engine, "commit", interrupt)
            connection.connection.driver_connection.execute("ROLLBACK")
            put(another_process(warehouse), A, "one")
            raise OperationalError("COMMIT", None, Serialization())

    engine = warehouse.catalog.engine
    event.listen(engine, "commit", interrupt)
    done = commit(warehouse, "main", build, caller=replace(CALLER, once=once), operation="edit")
    assert done.plan is None
    assert find_answer(engine, once) is None
    assert not once.recorded


# Protections


def test_a_refused_commit_leaves_nothing(warehouse: Warehouse):
    put_protection(warehouse, "main", Rules(require_merge=True), caller=CALLER)
    before = head(warehouse)
    with pytest.raises(ProtectedBranch):
        put(warehouse, A, "mine")
    assert head(warehouse) == before
    assert moves(warehouse) == [before]
    assert state(warehouse) == {}


def test_a_protection_that_came_while_a_commit_was_planned_holds(warehouse: Warehouse):
    def build(objects: Objects, current: Head) -> Plan:
        put_protection(warehouse, "main", Rules(require_merge=True), caller=CALLER)
        return Plan({A: entry("mine")}, "Slow")

    with pytest.raises(ProtectedBranch):
        commit(warehouse, "main", build, caller=CALLER, operation="edit")
    assert state(warehouse) == {}
