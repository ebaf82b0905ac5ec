"""A merged table is a table as any other: it is written to, merged again, compacted, and read."""

import pytest
from py4j.protocol import Py4JJavaError

from tests.engines.lake import Lake
from tests.engines.merging.merges import Made
from tests.engines.merging.operations import OPERATIONS, Step
from tests.engines.merging.readers import Readers, in_order
from tests.engines.merging.states import FIRST, SECOND, Place
from tests.engines.merging.writers import Writer

CHOSEN = {
    "rows/v1/append-1/append-2",
    "rows/v2/append-1/delete-7",
    "rows/v2/mark-1/mark-2",
    "rows/v2/upsert-1/append-2",
    "rows/v2/compact-1/merge-7",
    "rows/v2flat/delete-1/append-2",
    "rows/v3/append-1/append-2",
    "rows/v3/mark-1/merge-7",
    "rows/v3/compact-1/append-2",
}
"""The merges after which both sides go on."""

TARGET = Place("ours again", FIRST, row=3, new=31)
SOURCE = Place("theirs again", SECOND, row=8, new=41)
LATER = Place("theirs at last", SECOND, row=0, new=51)
LAST = Place("ours at last", FIRST, row=0, new=61)


class Pair:
    """A target that has merged, and its source: both go on, and what the target must hold."""

    def __init__(self, lake: Lake, writer: Writer, made: Made) -> None:
        self.lake, self.writer, self.cell = lake, writer, made.cell
        self.state = made.cell.expected
        self.target, self.source = f"after/{made.cell.name}", f"beside/{made.cell.name}"
        lake.branch(self.target, made.branch)
        lake.branch(self.source, made.cell.theirs.branch)

    def on(self, branch: str, operation: str, place: Place) -> None:
        """Have Spark go on, on one of both, and the model once it is merged."""
        step = Step(OPERATIONS[operation], place)
        self.writer.carry_out(step, self.cell.table.name, branch)
        self.state = step.effect(self.state)

    def go_on(self) -> None:
        """Write on both, merge, compact the target, write on the source, merge, write."""
        self.on(self.target, "append", TARGET)
        self.on(self.target, "delete", TARGET)
        # Not each goes everywhere: v2flat has one partition, and a row of v3 keeps its id.
        others = {"v1": "update", "v2flat": "append", "v3": "mark"}
        change = others.get(self.cell.table.name, "merge")
        self.on(self.source, change, SOURCE)
        self.lake.merge(self.source, self.target)
        self.on(self.target, "compact", TARGET)
        self.on(self.target, "manifests", TARGET)
        self.on(self.source, "append", LATER)
        self.lake.merge(self.source, self.target)
        self.on(self.target, "append", LAST)


@pytest.fixture(scope="module")
def pairs(merging_lake: Lake, writer: Writer, merges: list[Made]) -> dict[str, Pair]:
    """Let both sides of the chosen cells go on; give them by what engines read of the target."""
    chosen = [made for made in merges if made.cell.name in CHOSEN]
    assert len(chosen) == len(CHOSEN)
    pairs = [Pair(merging_lake, writer, made) for made in chosen]
    for pair in pairs:
        pair.go_on()
    return {f"{pair.cell.table.name}@{pair.target}": pair for pair in pairs}


def test_all_engines_read_what_both_sides_wrote_since(
    pairs: dict[str, Pair], readers: Readers
) -> None:
    expected = {name: in_order(pair.state.shown()) for name, pair in pairs.items()}
    assert readers.by_spark(list(pairs)) == expected
    assert readers.by_duckdb(list(pairs)) == expected
    readable = [name for name, pair in pairs.items() if not pair.cell.by_key]
    assert readers.by_pyiceberg(readable) == {name: expected[name] for name in readable}


def test_every_entry_belongs_to_a_snapshot_that_is_there(
    pairs: dict[str, Pair], readers: Readers
) -> None:
    table = f"{readers.catalog}.m.`{{name}}`"
    strangers = [
        f"SELECT '{name}' FROM {table}.entries e LEFT ANTI JOIN {table}.snapshots s"
        " ON e.snapshot_id = s.snapshot_id".format(name=name)
        for name in pairs
    ]
    assert readers.spark.sql(" UNION ALL ".join(strangers)) == []


def test_rows_of_a_merged_table_have_identities_of_their_own(
    pairs: dict[str, Pair], readers: Readers
) -> None:
    counted = [
        f"SELECT '{name}', count(*) - count(DISTINCT _row_id) FROM {readers.catalog}.m.`{name}`"
        for name, pair in pairs.items()
        if pair.cell.table.version == 3
    ]
    found = dict(readers.spark.sql(" UNION ALL ".join(counted)))
    assert len(found) > 1
    assert set(found.values()) == {0}


def test_expiring_is_refused_for_branches_share_files(
    pairs: dict[str, Pair], readers: Readers
) -> None:
    name = next(iter(pairs))
    with pytest.raises(Py4JJavaError, match="GC is disabled"):
        readers.spark.sql(f"CALL {readers.catalog}.system.expire_snapshots('m.`{name}`')")
