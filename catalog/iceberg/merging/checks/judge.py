"""Whether theirs' snapshots may follow ours: the serial history base, ours, theirs.

The order is fixed, so only what theirs read or touched can have gone stale, and the rules are not
symmetric. A server sees files, not commands: what it cannot tell from metadata and manifests is a
conflict.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from catalog.iceberg.manifests.entries import Entry
from catalog.iceberg.merging.checks.arrivals import (
    files_added_twice,
    find_foreign_row_ids,
    find_misfits,
    find_old_deletes,
    reached_by_ours,
)
from catalog.iceberg.merging.checks.case import Case
from catalog.iceberg.merging.checks.crowding import find_crowded
from catalog.iceberg.merging.checks.keys import find_same_keys
from catalog.iceberg.merging.checks.layout import layout_of
from catalog.iceberg.merging.checks.operations import (
    only_rewrites,
    pure_deletes,
    sequence_number,
    snapshot_id,
)
from catalog.iceberg.merging.checks.proofs import Evidence, unproven
from catalog.iceberg.merging.checks.reasons import Finding, Reason, problems_of
from catalog.iceberg.merging.checks.remarks import left_out_remark, remarks_on
from catalog.iceberg.merging.checks.removals import removals_to_skip
from catalog.iceberg.merging.checks.streams import streams_of, wap_ids_of
from catalog.iceberg.merging.checks.touched import judge_touched
from catalog.iceberg.merging.checks.unseen import Unseen, unseen_of
from catalog.iceberg.merging.files import FileChanges, FileKey, Isolation, Step
from catalog.iceberg.merging.owed import Owed, Side
from catalog.iceberg.merging.problems import Problem
from catalog.iceberg.metadata import Metadata
from catalog.iceberg.scans.deletes import is_equality


@dataclass(frozen=True, slots=True)
class Histories:
    """What both sides did since they parted; the files of each under its own spec ids.

    `difference` leads from the state that the first of theirs to replay began with to ours' head.
    `our_steps` are those that theirs has not, `their_steps` all of theirs from the first to
    replay on: those in `passed` ours has already, and they are only there for their place. `merged`
    has the schemas and specs of the result, `spec_ids` theirs' specs in it, `owed` what it asks of
    the files. Sequence numbers up to `shared_number` mean the same on both sides, and if
    `shared_row_ids` the ids of rows until then, `numbers` has
    ours' number for others of theirs. Those in `crossed` mean no moment on ours, since what came
    before them on theirs comes after what came after them.
    """

    ours: Metadata
    theirs: Metadata
    merged: Metadata
    spec_ids: Mapping[int, int]
    owed: Sequence[Owed]
    difference: FileChanges
    our_steps: Sequence[Step]
    their_steps: Sequence[Step]
    passed: frozenset[int]
    numbers: Mapping[int, int]
    shared_number: int
    shared_row_ids: bool
    crossed: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What speaks against a merge, or what to replay.

    `steps` are theirs' to replay, without what is void: files that ours has or has not any more.
    `left_out` are rewrites that changed no row and do not fit.
    """

    problems: tuple[Problem, ...]
    steps: tuple[Step, ...]
    left_out: frozenset[int]
    notes: tuple[str, ...]


def judge(histories: Histories, isolation: Isolation) -> Verdict:
    """Judge theirs' snapshots one by one, each as it would follow all of ours."""
    if unknown := list(_under_unknown_specs(histories)):
        return Verdict(tuple(problems_of(unknown)), (), frozenset(), ())
    verdict = _Walk(histories, isolation).verdict()
    found = {problem.code for problem in verdict.problems}
    owed = [each for each in find_unproven(histories) if each.code not in found]
    return replace(verdict, problems=(*owed, *verdict.problems))


