"""In which manifest of the target a file lies that theirs removed.

Only manifests are looked into that one of the sides has written since they parted, or that theirs
took the file out of; the rest of the table is never read.
"""

from collections.abc import Iterable, Mapping, Sequence

from catalog.iceberg.manifests.entries import Entry
from catalog.iceberg.manifests.lists import ListRecord, manifest_of
from catalog.iceberg.merging.changes import Lists, Source
from catalog.iceberg.merging.files import FileKey, Step, file_key
from catalog.iceberg.merging.problems import Problem
from catalog.iceberg.metadata import Metadata
from catalog.iceberg.scans.deletes import is_equality, target_path


def removed_keys(steps: Iterable[Step]) -> set[FileKey]:
    """Return all that steps remove."""
    return {
        key
        for step in steps
        for removed in (step.changes.removed, step.changes.removed_deletes)
        for key in removed
    }


def find_places(
    records: Mapping[str, ListRecord],
    steps: Sequence[Step],
    parents: Mapping[int, Metadata | None],
    ours: Source,
) -> dict[FileKey, str]:
    """Return which of ours' manifests hold the files that steps remove and did not add."""
    wanted = _removed_of_others(steps)
    if not wanted:
        return {}
    untouched = _untouched(records, steps, parents, ours.lists)
    found: dict[FileKey, str] = {}
    for path, record in records.items():
        if path in untouched:
            continue
        for entry in ours.entries((manifest_of(record),)):
            if (key := file_key(entry)) in wanted:
                found[key] = path
        if len(found) == len(wanted):
            break
    return found


def lost_targets(steps: Sequence[Step], not_live: Mapping[FileKey, Entry]) -> list[Problem]:
    """Return a problem for each data file that steps delete rows of and that is not there.

    `not_live` are the data files of theirs' head that ours' head lacks. That ours has what theirs
    deleted from was judged by what snapshots did; this looks at the files themselves.
    """
    added = {key for step in steps for key in step.changes.added}
    targets = {
        target_path(entry)
        for step in steps
        for entry in step.changes.added_deletes.values()
        if not is_equality(entry)
    }
    return [
        Problem(
            "not-live",
            f"The source deleted rows of {key[0]}, which the target has removed or rewritten.",
        )
        for key in not_live
        if key[0] in targets and key not in added
    ]


def _removed_of_others(steps: Sequence[Step]) -> set[FileKey]:
    added: set[FileKey] = set()
    wanted: set[FileKey] = set()
    for step in steps:
        wanted |= removed_keys((step,)) - added
        added |= step.changes.added.keys() | step.changes.added_deletes.keys()
    return wanted


def _untouched(
    records: Mapping[str, ListRecord],
    steps: Sequence[Step],
    parents: Mapping[int, Metadata | None],
    lists: Lists,
) -> set[str]:
    """Return the manifests that each removing step left in its list: no removed file is in them."""
    kept = set(records)
    for step in steps:
        if removed_keys((step,)):
            parent = parents[step.snapshot["snapshot-id"]]
            kept &= lists.records(parent).keys()
            kept &= lists.records(step.snapshot).keys()
    return kept
