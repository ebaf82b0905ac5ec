"""The one door to the heads of branches.

A commit is planned on the head that was read (files may be written then), and its objects, its
reflog row and the move of the ref are one transaction. Losing the race for the head is no error:
if nothing that the plan read or changes has moved, it is put on the new head as it is; otherwise
it is planned anew there, which is where a requirement may fail.
"""

import math
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

from catalog.errors import CommitStateUnknown, HeadMoved, Unavailable
from catalog.operations.callers import Caller
from catalog.operations.idempotency import record
from catalog.operations.moves import Move, MoveKind, move_ref
from catalog.operations.resolve import head_of
from catalog.operations.warehouses import Warehouse
from catalog.store import commits, objects, refs
from catalog.store.engine import Connection, transact
from catalog.versioning.diff import changed_keys
from catalog.versioning.ids import ObjectId
from catalog.versioning.keys import Key
from catalog.versioning.object_store import Objects
from catalog.versioning.objects import Commit, Entry
from catalog.versioning.tree import apply

# After this many plans that came too late, a writer keeps the branch's queue to itself while it
# plans, so that a slow writer among fast ones gets through.
_PATIENT_PLANS = 3


@dataclass(frozen=True, slots=True)
class Head:
    """A branch's head as a plan saw it."""

    commit_id: ObjectId
    commit: Commit


@dataclass(frozen=True, slots=True)
class Plan:
    """What a commit is to change, and what it relies on.

    `reads` are keys, and `ranges` namespaces with all that they hold, whose change by somebody
    else means that the plan must be made anew; the keys of `edits` are always among them. `tree`
    may name the finished tree of edits applied to the head that the plan was made for. An `exact`
    plan holds for that very head alone, as a merge does, whose base depends on it; `merges_inside`
    says that it merged a table inside, which a protection may forbid. `returns` makes
    what the operation returns, which the answer to a request with an idempotency key is made of.
    """

    edits: Mapping[Key, Entry | None]
    message: str
    metadata: Mapping[str, str] = field(default_factory=dict)
    extra_parents: tuple[ObjectId, ...] = ()
    reads: frozenset[Key] = frozenset()
    ranges: tuple[Key, ...] = ()
    tree: ObjectId | None = None
    exact: bool = False
    merges_inside: bool = False
    result: Any = None
    returns: Callable[["Committed"], Any] = lambda committed: None


@dataclass(frozen=True, slots=True)
class Committed:
    """Where the branch stands afterwards; `plan` is None if there was nothing to do."""

    commit_id: ObjectId
    previous: ObjectId
    plan: Plan | None


Build = Callable[[Objects, Head], Plan | None]


def commit(
    warehouse: Warehouse,
    branch: str,
    build: Build,
    *,
    caller: Caller,
    operation: str,
    kind: MoveKind = MoveKind.COMMIT,
    source: ObjectId | None = None,
) -> Committed:
    """Plan a commit on the branch's head and move the branch to it.

    `build` is called again when what it relies on has moved; it raises to give up. It returns None
    when nothing is to be done, and then no commit is made.

    Raises:
        HeadMoved: if the head kept moving for longer than the settings allow.
        ProtectedBranch: if a protection of the branch refuses the move.
        CommitStateUnknown: if the database did not say whether the commit took place.
    """
    catalog = warehouse.catalog
    move = Move(kind, branch, operation, caller, source)
    lock = catalog.lock_for(warehouse.id, branch)
    plans, deadline = 0, math.inf
    while catalog.monotonic() < deadline:
        plans += 1
        with lock if plans > _PATIENT_PLANS else nullcontext():
            staged = warehouse.objects()
            head = _head(warehouse, branch, staged)
            plan = build(staged, head)
            if plan is None:
                if caller.once is not None:
                    # An answer of an attempt before was rolled back with it.
                    caller.once.recorded = False
                return Committed(head.commit_id, head.commit_id, None)
            if plans == 1:
                # A merge may be long at its first plan, before the head has moved at all.
                deadline = catalog.monotonic() + catalog.settings.commit_timeout_seconds
            with lock if plans <= _PATIENT_PLANS else nullcontext():
                done = _land(warehouse, move, plan, head, staged=staged, deadline=deadline)
        if done is not None:
            return done
    raise _too_late(branch)


