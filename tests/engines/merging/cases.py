"""The cells of `matrix.txt`: one merge each, what it holds, and why it is refused."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from pathlib import Path

from tests.engines.merging.operations import OPERATIONS, TABLES, Operation, Step, Table
from tests.engines.merging.states import (
    BASE,
    FIRST,
    OURS,
    SECOND,
    UNCHANGED,
    Place,
    State,
)

OK, LEFT_OUT = "ok", "out"


@dataclass(frozen=True)
class Reason:
    """Why a merge is refused: what the answer says, and what is so."""

    code: str
    words: str


REASONS = {
    "changed": Reason(
        "file-changed-on-both-sides",
        "both rewrote or removed one file, or one of them deleted"
        " rows of it and the other removed it",
    ),
    "compacted": Reason(
        "compacted-by-target", "the target compacted a file that the source changed"
    ),
    "deleted": Reason(
        "rows-deleted-by-target",
        "the target deleted rows of a file that the source rewrote; they would come back",
    ),
    "both": Reason(
        "rows-deleted-on-both-sides", "both deleted or updated rows of one file, perhaps the same"
    ),
    "vectors": Reason(
        "two-deletion-vectors", "both deleted rows of one file, which can have one vector only"
    ),
    "keys": Reason(
        "same-keys-on-both-sides",
        "the source deletes by keys that may be among those of the target's rows",
    ),
    "emptied": Reason(
        "table-emptied-by-source", "the source deleted all rows while the target added some"
    ),
    "added": Reason(
        "rows-added-by-target",
        "the target added rows to a partition that the source rewrote or deleted from",
    ),
    "version": Reason(
        "position-deletes-in-v3", "the target is v3, and the source deleted rows as v2 does"
    ),
    "identities": Reason(
        "row-identities-collide", "the source rewrote rows whose ids the target gave to others"
    ),
    "kept": Reason(
        "builds-on-left-out",
        "the source changed what its own compaction wrote, which does not fit and cannot be left"
        " out then",
    ),
    "ids": Reason("column-id-taken", "both gave one column id to different columns"),
    "column": Reason(
        "column-changed-and-dropped", "one side changed a column that the other dropped"
    ),
    "twice": Reason("column-changed-twice", "both changed one column, differently"),
    "nulls": Reason("column-required", "one side made a column required, the other added nulls"),
    "property": Reason("property-conflict", "both gave one property different values"),
    "partitions": Reason(
        "partitioning-changed-twice", "both changed how the table is partitioned, differently"
    ),
    "order": Reason("sort-order-changed-twice", "both changed the sort order, differently"),
    "ref": Reason("ref-changed-twice", "both made or moved one ref of the table, differently"),
    "moved": Reason(
        "ref-cannot-move", "a ref of the source stands at a state that the target never has"
    ),
    "query": Reason("view-changed-twice", "both changed the query of a view, differently"),
    "rolled": Reason(
        "target-rolled-back", "the target rolled back, or replaced, what the source builds on"
    ),
    "undone": Reason(
        "source-rolled-back", "the source rolled back, or replaced, what the target builds on"
    ),
    "names": Reason("renamed-differently", "both renamed the table, differently"),
    "dropped": Reason("changed-and-dropped", "one side changed the table, the other dropped it"),
    "renamed": Reason("renamed-and-dropped", "one side renamed the table, the other dropped it"),
    "created": Reason("both-created", "both created a table of one name"),
}

_MATRIX = Path(__file__).with_name("matrix.txt")
HISTORIES = "histories"
# Rows with a higher key lie in the second partition.
NEXT = 100


@dataclass(frozen=True)
class Side:
    """What one side did to a table, one step after the other."""

    name: str
    table: Table
    steps: tuple[Step, ...]

    @property
    def branch(self) -> str:
        return f"{self.name}/{self.table.name}/{self.slug}"

    @property
    def slug(self) -> str:
        return ".".join(step.slug for step in self.steps)

    def effect(self, state: State) -> State:
        """Return what it makes of a state."""
        return reduce(lambda before, step: step.effect(before), self.steps, state)


@dataclass(frozen=True)
class Cell:
    """One merge: theirs behind ours."""

    section: str
    ours: Side
    theirs: Side
    outcome: str

    @property
    def table(self) -> Table:
        return self.ours.table

    @property
    def by_key(self) -> bool:
        """Whether rows are deleted by key, which pyiceberg cannot read."""
        steps = (*self.ours.steps, *self.theirs.steps)
        return any(step.operation.name == "upsert" for step in steps)

    @property
    def name(self) -> str:
        return f"{self.section}/{self.table.name}/{self.ours.slug}/{self.theirs.slug}"

    @property
    def codes(self) -> set[str]:
        """The codes with which it is refused, if it is."""
        clean = self.outcome in (OK, LEFT_OUT)
        return set() if clean else {REASONS[word].code for word in words(self.outcome)}

    def read_at(self, branch: str) -> str | None:
        """Return what engines read to see a merge's rows; none if the table is gone."""
        called = self.expected.called
        return called and f"{self.table.name if called == UNCHANGED else called}@{branch}"

    @property
    def expected(self) -> State:
        """What the merge holds if it is clean: ours' rows changed, and then theirs'."""
        return self.theirs.effect(self.ours.effect(BASE))


