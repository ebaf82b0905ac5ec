"""Which delete files that theirs removed stay on ours, or are gone there already."""

from catalog.iceberg.merging.case import Case
from catalog.iceberg.merging.files import FileKey, Step
from catalog.iceberg.scans.deletes import is_equality, target_path


def removals_to_skip(case: Case, step: Step) -> set[FileKey]:
    """Return the removed delete files of a snapshot that must not be removed from ours.

    A writer drops delete files that are older than all data. Where a compaction of theirs was left
    out, that data is still there, and a delete file too many deletes nothing.
    """
    return {
        key
        for key, delete in step.changes.removed_deletes.items()
        if not case.is_live(key)
        or (case.left_steps and (is_equality(delete) or target_path(delete) is None))
    }