def _too_late(branch: str) -> HeadMoved:
    return HeadMoved(
        f"Branch {branch!r} kept moving while this commit was being made; retry", branch=branch
    )


def _head(warehouse: Warehouse, branch: str, staged: Objects) -> Head:
    commit_id = head_of(warehouse, branch)
    return Head(commit_id, staged.commit(commit_id))


def _land(
    warehouse: Warehouse, move: Move, plan: Plan, head: Head, *, staged: Objects, deadline: float
) -> Committed | None:
    """Put the plan on the branch's head; None if it must be made anew."""
    while True:
        current = _head(warehouse, move.ref, staged)
        if current.commit_id == head.commit_id:
            tree = plan.tree or apply(staged, head.commit.tree, plan.edits)
        elif plan.exact or _disturbed(staged, plan, head, current):
            return None
        else:
            tree = apply(staged, current.commit.tree, plan.edits)
        new = _new_commit(warehouse, plan, current, tree, staged, move.caller)
        move = replace(move, merges_inside=plan.merges_inside)
        done = Committed(new, current.commit_id, plan)
        if _move(warehouse, move, done, staged):
            staged.publish()
            return done
        # Another server process was faster; its writers do not queue behind our lock.
        if warehouse.catalog.monotonic() >= deadline:
            raise _too_late(move.ref)


def _disturbed(staged: Objects, plan: Plan, head: Head, current: Head) -> bool:
    """Say whether what the plan relies on differs between the two heads."""
    relied = plan.reads | plan.edits.keys()
    for key, _, _ in changed_keys(staged, head.commit.tree, current.commit.tree):
        if key in relied:
            return True
        if any(key[: len(namespace)] == namespace for namespace in plan.ranges):
            return True
    return False


def _new_commit(
    warehouse: Warehouse,
    plan: Plan,
    head: Head,
    tree: ObjectId,
    staged: Objects,
    caller: Caller,
) -> ObjectId:
    parents = (head.commit_id, *plan.extra_parents)
    generations = [staged.commit(parent).generation for parent in parents]
    return staged.put_commit(
        Commit(
            tree=tree,
            parents=parents,
            generation=1 + max(generations),
            author=caller.author or caller.name,
            committer=caller.name,
            committed_at=warehouse.catalog.clock(),
            message=caller.message or plan.message,
            metadata={**caller.metadata, **plan.metadata},
            changed_keys=tuple(sorted(plan.edits)),
        )
    )


def _move(warehouse: Warehouse, move: Move, done: Committed, staged: Objects) -> bool:
    """Run the one transaction; False if the head was no longer where `done` begins."""
    expected, new = done.previous, done.commit_id

    def write(connection: Connection) -> bool:
        if not move_ref(connection, warehouse, move, expected=expected, to=new):
            return False
        objects.insert(connection, staged.staged_below(new))
        commits.insert(connection, warehouse.id, [new])
        if done.plan is not None:
            record(connection, move.caller.once, done.plan.returns(done))
        return True

    try:
        return transact(warehouse.catalog.engine, write)
    except CommitStateUnknown as unknown:
        return _look_again(warehouse, move.ref, new, unknown)


def _look_again(
    warehouse: Warehouse, branch: str, new: ObjectId, unknown: CommitStateUnknown
) -> bool:
    """Find out whether a transaction took place whose answer got lost.

    The reflog row is part of the transaction, and a commit id is never made twice. The database
    may be committing still: the lock waits for that.
    """

    def look(connection: Connection) -> bool:
        refs.lock(connection, warehouse.id, branch)
        return refs.reflog_has(connection, warehouse.id, branch, new)

    try:
        landed = transact(warehouse.catalog.engine, look)
    except (Unavailable, CommitStateUnknown):
        raise unknown from None
    if landed:
        return True
    raise Unavailable(
        f"The database lost the connection and branch {branch!r} was not changed; retry",
        branch=branch,
    )