def words(outcome: str) -> list[str]:
    """Return the reasons that an outcome names."""
    return outcome.split("+")


@dataclass(frozen=True)
class Entry:
    """What both sides did, and the outcome for each place where theirs did it."""

    ours: Operation
    theirs: Operation
    outcomes: tuple[str, ...]


@dataclass(frozen=True)
class Section:
    """A matrix of one table."""

    name: str
    table: Table
    entries: tuple[Entry, ...]


def sections() -> Iterator[Section]:
    """Give the matrices."""
    for name, arguments, lines in _parts():
        if name != HISTORIES:
            yield Section(name, TABLES[arguments], tuple(_entries(lines)))


def histories() -> Iterator[Cell]:
    """Give what takes more than one step on a side."""
    (text,) = (lines for name, _, lines in _parts() if name == HISTORIES)
    for line in text.strip("\n").splitlines():
        table, ours, theirs, outcome = (each.strip() for each in line.split("|"))
        sides = (
            Side(side, TABLES[table], tuple(_steps(side, text)))
            for side, text in (("ours", ours), ("theirs", theirs))
        )
        yield Cell(HISTORIES, *sides, outcome)


def cells() -> Iterator[Cell]:
    """Give all merges."""
    for section in sections():
        for entry in section.entries:
            yield from _cells(section, entry)
    yield from histories()


def _cells(section: Section, entry: Entry) -> Iterator[Cell]:
    places = list(entry.theirs.places())[: None if section.name == "rows" else 1]
    outcomes = entry.outcomes * (len(places) // len(entry.outcomes))
    ours = Side("ours", section.table, (Step(entry.ours, OURS),))
    for place, outcome in zip(places, outcomes, strict=True):
        theirs = Side("theirs", section.table, (Step(entry.theirs, place),))
        yield Cell(section.name, ours, theirs, outcome)


def _parts() -> Iterator[tuple[str, str, str]]:
    """Give the parts of the file: name, the rest of the title, and lines."""
    text = "\n".join(line for line in _MATRIX.read_text().splitlines() if line[:1] != "#")
    for part in text.split("[")[1:]:
        title, _, lines = part.partition("]\n")
        name, _, arguments = title.partition(" ")
        yield name, arguments, lines


def _entries(lines: str) -> Iterator[Entry]:
    header, *rows = lines.strip("\n").splitlines()
    columns = [each.strip() for each in header.split("|")[1:]]
    for line in rows:
        ours, *said = [each.strip() for each in line.split("|")]
        for theirs, text in zip(columns, said, strict=True):
            yield Entry(OPERATIONS[ours], OPERATIONS[theirs], tuple(text.split("/")))


def _steps(side: str, text: str) -> Iterator[Step]:
    """Read steps such as `append 31; delete 31`: what is done, and to which row."""
    for number, step in enumerate(text.split("; ")):
        name, _, row = step.partition(" ")
        key = int(row or 0)
        day = SECOND if key in (6, 7, 8) or key > NEXT else FIRST
        yield Step(OPERATIONS[name], Place(side, day, row=key, new=key, value=100 + number))
