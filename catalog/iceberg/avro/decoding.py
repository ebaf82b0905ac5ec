"""Skips and decodes Avro values in memory.

pyiceberg's decoder (0.12) does not look where its buffer ends, so a damaged file makes it read
foreign memory; it skips decimals wrongly, and keeps a double as a float. Here a read past the end
is an IndexError. A skip may end behind the buffer: who skips looks at the end that it returns. The
steps that a value costs are bounded by its bytes, for arrays of what has no bytes are refused.
"""

import re
import struct
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from catalog.iceberg.avro.encoding import encode_long
from catalog.iceberg.avro.schemas import (
    Array,
    Enumeration,
    Fixed,
    Primitive,
    Record,
    StringMap,
    Type,
    Union,
    key_and_value,
    optional,
)

Skip = Callable[[bytes, int], int]
Decode = Callable[[bytes, int], tuple[Any, int]]

_SIZES = {"null": 0, "boolean": 1, "float": 4, "double": 8}
_FLOATS = {"float": struct.Struct("<f"), "double": struct.Struct("<d")}
_MOST_AT_ONCE = 64


def read_long(data: bytes, position: int) -> tuple[int, int]:
    """Return the int or long at a position, and where it ends."""
    byte = data[position]
    position += 1
    if byte < 128:
        return (byte >> 1) ^ -(byte & 1), position
    value, shift = byte & 127, 7
    while byte >= 128:
        byte = data[position]
        position += 1
        value |= (byte & 127) << shift
        shift += 7
        if shift > 70:
            raise ValueError("a number is longer than 64 bits")
    if value >> 64:
        raise ValueError("a number is longer than 64 bits")
    return (value >> 1) ^ -(value & 1), position


def skip_longs(data: bytes, position: int, count: int) -> int:
    """Return where a number of ints and longs end that lie one after the other."""
    while count > 0:
        part = min(count, _MOST_AT_ONCE)
        match = _longs(part)(data, position)
        if match is None:
            raise IndexError("a number ends too early")
        position = match.end()
        count -= part
    return position


@lru_cache(maxsize=_MOST_AT_ONCE)
def _longs(count: int) -> Callable[[bytes, int], "re.Match[bytes] | None"]:
    return re.compile(rb"[\x80-\xff]{0,9}+[\x00-\x7f]" * count).match


def skipper(kind: Type) -> Skip:
    """Return a function that tells where a value of a type ends."""
    match kind:
        case Primitive(name="int" | "long") | Enumeration():
            return _skip_long
        case Primitive(name="string" | "bytes"):
            return _skip_bytes
        case Primitive(name=name):
            return _skip_fixed(_SIZES[name])
        case Fixed(size=size):
            return _skip_fixed(size)
        case Record(fields=fields):
            return _skip_record([skipper(field.type) for field in fields])
        case Array(items=items):
            return _skip_items(_skip_many(items))
        case StringMap(values=values):
            return _skip_items(_repeated(_skip_record([_skip_bytes, skipper(values)])))
        case Union():
            return _skip_union(kind)


def decoder(kind: Type) -> Decode:
    """Return a function that gives a value of a type, and where it ends.

    Records become dicts by field key, Iceberg's maps dicts, enumerations numbers; logical types
    are left as they are stored.
    """
    match kind:
        case Primitive(name="int" | "long") | Enumeration():
            return read_long
        case Primitive(name="bytes"):
            return _read_bytes
        case Primitive(name="string"):
            return _read_string
        case Primitive(name="null"):
            return lambda data, position: (None, position)
        case Primitive(name="boolean"):
            return lambda data, position: (data[position] != 0, position + 1)
        case Primitive(name=name):
            return _read_float(_FLOATS[name])
        case Fixed(size=size):
            return lambda data, position: (
                data[position : _inside(data, position + size)],
                position + size,
            )
        case Record(fields=fields):
            return _read_record([(field.key, decoder(field.type)) for field in fields])
        case Array(items=items, is_map=is_map):
            return _read_items(_read_record_of(items) if is_map else decoder(items), is_map)
        case StringMap(values=values):
            return _read_items(_read_pair(_read_string, decoder(values)), True)
        case Union():
            return _read_optional(kind)


def _inside(data: bytes, position: int) -> int:
    if position > len(data):
        raise IndexError("a value ends too early")
    return position


def _skip_long(data: bytes, position: int) -> int:
    return position + 1 if data[position] < 128 else skip_longs(data, position, 1)


def _skip_bytes(data: bytes, position: int) -> int:
    size, position = read_long(data, position)
    if size < 0:
        raise ValueError("a length is negative")
    return position + size


def _skip_fixed(size: int) -> Skip:
    return lambda data, position: position + size


def _skip_record(skips: list[Skip]) -> Skip:
    def skip(data: bytes, position: int) -> int:
        for each in skips:
            position = each(data, position)
        return position

    return skip


