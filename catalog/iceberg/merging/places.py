"""In which manifest of the target a file lies that theirs removed.

Only manifests are looked into that one of the sides has written since they parted, or that theirs
took the file out of; the rest of the table is never read.
"""

from collections.abc import Iterable, Mapping, Sequence

from catalog.iceberg.merging.changes import Source, list_manifests
from catalog.iceberg.merging.files import FileKey, Step, file_key
from catalog.iceberg.metadata import Metadata
from catalog.iceberg.scans.manifests import Manifest, Read


def removed_keys(steps: Iterable[Step]) -> set[FileKey]:
    """Return all that steps remove."""
    return {
        key
        for step in steps
        for removed in (step.changes.removed, step.changes.removed_deletes)
        for key in removed
    }


def find_places(
    manifests: Mapping[str, Manifest],
    steps: Sequence[Step],
    parents: Mapping[int, Metadata | None],
    ours: Source,
    read_theirs: Read,
) -> dict[FileKey, str]:
    """Return the manifests, among ours', of the files that steps remove and did not add."""
    wanted = _removed_of_others(steps)
    if not wanted:
        return {}
    untouched = _untouched(manifests, steps, parents, read_theirs)
    found: dict[FileKey, str] = {}
    for path, manifest in manifests.items():
        if path in untouched or manifest.live_files == 0:
            continue
        for entry in ours.entries((manifest,)):
            if (key := file_key(entry)) in wanted:
                found[key] = path
        if len(found) == len(wanted):
            break
    return found


def _removed_of_others(steps: Sequence[Step]) -> set[FileKey]:
    added: set[FileKey] = set()
    wanted: set[FileKey] = set()
    for step in steps:
        wanted |= removed_keys((step,)) - added
        added |= step.changes.added.keys() | step.changes.added_deletes.keys()
    return wanted


def _untouched(
    manifests: Mapping[str, Manifest],
    steps: Sequence[Step],
    parents: Mapping[int, Metadata | None],
    read: Read,
) -> set[str]:
    """Return the manifests that each removing step left in its list: no removed file is in them."""
    kept = set(manifests)
    for step in steps:
        if removed_keys((step,)):
            parent = parents[step.snapshot["snapshot-id"]]
            kept &= list_manifests(parent, read).keys()
            kept &= list_manifests(step.snapshot, read).keys()
    return kept
