"""Manifest lists, read and written with the fields and header keys that nobody here knows.

A record is a dict by field id, for the names have changed (`added_data_files_count` became
`added_files_count`); a field without an id is under its name.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson
from pyiceberg.manifest import (
    MANIFEST_LIST_FILE_SCHEMAS,
    ManifestContent,
    ManifestFile,
    PartitionFieldSummary,
)
from pyiceberg.utils.schema_conversion import AvroSchemaConversion

from catalog.iceberg.avro.decoding import Decode, decoder
from catalog.iceberg.avro.encoding import Encode, encoder
from catalog.iceberg.avro.files import CODEC, SCHEMA, AvroWriter, open_file, understanding
from catalog.iceberg.avro.schemas import Json, parse_schema
from catalog.iceberg.manifests.entries import ADDED, DELETED, EXISTING, Manifest, Read
from catalog.iceberg.manifests.writing import ManifestWriter
from catalog.iceberg.metadata import Metadata

PATH, LENGTH, SPEC_ID, ADDED_SNAPSHOT_ID = 500, 501, 502, 503
ADDED_FILES, EXISTING_FILES, DELETED_FILES = 504, 505, 506
ADDED_ROWS, EXISTING_ROWS, DELETED_ROWS = 512, 513, 514
PARTITIONS, CONTENT, KEY_METADATA, FIRST_ROW_ID = 507, 517, 519, 520
SEQUENCE_NUMBER, MIN_SEQUENCE_NUMBER = 515, 516
CONTAINS_NULL, CONTAINS_NAN, LOWER_BOUND, UPPER_BOUND = 509, 518, 510, 511

ListRecord = dict[int | str, Any]

# What a record of v1 leaves out (spec "Manifest Lists").
_DEFAULTS: ListRecord = {CONTENT: 0, SEQUENCE_NUMBER: 0, MIN_SEQUENCE_NUMBER: 0}
_SUMMARY = (CONTAINS_NULL, CONTAINS_NAN, LOWER_BOUND, UPPER_BOUND)
_FIELDS = MANIFEST_LIST_FILE_SCHEMAS[3].fields


@dataclass(frozen=True, slots=True)
class ListFile:
    """A manifest list, with all keys of its header."""

    header: Mapping[str, bytes]
    records: list[ListRecord]

    @property
    def schema(self) -> Json:
        """The schema of its records, as JSON."""
        return orjson.loads(self.header[SCHEMA])


def read_list(data: bytes, location: str) -> ListFile:
    """Read a manifest list.

    Raises:
        ValidationFailed: if it cannot be understood.
    """
    with understanding(location):
        file = open_file(data)
        decode = _decoder(file.header[SCHEMA])
        records = []
        for count, block in file.blocks():
            position = 0
            for _ in range(count):
                record, position = decode(block, position)
                records.append(record)
            if position != len(block):
                raise ValueError("a block is longer than its records")
        for record in records:
            _check(record)
        return ListFile(file.header, records)


def read_manifests(snapshot: Metadata, read: Read) -> Iterator[Manifest]:
    """Yield the manifests of a snapshot, in the order of its list.

    Raises:
        ValidationFailed: if the manifest list cannot be understood.
    """
    location = snapshot.get("manifest-list")
    if location is None:
        for path in snapshot.get("manifests") or ():
            yield _listed_by_path(path, snapshot["snapshot-id"], read)
        return
    listed = read_list(read(location), location)
    with understanding(location):
        manifests = [manifest_of(record) for record in listed.records]
    yield from manifests


def write_list(
    like: Sequence[ListFile],
    records: Iterable[ListRecord],
    *,
    version: int,
    snapshot_id: int,
    parent_snapshot_id: int | None,
    sequence_number: int,
    first_row_id: int | None,
) -> bytes:
    """Return the manifest list of a snapshot.

    Header and schema are those of the first list in `like`, with the fields that only the others or
    the version of the table have; without any, those of the version. A record may hold fields that
    the schema lacks, which are not written. The sequence number is left out in v1, the first row id
    before v3.

    Raises:
        ValidationFailed: if a record lacks what it must have.
    """
    header = dict(like[0].header) if like else {CODEC: b"deflate"}
    schema = _joined([each.schema for each in like], version)
    if not like or schema != like[0].schema:
        header.pop("iceberg.schema", None)
        header[SCHEMA] = orjson.dumps(schema)
    facts = {
        "format-version": version,
        "snapshot-id": snapshot_id,
        "parent-snapshot-id": "null" if parent_snapshot_id is None else parent_snapshot_id,
        "sequence-number": sequence_number if version >= 2 else None,
        "first-row-id": first_row_id if version >= 3 else None,
    }
    header |= {key: str(value).encode() for key, value in facts.items()}
    header = {key: value for key, value in header.items() if facts.get(key, value) is not None}
    encode = _encoder(header[SCHEMA])
    output = AvroWriter(header)
    with understanding(f"the records of the manifest list of snapshot {snapshot_id}"):
        for record in records:
            output.append(encode(_DEFAULTS | record))
    return output.finish()


def new_record(
    written: ManifestWriter,
    *,
    path: str,
    length: int,
    snapshot_id: int,
    sequence_number: int,
    like: ListRecord,
) -> ListRecord:
    """Return the record of a manifest that was written like the one that `like` lists.

    Its first row id is null: whoever makes the list gives it.
    """
    return like | {
        PATH: path,
        LENGTH: length,
        SPEC_ID: written.spec_id,
        CONTENT: like.get(CONTENT, int(written.is_deletes)),
        SEQUENCE_NUMBER: sequence_number,
        MIN_SEQUENCE_NUMBER: written.min_sequence_number(sequence_number),
        ADDED_SNAPSHOT_ID: snapshot_id,
        ADDED_FILES: written.files[ADDED],
        EXISTING_FILES: written.files[EXISTING],
        DELETED_FILES: written.files[DELETED],
        ADDED_ROWS: written.rows[ADDED],
        EXISTING_ROWS: written.rows[EXISTING],
        DELETED_ROWS: written.rows[DELETED],
        PARTITIONS: [
            {
                CONTAINS_NULL: each.contains_null,
                CONTAINS_NAN: each.contains_nan,
                LOWER_BOUND: each.lower,
                UPPER_BOUND: each.upper,
            }
            for each in written.partitions
        ],
        # What is written here is not encrypted.
        KEY_METADATA: None,
        FIRST_ROW_ID: None,
    }


def manifest_of(record: ListRecord) -> Manifest:
    """Return the manifest that a record lists."""
    counts = (record.get(ADDED_FILES), record.get(EXISTING_FILES))
    return Manifest(
        path=record[PATH],
        spec_id=record[SPEC_ID],
        is_deletes=record.get(CONTENT) == ManifestContent.DELETES,
        sequence_number=record.get(SEQUENCE_NUMBER) or 0,
        min_sequence_number=record.get(MIN_SEQUENCE_NUMBER) or 0,
        snapshot_id=record.get(ADDED_SNAPSHOT_ID),
        live_files=None if None in counts else sum(count or 0 for count in counts),
        first_row_id=record.get(FIRST_ROW_ID),
        record=_as_pyiceberg(record),
    )


def _as_pyiceberg(record: ListRecord) -> ManifestFile:
    known = _DEFAULTS | record
    values = {field.field_id: known.get(field.field_id) for field in _FIELDS}
    values[CONTENT] = ManifestContent(known[CONTENT] or 0)
    if record.get(PARTITIONS) is not None:
        values[PARTITIONS] = [
            PartitionFieldSummary(*(summary.get(key) for key in _SUMMARY))
            for summary in record[PARTITIONS]
        ]
    return ManifestFile(*values.values())


def _listed_by_path(path: str, snapshot_id: int, read: Read) -> Manifest:
    """Return a manifest of a v1 snapshot without a list: its own header names its spec."""
    with understanding(path):
        spec_id = int(open_file(read(path)).header.get("partition-spec-id", b"0"))
    return Manifest(path, spec_id, False, 0, 0, snapshot_id, None, None, None)


def _check(record: ListRecord) -> None:
    if not (
        isinstance(record.get(PATH), str)
        and isinstance(record.get(LENGTH), int)
        and isinstance(record.get(SPEC_ID), int)
        and record.get(CONTENT) in (None, 0, 1)
    ):
        raise ValueError("a record does not list a manifest")


@lru_cache(maxsize=16)
def _decoder(schema: bytes) -> Decode:
    return decoder(parse_schema(orjson.loads(schema)))


@lru_cache(maxsize=16)
def _encoder(schema: bytes) -> Encode:
    return encoder(parse_schema(orjson.loads(schema)))


def _joined(schemas: Sequence[Json], version: int) -> Json:
    """Return the first schema with the fields that it lacks of the others and of the version."""
    known: list[Json] = [*schemas, _own_schema(version)]
    first, others = known[0], known[1:]
    fields = {field.get("field-id", field["name"]): field for field in first["fields"]}
    count = len(fields)
    for other in others:
        for field in other["fields"]:
            fields.setdefault(field.get("field-id", field["name"]), field)
    return first if len(fields) == count else first | {"fields": list(fields.values())}


@lru_cache(maxsize=3)
def _own_schema(version: int) -> Json:
    schema = MANIFEST_LIST_FILE_SCHEMAS[version]
    return AvroSchemaConversion().iceberg_to_avro(schema, schema_name="manifest_file")
