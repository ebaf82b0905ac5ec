"""Random work, merged, where branches and tables also go back: reverts, resets, rollbacks.

What went back is gone from the branch as in git: a later merge brings it again only where the base
does not have it, and where that cannot be told apart from what came since, it is a conflict.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import rule, run_state_machine_as_test
from pyiceberg.table import Table

from catalog.errors import MergeConflicts
from catalog.operations.merge import Options, revert
from catalog.operations.refs import reset_branch
from catalog.operations.warehouses import Catalog
from catalog.versioning.ids import ObjectId, to_hex
from tests.lakes import CALLER
from tests.stateful.test_rows_of_merged_tables import (
    DAYS,
    PICKS,
    Clash,
    Machine,
    State,
    served,
)

__all__ = ["served"]

Place = State | None
# How far back: most commits are long settled.
_RECENT = 8


def reverted(base: Place, ours: Place, theirs: Place) -> Place:
    """Return what becomes of a table, its name and its state each as a whole."""
    if ours == theirs or theirs == base:
        return ours
    if ours == base:
        return theirs
    if base is None or ours is None or theirs is None:
        raise Clash
    names = base.name, ours.name, theirs.name
    locations = base.location, ours.location, theirs.location
    name = changed(*names)
    location = changed(*locations)
    return replace(ours if location == ours.location else theirs, name=name)


def changed(base: str, ours: str, theirs: str) -> str:
    """Return what the side says that changed it."""
    if base not in (ours, theirs) and ours != theirs:
        raise Clash
    return theirs if ours == base else ours


class GoingBack(Machine):
    """The machine of merged tables, with what takes changes back."""

    def __init__(self) -> None:
        super().__init__()
        self.at_snapshot: dict[int, tuple[Mapping[int, Any], frozenset[int]]] = {}

    def check(self, branch: str, state: State) -> None:
        super().check(branch, state)
        current = self.lake.table(state.name, branch).metadata.current_snapshot_id
        if current is not None:
            self.at_snapshot[current] = state.rows, state.gone

    def recent(self, pick: int) -> ObjectId:
        """Choose one of the last commits, on whichever branch."""
        commits = list(self.trees)[-_RECENT:]
        return commits[pick % len(commits)]

    @rule(pick=PICKS, which=PICKS)
    def revert(self, pick: int, which: int) -> None:
        """Take back what a commit did."""
        branch, commit_id = self.branch(pick), self.recent(which)
        parents = self.lake.warehouse.objects().commit(commit_id).parents
        before = self.trees.get(parents[0]) if parents else None
        if not before:
            return
        self.is_plain = False
        base, ours = self.trees[commit_id], self.tables(branch)
        head = self.head(branch)
        try:
            found = {
                uuid: reverted(base.get(uuid), ours.get(uuid), before.get(uuid))
                for uuid in sorted({*base, *ours, *before})
            }
            expected = {uuid: state for uuid, state in found.items() if state is not None}
            if len({state.name for state in expected.values()}) < len(expected):
                raise Clash
        except Clash:
            with pytest.raises(MergeConflicts):
                self.take_back(commit_id, branch)
            return
        self.take_back(commit_id, branch)
        self.happened["revert"] += 1
        if self.head(branch) != head:
            self.land(branch, expected)

    def take_back(self, commit_id: ObjectId, branch: str) -> None:
        lake, options = self.lake.warehouse, Options()
        revert(lake, to_hex(commit_id), branch, options=options, caller=CALLER)

    @rule(pick=PICKS, which=PICKS)
    def reset(self, pick: int, which: int) -> None:
        """Move a branch to one of the last commits."""
        branch, commit_id = self.branch(pick), self.recent(which)
        if self.trees[commit_id]:
            reset_branch(
                self.lake.warehouse, branch, to_hex(commit_id), expected_head=None, caller=CALLER
            )
            self.is_plain = False

    @rule(pick=PICKS, which=PICKS)
    def roll_back(self, pick: int, which: int) -> None:
        """Make the parent of a table's snapshot current, as an engine does."""

        def act(table: Table, state: State) -> State | None:
            snapshot = table.current_snapshot()
            parent = None if snapshot is None else snapshot.parent_snapshot_id
            if parent not in self.at_snapshot:
                return None
            with table.manage_snapshots() as manage:
                manage.rollback_to_snapshot(parent)
            self.is_plain = False
            self.happened["rollback"] += 1
            rows, gone = self.at_snapshot[parent]
            return replace(state, rows=rows, gone=gone)

        self.work(pick, which, act)

    @rule(pick=PICKS, which=PICKS, of=PICKS, day=st.sampled_from(DAYS))
    def append_noting(self, pick: int, which: int, of: int, day: str) -> None:
        """Append a row, and note a snapshot in the summary as if this were a copy of it."""

        def act(table: Table, state: State) -> State:
            known = list(self.at_snapshot)
            noted = {
                "source-snapshot-id": str(known[of % len(known)]),
                "mainstem.origin-commit": "c0ffee",
            }
            rows = self.new_rows(state, [day])
            table.append(self.arrow(state, rows), snapshot_properties=noted)
            return replace(state, rows={**state.rows, **rows})

        self.work(pick, which, act)


@pytest.mark.slow
def test_what_went_back_comes_again_only_where_a_merge_says_so(
    served: tuple[str, Catalog], tmp_path: Path
) -> None:
    happened: Counter[str] = Counter()
    members = {"served": served, "directory": tmp_path, "happened": happened}
    run_state_machine_as_test(
        type("MachineGoingBack", (GoingBack,), members),
        settings=settings(
            max_examples=8,
            stateful_step_count=40,
            deadline=None,
            phases=(Phase.explicit, Phase.generate),
        ),
    )
    assert happened["inside-table"], happened
    assert happened["revert"], happened
    assert happened["rollback"], happened