def find_unproven(histories: Histories) -> list[Problem]:
    """Return the problems of what the merged shape asks of files and these do not prove."""
    evidence = {
        Side.OURS: Evidence(histories.ours, histories.our_steps),
        Side.THEIRS: Evidence(histories.theirs, histories.their_steps),
    }
    return unproven(histories.owed, evidence)


class _Walk:
    """The judgement of one snapshot of theirs after the other."""

    def __init__(self, histories: Histories, isolation: Isolation) -> None:
        self._histories = histories
        self._layout = layout_of(histories.merged)
        self._theirs = [_renumbered(step, histories.spec_ids) for step in histories.their_steps]
        self._ours_waps = {each for step in histories.our_steps for each in wap_ids_of(step)}
        self._ours_streams = {each for step in histories.our_steps for each in streams_of(step)}
        self._findings: list[Finding] = []
        self._steps: list[Step] = []
        self._left_out: set[int] = set()
        self._notes: list[str] = []
        self._case = Case(
            layout=self._layout,
            isolation=isolation,
            unseen=self._unseen_at(0),
            pure=pure_deletes(self._theirs),
            numbers=histories.numbers,
            shared_number=histories.shared_number,
            crossed=histories.crossed,
        )

    def verdict(self) -> Verdict:
        for number, step in enumerate(self._theirs):
            if snapshot_id(step) in self._histories.passed:
                self._case.unseen = self._unseen_at(number + 1)
            else:
                self._judge(step, self._histories.their_steps[number])
                self._findings += self._overtaken(step, self._theirs[number + 1 :])
        return Verdict(
            problems=tuple(problems_of(self._findings)),
            steps=tuple(self._steps),
            left_out=frozenset(self._left_out),
            notes=tuple(dict.fromkeys(self._notes)),
        )

    def _judge(self, step: Step, original: Step) -> None:
        """Take a snapshot in, leave it out or note what speaks against it."""
        is_rewrite = only_rewrites(step)
        if is_rewrite and not _changes_files(step):
            self._leave_out(step, None)
            return
        twice = files_added_twice(self._case, step)
        findings, void = self._look(_without(step, twice))
        if is_rewrite and findings:
            self._leave_out(step, problems_of(findings)[0].detail)
            return
        self._findings += findings
        self._notes += remarks_on(self._case, step)
        void |= twice | removals_to_skip(self._case, step)
        if is_rewrite and any(map(self._case.holds_base, step.changes.removed)):
            self._case.inherited |= set(step.changes.added)
        self._case.private -= set(step.changes.removed) | set(step.changes.removed_deletes)
        self._case.private |= set(step.changes.added_deletes)
        self._case.private -= void | reached_by_ours(self._case, step)
        self._case.absent |= void & set(step.changes.added_deletes)
        self._case.own_numbers.add(sequence_number(step))
        self._steps.append(_without(original, void))

    def _look(self, step: Step) -> tuple[list[Finding], set[FileKey]]:
        case, histories = self._case, self._histories
        findings = [
            *find_misfits(case, step),
            *find_old_deletes(case, step, histories.merged["format-version"]),
            *find_foreign_row_ids(
                case,
                step,
                theirs_version=histories.theirs["format-version"],
                shared_row_ids=histories.shared_row_ids,
            ),
        ]
        own_before = set(case.private)
        case.private |= set(step.changes.added)
        touched = judge_touched(case, step)
        findings += touched.findings
        findings += self._moved_keys(step)
        if not only_rewrites(step):
            findings += find_crowded(case, step, reaches_base=touched.reaches_base)
            findings += find_same_keys(case, step)
            findings += self._jobs(step)
        elif findings:
            case.private = own_before
        return findings, touched.void

    def _leave_out(self, step: Step, reason: str | None) -> None:
        self._left_out.add(snapshot_id(step))
        self._notes.append(left_out_remark(step, reason))
        if _changes_files(step):
            self._case.left |= set(step.changes.added) | set(step.changes.added_deletes)
            self._case.left_steps.append(step)

    def _moved_keys(self, step: Step) -> Iterator[Finding]:
        """Yield deletes by key after rewrites to another spec that were left out.

        They are for the partitions of one spec, so they would reach other rows than they did.
        """
        for delete in step.changes.added_deletes.values():
            if is_equality(delete) and any(_changes_spec(left) for left in self._case.left_steps):
                yield self._case.finding(Reason.LEFT_OUT, delete)

    def _jobs(self, step: Step) -> Iterator[Finding]:
        for stream in streams_of(step):
            if stream in self._ours_streams:
                yield Finding(Reason.SAME_STREAM, stream, noun="job")
        for wap_id in wap_ids_of(step) & self._ours_waps:
            if step.changes.added or step.changes.removed or step.changes.added_deletes:
                yield Finding(Reason.SAME_WAP_ID, wap_id, noun="audited write")

    def _overtaken(self, step: Step, later: Sequence[Step]) -> Iterator[Finding]:
        """Yield files that a later snapshot deleted rows of, which ours has already."""
        for other in later:
            if snapshot_id(other) not in self._histories.passed:
                continue
            for delete in other.changes.added_deletes.values():
                for entry in step.changes.added.values() if is_equality(delete) else ():
                    if self._layout.may_reach(delete, entry):
                        yield self._case.finding(Reason.OUT_OF_ORDER, entry)

    def _unseen_at(self, number: int) -> Unseen:
        """Gather what a snapshot of theirs did not know: ours, and what of theirs came later."""
        histories = self._histories
        later = [step for step in self._theirs[number:] if snapshot_id(step) in histories.passed]
        # What theirs removes was there before, so ours lacks it for a reason of its own.
        told = {key for step in self._theirs for key in _added_keys(step)}
        for step in self._theirs:
            if snapshot_id(step) in histories.passed:
                told |= set(_keys(step))
        return unseen_of(
            (*histories.our_steps, *later), histories.difference, frozenset(told), self._layout
        )


