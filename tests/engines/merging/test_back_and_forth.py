"""A branch that lives long: merged into `main` and brought up to date from it, again and again."""

import pytest

from tests.engines.lake import Lake
from tests.engines.merging.operations import OPERATIONS, Step
from tests.engines.merging.readers import Readers, in_order
from tests.engines.merging.states import BASE, FIRST, SECOND, Place
from tests.engines.merging.writers import Writer

HISTORY = (
    ("main", "append", 31),
    ("work", "append", 141),
    ("work", "main"),
    ("main", "work"),
    ("work", "delete", 7),
    ("work", "compact", 0),
    ("main", "append", 51),
    ("work", "main"),
    ("main", "delete", 1),
    ("main", "work"),
    ("work", "mark", 8),
    ("main", "append", 61),
    ("work", "main"),
    ("main", "compact", 0),
    ("main", "work"),
    ("work", "append", 171),
    ("work", "main"),
)
"""What is done on a branch, and which is merged into which."""


@pytest.mark.parametrize("table", ["v2", "v3"])
def test_a_branch_and_main_end_alike_whatever_way_changes_went(
    merging_lake: Lake, writer: Writer, readers: Readers, table: str
) -> None:
    branches = {name: f"{name}/{table}" for name in ("main", "work")}
    for branch in branches.values():
        merging_lake.branch(branch)
    state = BASE
    for branch, *done in HISTORY:
        match done:
            case [operation, int(key)]:
                day = SECOND if key in (7, 8) or key > 100 else FIRST
                place = Place(branch, day, row=key, new=key)
                step = Step(OPERATIONS[operation], place)
                writer.carry_out(step, table, branches[branch])
                state = step.effect(state)
            case [target]:
                merging_lake.merge(branches[branch], branches[target])
    merging_lake.merge(branches["main"], branches["work"])
    names = [f"{table}@{branch}" for branch in branches.values()]
    expected = dict.fromkeys(names, in_order(state.shown()))
    assert readers.by_spark(names) == expected
    assert readers.by_duckdb(names) == expected
    assert readers.by_pyiceberg(names) == expected
