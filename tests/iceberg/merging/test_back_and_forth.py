"""Two branches of a real table, merged, squashed and picked from in any order.

Commands are random; manifests are written and merged as the server does. What each command meant is
kept, so that after every merge the rows must be those of the serial history.
"""

import itertools
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from catalog.iceberg.manifests.entries import Entry, read_entries
from catalog.iceberg.manifests.lists import read_manifests
from catalog.iceberg.merging.files import Isolation, file_key
from catalog.iceberg.merging.lineage import Purpose
from catalog.iceberg.merging.results import TableConflict, TableMerge
from catalog.iceberg.merging.table import merge_table
from catalog.iceberg.metadata import Metadata
from catalog.iceberg.scans.deletes import is_vector
from catalog.iceberg.scans.schemas import to_specs
from tests import manifests as made
from tests.iceberg.merging.handmade import History, Part, live
from tests.iceberg.merging.rows import Branch, Disk, Meaning, Row
from tests.iceberg.merging.test_rows import COMMANDS, Command

PHASES = (Phase.generate,)
NEW_IDS = itertools.count(7_000_000)


@dataclass(frozen=True)
class Done:
    """One command as it ran: its number in the run, and what it meant."""

    number: int
    meaning: Meaning
    before: Metadata
    after: Metadata


@dataclass
class Stored(Branch):
    """A branch whose files are listed in manifests."""

    history: History = field(default_factory=History)
    done: list[Done] = field(default_factory=list)

    def commit(
        self,
        operation: str,
        added: Iterable[Entry],
        removed: Iterable[Entry] = (),
        meaning: Meaning = list,
        **summary: str,
    ) -> None:
        come, gone = list(added), list(removed)
        about = {entry.file.file_path for entry in gone}
        about |= {each.referenced_data_file for each in come if is_vector(each)}
        gone += [
            each
            for each in self.deletes()
            if is_vector(each) and each.referenced_data_file in about
        ]
        left = [each for each in self.files() if each not in gone]
        numbers = [each.sequence_number for each in (*left, *come) if not_delete(each)]
        oldest = min(numbers, default=0)
        gone += [
            each for each in self.deletes() if each.sequence_number < oldest and each not in gone
        ]
        files = [
            (each.file, None if each.sequence_number == self.next else each.sequence_number)
            for each in come
        ]
        said = {name.replace("_", "-"): value for name, value in summary.items()}
        self.history.commit(operation, *files, removed=[each.file for each in gone], **said)
        self.meanings.append(meaning)
        self.refresh()

    def refresh(self) -> None:
        """Read the live files from the manifests."""
        found = live(self.history.metadata, self.history.files)
        assert len({file_key(entry) for entry in found}) == len(found)
        self.live = {file_key(entry): entry for entry in found}
        self.sequence = self.history.metadata["last-sequence-number"]

    def take(self, metadata: Metadata) -> None:
        """Go on from other metadata."""
        self.history.metadata = dict(metadata)
        self.history.heads = heads_of(metadata, self.history.files)
        self.refresh()

    def run(self, command: Command, number: int) -> None:
        before, start = dict(self.history.metadata), len(self.meanings)
        command(self)
        if len(self.meanings) > start:
            steps = tuple(self.meanings[start:])
            self.done.append(Done(number, in_turn(steps), before, dict(self.history.metadata)))


def not_delete(entry: Entry) -> bool:
    return int(entry.file.content) == made.DATA


def in_turn(meanings: tuple[Meaning, ...]) -> Meaning:
    def meaning(now: list[Row]) -> list[Row]:
        for each in meanings:
            now = each(now)
        return now

    return meaning


def heads_of(metadata: Metadata, files: dict[str, bytes]) -> list[tuple[Any, list[Part]]]:
    """Return the manifests of a table in the form in which a history writes on."""
    current = metadata["current-snapshot-id"]
    (snapshot,) = [each for each in metadata["snapshots"] if each["snapshot-id"] == current]
    specs = to_specs(metadata["partition-specs"])
    heads = []
    for manifest in read_manifests(snapshot, files.__getitem__):
        parts = [
            Part(
                made.EXISTING,
                entry.snapshot_id or 0,
                entry.sequence_number,
                entry.file,
                entry.first_row_id,
            )
            for entry in read_entries(manifest, specs[manifest.spec_id], files.__getitem__)
        ]
        record = manifest.record
        assert record is not None
        row = {
            "path": manifest.path,
            "content": int(manifest.is_deletes),
            "sequence_number": manifest.sequence_number,
            "min_sequence_number": manifest.min_sequence_number,
            "snapshot": manifest.snapshot_id,
            "added_files_count": record.added_files_count,
            "existing_files_count": record.existing_files_count,
            "deleted_files_count": record.deleted_files_count,
            "added_rows_count": record.added_rows_count,
            "existing_rows_count": record.existing_rows_count,
            "deleted_rows_count": record.deleted_rows_count,
            "first_row_id": manifest.first_row_id,
        }
        if parts:
            heads.append((row, parts))
    return heads


