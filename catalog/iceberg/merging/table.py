"""Merges one table that both sides changed: the result is the serial history base, ours, theirs.

Everything is judged before anything is written. What is held in memory grows with what the two
sides changed, never with the table. With a `write` that throws away, it is a dry run.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from catalog.errors import InvalidInput, NoSuchFile, ValidationFailed
from catalog.iceberg.locations import strip_trailing_slashes
from catalog.iceberg.manifests.entries import Entry, Read
from catalog.iceberg.merging.changes import Lists, Source, file_changes
from catalog.iceberg.merging.checks.judge import Histories, Verdict, find_unproven, judge
from catalog.iceberg.merging.files import Isolation, Step
from catalog.iceberg.merging.lineage import Lineage, Purpose, find_ambiguous, line_up
from catalog.iceberg.merging.problems import Problem
from catalog.iceberg.merging.replaying.adoption import (
    adopt,
    has_no_own_snapshots,
    is_one_line,
    keeps_ids,
    replaces_table,
)
from catalog.iceberg.merging.replaying.invariants import check_result
from catalog.iceberg.merging.replaying.places import lost_targets
from catalog.iceberg.merging.replaying.replay import Clock, Replay, Sides, current_snapshot
from catalog.iceberg.merging.replaying.rewriting import CannotReplay, Files
from catalog.iceberg.merging.results import MergeReport, TableConflict, TableMerge
from catalog.iceberg.merging.shapes.attachments import merged_statistics
from catalog.iceberg.merging.shapes.refs import MergedRefs, merge_refs
from catalog.iceberg.merging.shapes.shape import MergedShapes, merge_shapes
from catalog.iceberg.metadata import MAIN, Metadata, written
from catalog.iceberg.properties import MAX_FORMAT_VERSION, METADATA_PATH
from catalog.iceberg.scans.schemas import to_specs
from catalog.iceberg.validation import check_table


def merge_table(
    base: Metadata,
    ours: Metadata,
    theirs: Metadata,
    *,
    read: Read,
    write: Callable[[str, bytes], None],
    now_ms: int,
    new_snapshot_id: Callable[[], int],
    isolation: Isolation,
    origin_commit: str,
    purpose: Purpose = Purpose.MERGE,
) -> TableMerge | TableConflict:
    """Merge completed metadata of one table; reads and writes manifests and their lists.

    Files are written only if there is no conflict, apart from one that is found while writing.

    Raises:
        Corruption: if what was written is not what was meant.
        StorageUnavailable: if files cannot be read or written now.
    """
    merge = _Merge(base, ours, theirs, Files(read, write), Clock(now_ms, new_snapshot_id))
    try:
        return merge.run(isolation, purpose, origin_commit)
    except CannotReplay as found:
        return TableConflict((found.problem,))
    except (ValidationFailed, NoSuchFile) as error:
        return TableConflict((Problem("unreadable", error.message),))


@dataclass(frozen=True, slots=True)
class _Judged:
    """Two histories that go together, and what of theirs is to be replayed."""

    lineage: Lineage
    unseen_deletes: Collection[Entry]
    verdict: Verdict


class _Merge:
    def __init__(
        self, base: Metadata, ours: Metadata, theirs: Metadata, files: Files, clock: Clock
    ) -> None:
        self._base = base
        self._ours = ours
        self._theirs = theirs
        self._files = files
        self._lists = Lists(files.read)
        self._clock = clock

    def run(
        self, isolation: Isolation, purpose: Purpose, origin_commit: str
    ) -> TableMerge | TableConflict:
        if len({side.get("table-uuid") for side in (self._base, self._ours, self._theirs)}) > 1:
            return TableConflict((_OTHER_TABLE,))
        if invalid := (*_invalid("target", self._ours), *_invalid("source", self._theirs)):
            return TableConflict(invalid)
        if ambiguous := find_ambiguous(self._base, self._ours, self._theirs):
            return TableConflict(tuple(ambiguous))
        shapes = merge_shapes(self._base, self._ours, self._theirs)
        if isinstance(shapes, list):
            return TableConflict((*shapes, *self._problems_of_histories(purpose)))
        adopts = (
            has_no_own_snapshots(self._base, self._ours)
            and not replaces_table(self._base, self._theirs)
            and keeps_ids(shapes)
            and (not shapes.owed or is_one_line(self._base, self._theirs))
        )
        known = _snapshot_ids(self._ours) | (_snapshot_ids(self._theirs) if adopts else set())
        refs = merge_refs(self._base, self._ours, self._theirs, known=known)
        if adopts:
            judged: _Judged | list[Problem] = self._unproven(shapes, purpose)
        else:
            judged = self._judge(shapes, isolation, purpose)
        problems = (*refs.problems, *(judged if isinstance(judged, list) else ()))
        if problems:
            return TableConflict(problems)
        if isinstance(judged, list):
            return self._finished(refs, *self._adopted(shapes))
        return self._finished(refs, *self._replayed(shapes, judged, origin_commit))

    def _problems_of_histories(self, purpose: Purpose) -> list[Problem]:
        found = self._line_up(purpose)
        return found if isinstance(found, list) else []

    def _line_up(self, purpose: Purpose) -> Lineage | list[Problem]:
        return line_up(self._base, self._ours, self._theirs, purpose, self._files.read)

    def _adopted(self, shapes: MergedShapes) -> tuple[Metadata, MergeReport]:
        merged = adopt(self._base, shapes, self._theirs, self._clock.now_ms)
        adopted = tuple(sorted(_snapshot_ids(merged) - _snapshot_ids(self._ours)))
        return merged, MergeReport(adopted=adopted, notes=shapes.notes)

    def _judge(
        self, shapes: MergedShapes, isolation: Isolation, purpose: Purpose
    ) -> _Judged | list[Problem]:
        lineage = self._line_up(purpose)
        if isinstance(lineage, list):
            return lineage
        ours, theirs = self._sources(shapes)
        histories = self._histories(shapes, lineage, ours, theirs)
        verdict = judge(histories, isolation)
        problems = list(verdict.problems) or [
            *self._lost_targets(verdict.steps, ours, theirs),
            *_unknown_orders(verdict.steps, shapes.order_ids),
        ]
        unseen_deletes = histories.difference.added_deletes.values()
        return problems or _Judged(lineage, unseen_deletes, verdict)

    def _unproven(self, shapes: MergedShapes, purpose: Purpose) -> list[Problem]:
        """Return what the merged shape asks of files and these do not prove."""
        if not shapes.owed:
            return []
        lineage = self._line_up(purpose)
        if isinstance(lineage, list):
            return lineage
        return find_unproven(self._histories(shapes, lineage, *self._sources(shapes)))

    def _lost_targets(self, steps: Sequence[Step], ours: Source, theirs: Source) -> list[Problem]:
        if not any(step.changes.added_deletes for step in steps):
            return []
        heads = current_snapshot(self._theirs), current_snapshot(self._ours)
        return lost_targets(steps, file_changes(*heads, ours, before_source=theirs).removed)

    def _histories(
        self, shapes: MergedShapes, lineage: Lineage, ours: Source, theirs: Source
    ) -> Histories:
        head = current_snapshot(self._ours)
        return Histories(
            ours=self._ours,
            theirs=self._theirs,
            merged=shapes.metadata,
            spec_ids=theirs.spec_ids,
            owed=shapes.owed,
            difference=file_changes(lineage.seen, head, ours, before_source=theirs),
            our_steps=_steps(lineage, lineage.ours, ours),
            their_steps=_steps(lineage, lineage.theirs, theirs),
            passed=lineage.passed,
            numbers=lineage.numbers,
            shared_number=lineage.shared_number,
            shared_row_ids=lineage.shared_row_ids,
            crossed=lineage.crossed,
        )

    def _replayed(
        self, shapes: MergedShapes, judged: _Judged, origin_commit: str
    ) -> tuple[Metadata, MergeReport]:
        ours, theirs = self._sources(shapes)
        replay = Replay(
            shapes.metadata,
            judged.lineage,
            Sides(ours, theirs, shapes.schema_ids, judged.unseen_deletes),
            self._files,
            self._clock,
        )
        directory = _metadata_directory(shapes.metadata)
        report = MergeReport(
            replayed=replay.run(judged.verdict.steps, directory, origin_commit),
            left_out=tuple(sorted(judged.verdict.left_out)),
            notes=(*shapes.notes, *judged.verdict.notes),
        )
        return replay.metadata, report

    def _sources(self, shapes: MergedShapes) -> tuple[Source, Source]:
        base = to_specs(self._base["partition-specs"])
        ours = base | to_specs(shapes.metadata["partition-specs"])
        theirs = base | to_specs(self._theirs["partition-specs"])
        spec_ids = {spec_id: spec_id for spec_id in theirs} | dict(shapes.spec_ids)
        read, lists = self._files.read, self._lists
        return Source(ours, {}, read, lists), Source(theirs, spec_ids, read, lists)

    def _finished(self, refs: MergedRefs, merged: Metadata, report: MergeReport) -> TableMerge:
        """Merge what hangs on snapshots, and move the clock if anything changed."""
        known = _snapshot_ids(merged)
        main = {name: ref for name, ref in merged["refs"].items() if name == MAIN}
        merged = merged | {"refs": main | refs.refs}
        for member in ("statistics", "partition-statistics"):
            before, left, right = (side[member] for side in (self._base, self._ours, self._theirs))
            merged[member] = merged_statistics(before, left, right, known=known)
        report = replace(report, notes=(*report.notes, *refs.notes))
        clock = {"last-updated-ms": self._ours["last-updated-ms"]}
        if merged | clock == self._ours:
            return TableMerge(self._ours, report)
        merged["last-updated-ms"] = max(self._clock.now_ms, merged["last-updated-ms"])
        check_result(merged)
        return TableMerge(merged, report)


def _unknown_orders(steps: Iterable[Step], order_ids: Mapping[int, int]) -> list[Problem]:
    """Return a problem for each sort order that files of theirs name and that has another id now.

    The id stays in the files' entries, where it would tell of an order that they do not have.
    """
    used = {
        entry.file.sort_order_id
        for step in steps
        for entry in (*step.changes.added.values(), *step.changes.added_deletes.values())
    }
    return [
        Problem(
            "sort-order-id-taken",
            f"Files of the source are sorted by its order {old}, an id that the target gave to"
            " another order.",
        )
        for old, new in order_ids.items()
        if old != new and old in used
    ]


_OTHER_TABLE = Problem(
    "other-table", "The target and the source have different tables under one name."
)


def _invalid(name: str, side: Metadata) -> Iterator[Problem]:
    """Yield why readers do not take the metadata of a side, so that nothing is built on it."""
    if side["format-version"] > MAX_FORMAT_VERSION:
        # The merge of shapes says so.
        return
    try:
        check_table(written(side))
    except InvalidInput as error:
        yield Problem(
            "invalid-metadata", f"The metadata of the {name} is not valid: {error.message}"
        )


def _snapshot_ids(metadata: Metadata) -> set[int]:
    return {snapshot["snapshot-id"] for snapshot in metadata["snapshots"]}


def _steps(lineage: Lineage, snapshots: Iterable[Metadata], source: Source) -> list[Step]:
    return [
        Step(each, file_changes(lineage.parents[each["snapshot-id"]], each, source))
        for each in snapshots
    ]


def _metadata_directory(metadata: Metadata) -> str:
    directory = metadata["properties"].get(METADATA_PATH)
    return strip_trailing_slashes(
        directory or f"{strip_trailing_slashes(metadata['location'])}/metadata"
    )
