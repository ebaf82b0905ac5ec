"""Manifests made by hand, as writers of v2 and v3 make them and pyiceberg cannot."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

from pyiceberg.avro.file import AvroFile, AvroOutputFile
from pyiceberg.io import InputFile, OutputFile
from pyiceberg.manifest import (
    DATA_FILE_TYPE,
    MANIFEST_ENTRY_SCHEMAS,
    MANIFEST_LIST_FILE_SCHEMAS,
    DataFile,
    FileFormat,
    ManifestEntry,
    ManifestFile,
)
from pyiceberg.schema import Schema
from pyiceberg.typedef import Record
from pyiceberg.types import NestedField, StructType

DATA, POSITION_DELETES, EQUALITY_DELETES = 0, 1, 2
EXISTING, ADDED, DELETED = 0, 1, 2
PATH_FIELD = 2147483546


def file(path: str, content: int = DATA, partition: Sequence[Any] = (), **fields: Any) -> DataFile:
    """Return a file as a manifest of v3 lists it."""
    known = {
        "content": content,
        "file_path": path,
        "file_format": FileFormat.PARQUET,
        "partition": Record(*partition),
        "record_count": 10,
        "file_size_in_bytes": 1000,
    }
    return DataFile.from_args(_table_format_version=3, **known | fields)


def entry(
    data_file: DataFile, status: int = ADDED, snapshot: int | None = None, **numbers: int | None
) -> ManifestEntry:
    """Return an entry; numbers that are not given are inherited."""
    return ManifestEntry.from_args(
        _table_format_version=3,
        status=status,
        snapshot_id=snapshot,
        sequence_number=numbers.get("sequence"),
        file_sequence_number=numbers.get("sequence"),
        data_file=data_file,
    )


def manifest(*entries: ManifestEntry, partition: StructType = StructType()) -> bytes:  # noqa: B008
    """Return a manifest of v3."""
    data_file = StructType(
        *(
            NestedField(102, "partition", partition, required=True)
            if field.field_id == 102
            else field
            for field in DATA_FILE_TYPE[3].fields
        )
    )
    schema = Schema(
        *(
            NestedField(2, "data_file", data_file, required=True) if field.field_id == 2 else field
            for field in MANIFEST_ENTRY_SCHEMAS[3].fields
        )
    )
    return _avro(schema, "manifest_entry", entries)


def listed(path: str, sequence: int, *, snapshot: int, deletes: bool = False, **fields: Any) -> Any:
    """Return the row of a manifest in a manifest list."""
    known = {
        "manifest_path": path,
        "manifest_length": 1,
        "partition_spec_id": 0,
        "content": int(deletes),
        "sequence_number": sequence,
        "min_sequence_number": sequence,
        "added_snapshot_id": snapshot,
        "added_files_count": 1,
        "existing_files_count": 0,
        "deleted_files_count": 0,
        "added_rows_count": 10,
        "existing_rows_count": 0,
        "deleted_rows_count": 0,
    }
    schema = MANIFEST_LIST_FILE_SCHEMAS[3]
    return ManifestFile(*((known | fields).get(field.name) for field in schema.fields))


def manifest_list(*rows: ManifestFile) -> bytes:
    """Return a manifest list of v3."""
    return _avro(MANIFEST_LIST_FILE_SCHEMAS[3], "manifest_file", rows)


def table(files: Mapping[str, Any], **members: Any) -> dict[str, Any]:
    """Return metadata of v3 whose current snapshot 1 has the manifest list `list.avro`."""
    assert "list.avro" in files
    snapshot = {
        "snapshot-id": 1,
        "sequence-number": 9,
        "timestamp-ms": 1,
        "summary": {"operation": "append"},
        "manifest-list": "list.avro",
        "schema-id": 0,
    }
    return {
        "format-version": 3,
        "table-uuid": "9c12d441-03fe-4693-9a96-a0705ddf69c1",
        "location": "file:///t",
        "schemas": [SCHEMA],
        "current-schema-id": 0,
        "partition-specs": [{"spec-id": 0, "fields": []}],
        "default-spec-id": 0,
        "snapshots": [snapshot],
        "current-snapshot-id": 1,
        "refs": {"main": {"snapshot-id": 1, "type": "branch"}},
        **members,
    }


SCHEMA = {
    "type": "struct",
    "schema-id": 0,
    "fields": [
        {"id": 1, "name": "id", "required": True, "type": "long"},
        {"id": 2, "name": "site", "required": False, "type": "string"},
    ],
}


def _avro(schema: Schema, name: str, records: Sequence[Any]) -> bytes:
    target = _InMemory("memory")
    with AvroOutputFile(target, schema, name) as output:
        if records:
            output.write_block(list(records))
    return target.stream.getvalue()


def by_pyiceberg(data: bytes) -> list[dict[int, Any]]:
    """Return the records of a manifest or a list as pyiceberg reads them, by field id."""
    with AvroFile[Record](InMemoryInput("memory", data)) as opened:
        return [_plain(record, opened.schema.as_struct()) for record in opened]


def _plain(value: Any, kind: Any) -> Any:
    if isinstance(kind, StructType):
        return {
            field.field_id: _plain(value[number], field.field_type)
            for number, field in enumerate(kind.fields)
        }
    if isinstance(value, Mapping):
        return dict(value)
    # NaN does not equal itself.
    return "NaN" if value != value else value


class InMemoryInput(InputFile):
    """Bytes as pyiceberg reads them."""

    def __init__(self, location: str, data: bytes) -> None:
        super().__init__(location)
        self._data = data

    def __len__(self) -> int:
        return len(self._data)

    def exists(self) -> bool:
        return True

    def open(self, seekable: bool = True) -> Any:
        return io.BytesIO(self._data)


class _Stream(io.BytesIO):
    def close(self) -> None:
        """Stay open: what was written is asked for afterwards."""


class _InMemory(OutputFile):
    def __init__(self, location: str) -> None:
        super().__init__(location)
        self.stream = _Stream()

    def __len__(self) -> int:
        return len(self.stream.getvalue())

    def exists(self) -> bool:
        return False

    def to_input_file(self) -> Any:
        raise NotImplementedError

    def create(self, overwrite: bool = False) -> Any:
        return self.stream
