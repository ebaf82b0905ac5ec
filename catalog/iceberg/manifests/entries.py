"""The entries of manifests: what they say of files, and the bytes that they say it with.

pyiceberg (as of 0.12) reads manifests with its schemas of v2, which drop first row ids and deletion
vectors; here each manifest is read by the schema that it names.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from pyiceberg.manifest import DATA_FILE_TYPE, DataFile, ManifestFile
from pyiceberg.partitioning import PartitionSpec

from catalog.iceberg.avro.files import SCHEMA, AvroFile, open_file, understanding
from catalog.iceberg.manifests.layouts import (
    DATA_FILE,
    FILE_SEQUENCE_NUMBER,
    SEQUENCE_NUMBER,
    SNAPSHOT_ID,
    STATUS,
    EntryLayout,
    entry_layout,
)

Read = Callable[[str], bytes]

EXISTING, ADDED, DELETED = 0, 1, 2

_POSITIONS = {field.name: place for place, field in enumerate(DATA_FILE_TYPE[3].fields)}


@dataclass(frozen=True, slots=True)
class Manifest:
    """One manifest of a snapshot; `record` is its row in the manifest list, if there is a list."""

    path: str
    spec_id: int
    is_deletes: bool
    sequence_number: int
    min_sequence_number: int
    snapshot_id: int | None
    live_files: int | None
    first_row_id: int | None
    record: ManifestFile | None


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of a manifest, with what it inherits from the manifest filled in."""

    file: DataFile
    spec_id: int
    snapshot_id: int | None
    sequence_number: int
    added: bool
    first_row_id: int | None

    @property
    def partition(self) -> tuple[object, ...]:
        """The values of the partition, in the order of the spec."""
        record = self.file.partition
        return tuple(record[number] for number in range(len(record)))

    @property
    def referenced_data_file(self) -> str | None:
        """The one data file that a delete file is about, if it says so."""
        found: str | None = _field(self.file, "referenced_data_file")
        return found

    @property
    def content_offset(self) -> int | None:
        """Where a deletion vector begins in its Puffin file; None for all other files."""
        found: int | None = _field(self.file, "content_offset")
        return found

    @property
    def content_size_in_bytes(self) -> int | None:
        """How long a deletion vector is in its Puffin file."""
        found: int | None = _field(self.file, "content_size_in_bytes")
        return found


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """An entry as a manifest holds it, live or deleted, with the bytes of its data file.

    `explicit_sequence_number` is None where the number is inherited. `unknown` are the fields of
    the entry that Iceberg does not have, in order; `row_id_at` is where the first row id lies in
    `data`.
    """

    entry: Entry
    deleted: bool
    file_sequence_number: int | None
    explicit_sequence_number: int | None
    data: bytes
    unknown: tuple[bytes, ...]
    row_id_at: tuple[int, int] | None


def read_entries(manifest: Manifest, spec: PartitionSpec, read: Read) -> Iterator[Entry]:
    """Yield the live entries of a manifest, partition values in the order of the spec.

    Raises:
        ValidationFailed: if the manifest cannot be understood.
    """
    for stored in read_stored(manifest, spec, read):
        if not stored.deleted:
            yield stored.entry


def read_stored(manifest: Manifest, spec: PartitionSpec, read: Read) -> Iterator[StoredEntry]:
    """Yield all entries of a manifest in its order, block by block.

    Raises:
        ValidationFailed: if the manifest cannot be understood.
    """
    data = read(manifest.path)
    with understanding(manifest.path):
        file = open_file(data)
        partition = tuple(field.field_id for field in spec.fields)
        layout = entry_layout(file.header[SCHEMA], partition)
        yield from _Reader(manifest, layout).entries(file)


class _Reader:
    """Reads the entries of one manifest in order, for row ids follow from the entries before."""

    def __init__(self, manifest: Manifest, layout: EntryLayout) -> None:
        self._manifest = manifest
        self._layout = layout
        self._next_row_id = manifest.first_row_id

    def entries(self, file: AvroFile) -> Iterator[StoredEntry]:
        for count, block in file.blocks():
            position = 0
            for _ in range(count):
                stored, position = self._entry(block, position)
                yield stored
            if position != len(block):
                raise ValueError("a block is longer than its entries")

    def _entry(self, block: bytes, position: int) -> tuple[StoredEntry, int]:
        heads: dict[int | str, Any] = {}
        offsets: list[int] = []
        unknown: tuple[bytes, ...] = ()
        for key, decode, skip in self._layout.fields:
            if decode is not None:
                heads[key], position = decode(block, position)
            elif key == DATA_FILE:
                offsets = self._layout.file.offsets(block, position)
                position = offsets[-1]
            else:
                start, position = position, skip(block, position)
                unknown += (block[start:position],)
        return self._stored(heads, block, offsets, unknown), position

    def _stored(
        self,
        heads: dict[int | str, Any],
        block: bytes,
        offsets: list[int],
        unknown: tuple[bytes, ...],
    ) -> StoredEntry:
        data = block[offsets[0] : offsets[-1]]
        file = self._layout.file.data_file(data, offsets)
        status = heads[STATUS]
        if (
            status not in (EXISTING, ADDED, DELETED)
            or file.file_path is None
            or file.record_count < 0
        ):
            raise ValueError(f"an entry has status {status} and {file.record_count} rows")
        number = heads.get(SEQUENCE_NUMBER)
        snapshot_id = heads.get(SNAPSHOT_ID)
        return StoredEntry(
            entry=Entry(
                file=file,
                spec_id=self._manifest.spec_id,
                snapshot_id=self._manifest.snapshot_id if snapshot_id is None else snapshot_id,
                sequence_number=self._inherited(status, number, file),
                added=status == ADDED,
                first_row_id=self._row_id(status, file),
            ),
            deleted=status == DELETED,
            file_sequence_number=self._file_number(status, heads.get(FILE_SEQUENCE_NUMBER)),
            explicit_sequence_number=number,
            data=data,
            unknown=unknown,
            row_id_at=self._layout.file.row_id_at(offsets),
        )

    def _inherited(self, status: int, number: int | None, file: DataFile) -> int:
        """Fill in a number that is null (spec "Sequence Number Inheritance")."""
        if number is not None:
            return number
        # Manifests of v1 have no numbers, and zero stands for theirs.
        if status != ADDED and self._manifest.sequence_number != 0:
            raise ValueError(f"the sequence number of {file.file_path} is missing")
        return self._manifest.sequence_number

    def _file_number(self, status: int, number: int | None) -> int | None:
        if number is None and (status == ADDED or self._manifest.sequence_number == 0):
            return self._manifest.sequence_number
        return number

    def _row_id(self, status: int, file: DataFile) -> int | None:
        """Give the first row id, which may be inherited (spec "First Row ID Inheritance")."""
        own: int | None = _field(file, "first_row_id")
        if own is not None or self._next_row_id is None or status == DELETED:
            return own
        inherited = self._next_row_id
        self._next_row_id += file.record_count
        return inherited


def _field(file: DataFile, name: str) -> Any:
    return file[_POSITIONS[name]]
