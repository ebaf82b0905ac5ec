"""Writes manifests whose entries are those of another one, under other heads.

What a manifest says of a file is copied byte by byte, so fields that nobody here knows survive.
Only status, snapshot id, sequence numbers and the first row id are written anew.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

import orjson
from pyiceberg.partitioning import PartitionSpec

from catalog.errors import ValidationFailed
from catalog.iceberg.avro.encoding import Encode, encoder
from catalog.iceberg.avro.files import SCHEMA, AvroWriter, open_file, understanding
from catalog.iceberg.avro.schemas import NULL, Field, optional, parse_schema
from catalog.iceberg.manifests.entries import ADDED, DELETED, EXISTING, StoredEntry
from catalog.iceberg.manifests.layouts import (
    CONTENT,
    DATA_FILE,
    FIRST_ROW_ID,
    HEADS,
    PARTITION,
    record_fields,
)
from catalog.iceberg.manifests.upgrades import upgraded
from catalog.iceberg.manifests.values import Bounds, value_type


class Heads(NamedTuple):
    """What an entry says before its data file."""

    status: int
    snapshot_id: int | None
    sequence_number: int | None
    file_sequence_number: int | None


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
            self._shape = _shape(header[SCHEMA])
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
        self._note_number(sequence_number)
        heads = Heads(ADDED, self._snapshot_id, sequence_number, None)
        self._append(stored, heads, row_id=None)

    def keep(self, stored: StoredEntry) -> None:
        """List a file that is live already, with all that it inherited written out."""
        if stored.deleted:
            raise ValueError(f"{stored.entry.file.file_path} is deleted and cannot be kept")
        entry = stored.entry
        self._note_number(entry.sequence_number)
        heads = Heads(
            EXISTING, entry.snapshot_id, entry.sequence_number, stored.file_sequence_number
        )
        self._append(stored, heads, row_id=stored.entry.first_row_id)

    def remove(self, stored: StoredEntry) -> None:
        """Tell that the new snapshot deletes a file."""
        number = stored.entry.sequence_number
        heads = Heads(DELETED, self._snapshot_id, number, stored.file_sequence_number)
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

    def _append(self, stored: StoredEntry, heads: Heads, *, row_id: int | None) -> None:
        status = heads.status
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


# Manifests of one writer and one spec have the same schema, byte by byte, whichever the table.
@lru_cache(maxsize=64)
def _shape(schema: bytes) -> "_Shape":
    return _Shape(schema)


class _Shape:
    """What the schema of a manifest asks of its entries."""

    def __init__(self, schema: bytes) -> None:
        fields = record_fields(parse_schema(orjson.loads(schema)), "an entry")
        places = {field.key: place for place, field in enumerate(fields)}
        # What is copied: the fields that nobody knows, in their order, and the data file.
        self._copied = [places[key] for key in places if key not in (*HEADS, DATA_FILE)]
        self._copied.append(places[DATA_FILE])
        self._heads = _heads_encoder(fields)
        of_file = record_fields(fields[places[DATA_FILE]].type, "a data file")
        self._file = {field.key: field for field in of_file}
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

    def entry(self, stored: StoredEntry, heads: Heads, file: bytes) -> bytes:
        """Return the bytes of an entry, its fields in order."""
        copied = (*stored.unknown, file)
        if len(copied) != len(self._copied):
            raise ValueError(f"{stored.entry.file.file_path} is an entry of another manifest")
        parts = list(self._heads(heads))
        for place, part in zip(self._copied, copied, strict=True):
            parts[place] = part
        return b"".join(parts)


def _heads_encoder(fields: Sequence[Field]) -> Callable[[Heads], Sequence[bytes]]:
    """Return what encodes heads, in the order of the fields; all else is left empty there."""
    numbers = {key: number for number, key in enumerate(HEADS)}
    encoders = [
        (numbers[int(field.key)], _head_encoder(field)) if field.key in HEADS else None
        for field in fields
    ]

    # Neighbours often have the same.
    @lru_cache(maxsize=16)
    def encode(heads: Heads) -> Sequence[bytes]:
        return [b"" if each is None else each[1](heads[each[0]]) for each in encoders]

    return encode


def _head_encoder(field: Field) -> Encode:
    encode = encoder(field.type)
    if optional(field.type) is not None:
        return encode

    def required(value: int | None) -> bytes:
        if value is None:
            raise ValidationFailed(f"The manifest's schema does not let {field.name} be null")
        return encode(value)

    return required
