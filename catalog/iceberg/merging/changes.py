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
from catalog.iceberg.merging.files import FileChanges, FileKey, file_key
from catalog.iceberg.metadata import Metadata
from catalog.iceberg.scans.manifests import Entry, Manifest, Read, read_entries, read_manifests


@dataclass(frozen=True, slots=True)
class Source:
    """Where one side's files are read: its specs, and other ids that these have in the result."""

    specs: Mapping[int, PartitionSpec]
    spec_ids: Mapping[int, int]
    read: Read

    def entries(self, manifests: Iterable[Manifest]) -> Iterator[Entry]:
        """Yield the live files of manifests.

        Raises:
            ValidationFailed: if the side does not have a manifest's spec.
        """
        for manifest in manifests:
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


def list_manifests(snapshot: Metadata | None, read: Read) -> dict[str, Manifest]:
    """Return the manifests of a snapshot by path, in the order of its list."""
    if snapshot is None:
        return {}
    return {manifest.path: manifest for manifest in read_manifests(snapshot, read)}


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
    old = list_manifests(before, source.read)
    new = list_manifests(after, source.read)
    gone = [manifest for path, manifest in old.items() if path not in new and _has_live(manifest)]
    come = [manifest for path, manifest in new.items() if path not in old and _has_live(manifest)]
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


def _has_live(manifest: Manifest) -> bool:
    return manifest.live_files != 0


def _digest(key: FileKey) -> bytes:
    return blake2b(f"{key[1]} {key[0]}".encode(errors="surrogatepass"), digest_size=16).digest()


def _discard(digests: set[bytes], digest: bytes) -> bool:
    """Remove a digest, and tell whether it was there."""
    if digest not in digests:
        return False
    digests.remove(digest)
    return True
