"""Random work of pyiceberg on the tables of a few branches, merged and read, against plain rows.

What happened to a table is told as events: rows that were added, and that are gone. A branch has a
set of these. A merge adds those that the source has and the base has not, takes back those that the
base has and the source has not, and so it does not matter to the model how often, or which way,
branches were merged before. Columns are merged as what they
are on the base and on both sides: one that the source added and dropped again since the base is no
change of it, wherever else it was picked to. A merge either conflicts and changes nothing, or the
table reads as the model says.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)
from pyiceberg.table import Table
from pyiceberg.table.snapshots import Operation
from pyiceberg.types import LongType

from catalog.errors import MergeConflicts
from catalog.iceberg.merging.files import Isolation
from catalog.operations.merge import Merged, Options, cherry_pick, merge
from catalog.operations.warehouses import Catalog
from catalog.settings import Settings
from catalog.versioning.graph import is_ancestor, merge_bases
from catalog.versioning.ids import ObjectId, to_hex
from catalog.versioning.objects import EntryKind
from catalog.versioning.tree import scan
from tests.lakes import CALLER, Lake, compact, new_lake, serve_here

ID, DAY, VALUE = 1, 2, 3
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
PICKS = st.integers(0, 10_000)
NUMBERS = count()
# Columns that came back, apart from those that were added by hand.
ADDED_AGAIN = count(-1, -1)
# The location of a state that no commit has, since two merge bases do not go together in it.
UNDECIDED = "undecided"
NAMES = st.sampled_from(["t", "u", "v"])
STRATEGIES = st.sampled_from(["auto", "ours", "theirs"])
ISOLATIONS = st.sampled_from([None, None, *Isolation])


class Clash(Exception):
    """The model's word for what can only be a conflict."""


@dataclass(frozen=True)
class State:
    """One table of one commit: its place, and the events that it has seen.

    `rows` are all that were ever added, by id, each with its value by column; `columns` all that
    there ever were, with the name that each has now; `past` where its metadata was before.
    """

    name: str
    location: str
    rows: Mapping[int, Mapping[int, Any]]
    gone: frozenset[int]
    columns: Mapping[int, str]
    dropped: frozenset[int]
    past: frozenset[str] = frozenset()

    def live(self) -> dict[int, Mapping[int, Any]]:
        return {row_id: row for row_id, row in self.rows.items() if row_id not in self.gone}

    def names(self) -> dict[int, str]:
        return {c: name for c, name in self.columns.items() if c not in self.dropped}

    def read(self) -> list[dict[str, Any]]:
        """Return what a reader sees, by id."""
        live = self.live()
        return [
            {name: live[row_id].get(column) for column, name in self.names().items()}
            for row_id in sorted(live)
        ]


Tables = Mapping[str, State]


def merged_content(base: State, ours: State, theirs: State) -> State:
    """Return ours with what theirs did since the base."""
    columns = dict(ours.columns)
    for column, name in theirs.columns.items():
        if column not in base.columns:
            columns.setdefault(column, name)
            if column in ours.dropped and column not in theirs.dropped:
                add_again(columns, base, ours, name)
        elif column in columns and name != base.columns[column]:
            if columns[column] not in (base.columns[column], name):
                raise Clash
            columns[column] = name
    unseen = theirs.dropped - ours.columns.keys()
    # Either side may lack what the base has, where it went back, or was settled for the other side.
    known = {**theirs.rows, **ours.rows}
    lost, new = base.rows.keys() - theirs.rows.keys(), theirs.rows.keys() - base.rows.keys()
    rows = {row_id: known[row_id] for row_id in (ours.rows.keys() - lost) | new}
    gone = (ours.gone - (base.gone - theirs.gone)) | (theirs.gone - base.gone)
    return replace(
        ours,
        rows=rows,
        gone=gone,
        columns=columns,
        dropped=ours.dropped | (theirs.dropped & base.names().keys()) | unseen,
    )


