"""What a stretch of history did to the live files of a table, told from two snapshots.

The live sets decide: entries of deleted files are informational (spec, Manifest Entry Fields).
Manifests that both snapshots list are never opened, so the cost follows what changed.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from hashlib import blake2b

from pyiceberg.manifest import DataFileContent
from pyiceberg.partitioning import PartitionSpec

from catalog.errors import ValidationFailed
from catalog.iceberg.manifests.entries import Entry, Manifest, Read, read_entries
from catalog.iceberg.manifests.lists import PATH, ListFile, ListRecord, manifest_of, read_list
from catalog.iceberg.merging.files import FileChanges, FileKey, file_key
from catalog.iceberg.metadata import Metadata

_RECENT_LISTS = 4


class Lists:
    """Manifest lists; the last few stay decoded, for steps share them with their parents."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._recent: dict[str, ListFile] = {}

    def of(self, snapshot: Metadata) -> ListFile:
        """Return the list of a snapshot.

        Raises:
            ValidationFailed: if it has none, or one that is encrypted or damaged.
        """
        location = snapshot.get("manifest-list")
        if location is None:
            raise ValidationFailed(f"Snapshot {snapshot['snapshot-id']} has no manifest list")
        if snapshot.get("key-id") is not None:
            raise ValidationFailed(f"The manifest list {location} is encrypted")
        found = self._recent.pop(location, None) or read_list(self._read(location), location)
        self._recent[location] = found
        if len(self._recent) > _RECENT_LISTS:
            del self._recent[next(iter(self._recent))]
        return found

    def records(self, snapshot: Metadata | None) -> dict[str, ListRecord]:
        """Return the records of a snapshot's list by path, in its order."""
        if snapshot is None:
            return {}
        return {record[PATH]: record for record in self.of(snapshot).records}


@dataclass(frozen=True, slots=True)
class Source:
    """Where one side's files are read: its specs, and other ids that these have in the result."""

    specs: Mapping[int, PartitionSpec]
    spec_ids: Mapping[int, int]
    read: Read
    lists: Lists

    def entries(self, manifests: Iterable[Manifest]) -> Iterator[Entry]:
        """Yield the live files of manifests.

        Raises:
            ValidationFailed: if the side does not have a manifest's spec.
        """
        for manifest in manifests:
            if manifest.live_files != 0:
                yield from read_entries(manifest, self.spec_of(manifest), self.read)

    def spec_of(self, manifest: Manifest) -> PartitionSpec:
        """Return the spec that a manifest was written with.

        Raises:
            ValidationFailed: if the side does not have it.
        """
        if manifest.spec_id not in self.specs:
            raise ValidationFailed(
                f"{manifest.path} was written with partition spec {manifest.spec_id}, which the"
                " table does not have"
            )
        return self.specs[manifest.spec_id]


def file_changes(
    before: Metadata | None,
    after: Metadata | None,
    source: Source,
    *,
    before_source: Source | None = None,
) -> FileChanges:
    """Return the net change of the live files from one snapshot to another.

    If `before` is of another side, `before_source` reads it, and its files get the spec ids of the
    result. Holds the changed files, and 16 bytes for each other file of a rewritten manifest.
    """
    old, new = source.lists.records(before), source.lists.records(after)
    gone = [manifest_of(record) for path, record in old.items() if path not in new]
    come = [manifest_of(record) for path, record in new.items() if path not in old]
    added: dict[FileKey, Entry] = {}
    carried: set[bytes] = set()
    for entry in source.entries(come):
        if entry.added:
            added[file_key(entry)] = entry
        else:
            carried.add(_digest(file_key(entry)))
    removed: dict[FileKey, Entry] = {}
    for entry in _entries_before(gone, source, before_source):
        key = file_key(entry)
        if added.pop(key, None) is None and not _discard(carried, _digest(key)):
            removed[key] = entry
    if carried:
        # Listed as carried over, yet not there before: files of the snapshots in between.
        for entry in source.entries(come):
            if not entry.added and _digest(file_key(entry)) in carried:
                added[file_key(entry)] = entry
    return _sorted_out(added, removed)


def _entries_before(
    manifests: Iterable[Manifest], source: Source, other: Source | None
) -> Iterator[Entry]:
    if other is None:
        yield from source.entries(manifests)
        return
    for entry in other.entries(manifests):
        yield replace(entry, spec_id=other.spec_ids.get(entry.spec_id, entry.spec_id))


def _sorted_out(added: Mapping[FileKey, Entry], removed: Mapping[FileKey, Entry]) -> FileChanges:
    return FileChanges(
        added=_only(added, _is_data),
        removed=_only(removed, _is_data),
        added_deletes=_only(added, _is_delete),
        removed_deletes=_only(removed, _is_delete),
    )


def _only(
    entries: Mapping[FileKey, Entry], wanted: Callable[[Entry], bool]
) -> dict[FileKey, Entry]:
    return {key: entry for key, entry in entries.items() if wanted(entry)}


def _is_data(entry: Entry) -> bool:
    return entry.file.content is DataFileContent.DATA


def _is_delete(entry: Entry) -> bool:
    return not _is_data(entry)


def _digest(key: FileKey) -> bytes:
    return blake2b(f"{key[1]} {key[0]}".encode(errors="surrogatepass"), digest_size=16).digest()


def _discard(digests: set[bytes], digest: bytes) -> bool:
    """Remove a digest, and tell whether it was there."""
    if digest not in digests:
        return False
    digests.remove(digest)
    return True