def _under_unknown_specs(histories: Histories) -> Iterator[Finding]:
    merged = {spec["spec-id"] for spec in histories.merged["partition-specs"]}
    mapped = {each for each, merged_id in histories.spec_ids.items() if merged_id in merged}
    ours = (histories.difference, *(step.changes for step in histories.our_steps))
    theirs = tuple(step.changes for step in histories.their_steps)
    for known, changes in ((merged, ours), (mapped, theirs)):
        for part in (part for each in changes for part in _parts(each)):
            for entry in part.values():
                if entry.spec_id not in known:
                    yield Finding(Reason.UNKNOWN_SPEC, entry.file.file_path)


def _renumbered(step: Step, spec_ids: Mapping[int, int]) -> Step:
    """Return a step of theirs with the spec ids of the result."""
    parts = (
        {key: replace(entry, spec_id=spec_ids[entry.spec_id]) for key, entry in part.items()}
        for part in _parts(step.changes)
    )
    return Step(step.snapshot, FileChanges(*parts))


def _without(step: Step, void: frozenset[FileKey] | set[FileKey]) -> Step:
    if not void:
        return step
    parts = (
        {key: entry for key, entry in part.items() if key not in void}
        for part in _parts(step.changes)
    )
    return Step(step.snapshot, FileChanges(*parts))


def _parts(changes: FileChanges) -> tuple[Mapping[FileKey, Entry], ...]:
    return changes.added, changes.removed, changes.added_deletes, changes.removed_deletes


def _keys(step: Step) -> Iterator[FileKey]:
    for part in _parts(step.changes):
        yield from part


def _added_keys(step: Step) -> Iterator[FileKey]:
    yield from step.changes.added
    yield from step.changes.added_deletes


def _changes_files(step: Step) -> bool:
    return any(True for _ in _keys(step))


def _changes_spec(step: Step) -> bool:
    files = (*step.changes.added.values(), *step.changes.removed.values())
    return len({entry.spec_id for entry in files}) > 1