@dataclass
class World:
    """A main and a branch of one table, and the state that a merge of them starts from."""

    version: int
    isolation: Isolation
    tally: Counter[str]
    branches: dict[str, Stored] = field(default_factory=dict)
    base: Metadata = field(default_factory=dict)
    numbers: Any = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        disk = Disk()
        main = Stored(disk, self.version, "b", by_filter=False, history=History(self.version))
        for day in (1, 2):
            main.run(lambda b, day=day: b.append(day, [1, 2, 3]), next(self.numbers))
            main.run(lambda b, day=day: b.append(day, [4, 5]), next(self.numbers))
        self.base = dict(main.history.metadata)
        for name in ("main", "dev"):
            branch = Stored(disk, self.version, name, by_filter=False, history=main.history.fork())
            branch.done = list(main.done)
            branch.refresh()
            self.branches[name] = branch

    def work(self, name: str, command: Command) -> None:
        self.branches[name].run(command, next(self.numbers))

    def merge(self, target: str, source: str, *, squash: bool) -> None:
        ours, theirs = self.branches[target], self.branches[source]
        pending = self.pending(target, source)
        if theirs.history.metadata == self.base:
            return
        if ours.history.metadata == self.base:
            self.taken(ours, theirs.history.metadata, pending)
        elif not self.put(ours, self.base, theirs.history.metadata, pending, Purpose.MERGE):
            return
        if not squash:
            self.base = dict(theirs.history.metadata)

    def pick(self, target: str, source: str, place: int) -> None:
        pending = self.pending(target, source)
        if pending:
            one = pending[place % len(pending)]
            self.put(self.branches[target], one.before, one.after, [one], Purpose.PICK)

    def pending(self, target: str, source: str) -> list[Done]:
        known = {each.number for each in self.branches[target].done}
        return [each for each in self.branches[source].done if each.number not in known]

    def put(
        self, ours: Stored, base: Metadata, theirs: Metadata, what: list[Done], purpose: Purpose
    ) -> bool:
        found = merge_table(
            base,
            ours.history.metadata,
            theirs,
            read=ours.history.files.__getitem__,
            write=ours.history.files.__setitem__,
            now_ms=1_000_000,
            new_snapshot_id=NEW_IDS.__next__,
            isolation=self.isolation,
            origin_commit="c" * 64,
            purpose=purpose,
        )
        if isinstance(found, TableConflict):
            self.tally.update({problem.code for problem in found.problems} | {"conflict"})
            return False
        assert isinstance(found, TableMerge)
        self.tally["clean"] += 1
        self.taken(ours, found.metadata, what)
        return True

    def taken(self, ours: Stored, metadata: Metadata, what: list[Done]) -> None:
        expected = ours.rows()
        for each in what:
            expected = each.meaning(expected)
        ours.take(metadata)
        ours.done += what
        assert Counter(ours.rows()) == Counter(expected)
        check_row_ids(ours)


def check_row_ids(branch: Stored) -> None:
    """No two files that have their row ids from the metadata may share one."""
    if branch.version < 3:
        return
    ranges = sorted(
        (entry.first_row_id, entry.first_row_id + entry.file.record_count)
        for entry in branch.files()
        if entry.first_row_id is not None
    )
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(ranges)), ranges


NAMES = st.sampled_from(["main", "dev"])
OTHER = {"main": "dev", "dev": "main"}
ACTIONS = st.one_of(
    st.builds(lambda n, c: lambda w: w.work(n, c), NAMES, COMMANDS),
    st.builds(lambda n, c: lambda w: w.work(n, c), NAMES, COMMANDS),
    st.builds(lambda n, c: lambda w: w.work(n, c), NAMES, COMMANDS),
    st.builds(lambda n, s: lambda w: w.merge(n, OTHER[n], squash=s), NAMES, st.booleans()),
    st.builds(lambda n: lambda w: w.merge(n, OTHER[n], squash=False), NAMES),
    st.builds(lambda n, p: lambda w: w.pick(n, OTHER[n], p), NAMES, st.integers(0, 3)),
)


def test_rows_are_those_of_the_serial_history_whatever_was_merged_before() -> None:
    tally: Counter[str] = Counter()

    @settings(
        max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), phases=PHASES
    )
    @given(
        st.sampled_from([2, 3]),
        st.sampled_from(Isolation),
        st.lists(ACTIONS, min_size=4, max_size=14),
    )
    def check(version: int, isolation: Isolation, actions: list[Any]) -> None:
        world = World(version, isolation, tally)
        for action in actions:
            action(world)

    check()
    assert tally["clean"] > 0.25 * (tally["clean"] + tally["conflict"])
