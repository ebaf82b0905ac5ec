"""Which delete files that theirs removed stay on ours, or are gone there already."""

from collections.abc import Collection

from catalog.iceberg.manifests.entries import Entry
from catalog.iceberg.merging.checks.case import Case
from catalog.iceberg.merging.files import FileKey, Step
from catalog.iceberg.scans.deletes import is_equality, is_vector, target_path


def removals_to_skip(case: Case, step: Step) -> set[FileKey]:
    """Return the removed delete files of a snapshot that must not be removed from ours.

    Writers drop delete files that apply to nothing any more. On ours they may apply: to files of a
    compaction that was left out, or, in a pick, to what theirs removed before. A delete file too
    many deletes nothing, so what is not sure stays.
    """
    removed = {path for path, _ in step.changes.removed}
    renewed = {target_path(each) for each in step.changes.added_deletes.values()}
    return {
        key
        for key, delete in step.changes.removed_deletes.items()
        if not case.is_live(key) or _may_apply(case, delete, removed | renewed)
    }


def _may_apply(case: Case, delete: Entry, dealt: Collection[str | None]) -> bool:
    path = target_path(delete)
    if is_equality(delete) or path is None:
        return bool(case.left_steps) or case.unseen.keeps_old_rows
    return not is_vector(delete) and path not in dealt and case.is_live((path, None))
