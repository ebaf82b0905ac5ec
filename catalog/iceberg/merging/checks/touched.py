"""Whether what theirs removed or deleted from is on ours as theirs knew it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from catalog.iceberg.manifests.entries import Entry
from catalog.iceberg.merging.checks.case import Case
from catalog.iceberg.merging.checks.operations import Removal, only_rewrites, snapshot_id
from catalog.iceberg.merging.checks.reasons import Finding, Reason
from catalog.iceberg.merging.checks.unseen import Delete
from catalog.iceberg.merging.files import FileKey, Step
from catalog.iceberg.scans.deletes import (
    is_equality,
    is_vector,
    may_name,
    partition_of,
    target_path,
)


@dataclass(slots=True)
class Touched:
    """What one snapshot of theirs found on ours.

    `void` are files that need not be added or removed, since the rows are gone or the file is;
    `reaches_base` tells whether the snapshot changed anything but what theirs had added itself.
    """

    findings: list[Finding]
    void: set[FileKey]
    reaches_base: bool = False


def judge_touched(case: Case, step: Step) -> Touched:
    """Judge every file that a snapshot of theirs removed, deleted from or undeleted in."""
    result = Touched([], set())
    removed = {path for path, _ in step.changes.removed}
    for key, entry in step.changes.removed.items():
        _take(result, case, key, _removal(case, step, key, entry), void=key)
    for key, delete in step.changes.added_deletes.items():
        if is_equality(delete):
            continue
        path = target_path(delete)
        if path is None:
            result.reaches_base = True
            result.findings += _untargeted(case, step, delete)
        else:
            _take(result, case, (path, None), _target(case, step, path, delete), void=key)
    rewrites_deletes = only_rewrites(step) and not step.changes.removed
    renewed = {target_path(each) for each in step.changes.added_deletes.values()}
    for key, delete in step.changes.removed_deletes.items():
        path = target_path(delete)
        if rewrites_deletes and not case.is_live(key):
            result.findings.append(case.finding(Reason.COMPACTED, delete))
        elif is_vector(delete) and path is not None:
            _take_old_vector(result, case, key, delete, dealt=path in removed | renewed)
    return result


def _take(
    result: Touched, case: Case, key: FileKey, found: list[Finding] | None, *, void: FileKey
) -> None:
    """Take in what was found of a file; None means that nothing is left to do there."""
    if case.holds_base(key):
        result.reaches_base = True
    if found is None:
        result.void.add(void)
    else:
        result.findings += found


def _removal(case: Case, step: Step, key: FileKey, entry: Entry) -> list[Finding] | None:
    """Judge a data file that theirs removed."""
    if key in case.private:
        return []
    if (found := _absence(case, step, key, entry)) != []:
        return found
    path = entry.file.file_path
    unseen = case.unseen
    if any(unseen.lost.positions(path, entry)) or any(unseen.lost.equality(entry)):
        return [case.finding(Reason.DELETES_MISSING, entry)]
    if any(unseen.deletes.positions(path, entry)):
        return [case.finding(Reason.ROWS_DELETED, entry)]
    if any(is_vector(each.entry) for each in unseen.moved.positions(path, entry)):
        return [case.finding(Reason.TWO_VECTORS, entry)]
    for delete in unseen.deletes.equality(entry):
        if not _stays_in_reach(case, step, delete.entry):
            return [case.finding(Reason.ROWS_DELETED, entry)]
    return []


def _absence(case: Case, step: Step, key: FileKey, beside: Entry) -> list[Finding] | None:
    """Judge whether a file is there: an empty list if it is, None if it need not be."""
    path = key[0]
    if key in case.left:
        return [case.finding(Reason.LEFT_OUT, beside, path)]
    if case.unseen.is_live(key):
        return []
    if snapshot_id(step) in case.pure and case.is_settled(key, beside):
        return None
    if case.unseen.removals.get(key) is Removal.REWRITTEN:
        return [case.finding(Reason.COMPACTED, beside, path)]
    return [case.finding(Reason.CHANGED_ON_BOTH_SIDES, beside, path)]


def _stays_in_reach(case: Case, step: Step, equality: Entry) -> bool:
    """Tell whether the files that a compaction wrote are old enough for ours' equality delete."""
    if not only_rewrites(step):
        return False
    numbers = [case.number_on_ours(entry.sequence_number) for entry in step.changes.added.values()]
    return all(
        number is not None and number < equality.sequence_number for number in numbers
    ) and all(entry.spec_id == equality.spec_id for entry in step.changes.added.values())


def _target(case: Case, step: Step, path: str, delete: Entry) -> list[Finding] | None:
    """Judge the one data file that a delete file of theirs is about."""
    key: FileKey = (path, None)
    if key in case.private:
        return []
    if (found := _absence(case, step, key, delete)) != []:
        return found
    unseen = case.unseen
    if any(unseen.lost.positions(path, delete)) or any(unseen.lost.equality_beside(delete)):
        return [case.finding(Reason.DELETES_MISSING, delete, path)]
    news = list(unseen.deletes.positions(path, delete))
    if is_vector(delete) and (news or any(unseen.moved.positions(path, delete))):
        return [case.finding(Reason.TWO_VECTORS, delete, path)]
    if _add_up(case, step, [*news, *unseen.deletes.equality_beside(delete)]):
        return []
    return [case.finding(Reason.ROWS_DELETED_ON_BOTH_SIDES, delete, path)]


def _add_up(case: Case, step: Step, news: Iterable[Delete]) -> bool:
    """Tell whether ours' new deletes and theirs' of the same files delete what both wanted.

    They do if neither moved a row that it deleted; a rewrite of delete files deletes nothing.
    """
    if only_rewrites(step):
        return True
    is_pure = snapshot_id(step) in case.pure
    return all(is_pure and each.is_pure and not is_equality(each.entry) for each in news)


def _untargeted(case: Case, step: Step, delete: Entry) -> Iterator[Finding]:
    """Judge a position delete file that may be about any data file of its partition."""
    unseen, partition = case.unseen, partition_of(delete)
    for key, entry in unseen.removed.items():
        if partition_of(entry) == partition and may_name(delete, key[0]):
            yield from _absence(case, step, key, entry) or []
    for left in case.left_steps:
        for key, entry in left.changes.added.items():
            if partition_of(entry) == partition and may_name(delete, key[0]):
                yield case.finding(Reason.LEFT_OUT, entry)
    if any(unseen.lost.positions_within(delete)) or any(unseen.lost.equality_beside(delete)):
        yield case.finding(Reason.DELETES_MISSING, delete)
    news = (*unseen.deletes.positions_within(delete), *unseen.deletes.equality_beside(delete))
    if not _add_up(case, step, news):
        yield case.finding(Reason.ROWS_DELETED_ON_BOTH_SIDES, delete)


def _take_old_vector(
    result: Touched, case: Case, key: FileKey, delete: Entry, *, dealt: bool
) -> None:
    """Judge a deletion vector that theirs replaced, or took away with its data file."""
    path = target_path(delete)
    assert path is not None
    if key in case.left:
        result.findings.append(case.finding(Reason.LEFT_OUT, delete, path))
    elif not case.is_live(key):
        result.void.add(key)
        if not dealt and case.unseen.is_live((path, None)):
            result.findings.append(case.finding(Reason.TWO_VECTORS, delete, path))
    elif not dealt and case.is_live((path, None)):
        result.findings.append(case.finding(Reason.UNDELETED, delete, path))
