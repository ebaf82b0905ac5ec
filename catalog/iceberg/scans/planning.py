"""Scan planning: the manifests of a scan, cut into tasks, and the files of one task.

A task is a range of the scan's manifests, which any replica can find again from the same metadata
and the same request. Its files come in pages of at most `FILES_PER_PAGE`; a page that ends inside
a range says where the next one begins. Manifests are read one at a time, so memory is bounded by
one manifest, one page, and the delete files that apply to the page.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pyiceberg.partitioning import PartitionSpec

from catalog.errors import ValidationFailed
from catalog.iceberg.manifests.entries import Entry, Manifest, Read, read_entries
from catalog.iceberg.manifests.lists import read_manifests
from catalog.iceberg.scans.deletes import DeleteIndex
from catalog.iceberg.scans.rendering import Renderer
from catalog.iceberg.scans.requests import Scan

FILES_PER_PAGE = 2000


@dataclass(frozen=True, slots=True)
class Task:
    """Manifests `first` to `stop` (exclusive) of a scan, the first one from live entry `entry`."""

    first: int
    entry: int
    stop: int


@dataclass(frozen=True, slots=True)
class Page:
    """ScanTasks of one page, and the task that remains; `is_enough` if no other page is needed."""

    scan_tasks: dict[str, Any]
    rest: Task | None
    is_enough: bool


@dataclass(frozen=True, slots=True)
class Manifests:
    """What a scan reads: data and delete manifests that may hold what matches."""

    data: tuple[Manifest, ...]
    deletes: tuple[Manifest, ...]


def scan_manifests(scan: Scan, read: Read) -> Manifests:
    """Return the manifests of a scan; the same for the same scan, whoever asks."""
    found = [
        manifest
        for snapshot in scan.snapshots
        for manifest in read_manifests(snapshot, read)
        if manifest.live_files != 0 and _belongs(scan, manifest, snapshot["snapshot-id"])
    ]
    kept = [manifest for manifest in found if scan.filter.may_hold(manifest)]
    deletes = () if scan.is_incremental else tuple(each for each in kept if each.is_deletes)
    return Manifests(tuple(each for each in kept if not each.is_deletes), deletes)


def cut(manifests: Sequence[Manifest]) -> list[Task]:
    """Cut data manifests into tasks of about one page of files each."""
    tasks = []
    first = files = 0
    for number, manifest in enumerate(manifests):
        files += FILES_PER_PAGE if manifest.live_files is None else manifest.live_files
        if files >= FILES_PER_PAGE:
            tasks.append(Task(first, 0, number + 1))
            first, files = number + 1, 0
    if first < len(manifests):
        tasks.append(Task(first, 0, len(manifests)))
    return tasks


def read_page(scan: Scan, manifests: Manifests, task: Task, read: Read) -> Page:
    """Read the files of a task, up to one page."""
    data: list[Entry] = []
    rows = 0
    rest: Task | None = None
    is_enough = False
    for place, entry in _data_entries(scan, manifests, task, read):
        if len(data) == FILES_PER_PAGE:
            rest = place
            break
        data.append(entry)
        rows += _sure_rows(scan, manifests, entry)
        if scan.min_rows is not None and rows >= scan.min_rows:
            is_enough = True
            break
    index = DeleteIndex(data, scan.filter.specs)
    for delete in _delete_entries(scan, manifests, data, read):
        index.add(delete)
    attached = [index.deletes_of(number) for number in range(len(data))]
    renderer = Renderer(scan.filter, scan.stats_fields)
    return Page(renderer.scan_tasks(data, attached), rest, is_enough)


def _belongs(scan: Scan, manifest: Manifest, snapshot_id: int) -> bool:
    """Tell whether a manifest is read for this snapshot: of an append, what it wrote itself."""
    return not scan.is_incremental or (
        not manifest.is_deletes and manifest.snapshot_id == snapshot_id
    )


def _data_entries(
    scan: Scan, manifests: Manifests, task: Task, read: Read
) -> Iterator[tuple[Task, Entry]]:
    """Yield the matching files of a task, each with the task that would begin there."""
    for number in range(task.first, min(task.stop, len(manifests.data))):
        manifest = manifests.data[number]
        start = task.entry if number == task.first else 0
        entries = read_entries(manifest, _spec(scan, manifest), read)
        for position, entry in enumerate(entries):
            if position < start or not scan.filter.may_match(entry):
                continue
            if scan.is_incremental and not _is_appended(entry, manifest):
                continue
            yield Task(number, position, task.stop), entry


def _spec(scan: Scan, manifest: Manifest) -> PartitionSpec:
    if manifest.spec_id not in scan.filter.specs:
        raise ValidationFailed(
            f"{manifest.path} was written with partition spec {manifest.spec_id}, which the table"
            " does not have"
        )
    return scan.filter.specs[manifest.spec_id]


def _is_appended(entry: Entry, manifest: Manifest) -> bool:
    """Tell whether an append added this file itself, rather than listing it again."""
    return entry.added and entry.snapshot_id == manifest.snapshot_id


def _delete_entries(
    scan: Scan, manifests: Manifests, data: Sequence[Entry], read: Read
) -> Iterator[Entry]:
    oldest = min((entry.sequence_number for entry in data), default=None)
    for manifest in manifests.deletes:
        # Deletes older than all data of the page delete nothing of it.
        if oldest is None or manifest.sequence_number < oldest:
            continue
        for entry in read_entries(manifest, _spec(scan, manifest), read):
            if scan.filter.in_partition(entry):
                yield entry


def _sure_rows(scan: Scan, manifests: Manifests, entry: Entry) -> int:
    """Return how many rows of a file are in the result for certain."""
    if scan.min_rows is None or manifests.deletes or scan.filter.residual(entry) is not None:
        return 0
    return entry.file.record_count
