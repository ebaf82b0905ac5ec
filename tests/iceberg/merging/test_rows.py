"""Merges that are called clean, held against the rows that a serial history has."""

from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.iceberg.merging.checks.judge import Verdict, judge
from catalog.iceberg.merging.files import Isolation
from tests.iceberg.merging.by_hand import difference, histories, table
from tests.iceberg.merging.rows import Branch, Disk

DAYS = st.integers(1, 3)
KEYS = st.lists(st.integers(1, 6), min_size=1, max_size=3, unique=True)
Command = Callable[[Branch], None]

COMMANDS = st.one_of(
    st.builds(lambda d, k: lambda b: b.append(d, k), DAYS, KEYS),
    st.builds(lambda d, k: lambda b: b.replace_day(d, k), DAYS, KEYS),
    st.builds(lambda d, k, u: lambda b: b.rewrite(d, k, update=u), DAYS, KEYS, st.booleans()),
    st.builds(
        lambda d, k, u, s: lambda b: b.delete_rows(d, k, update=u, several=s),
        *(DAYS, KEYS, st.booleans(), st.booleans()),
    ),
    st.builds(lambda d, k: lambda b: b.update_in_two(d, k), DAYS, KEYS),
    st.builds(lambda d, k: lambda b: b.upsert(d, k), DAYS, st.integers(1, 6)),
    st.builds(lambda d, n: lambda b: b.compact(d, keep_number=n), DAYS, st.booleans()),
    st.builds(lambda d: lambda b: b.compact_deletes(d), DAYS),
    st.builds(lambda: lambda b: b.truncate()),
)
FEW = st.lists(COMMANDS, min_size=1, max_size=3)


def run(branch: Branch, commands: list[Command]) -> None:
    for command in commands:
        command(branch)


def parted(
    before: list[Command], ours: list[Command], theirs: list[Command], version: int, *, serial: bool
) -> tuple[Branch, Branch, Branch]:
    base = Branch(Disk(), version, "b")
    for day in (1, 2, 3):
        base.append(day, [1, 2, 3])
        base.append(day, [4, 5])
    run(base, before)
    branches = [base.fork(name, by_filter=serial) for name in ("o", "t")]
    for branch, commands in zip(branches, (ours, theirs), strict=True):
        run(branch, commands)
    return base, branches[0], branches[1]


def verdict_on(base: Branch, ours: Branch, theirs: Branch, isolation: Isolation) -> Verdict:
    metadata = table(base.version)
    made = histories(
        [],
        [],
        theirs=metadata,
        merged=metadata,
        difference=difference(ours.steps),
        our_steps=ours.steps,
        their_steps=theirs.steps,
        numbers={number: number for number in range(base.sequence + 1)},
        shared_number=base.sequence,
    )
    return judge(made, isolation)


@pytest.mark.parametrize("isolation", Isolation)
def test_a_clean_merge_has_the_rows_of_the_serial_history(isolation: Isolation) -> None:
    """Under snapshot isolation commands mean the rows that they found, else their filters."""
    tally: Counter[bool] = Counter()

    @settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.sampled_from([2, 3]), st.lists(COMMANDS, max_size=2), FEW, FEW)
    def check(
        version: int, before: list[Command], ours: list[Command], theirs: list[Command]
    ) -> None:
        serial = isolation is Isolation.SERIALIZABLE
        base, target, source = parted(before, ours, theirs, version, serial=serial)
        verdict = verdict_on(base, target, source, isolation)
        tally[not verdict.problems] += 1
        if verdict.problems:
            return
        expected = target.rows()
        added = {row.name for row in expected if row.name.startswith(target.name)}
        for meaning in source.meanings:
            expected = meaning(expected)
        target.replay(verdict.steps, shared=base.sequence)
        assert Counter(target.rows()) == Counter(expected)
        # Theirs never saw them, so none of its commands can have meant them.
        assert added <= {row.name for row in target.rows()}

    check()
    clean = tally[True] / tally.total()
    assert clean > 0.2, f"only {clean:.0%} of the cases were clean, which tests nothing"
