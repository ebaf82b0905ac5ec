"""Encodes Avro values, as `decoding` gives them."""

import struct
from collections.abc import Callable
from typing import Any

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

Encode = Callable[[Any], bytes]

_FLOATS = {"float": struct.Struct("<f"), "double": struct.Struct("<d")}


def encode_long(value: int) -> bytes:
    """Encode an int or a long."""
    number = (value << 1) ^ (value >> 63)
    if number < 128:
        return bytes((number,))
    found = bytearray()
    while number >= 128:
        found.append(number & 127 | 128)
        number >>= 7
    found.append(number)
    return bytes(found)


def encode_bytes(value: bytes) -> bytes:
    """Encode bytes, after their length."""
    return encode_long(len(value)) + value


def encoder(kind: Type) -> Encode:
    """Return a function that encodes values of a type; a record may lack what may be null.

    Encoding raises ValueError for a value that is null and must not be.
    """
    match kind:
        case Primitive(name="int" | "long") | Enumeration():
            return encode_long
        case Primitive(name="bytes"):
            return encode_bytes
        case Primitive(name="string"):
            return lambda value: encode_bytes(value.encode())
        case Primitive(name="null"):
            return lambda value: b""
        case Primitive(name="boolean"):
            return lambda value: b"\x01" if value else b"\x00"
        case Primitive(name=name):
            return _FLOATS[name].pack
        case Fixed():
            return bytes
        case Record():
            return _encode_record(kind)
        case Array(items=items, is_map=is_map):
            return _encode_map(items) if is_map else _encode_items(encoder(items))
        case StringMap(values=values):
            return _encode_pairs(lambda key: encode_bytes(key.encode()), encoder(values))
        case Union():
            return _encode_optional(kind)


def _encode_record(record: Record) -> Encode:
    encoders = [(field, encoder(field.type)) for field in record.fields]

    def encode(value: dict[int | str, Any]) -> bytes:
        parts = []
        for field, each in encoders:
            item = value.get(field.key)
            if item is None and isinstance(field.type, Primitive | Fixed | Record | Array):
                raise ValueError(f"{field.name} must not be null")
            parts.append(each(item))
        return b"".join(parts)

    return encode


def _encode_items(encode: Encode) -> Encode:
    def encode_items(value: list[Any]) -> bytes:
        if not value:
            return b"\x00"
        return b"".join((encode_long(len(value)), *map(encode, value), b"\x00"))

    return encode_items


def _encode_map(items: Type) -> Encode:
    key, value = key_and_value(items)
    return _encode_pairs(encoder(key), encoder(value))


def _encode_pairs(key: Encode, value: Encode) -> Encode:
    encode = _encode_items(lambda pair: key(pair[0]) + value(pair[1]))
    return lambda pairs: encode(list(pairs.items()))


def _encode_optional(kind: Union) -> Encode:
    found = optional(kind)
    if found is None:
        raise ValueError("a union is not of null and one type")
    null, other, inner = (encode_long(found[0]), encode_long(found[1]), encoder(found[2]))
    return lambda value: null if value is None else other + inner(value)
