"""Where the parts of a manifest's entries lie, by the schema that the manifest itself names."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Generic, TypeVar

import orjson
from pyiceberg.manifest import DATA_FILE_TYPE, DataFile, DataFileContent, FileFormat
from pyiceberg.typedef import Record as Values

from catalog.iceberg.avro.decoding import Decode, Skip, decoder, skipper
from catalog.iceberg.avro.schemas import Array, Field, Record, Type, optional, parse_schema
from catalog.iceberg.manifests.values import Convert, converter

STATUS, SNAPSHOT_ID, DATA_FILE, SEQUENCE_NUMBER, FILE_SEQUENCE_NUMBER = 0, 1, 2, 3, 4
CONTENT, FILE_PATH, FILE_FORMAT, PARTITION, RECORD_COUNT = 134, 100, 101, 102, 103
FIRST_ROW_ID = 142
HEADS = (STATUS, SNAPSHOT_ID, SEQUENCE_NUMBER, FILE_SEQUENCE_NUMBER)

_POSITIONS = {field.field_id: place for place, field in enumerate(DATA_FILE_TYPE[3].fields)}
_REQUIRED = {field.field_id for field in DATA_FILE_TYPE[3].fields if field.required} - {CONTENT}
_ENUMERATIONS: Mapping[int | str, Callable[[Any], Any]] = {
    CONTENT: DataFileContent,
    FILE_FORMAT: FileFormat,
}
_VALUES = len(_POSITIONS)

V = TypeVar("V")


class LazyMap(Mapping[int, V], Generic[V]):
    """A map of a data file's metrics, decoded when it is first asked for."""

    __slots__ = ("_data", "_decode", "_found", "_position")

    def __init__(self, data: bytes, position: int, decode: Decode) -> None:
        self._data = data
        self._position = position
        self._decode = decode
        self._found: dict[int, V] | None = None

    def _map(self) -> dict[int, V]:
        if self._found is None:
            self._found = self._decode(self._data, self._position)[0]
        return self._found

    def __getitem__(self, key: int) -> V:
        return self._map()[key]

    def __iter__(self) -> Iterator[int]:
        return iter(self._map())

    def __len__(self) -> int:
        return len(self._map())

    def __repr__(self) -> str:
        return repr(self._map())


@dataclass(frozen=True, slots=True)
class FileLayout:
    """The record of a data file: how each field is skipped, and what becomes of its value."""

    skips: tuple[Skip, ...]
    # Position in pyiceberg's DataFile, number of the field here, and how it is decoded. What may be
    # null is so in most files.
    required: tuple[tuple[int, int, Decode], ...]
    nullable: tuple[tuple[int, int, Decode], ...]
    maps: tuple[tuple[int, int, Decode], ...]
    partition: tuple[int, Callable[[bytes], Values]]
    first_row_id: int | None

    def offsets(self, block: bytes, position: int) -> list[int]:
        """Return where each field begins, and the end."""
        found = [position]
        for skip in self.skips:
            position = skip(block, position)
            found.append(position)
        if position > len(block):
            raise IndexError("an entry ends too early")
        return found

    def row_id_at(self, offsets: list[int]) -> tuple[int, int] | None:
        """Return where the first row id lies in the bytes of a data file, if it has the field."""
        if self.first_row_id is None:
            return None
        start = offsets[0]
        return offsets[self.first_row_id] - start, offsets[self.first_row_id + 1] - start

    def data_file(self, data: bytes, offsets: list[int]) -> DataFile:
        """Decode a data file; its maps are decoded when they are asked for."""
        values: list[Any] = [None] * _VALUES
        values[0] = DataFileContent.DATA
        start = offsets[0]
        for place, number, decode in self.required:
            values[place] = decode(data, offsets[number] - start)[0]
        for place, number, decode in self.nullable:
            if offsets[number + 1] - offsets[number] > 1:
                values[place] = decode(data, offsets[number] - start)[0]
        for place, number, decode in self.maps:
            if offsets[number + 1] - offsets[number] > 1:
                values[place] = LazyMap(data, offsets[number] - start, decode)
        number, partition = self.partition
        stored = data[offsets[number] - start : offsets[number + 1] - start]
        values[_POSITIONS[PARTITION]] = partition(stored)
        return DataFile(*values)


