"""The manifests of one new snapshot, made from those that are there.

Each is made from one other: files that theirs added under the new snapshot's id, or a manifest of
the target without the files that are removed.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field

from catalog.errors import Corruption
from catalog.iceberg.manifests.entries import Manifest, Read, StoredEntry, read_stored
from catalog.iceberg.manifests.lists import KEY_METADATA, ListRecord, new_record
from catalog.iceberg.manifests.writing import ManifestWriter
from catalog.iceberg.merging.changes import Source
from catalog.iceberg.merging.files import FileKey, file_key
from catalog.iceberg.merging.problems import Problem


class CannotReplay(Exception):
    """Theirs' snapshots do not fit on ours after all; `problem` says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


@dataclass(slots=True)
class Files:
    """Files that are read, and those written by this merge, which are read again."""

    fetch: Read
    put: Callable[[str, bytes], None]
    _written: dict[str, bytes] = field(default_factory=dict)

    def read(self, path: str) -> bytes:
        """Return the bytes of a file, whether it was there before or not."""
        found = self._written.get(path)
        return self.fetch(path) if found is None else found

    def write(self, path: str, data: bytes) -> None:
        """Write a file, and keep it at hand."""
        self._written[path] = data
        self.put(path, data)

    def forget(self, paths: Iterable[str]) -> None:
        """Let files go that nothing here reads any more; they stay written."""
        for path in paths:
            self._written.pop(path, None)


@dataclass(frozen=True, slots=True)
class Listed:
    """A manifest, and the record that lists it."""

    manifest: Manifest
    record: ListRecord


@dataclass(slots=True)
class Rewriting:
    """Writes the manifests of one new snapshot."""

    snapshot_id: int
    sequence_number: int
    format_version: int
    directory: str
    files: Files
    _count: int = 0

    def with_added(
        self,
        listed: Listed,
        source: Source,
        wanted: Collection[FileKey],
        number_of: Callable[[StoredEntry], int | None],
    ) -> tuple[ListRecord, list[FileKey]] | None:
        """Write a manifest with those files of a manifest of theirs that are wanted, if it has any.

        Returns its record and the files. `number_of` gives the data sequence number to be written;
        None lets it be inherited.
        """
        manifest = listed.manifest
        data = self.files.read(manifest.path)
        writer = None
        found = []
        for stored in read_stored(manifest, source.spec_of(manifest), lambda _: data):
            key = file_key(stored.entry)
            if stored.deleted or key not in wanted:
                continue
            writer = writer or self._writer(listed, source, data)
            writer.add(stored, sequence_number=number_of(stored))
            found.append(key)
        return None if writer is None else (self._finish(writer, listed), found)

    def without(
        self,
        listed: Listed,
        source: Source,
        gone: Collection[FileKey],
        watched: Collection[FileKey],
    ) -> tuple[ListRecord, list[FileKey]]:
        """Write a manifest of ours again, in which some files are deleted.

        Returns its record and which of the watched files stay live in it.

        Raises:
            Corruption: if a file is not live in it.
        """
        manifest = listed.manifest
        data = self.files.read(manifest.path)
        writer = self._writer(listed, source, data)
        missing = set(gone)
        kept = []
        for stored in read_stored(manifest, source.spec_of(manifest), lambda _: data):
            key = file_key(stored.entry)
            if stored.deleted:
                continue
            if key in gone:
                writer.remove(stored)
                missing.discard(key)
            else:
                writer.keep(stored)
                if key in watched:
                    kept.append(key)
        if missing:
            raise Corruption(f"{manifest.path} lost {sorted(missing, key=str)} while it was read")
        return self._finish(writer, listed), kept

    def _writer(self, listed: Listed, source: Source, data: bytes) -> ManifestWriter:
        manifest = listed.manifest
        if listed.record.get(KEY_METADATA) is not None:
            raise CannotReplay(Problem("encrypted", f"{manifest.path} is encrypted."))
        return ManifestWriter(
            data,
            source.spec_of(manifest),
            format_version=self.format_version,
            snapshot_id=self.snapshot_id,
            spec_id=source.spec_ids.get(manifest.spec_id, manifest.spec_id),
        )

    def _finish(self, writer: ManifestWriter, listed: Listed) -> ListRecord:
        data = writer.finish()
        path = f"{self.directory}/{self.snapshot_id}-m{self._count}.avro"
        self._count += 1
        self.files.write(path, data)
        return new_record(
            writer,
            path=path,
            length=len(data),
            snapshot_id=self.snapshot_id,
            sequence_number=self.sequence_number,
            like=listed.record,
        )