def add_again(columns: dict[int, str], base: State, ours: State, name: str) -> None:
    """Add a column that ours had from theirs and dropped: as git, as another without values."""
    if all(named != name or column in base.columns for column, named in ours.names().items()):
        columns[next(ADDED_AGAIN)] = name


def grew_from(later: State, earlier: State) -> bool:
    """Say whether a state has seen all that another has."""
    return (
        earlier.rows.keys() <= later.rows.keys()
        and earlier.gone <= later.gone
        and earlier.columns.keys() <= later.columns.keys()
        and earlier.dropped <= later.dropped
    )


def follows(later: State, earlier: State, base: State | None) -> bool:
    """Say whether one side's state grew out of the other's, and that out of the base's."""
    return earlier.location in later.past and (base is None or base.location in earlier.past)


def merged_table(
    base: State | None, ours: State | None, theirs: State | None, strategy: str
) -> State | None:
    if theirs == base or ours == theirs:
        return ours
    if ours == base:
        return theirs
    if strategy != "auto":
        return ours if strategy == "ours" else theirs
    if ours is None or theirs is None:
        raise Clash
    if base is None:
        # Created on one side, and picked or squashed to the other; both have the same beginning.
        if not grew_from(ours, theirs) and not grew_from(theirs, ours):
            raise Clash
        base = theirs if grew_from(ours, theirs) else ours
    if ours.name != theirs.name and base.name not in (ours.name, theirs.name):
        raise Clash
    name = theirs.name if ours.name == base.name else ours.name
    return replace(merged_change(base, ours, theirs), name=name)


def merged_change(base: State, ours: State, theirs: State) -> State:
    """Return the later state, if one is, else ours with what theirs did since the base."""
    if ours.location == theirs.location:
        return ours
    if base.location == UNDECIDED:
        raise Clash
    if base.location in (ours.location, theirs.location):
        return theirs if base.location == ours.location else ours
    if follows(ours, theirs, base):
        return ours
    if follows(theirs, ours, base):
        return theirs
    return merged_content(base, ours, theirs)


def merged_tables(base: Tables, ours: Tables, theirs: Tables, strategy: str) -> Tables:
    found = {
        uuid: merged_table(base.get(uuid), ours.get(uuid), theirs.get(uuid), strategy)
        for uuid in sorted({*base, *ours, *theirs})
    }
    result = {uuid: state for uuid, state in found.items() if state is not None}
    if len({state.name for state in result.values()}) < len(result):
        raise Clash
    return result


def merged_bases(below: Tables, one: Tables, another: Tables) -> Tables:
    """Merge two merge bases; what does not go together is undecided."""
    result = {}
    for uuid in sorted({*below, *one, *another}):
        left, right = one.get(uuid), another.get(uuid)
        try:
            state = merged_table(below.get(uuid), left, right, "auto")
        except Clash:
            named = {each.name for each in (left, right) if each is not None}
            either = left or right
            assert either is not None
            state = replace(either, name=min(named), location=UNDECIDED)
            if len(named) > 1:
                state = replace(state, name=UNDECIDED)
        if state is not None:
            is_either = state in (left, right) or state.location == UNDECIDED
            result[uuid] = state if is_either else replace(state, location="")
    return result


def moved(state: State, location: str) -> State:
    """Return a state with its metadata at a location."""
    past = state.past | ({state.location} - {location, ""})
    return replace(state, location=location, past=past)


def collide(base: Tables, ours: Tables, theirs: Tables) -> list[tuple[State | None, State, State]]:
    """Return the tables whose content both sides changed."""
    both = [uuid for uuid in ours if uuid in theirs]
    sides = [(base.get(uuid), ours[uuid], theirs[uuid]) for uuid in both]
    return [each for each in sides if len({side and side.location for side in each}) == 3]


def only_appends(sides: tuple[State | None, State, State]) -> bool:
    """Say whether both sides did nothing but append to a table."""
    base, *others = sides
    if base is None:
        return False
    same = (base.gone, base.columns, base.dropped)
    return all((each.gone, each.columns, each.dropped) == same for each in others)


