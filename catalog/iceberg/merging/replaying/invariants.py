"""What must hold of a replayed snapshot, read again from what was written.

A broken one is a fault of ours: it is raised, and never handed over as a result.
"""

from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b

from catalog.errors import Corruption, InvalidInput
from catalog.iceberg.manifests.entries import Entry, StoredEntry, read_stored
from catalog.iceberg.manifests.lists import FIRST_ROW_ID, PATH, ListRecord, manifest_of
from catalog.iceberg.merging.changes import Source
from catalog.iceberg.merging.files import FileChanges, FileKey, file_key
from catalog.iceberg.metadata import Metadata, written
from catalog.iceberg.scans.deletes import is_vector
from catalog.iceberg.validation import check_table


def check_snapshot(
    snapshot: Metadata,
    before: Sequence[ListRecord],
    after: Sequence[ListRecord],
    changes: FileChanges,
    source: Source,
) -> None:
    """Check that a snapshot added and removed what it was to, and carried all else over.

    `before` and `after` are the records of the lists. Reads the manifests that are not in both;
    holds no more than the changes.

    Raises:
        Corruption: if it did not.
    """
    old = {record[PATH]: record for record in before}
    new = [record for record in after if record[PATH] not in old]
    kept_paths = {record[PATH] for record in after}
    gone = [record for path, record in old.items() if path not in kept_paths]
    if len(kept_paths) < len(after):
        raise Corruption(f"Snapshot {snapshot['snapshot-id']} lists a manifest twice")
    with_row_ids = all(record.get(FIRST_ROW_ID) is not None for record in gone)
    seen = _Seen(snapshot, with_row_ids)
    for record in new:
        seen.take_new(record, source)
    seen.compare(changes)
    removed = changes.removed.keys() | changes.removed_deletes.keys()
    alone = sum(
        _fingerprint(stored, with_row_ids)
        for record in gone
        for stored in _read(record, source)
        if not stored.deleted and file_key(stored.entry) not in removed
    )
    if alone % _MODULUS != seen.carried % _MODULUS:
        raise Corruption(
            f"Snapshot {snapshot['snapshot-id']} does not carry over what it was to leave alone"
        )


def check_result(metadata: Metadata) -> None:
    """Check that readers take the merged metadata.

    Raises:
        Corruption: if they would not.
    """
    try:
        check_table(written(metadata))
    except InvalidInput as error:
        raise Corruption(f"The merged metadata is not valid: {error.message}") from error


class Vectors:
    """The deletion vectors that one of the sides wrote: a data file has no more than one."""

    def __init__(self, of_ours: Iterable[Entry]) -> None:
        self._by_target: dict[str | None, FileKey] = {}
        for entry in of_ours:
            self._add(entry)

    def take(self, changes: FileChanges) -> None:
        """Follow one snapshot.

        Raises:
            Corruption: if a data file would have two.
        """
        for entry in changes.removed_deletes.values():
            if self._by_target.get(entry.referenced_data_file) == file_key(entry):
                del self._by_target[entry.referenced_data_file]
        for entry in changes.added_deletes.values():
            self._add(entry)

    def _add(self, entry: Entry) -> None:
        if not is_vector(entry):
            return
        target = entry.referenced_data_file
        if target in self._by_target:
            raise Corruption(f"{target} would have two deletion vectors")
        self._by_target[target] = file_key(entry)


class _Seen:
    """What the manifests that a snapshot wrote say."""

    def __init__(self, snapshot: Metadata, with_row_ids: bool) -> None:
        self._snapshot = snapshot
        self._with_row_ids = with_row_ids
        self._added: list[FileKey] = []
        self._removed: list[FileKey] = []
        self.carried = 0

    def take_new(self, record: ListRecord, source: Source) -> None:
        lowest: int | None = None
        manifest = manifest_of(record)
        live = 0
        for stored in _read(record, source):
            self._take(stored)
            if not stored.deleted:
                live += 1
                number = stored.entry.sequence_number
                lowest = number if lowest is None else min(lowest, number)
        # Too high a minimum would let writers drop deletes that are still needed.
        if live != manifest.live_files or manifest.min_sequence_number > (lowest or 0) > 0:
            raise Corruption(f"{manifest.path} is listed with wrong counts or numbers")

    def _take(self, stored: StoredEntry) -> None:
        entry, key = stored.entry, file_key(stored.entry)
        is_own = entry.snapshot_id == self._snapshot["snapshot-id"]
        number = self._snapshot.get("sequence-number", 0)
        if entry.sequence_number > number or is_own != (stored.deleted or entry.added):
            raise Corruption(f"{key[0]} is listed under a wrong snapshot or number")
        if stored.deleted:
            self._removed.append(key)
        elif entry.added:
            self._added.append(key)
        else:
            self.carried += _fingerprint(stored, self._with_row_ids)

    def compare(self, changes: FileChanges) -> None:
        for found, wanted in (
            (self._added, (*changes.added, *changes.added_deletes)),
            (self._removed, (*changes.removed, *changes.removed_deletes)),
        ):
            if len(found) != len(wanted) or set(found) != set(wanted):
                raise Corruption(
                    f"Snapshot {self._snapshot['snapshot-id']} does not list what was replayed"
                )


_MODULUS = 1 << 128


def _fingerprint(stored: StoredEntry, with_row_ids: bool) -> int:
    """Return a number for a file and all that it inherits: sums of them tell sets apart."""
    entry = stored.entry
    facts = (
        file_key(entry),
        entry.snapshot_id,
        entry.sequence_number,
        stored.file_sequence_number,
        entry.first_row_id if with_row_ids else None,
    )
    return int.from_bytes(blake2b(repr(facts).encode(), digest_size=16).digest())


def _read(record: ListRecord, source: Source) -> Iterator[StoredEntry]:
    manifest = manifest_of(record)
    yield from read_stored(manifest, source.spec_of(manifest), source.read)
