"""Whether files that theirs added mean on ours what they meant on theirs."""

from collections.abc import Iterator

from catalog.iceberg.manifests.entries import Entry
from catalog.iceberg.merging.checks.case import Case
from catalog.iceberg.merging.checks.operations import (
    adds_rows,
    only_rewrites,
    sequence_number,
    summary_of,
)
from catalog.iceberg.merging.checks.reasons import Finding, Reason
from catalog.iceberg.merging.files import FileKey, Step
from catalog.iceberg.scans.deletes import is_equality, is_vector, target_path

_ROW_IDS_SINCE = 3


def find_misfits(case: Case, step: Step) -> Iterator[Finding]:
    """Yield the added files of a snapshot of theirs whose path or number does not fit."""
    changes = step.changes
    kept = {key for left in case.left_steps for key in left.changes.removed}
    for key, entry in (*changes.added.items(), *changes.added_deletes.items()):
        if key in case.unseen.ever_added or key in case.unseen.present or key in kept:
            yield case.finding(Reason.SAME_PATH, entry)
        if entry.sequence_number != sequence_number(step):
            yield from _numbered(case, step, entry)


def files_added_twice(case: Case, step: Step) -> frozenset[FileKey]:
    """Return the files that both sides appended as they are, say by registering them."""
    if summary_of(step.snapshot).get("operation") != "append" or step.changes.removed:
        return frozenset()
    return frozenset(
        key
        for key, entry in step.changes.added.items()
        if key in case.unseen.appended
        and entry.spec_id == case.unseen.content[key].spec_id
        and entry.file.file_size_in_bytes == case.unseen.content[key].file.file_size_in_bytes
        and entry.file.record_count == case.unseen.content[key].file.record_count
    )


def reached_by_ours(case: Case, step: Step) -> set[FileKey]:
    """Return the data files that are old enough for ours' deletes by key, and so not only theirs'.

    A compaction gives its files the number that it began with.
    """
    return {
        key
        for key, entry in step.changes.added.items()
        if entry.sequence_number != sequence_number(step)
        and not case.is_own_number(entry.sequence_number)
        and any(case.unseen.deletes.equality(entry))
    }


def _numbered(case: Case, step: Step, entry: Entry) -> Iterator[Finding]:
    """Judge a file whose data sequence number is not that of its snapshot."""
    number = entry.sequence_number
    is_own = case.is_own_number(number)
    if not is_own and case.number_on_ours(number) is None:
        yield case.finding(Reason.UNKNOWN_NUMBER, entry)
    # Older than ours' deletes by key, which were not meant for rows that come after them.
    is_hit = not is_own and any(case.unseen.deletes.equality(entry))
    if is_hit and not only_rewrites(step) and not is_equality(entry):
        yield case.finding(Reason.SAME_KEYS, entry)


def find_old_deletes(case: Case, step: Step, format_version: int) -> Iterator[Finding]:
    """Yield position delete files that the table's version does not take."""
    for entry in step.changes.added_deletes.values() if format_version >= _ROW_IDS_SINCE else ():
        if not is_equality(entry) and not is_vector(entry):
            yield case.finding(Reason.OLD_DELETES, entry)


def find_foreign_row_ids(
    case: Case, step: Step, *, theirs_version: int, shared_row_ids: bool
) -> Iterator[Finding]:
    """Yield the files whose rows theirs wrote again with row ids that ours gave to others.

    Rewritten rows have their ids stored. Those of rows that both sides have by the same snapshots
    mean the same, if these gave ids; all others were given anew when theirs' snapshots were put on
    ours.
    """
    if theirs_version < _ROW_IDS_SINCE or not step.changes.added:
        return
    for key, entry in step.changes.removed.items():
        is_shared = shared_row_ids and entry.sequence_number <= case.shared_number
        if key in case.private or not is_shared:
            yield case.finding(Reason.SAME_ROW_IDS, entry)
    for delete in step.changes.added_deletes.values():
        path = target_path(delete)
        is_shared = shared_row_ids and case.shares_all_numbers
        is_foreign = path is None or (path, None) in case.private or not is_shared
        if is_foreign and not is_equality(delete) and adds_rows(step):
            yield case.finding(Reason.SAME_ROW_IDS, delete, path)
