"""Manifest lists and manifests as pyiceberg's records, with the fields that only v3 has.

pyiceberg (as of 0.12) reads them with its schemas of v2, which drop first row ids and deletion
vectors; its Avro layer below reads any schema, one block at a time.
"""

import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pyiceberg.avro.file import AvroFile
from pyiceberg.io import InputFile, InputStream
from pyiceberg.manifest import (
    DATA_FILE_TYPE,
    MANIFEST_ENTRY_SCHEMAS,
    MANIFEST_LIST_FILE_SCHEMAS,
    DataFile,
    DataFileContent,
    FileFormat,
    ManifestContent,
    ManifestEntry,
    ManifestEntryStatus,
    ManifestFile,
    PartitionFieldSummary,
)
from pyiceberg.partitioning import PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.types import NestedField, StructType, UnknownType

from catalog.errors import CatalogError, ValidationFailed
from catalog.iceberg.metadata import Metadata

Read = Callable[[str], bytes]

_DATA_FILE = DATA_FILE_TYPE[3].fields
_POSITIONS = {field.name: position for position, field in enumerate(_DATA_FILE)}
_FIRST_ROW_ID = 520
# The counts of files and rows, which v1 does not ask for.
_COUNTS = (504, 505, 506, 512, 513, 514)
_LIST_SCHEMA = Schema(
    *(
        NestedField(field.field_id, field.name, field.field_type, required=False)
        if field.field_id in _COUNTS
        else field
        for field in MANIFEST_LIST_FILE_SCHEMAS[3].fields
    )
)
_LIST_POSITION_OF_FIRST_ROW_ID = [field.field_id for field in _LIST_SCHEMA.fields].index(
    _FIRST_ROW_ID
)
_PARTITION = 102
_DATA_FILE_FIELD = 2


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
    """A live file of a manifest, with what it inherits from the manifest filled in."""

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


def read_manifests(snapshot: Metadata, read: Read) -> Iterator[Manifest]:
    """Yield the manifests of a snapshot, in the order of its list.

    Raises:
        ValidationFailed: if the manifest list cannot be understood.
    """
    if snapshot.get("manifest-list") is None:
        for path in snapshot.get("manifests") or ():
            yield _listed_by_path(path, snapshot["snapshot-id"], read)
        return
    location = snapshot["manifest-list"]
    with _understanding(location), _open_list(read(location), location) as records:
        for record in records:
            yield _listed(record)


def read_entries(manifest: Manifest, spec: PartitionSpec, read: Read) -> Iterator[Entry]:
    """Yield the live entries of a manifest, partition values in the order of the spec.

    Raises:
        ValidationFailed: if the manifest cannot be understood.
    """
    first_row_id = manifest.first_row_id
    data = read(manifest.path)
    with _understanding(manifest.path), _open_manifest(data, manifest.path, spec) as records:
        for record in records:
            if record.status is ManifestEntryStatus.DELETED:
                continue
            entry = _inherited(record, manifest, first_row_id)
            if first_row_id is not None and _field(record.data_file, "first_row_id") is None:
                first_row_id += record.data_file.record_count
            yield entry


def _listed(record: ManifestFile) -> Manifest:
    counts = (record.added_files_count, record.existing_files_count)
    return Manifest(
        path=record.manifest_path,
        spec_id=record.partition_spec_id,
        is_deletes=record.content is ManifestContent.DELETES,
        sequence_number=record.sequence_number,
        min_sequence_number=record.min_sequence_number,
        snapshot_id=record.added_snapshot_id,
        live_files=None if None in counts else sum(count or 0 for count in counts),
        first_row_id=record[_LIST_POSITION_OF_FIRST_ROW_ID],
        record=record,
    )


def _listed_by_path(path: str, snapshot_id: int, read: Read) -> Manifest:
    """Return a manifest of a v1 snapshot without a list: its own header names its spec."""
    with (
        _understanding(path),
        AvroFile[ManifestEntry](_InMemory(path, read(path))) as opened,
    ):
        spec_id = int(opened.header.meta.get("partition-spec-id", "0"))
    return Manifest(path, spec_id, False, 0, 0, snapshot_id, None, None, None)


def _inherited(record: ManifestEntry, manifest: Manifest, first_row_id: int | None) -> Entry:
    """Fill in what is null (spec "Sequence Number Inheritance", "First Row ID Inheritance")."""
    sequence_number = record.sequence_number
    own_row_id: int | None = _field(record.data_file, "first_row_id")
    return Entry(
        file=record.data_file,
        spec_id=manifest.spec_id,
        snapshot_id=manifest.snapshot_id if record.snapshot_id is None else record.snapshot_id,
        sequence_number=manifest.sequence_number if sequence_number is None else sequence_number,
        added=record.status is ManifestEntryStatus.ADDED,
        first_row_id=first_row_id if own_row_id is None else own_row_id,
    )


def _open_list(data: bytes, location: str) -> AvroFile[ManifestFile]:
    return AvroFile[ManifestFile](
        _InMemory(location, data),
        _LIST_SCHEMA,
        read_types={-1: ManifestFile, 508: PartitionFieldSummary},
        read_enums={517: ManifestContent},
    )


def _open_manifest(data: bytes, location: str, spec: PartitionSpec) -> AvroFile[ManifestEntry]:
    with AvroFile[ManifestEntry](_InMemory(location, data)) as opened:
        stored = _partition_fields(opened.schema)
    partition = StructType(
        *(
            NestedField(
                field.field_id,
                field.name,
                stored[field.field_id].field_type if field.field_id in stored else UnknownType(),
                required=False,
            )
            for field in spec.fields
        )
    )
    return AvroFile[ManifestEntry](
        _InMemory(location, data),
        _entry_schema(partition),
        read_types={-1: ManifestEntry, _DATA_FILE_FIELD: DataFile},
        read_enums={0: ManifestEntryStatus, 101: FileFormat, 134: DataFileContent},
    )


def _partition_fields(schema: Schema) -> Mapping[int, NestedField]:
    partition = schema.find_field(_PARTITION).field_type
    assert isinstance(partition, StructType)
    return {field.field_id: field for field in partition.fields}


def _entry_schema(partition: StructType) -> Schema:
    data_file = StructType(
        *(
            NestedField(_PARTITION, field.name, partition, required=True)
            if field.field_id == _PARTITION
            else field
            for field in _DATA_FILE
        )
    )
    return Schema(
        *(
            NestedField(_DATA_FILE_FIELD, field.name, data_file, required=True)
            if field.field_id == _DATA_FILE_FIELD
            else field
            for field in MANIFEST_ENTRY_SCHEMAS[3].fields
        )
    )


def _field(file: DataFile, name: str) -> Any:
    return file[_POSITIONS[name]]


class _InMemory(InputFile):
    """Bytes as pyiceberg's Avro reader wants them."""

    def __init__(self, location: str, data: bytes) -> None:
        super().__init__(location)
        self._data = data

    def __len__(self) -> int:
        return len(self._data)

    def exists(self) -> bool:
        """Tell that the bytes are here."""
        return True

    def open(self, seekable: bool = True) -> InputStream:
        """Return a stream over the bytes."""
        return io.BytesIO(self._data)


@contextmanager
def _understanding(location: str) -> Iterator[None]:
    """Turn whatever a damaged Avro file makes its reader raise into one error."""
    try:
        yield
    except CatalogError:
        raise
    except Exception as error:
        raise ValidationFailed(
            f"Cannot understand {location}: {type(error).__name__}: {error}", location=location
        ) from error
