"""Merges one table that both sides changed: the result is the serial history base, ours, theirs.

Everything is judged before anything is written. What is held in memory grows with what the two
sides changed, never with the table. With a `write` that throws away, it is a dry run.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from catalog.errors import NoSuchFile, ValidationFailed
from catalog.iceberg.locations import strip_trailing_slashes
from catalog.iceberg.merging.adoption import adopt, has_no_own_snapshots, keeps_ids
from catalog.iceberg.merging.attachments import merged_statistics
from catalog.iceberg.merging.changes import Source, file_changes
from catalog.iceberg.merging.checks import Histories, Verdict, judge
from catalog.iceberg.merging.files import Isolation, Step
from catalog.iceberg.merging.lineage import Lineage, Purpose, line_up
from catalog.iceberg.merging.problems import Problem
from catalog.iceberg.merging.refs import merge_refs
from catalog.iceberg.merging.replay import Clock, Replay, Sides, current_snapshot
from catalog.iceberg.merging.results import MergeReport, TableConflict, TableMerge
from catalog.iceberg.merging.rewriting import CannotReplay, Files
from catalog.iceberg.merging.shapes import MergedShapes, merge_shapes
from catalog.iceberg.metadata import MAIN, Metadata
from catalog.iceberg.properties import MAX_FORMAT_VERSION, METADATA_PATH
from catalog.iceberg.scans.manifests import Read
from catalog.iceberg.scans.schemas import to_specs


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
    verdict: Verdict


class _Merge:
    def __init__(
        self, base: Metadata, ours: Metadata, theirs: Metadata, files: Files, clock: Clock
    ) -> None:
        self._base = base
        self._ours = ours
        self._theirs = theirs
        self._files = files
        self._clock = clock

    def run(
        self, isolation: Isolation, purpose: Purpose, origin_commit: str
    ) -> TableMerge | TableConflict:
        if problems := self._unfit():
            return TableConflict(tuple(problems))
        shapes = merge_shapes(self._base, self._ours, self._theirs)
        if isinstance(shapes, list):
            return TableConflict((*shapes, *self._problems_of_histories(purpose)))
        adopts = has_no_own_snapshots(self._base, self._ours) and keeps_ids(shapes)
        if adopts and not shapes.owed:
            return self._adopted(shapes)
        judged = self._judge(shapes, isolation, purpose)
        if isinstance(judged, list):
            return TableConflict(tuple(judged))
        return self._adopted(shapes) if adopts else self._replayed(shapes, judged, origin_commit)

    def _unfit(self) -> list[Problem]:
        """Return why these are no states of one table that is understood here."""
        problems = []
        sides = (self._base, self._ours, self._theirs)
        if len({side.get("table-uuid") for side in sides}) > 1:
            problems.append(
                Problem(
                    "other-table", "The target and the source are different tables of one name."
                )
            )
        if any(side["format-version"] > MAX_FORMAT_VERSION for side in sides):
            problems.append(
                Problem("format-version", "The table has a format version that is not known here.")
            )
        return problems

    def _problems_of_histories(self, purpose: Purpose) -> list[Problem]:
        found = line_up(self._base, self._ours, self._theirs, purpose)
        return found if isinstance(found, list) else []

    def _adopted(self, shapes: MergedShapes) -> TableMerge | TableConflict:
        merged = adopt(self._base, shapes, self._theirs, self._clock.now_ms)
        before = {snapshot["snapshot-id"] for snapshot in self._ours["snapshots"]}
        new = [each["snapshot-id"] for each in merged["snapshots"]]
        adopted = tuple(each for each in new if each not in before)
        return self._finished(shapes, merged, MergeReport(adopted=adopted, notes=shapes.notes))

    def _judge(
        self, shapes: MergedShapes, isolation: Isolation, purpose: Purpose
    ) -> _Judged | list[Problem]:
        lineage = line_up(self._base, self._ours, self._theirs, purpose)
        if isinstance(lineage, list):
            return lineage
        ours, theirs = self._sources(shapes)
        verdict = judge(self._histories(shapes, lineage, ours, theirs), isolation)
        return list(verdict.problems) or _Judged(lineage, verdict)

    def _histories(
        self, shapes: MergedShapes, lineage: Lineage, ours: Source, theirs: Source
    ) -> Histories:
        head = current_snapshot(self._ours)
        return Histories(
            base=self._base,
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
        )

    def _replayed(
        self, shapes: MergedShapes, judged: _Judged, origin_commit: str
    ) -> TableMerge | TableConflict:
        ours, theirs = self._sources(shapes)
        replay = Replay(
            shapes.metadata,
            judged.lineage,
            Sides(ours, theirs, shapes.schema_ids),
            self._files,
            self._clock,
        )
        directory = _metadata_directory(shapes.metadata)
        report = MergeReport(
            replayed=replay.run(judged.verdict.steps, directory, origin_commit),
            left_out=tuple(sorted(judged.verdict.left_out)),
            notes=(*shapes.notes, *judged.verdict.notes),
        )
        return self._finished(shapes, replay.metadata, report)

    def _sources(self, shapes: MergedShapes) -> tuple[Source, Source]:
        base = to_specs(self._base["partition-specs"])
        ours = base | to_specs(shapes.metadata["partition-specs"])
        theirs = base | to_specs(self._theirs["partition-specs"])
        spec_ids = {spec_id: spec_id for spec_id in theirs} | dict(shapes.spec_ids)
        return Source(ours, {}, self._files.read), Source(theirs, spec_ids, self._files.read)

    def _finished(
        self, shapes: MergedShapes, merged: Metadata, report: MergeReport
    ) -> TableMerge | TableConflict:
        """Merge what hangs on snapshots, and move the clock if anything changed."""
        known = {snapshot["snapshot-id"] for snapshot in merged["snapshots"]}
        found = merge_refs(self._base, self._ours, self._theirs, known=known)
        if found.problems:
            return TableConflict(found.problems)
        main = {name: ref for name, ref in merged["refs"].items() if name == MAIN}
        merged["refs"] = main | found.refs
        for member in ("statistics", "partition-statistics"):
            before, left, right = (side[member] for side in (self._base, self._ours, self._theirs))
            merged[member] = merged_statistics(before, left, right, known=known)
        report = replace(report, notes=(*report.notes, *found.notes))
        clock = {"last-updated-ms": self._ours["last-updated-ms"]}
        if merged | clock == self._ours:
            return TableMerge(self._ours, report)
        merged["last-updated-ms"] = max(self._clock.now_ms, merged["last-updated-ms"])
        return TableMerge(merged, report)


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