class Machine(RuleBasedStateMachine):
    """Random work, held against the model after every step."""

    served: tuple[str, Catalog]
    directory: Path
    happened: Counter[str]

    def __init__(self) -> None:
        super().__init__()
        name = f"rows{next(NUMBERS)}"
        self.lake: Lake = new_lake(*self.served, name, self.directory.joinpath(name).as_uri())
        self.trees: dict[ObjectId, Tables] = {}
        self.branches = ["main"]
        self.numbers = count(10)
        # Once a side was taken as a whole, or a commit alone, histories have holes.
        self.is_plain = True

    def teardown(self) -> None:
        self.lake.close()

    @initialize()
    def begin(self) -> None:
        self.lake.at().create_namespace("ns")
        self.trees[self.head("main")] = {}
        self.create(0, "t")
        self.append(0, 0, [*DAYS, *DAYS])
        self.fork(0)

    # What is there

    def head(self, branch: str) -> ObjectId:
        """Return a branch's head."""
        return bytes.fromhex(self.lake.head(branch))  # type: ignore[return-value]

    def branch(self, pick: int) -> str:
        return self.branches[pick % len(self.branches)]

    def tables(self, branch: str) -> Tables:
        return self.trees[self.head(branch)]

    def pick_table(self, branch: str, pick: int) -> tuple[str, State] | None:
        # By name: uuids differ from run to run, and a run must be repeatable.
        found = sorted(self.tables(branch).items(), key=lambda item: item[1].name)
        return found[pick % len(found)] if found else None

    def stored(self, commit_id: ObjectId) -> dict[str, tuple[str, str]]:
        """Return name and metadata location of each table as they are stored."""
        objects = self.lake.warehouse.objects()
        return {
            entry.uuid: (key[-1], entry.metadata_location or "")
            for key, entry in scan(objects, objects.commit(commit_id).tree)
            if entry.kind is EntryKind.TABLE
        }

    def land(self, branch: str, expected: Tables) -> None:
        """Note a branch's new head, and check that it is as expected."""
        head = self.head(branch)
        stored = self.stored(head)
        assert {uuid: place[0] for uuid, place in stored.items()} == {
            uuid: state.name for uuid, state in expected.items()
        }
        before = {state.location: state for tree in self.trees.values() for state in tree.values()}
        self.trees[head] = {uuid: moved(state, stored[uuid][1]) for uuid, state in expected.items()}
        for state in self.trees[head].values():
            if state.location not in before:
                self.check(branch, state)

    def check(self, branch: str, state: State) -> None:
        read = self.lake.table(state.name, branch).scan().to_arrow().to_pylist()
        key = state.columns[ID]
        assert sorted(read, key=lambda row: row[key]) == state.read()

    # Work of engines

    def work(self, pick: int, which: int, act: Callable[[Table, State], State | None]) -> None:
        """Do something to a table of a branch."""
        branch = self.branch(pick)
        found = self.pick_table(branch, which)
        if found is None:
            return
        uuid, state = found
        after = act(self.lake.table(state.name, branch), state)
        if after is not None:
            self.land(branch, {**self.tables_before(branch), uuid: after})

    def tables_before(self, branch: str) -> Tables:
        """Return the tables of the last commit of a branch that the model has seen."""
        commit = self.lake.warehouse.objects().commit(self.head(branch))
        head = self.head(branch)
        return self.trees[head if head in self.trees else commit.parents[0]]

    def new_rows(self, state: State, days: list[str]) -> dict[int, dict[int, Any]]:
        rows = {}
        for day in days:
            number = next(self.numbers)
            others = {column: number * 100 + column for column in state.names()}
            rows[number] = {**others, ID: number, DAY: day}
        return rows

    def arrow(self, state: State, rows: Mapping[int, Mapping[int, Any]]) -> pa.Table:
        return pa.table(
            {
                name: pa.array(
                    [row.get(column) for row in rows.values()],
                    pa.string() if column == DAY else pa.int64(),
                )
                for column, name in state.names().items()
            }
        )

    @rule(pick=PICKS, which=PICKS, name=NAMES, how=st.sampled_from(["create", "rename", "drop"]))
    def rearrange(self, pick: int, which: int, name: str, how: str) -> None:
        """Create a table, rename one, or drop it."""
        match how:
            case "create":
                self.create(pick, name)
            case "rename":
                self.rename(pick, which, name)
            case _:
                self.drop(pick, which)

    def create(self, pick: int, name: str) -> None:
        """Create a table, perhaps under a name that another had."""
        branch = self.branch(pick)
        before = self.tables(branch)
        if len(before) > 1 or name in {state.name for state in before.values()}:
            return
        made = self.lake.create(name, branch)
        columns = {ID: "id", DAY: "day", VALUE: "value"}
        state = State(name, "", {}, frozenset(), columns, frozenset())
        self.land(branch, {**before, str(made.metadata.table_uuid): state})

    @rule(pick=PICKS, which=PICKS, days=st.lists(st.sampled_from(DAYS), min_size=1, max_size=3))
    def append(self, pick: int, which: int, days: list[str]) -> None:
        """Append rows to partitions."""

        def act(table: Table, state: State) -> State:
            rows = self.new_rows(state, days)
            table.append(self.arrow(state, rows))
            return replace(state, rows={**state.rows, **rows})

        self.work(pick, which, act)

    @rule(pick=PICKS, which=PICKS, victim=PICKS)
    def overwrite(self, pick: int, which: int, victim: int) -> None:
        """Put a row in the place of a partition that has rows."""

        def act(table: Table, state: State) -> State | None:
            days = sorted({row[DAY] for row in state.live().values()})
            if not days:
                return None
            day = days[victim % len(days)]
            rows = self.new_rows(state, [day])
            table.dynamic_partition_overwrite(self.arrow(state, rows))
            gone = {row_id for row_id, row in state.live().items() if row[DAY] == day}
            return replace(state, rows={**state.rows, **rows}, gone=state.gone | gone)

        self.work(pick, which, act)

    @rule(pick=PICKS, which=PICKS, victim=PICKS)
    def delete(self, pick: int, which: int, victim: int) -> None:
        """Delete a row, which rewrites its file if others are in it."""

        def act(table: Table, state: State) -> State | None:
            live = sorted(state.live())
            if not live:
                return None
            row_id = live[victim % len(live)]
            table.delete(f"{state.columns[ID]} == {row_id}")
            return replace(state, gone=state.gone | {row_id})

        self.work(pick, which, act)

    @rule(pick=PICKS, which=PICKS, victim=PICKS)
    def compact(self, pick: int, which: int, victim: int) -> None:
        """Compact the files of a partition; no row changes."""

        def act(table: Table, state: State) -> State | None:
            days = sorted({row[DAY] for row in state.live().values()})
            if not days:
                return None
            compact(table, f"day == '{days[victim % len(days)]}'")
            assert table.current_snapshot().summary.operation is Operation.REPLACE
            return state

        self.work(pick, which, act)

    @rule(pick=PICKS, which=PICKS, column=PICKS, how=st.sampled_from(["add", "rename", "drop"]))
    def alter(self, pick: int, which: int, column: int, how: str) -> None:
        """Add a column, rename one, or drop it."""
        match how:
            case "add":
                self.add_column(pick, which)
            case "rename":
                self.rename_column(pick, which, column)
            case _:
                self.drop_column(pick, which, column)

    def add_column(self, pick: int, which: int) -> None:
        """Add a column under a name that none ever had."""

        def act(table: Table, state: State) -> State:
            column = next(self.numbers)
            with table.update_schema() as update:
                update.add_column(f"c{column}", LongType())
            return replace(state, columns={**state.columns, column: f"c{column}"})

        self.work(pick, which, act)

    def rename_column(self, pick: int, which: int, column: int) -> None:
        """Rename any column but that of the partitions."""

        def act(table: Table, state: State) -> State:
            known = [each for each in state.names() if each != DAY]
            chosen = known[column % len(known)]
            name = f"r{next(self.numbers)}"
            with table.update_schema() as update:
                update.rename_column(state.columns[chosen], name)
            return replace(state, columns={**state.columns, chosen: name})

        self.work(pick, which, act)

    def drop_column(self, pick: int, which: int, column: int) -> None:
        """Drop a column."""

        def act(table: Table, state: State) -> State | None:
            known = [each for each in state.names() if each not in (ID, DAY)]
            if not known:
                return None
            chosen = known[column % len(known)]
            with table.update_schema() as update:
                update.delete_column(state.columns[chosen])
            return replace(state, dropped=state.dropped | {chosen})

        self.work(pick, which, act)

    def rename(self, pick: int, which: int, name: str) -> None:
        """Rename a table."""
        branch = self.branch(pick)
        before = self.tables(branch)
        found = self.pick_table(branch, which)
        if found is not None and name not in {state.name for state in before.values()}:
            uuid, state = found
            self.lake.at(branch).rename_table(f"ns.{state.name}", f"ns.{name}")
            self.land(branch, {**before, uuid: replace(state, name=name)})

    def drop(self, pick: int, which: int) -> None:
        """Drop a table."""
        branch = self.branch(pick)
        before = self.tables(branch)
        found = self.pick_table(branch, which)
        if found is not None and len(before) > 1:
            self.lake.at(branch).drop_table(f"ns.{found[1].name}")
            self.land(branch, {uuid: each for uuid, each in before.items() if uuid != found[0]})

    # Branches

    @precondition(lambda self: len(self.branches) < 3)
    @rule(pick=PICKS)
    def fork(self, pick: int) -> None:
        """Create a branch."""
        name = f"b{len(self.branches)}"
        self.lake.branch(name, self.branch(pick))
        self.branches.append(name)

    @precondition(lambda self: len(self.branches) > 1)
    @rule(source=PICKS, isolation=ISOLATIONS)
    def publish(self, source: int, isolation: Isolation | None) -> None:
        """Merge a branch into `main`."""
        self.merge(0, 1 + source % (len(self.branches) - 1), "auto", isolation, squash=False)

    @precondition(lambda self: len(self.branches) > 1)
    @rule(pick=PICKS)
    def refresh(self, pick: int) -> None:
        """Merge `main` into a branch."""
        self.merge(1 + pick % (len(self.branches) - 1), 0, "auto", None, squash=False)

    @precondition(lambda self: len(self.branches) > 1)
    @rule(
        pick=PICKS,
        source=PICKS,
        strategy=STRATEGIES,
        isolation=ISOLATIONS,
        squash=st.booleans(),
    )
    def merge(
        self, pick: int, source: int, strategy: Any, isolation: Isolation | None, squash: bool
    ) -> None:
        """Merge one branch into another."""
        target, theirs = self.branch(pick), self.branch(source)
        if target != theirs:
            options = Options(default=strategy, isolation=isolation)
            self.merge_commit(target, self.head(theirs), options, squash=squash)

    @precondition(lambda self: len(self.branches) > 1)
    @rule(pick=PICKS, source=PICKS, strategy=STRATEGIES)
    def cross(self, pick: int, source: int, strategy: Any) -> None:
        """Merge two branches into each other at once, which leaves later merges two bases."""
        one, another = self.branch(pick), self.branch(source)
        if one != another:
            heads = self.head(one), self.head(another)
            self.merge_commit(one, heads[1], Options(), squash=False)
            self.merge_commit(another, heads[0], Options(default=strategy), squash=False)

    def merge_commit(
        self, target: str, theirs: ObjectId, options: Options, *, squash: bool
    ) -> None:
        objects = self.lake.warehouse.objects()
        base = self.base(merge_bases(objects.commits, self.head(target), theirs))

        def act(options: Options) -> Merged:
            lake, source = self.lake.warehouse, to_hex(theirs)
            return merge(lake, source, target, options=options, squash=squash, caller=CALLER)

        sides = (base, self.tables(target), self.trees[theirs])
        self.bring(target, sides, act, options)
        self.is_plain = self.is_plain and options.default == "auto"

    def base(self, bases: Sequence[ObjectId]) -> Tables:
        """Return what a merge is taken against: several bases are merged with each other first."""
        commits = self.lake.warehouse.objects().commits
        merged = self.trees[bases[0]]
        for number, other in enumerate(bases[1:], 1):
            below = {base for each in bases[:number] for base in merge_bases(commits, each, other)}
            best = [
                each
                for each in sorted(below)
                if not any(is_ancestor(commits, each, base) for base in below - {each})
            ]
            merged = merged_bases(self.base(best), merged, self.trees[other])
            self.happened["several bases"] += 1
        return merged

    @precondition(lambda self: len(self.branches) > 1)
    @rule(pick=PICKS, source=PICKS)
    def cherry_pick(self, pick: int, source: int) -> None:
        """Pick the last commit of another branch."""
        target, theirs = self.branch(pick), self.branch(source)
        picked = self.head(theirs)
        parents = self.lake.warehouse.objects().commit(picked).parents
        if target == theirs or not parents or parents[0] not in self.trees:
            return

        def act(options: Options) -> Merged:
            lake, revisions = self.lake.warehouse, [to_hex(picked)]
            return cherry_pick(lake, revisions, target, options=options, caller=CALLER)

        self.is_plain = False
        sides = (self.trees[parents[0]], self.tables(target), self.trees[picked])
        self.bring(target, sides, act, Options())

    def bring(
        self,
        target: str,
        sides: tuple[Tables, Tables, Tables],
        act: Callable[[Options], Merged],
        options: Options,
    ) -> None:
        """Act by the plan of a dry run, and hold what comes of it against the model."""
        before = self.head(target)
        try:
            expected = merged_tables(*sides, options.default)
        except Clash:
            # How a strategy settles names that meet is the business of the tests of trees.
            expected, options = None, replace(options, default="auto")
        try:
            told = act(replace(options, dry_run=True))
        except MergeConflicts as refused:
            self.refused(sides, expected, refused)
            with pytest.raises(MergeConflicts):
                act(options)
            assert self.head(target) == before
            return
        done = act(replace(options, plan_id=told.plan_id))
        assert expected is not None
        assert [each.rule for each in done.outcomes] == [each.rule for each in told.outcomes]
        self.happened.update(each.rule.value for each in done.outcomes)
        if done.commit_id != before:
            self.land(target, expected)

    def refused(
        self,
        sides: tuple[Tables, Tables, Tables],
        expected: Tables | None,
        refused: MergeConflicts,
    ) -> None:
        """Check that a conflict was to be, or may be."""
        self.happened["conflict"] += 1
        if expected is None:
            return
        inside = collide(*sides)
        assert inside, refused.message
        assert not self.is_plain or not all(map(only_appends, inside)), refused.message


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Catalog]]:
    with serve_here(Settings(data_dir=tmp_path_factory.mktemp("rows"))) as found:
        yield found


@pytest.mark.parametrize(
    ("examples", "steps"), [(6, 20), pytest.param(25, 40, marks=pytest.mark.slow)]
)
def test_a_merged_table_holds_the_rows_of_a_plain_model(
    served: tuple[str, Catalog], tmp_path: Path, examples: int, steps: int
) -> None:
    happened: Counter[str] = Counter()
    members = {"served": served, "directory": tmp_path, "happened": happened}
    run_state_machine_as_test(
        type("MachineOnServer", (Machine,), members),
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            phases=(Phase.explicit, Phase.generate),
        ),
    )
    assert happened["inside-table"], happened
    assert happened["several bases"], happened