def _skip_union(kind: Union) -> Skip:
    branches = [skipper(branch) for branch in kind.branches]
    found = optional(kind)
    if found is not None:
        return _skip_optional(found[0], branches[found[1]])

    def skip(data: bytes, position: int) -> int:
        branch, position = read_long(data, position)
        if branch < 0:
            raise ValueError("a union has no such branch")
        return branches[branch](data, position)

    return skip


def _skip_optional(null: int, inner: Skip) -> Skip:
    """Skip a union of null and one type, as nearly all fields of a manifest have it."""
    nothing, something = encode_long(null)[0], encode_long(1 - null)[0]

    def skip(data: bytes, position: int) -> int:
        branch = data[position]
        if branch == nothing:
            return position + 1
        if branch != something:
            raise ValueError("a union has no such branch")
        return inner(data, position + 1)

    return skip


def _skip_many(items: Type) -> Callable[[bytes, int, int], int]:
    """Return a function that tells where a number of items end; fast for the maps of metrics."""
    kinds = [field.type for field in items.fields] if isinstance(items, Record) else [items]
    names = [kind.name if isinstance(kind, Primitive) else "" for kind in kinds]
    if all(name in ("int", "long") for name in names) and names:
        return lambda data, position, count: skip_longs(data, position, count * len(names))
    if len(names) == 2 and names[0] in ("int", "long") and names[1] in ("bytes", "string"):
        return _skip_bounds
    return _repeated(skipper(items))


def _skip_bounds(data: bytes, position: int, count: int) -> int:
    for _ in range(count):
        position += 1
        if data[position - 1] >= 128:
            position = skip_longs(data, position - 1, 1)
        size = data[position]
        if size < 128 and not size & 1:
            position += 1 + (size >> 1)
        else:
            position = _skip_bytes(data, position)
    return position


def _repeated(skip: Skip) -> Callable[[bytes, int, int], int]:
    def skip_many(data: bytes, position: int, count: int) -> int:
        for _ in range(count):
            position = skip(data, position)
        return position

    return skip_many


def _skip_items(skip_many: Callable[[bytes, int, int], int]) -> Skip:
    def skip(data: bytes, position: int) -> int:
        while data[position] != 0:
            count, size, position = _read_count(data, position)
            if count == 0:
                return position
            end = skip_many(data, position, count)
            if size is not None and end != position + size:
                raise ValueError("a block of items has another size than it says")
            position = end
        return position + 1

    return skip


def _read_count(data: bytes, position: int) -> tuple[int, int | None, int]:
    """Return how many items follow, how many bytes they say to have, and where they begin."""
    count = data[position]
    if count < 128 and not count & 1:
        return count >> 1, None, position + 1
    size = None
    count, position = read_long(data, position)
    if count < 0:
        count = -count
        size, position = read_long(data, position)
    if count > len(data) - position:
        raise ValueError("an array has more items than bytes")
    return count, size, position


def _read_bytes(data: bytes, position: int) -> tuple[bytes, int]:
    size, position = read_long(data, position)
    if size < 0:
        raise ValueError("a length is negative")
    end = _inside(data, position + size)
    return data[position:end], end


def _read_string(data: bytes, position: int) -> tuple[str, int]:
    value, position = _read_bytes(data, position)
    return value.decode(), position


def _read_float(layout: struct.Struct) -> Decode:
    def read(data: bytes, position: int) -> tuple[float, int]:
        end = _inside(data, position + layout.size)
        return layout.unpack_from(data, position)[0], end

    return read


def _read_record(fields: list[tuple[int | str, Decode]]) -> Decode:
    def read(data: bytes, position: int) -> tuple[dict[int | str, Any], int]:
        record = {}
        for key, decode in fields:
            record[key], position = decode(data, position)
        return record, position

    return read


def _read_pair(key: Decode, value: Decode) -> Decode:
    def read(data: bytes, position: int) -> tuple[tuple[Any, Any], int]:
        first, position = key(data, position)
        second, position = value(data, position)
        return (first, second), position

    return read


def _read_record_of(items: Type) -> Decode:
    key, value = key_and_value(items)
    return _read_pair(decoder(key), decoder(value))


def _read_items(decode: Decode, is_map: bool) -> Decode:
    def read(data: bytes, position: int) -> tuple[Any, int]:
        found: list[Any] = []
        while True:
            count, _, position = _read_count(data, position)
            if count == 0:
                return (dict(found) if is_map else found), position
            for _ in range(count):
                item, position = decode(data, position)
                found.append(item)

    return read


def _read_optional(kind: Union) -> Decode:
    found = optional(kind)
    if found is None:
        raise ValueError("a union is not of null and one type")
    null, other, inner = found
    decode = decoder(inner)

    def read(data: bytes, position: int) -> tuple[Any, int]:
        branch, position = read_long(data, position)
        if branch == null:
            return None, position
        if branch != other:
            raise ValueError("a union has no such branch")
        return decode(data, position)

    return read