@dataclass(frozen=True, slots=True)
class EntryLayout:
    """The fields of an entry, in order: decoded, taken as a data file, or copied."""

    fields: tuple[tuple[int | str, Decode | None, Skip], ...]
    file: FileLayout


# Manifests of one writer and one spec have the same schema, byte by byte, whichever the table.
@lru_cache(maxsize=64)
def entry_layout(schema: bytes, partition: tuple[int, ...]) -> EntryLayout:
    """Return the layout of a manifest's entries, by its schema and the field ids of its spec.

    Partition values come in the order of the spec.

    Raises:
        ValueError: if the schema is not that of a manifest.
    """
    fields = record_fields(parse_schema(orjson.loads(schema)), "an entry")
    by_key = {field.key: field for field in fields}
    if not {STATUS, DATA_FILE} <= by_key.keys() or len(by_key) < len(fields):
        raise ValueError("the schema is not that of a manifest")
    return EntryLayout(
        tuple(
            (field.key, decoder(field.type) if field.key in HEADS else None, skipper(field.type))
            for field in fields
        ),
        _file_layout(record_fields(by_key[DATA_FILE].type, "a data file"), partition),
    )


def _file_layout(fields: tuple[Field, ...], partition: tuple[int, ...]) -> FileLayout:
    numbers = {field.key: number for number, field in enumerate(fields)}
    missing = _REQUIRED - numbers.keys()
    if missing or len(numbers) < len(fields):
        raise ValueError(f"a data file lacks fields {sorted(missing)}, or has a field twice")
    required: list[tuple[int, int, Decode]] = []
    nullable: list[tuple[int, int, Decode]] = []
    maps: list[tuple[int, int, Decode]] = []
    for key, number in numbers.items():
        if key in _POSITIONS and key != PARTITION:
            inner = optional(fields[number].type)
            decode = _with_enumeration(key, decoder(fields[number].type))
            if inner is None or key in _REQUIRED:
                kinds = required
            else:
                kinds = maps if _is_map(inner[2]) else nullable
            kinds.append((_POSITIONS[int(key)], number, decode))
    return FileLayout(
        skips=tuple(skipper(field.type) for field in fields),
        required=tuple(required),
        nullable=tuple(nullable),
        maps=tuple(maps),
        partition=(numbers[PARTITION], _partition(fields[numbers[PARTITION]].type, partition)),
        first_row_id=numbers.get(FIRST_ROW_ID),
    )


def _partition(kind: Type, wanted: tuple[int, ...]) -> Callable[[bytes], Values]:
    stored = {field.key: field.type for field in record_fields(kind, "a partition")}
    decode = decoder(kind)
    converts: list[tuple[int, Convert | None]] = [
        (key, converter(stored[key]) if key in stored else None) for key in wanted
    ]

    # Files of one partition stand together as a rule.
    @lru_cache(maxsize=16)
    def partition(data: bytes) -> Values:
        found = decode(data, 0)[0]
        return Values(
            *(
                found.get(key) if convert is None else convert(found[key])
                for key, convert in converts
            )
        )

    return partition


def _with_enumeration(key: int | str, decode: Decode) -> Decode:
    if key not in _ENUMERATIONS:
        return decode
    enumeration = _ENUMERATIONS[key]

    def decode_one(data: bytes, position: int) -> tuple[Any, int]:
        value, position = decode(data, position)
        return enumeration(value), position

    return decode_one


def _is_map(kind: Type) -> bool:
    return isinstance(kind, Array) and kind.is_map


def record_fields(kind: Type, what: str) -> tuple[Field, ...]:
    """Return the fields of a record.

    Raises:
        ValueError: if the type is none.
    """
    if not isinstance(kind, Record):
        raise ValueError(f"the schema of {what} is no record")
    return kind.fields
