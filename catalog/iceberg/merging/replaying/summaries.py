"""Summaries of replayed snapshots: what Java computes, from what was in fact replayed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields

from pyiceberg.manifest import DataFileContent

from catalog.iceberg.manifests.entries import Entry
from catalog.iceberg.merging.copies import ORIGIN_COMMIT, SOURCE_SNAPSHOT
from catalog.iceberg.merging.files import FileChanges
from catalog.iceberg.metadata import Metadata

# A total, and the two counts that move it (Java SnapshotProducer.summary).
_TOTALS = (
    ("total-data-files", "added-data-files", "deleted-data-files"),
    ("total-delete-files", "added-delete-files", "removed-delete-files"),
    ("total-records", "added-records", "deleted-records"),
    ("total-files-size", "added-files-size", "removed-files-size"),
    ("total-position-deletes", "added-position-deletes", "removed-position-deletes"),
    ("total-equality-deletes", "added-equality-deletes", "removed-equality-deletes"),
)
# What the names of counts are for added and for removed files, in Java's order.
_ADDED = {
    "size": "added-files-size",
    "data_files": "added-data-files",
    "equality_delete_files": "added-equality-delete-files",
    "position_delete_files": "added-position-delete-files",
    "vectors": "added-dvs",
    "delete_files": "added-delete-files",
    "records": "added-records",
    "position_deletes": "added-position-deletes",
    "equality_deletes": "added-equality-deletes",
}
_REMOVED = {
    name: "deleted" + key.removeprefix("added")
    if name in ("data_files", "records")
    else "removed" + key.removeprefix("added")
    for name, key in _ADDED.items()
}
_MANIFESTS = ("manifests-created", "manifests-kept", "manifests-replaced", "entries-processed")
_PARTITIONS = "changed-partition-count"
_COMPUTED = frozenset(
    (
        *_ADDED.values(),
        *_REMOVED.values(),
        *(total for total, _, _ in _TOTALS),
        *_MANIFESTS,
        _PARTITIONS,
        "partition-summaries-included",
    )
)
_PARTITION_PREFIX = "partitions."


@dataclass(slots=True)
class _Counts:
    """Files of one snapshot, added or removed (Java SnapshotSummary.UpdateMetrics)."""

    size: int = 0
    data_files: int = 0
    equality_delete_files: int = 0
    position_delete_files: int = 0
    vectors: int = 0
    delete_files: int = 0
    records: int = 0
    position_deletes: int = 0
    equality_deletes: int = 0

    def add(self, entry: Entry) -> None:
        rows = entry.file.record_count
        size = entry.content_size_in_bytes
        self.size += entry.file.file_size_in_bytes if size is None else size
        match entry.file.content:
            case DataFileContent.DATA:
                self.data_files += 1
                self.records += rows
            case DataFileContent.EQUALITY_DELETES:
                self.delete_files += 1
                self.equality_delete_files += 1
                self.equality_deletes += rows
            case _:
                self.delete_files += 1
                self.position_deletes += rows
                if entry.content_offset is None:
                    self.position_delete_files += 1
                else:
                    self.vectors += 1

    def named(self, names: Mapping[str, str]) -> dict[str, str]:
        """Return what is not zero, under the names of the format."""
        counts = {names[field.name]: getattr(self, field.name) for field in fields(self)}
        return {name: str(count) for name, count in counts.items() if count}


def summarise(
    snapshot: Metadata,
    changes: FileChanges,
    *,
    previous: Metadata | None,
    origin: int,
    origin_commit: str,
) -> dict[str, str]:
    """Return the summary of a snapshot that was replayed on another one.

    What its writer said beside counts is kept, so that engines find their own keys again.
    """
    added = (*changes.added.values(), *changes.added_deletes.values())
    removed = (*changes.removed.values(), *changes.removed_deletes.values())
    counts = _counted(added).named(_ADDED) | _counted(removed).named(_REMOVED)
    if partitions := {(entry.spec_id, _tuple(entry)) for entry in (*added, *removed)}:
        counts[_PARTITIONS] = str(len(partitions))
    kept = {key: value for key, value in snapshot["summary"].items() if not _is_computed(key)}
    return {
        **kept,
        **counts,
        **_totals(previous, counts),
        SOURCE_SNAPSHOT: str(origin),
        ORIGIN_COMMIT: kept.get(ORIGIN_COMMIT, origin_commit),
    }


def _counted(entries: Iterable[Entry]) -> _Counts:
    counts = _Counts()
    for entry in entries:
        counts.add(entry)
    return counts


def _totals(previous: Metadata | None, counts: Mapping[str, str]) -> dict[str, str]:
    """Move the totals of the snapshot before; one that it lacks cannot be told."""
    totals = {}
    for total, added, removed in _TOTALS:
        before = "0" if previous is None else (previous.get("summary") or {}).get(total)
        if before is None or not before.isdecimal():
            continue
        after = int(before) + int(counts.get(added, "0")) - int(counts.get(removed, "0"))
        if after >= 0:
            totals[total] = str(after)
    return totals


def _is_computed(key: str) -> bool:
    return key in _COMPUTED or key.startswith(_PARTITION_PREFIX)


def _tuple(entry: Entry) -> tuple[object, ...]:
    # NaN is one partition, though it does not equal itself.
    return tuple("NaN" if value != value else value for value in entry.partition)
