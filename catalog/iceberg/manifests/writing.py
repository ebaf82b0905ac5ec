"""Writes manifests whose entries are those of another one, under other heads.

What a manifest says of a file is copied byte by byte, so fields that nobody here knows survive.
Only status, snapshot id, sequence numbers and the first row id are written anew.
"""

from collections.abc import Mapping

import orjson
from pyiceberg.partitioning import PartitionSpec

from catalog.errors import ValidationFailed
from catalog.iceberg.avro.encoding import Encode, encoder
from catalog.iceberg.avro.files import AvroWriter, open_file, understanding
from catalog.iceberg.avro.schemas import NULL, Field, optional, parse_schema
from catalog.iceberg.manifests.entries import ADDED, DELETED, EXISTING, StoredEntry
from catalog.iceberg.manifests.layouts import (
    CONTENT,
    DATA_FILE,
    FILE_SEQUENCE_NUMBER,
    FIRST_ROW_ID,
    HEADS,
    PARTITION,
    SEQUENCE_NUMBER,
    SNAPSHOT_ID,
    STATUS,
    record_fields,
)
from catalog.iceberg.manifests.upgrades import upgraded
from catalog.iceberg.manifests.values import Bounds, value_type


class ManifestWriter:
    """A manifest like a given one: its schema, partition spec, header and codec, other heads.

    All of its entries come from that manifest, read with `spec`. Where the table has grown to a
    later format version, fields without which entries would lose something there are added.
    `files` and `rows` count by status, `partitions` sums up one partition field each.
    """

    def __init__(
        self,
        like: bytes,
        spec: PartitionSpec,
        *,
        format_version: int,
        snapshot_id: int,
        spec_id: int | None = None,
    ) -> None:
        """Begin a manifest; `spec_id` is written instead of the id of the given one's spec.

        Raises:
            ValidationFailed: if the given manifest cannot be understood.
        """
        with understanding("a manifest that is to be written again"):
            header, self._added = upgraded(open_file(like), format_version)
            if spec_id is not None:
                header["partition-spec-id"] = b"%d" % spec_id
            self.spec_id = int(header.get("partition-spec-id", b"0"))
            self.is_deletes = header.get("content") == b"deletes"
            self._shape = _Shape(header["avro.schema"])
            self.partitions = self._shape.bounds(spec)
            self._output = AvroWriter(header)
        self.files = {EXISTING: 0, ADDED: 0, DELETED: 0}
        self.rows = {EXISTING: 0, ADDED: 0, DELETED: 0}
        self._snapshot_id = snapshot_id
        self._lowest: int | None = None
        self._inherits = False
        self._last_partition: object = None

    def add(self, stored: StoredEntry, *, sequence_number: int | None = None) -> None:
        """Add a file under the new snapshot; a number that is not given is inherited."""
        heads = {
            STATUS: ADDED,
            SNAPSHOT_ID: self._snapshot_id,
            SEQUENCE_NUMBER: sequence_number,
            FILE_SEQUENCE_NUMBER: None,
        }
        self._note_number(sequence_number)
        self._append(stored, heads, row_id=None)

    def keep(self, stored: StoredEntry) -> None:
        """List a file that is live already, with all that it inherited written out."""
        if stored.deleted:
            raise ValueError(f"{stored.entry.file.file_path} is deleted and cannot be kept")
        heads = _numbers(stored) | {STATUS: EXISTING, SNAPSHOT_ID: stored.entry.snapshot_id}
        self._note_number(stored.entry.sequence_number)
        self._append(stored, heads, row_id=stored.entry.first_row_id)

    def remove(self, stored: StoredEntry) -> None:
        """Tell that the new snapshot deletes a file."""
        heads = _numbers(stored) | {STATUS: DELETED, SNAPSHOT_ID: self._snapshot_id}
        self._append(stored, heads, row_id=stored.entry.first_row_id)

    def min_sequence_number(self, sequence_number: int) -> int:
        """Return the lowest number of a live file, if the snapshot has the given one.

        Were it higher than that, writers would drop delete files that are still needed.
        """
        if self._lowest is None:
            return sequence_number
        return min(self._lowest, sequence_number) if self._inherits else self._lowest

    def finish(self) -> bytes:
        """Return the manifest."""
        return self._output.finish()

    def _append(
        self, stored: StoredEntry, heads: Mapping[int, int | None], *, row_id: int | None
    ) -> None:
        status = heads[STATUS]
        assert status is not None
        self._output.append(self._shape.entry(stored, heads, self._file(stored, row_id)))
        self.files[status] += 1
        self.rows[status] += stored.entry.file.record_count
        # Neighbours of one partition share its record.
        if stored.entry.file.partition is not self._last_partition:
            self._last_partition = stored.entry.file.partition
            for bounds, value in zip(self.partitions, stored.entry.partition, strict=True):
                bounds.add(value)

    def _file(self, stored: StoredEntry, row_id: int | None) -> bytes:
        data = stored.data
        if stored.row_id_at is not None:
            start, stop = stored.row_id_at
            data = data[:start] + self._shape.row_id(row_id) + data[stop:]
        for field in self._added:
            data += b"\x00" if field == CONTENT else self._shape.row_id(row_id)
        return data

    def _note_number(self, number: int | None) -> None:
        if number is None:
            self._inherits = True
        elif self._lowest is None or number < self._lowest:
            self._lowest = number


class _Shape:
    """What the schema of a manifest asks of its entries."""

    def __init__(self, schema: bytes) -> None:
        self._fields = record_fields(parse_schema(orjson.loads(schema)), "an entry")
        self._heads = [
            (field.key, _head_encoder(field) if field.key in HEADS else None)
            for field in self._fields
        ]
        self._unknown = sum(field.key not in (*HEADS, DATA_FILE) for field in self._fields)
        self._file = {
            field.key: field
            for each in self._fields
            if each.key == DATA_FILE
            for field in record_fields(each.type, "a data file")
        }
        if FIRST_ROW_ID in self._file:
            self.row_id = _head_encoder(self._file[FIRST_ROW_ID])

    def bounds(self, spec: PartitionSpec) -> list[Bounds]:
        """Return empty summaries, one for each field of the spec."""
        stored = {
            field.key: field.type
            for field in record_fields(self._file[PARTITION].type, "a partition")
        }
        kinds = [stored.get(field.field_id, NULL) for field in spec.fields]
        return [Bounds(value_type(kind)) for kind in kinds]

    def entry(self, stored: StoredEntry, heads: Mapping[int, int | None], file: bytes) -> bytes:
        """Return the bytes of an entry, its fields in order."""
        if len(stored.unknown) != self._unknown:
            raise ValueError(f"{stored.entry.file.file_path} is an entry of another manifest")
        unknown = iter(stored.unknown)
        parts = []
        for key, encode in self._heads:
            if encode is not None:
                parts.append(encode(heads[int(key)]))
            else:
                parts.append(file if key == DATA_FILE else next(unknown))
        return b"".join(parts)


def _numbers(stored: StoredEntry) -> dict[int, int | None]:
    return {
        SEQUENCE_NUMBER: stored.entry.sequence_number,
        FILE_SEQUENCE_NUMBER: stored.file_sequence_number,
    }


def _head_encoder(field: Field) -> Encode:
    encode = encoder(field.type)
    if optional(field.type) is not None:
        return encode

    def required(value: int | None) -> bytes:
        if value is None:
            raise ValidationFailed(f"The manifest's schema does not let {field.name} be null")
        return encode(value)

    return required
