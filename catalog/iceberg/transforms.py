"""Partition and sort transforms: canonical text, and which source types each takes.

A transform that nobody here knows is kept verbatim and accepted for every source: readers ignore
it (spec "Partition Transforms").
"""

import re

from catalog.errors import InvalidInput
from catalog.iceberg.reading import INT_MAX
from catalog.iceberg.types import Type, is_primitive, show_type, type_name

VOID = "void"

_PARAMETER = re.compile(r"(bucket|truncate)\[([0-9]+)\]", re.ASCII | re.IGNORECASE)
_PLAIN = ("identity", "year", "month", "day", "hour", VOID)

_TIMESTAMPS = frozenset(("timestamp", "timestamptz", "timestamp_ns", "timestamptz_ns"))
_SOURCES = {
    "bucket": _TIMESTAMPS
    | {"int", "long", "decimal", "date", "time", "string", "uuid", "fixed", "binary"},
    "truncate": frozenset(("int", "long", "decimal", "string", "binary")),
    "year": _TIMESTAMPS | {"date"},
    "month": _TIMESTAMPS | {"date"},
    "day": _TIMESTAMPS | {"date"},
    "hour": _TIMESTAMPS,
}
_REFUSALS = {
    "identity": "Unsupported type for identity",
    "bucket": "Cannot bucket by type",
    "truncate": "Cannot truncate type",
}


def parse_transform(text: str) -> str:
    """Return the canonical text of a transform; unknown ones are returned as they are.

    Raises:
        InvalidInput: if a number of buckets or a width is not positive or has over 31 bits.
    """
    if text.lower() in _PLAIN:
        return text.lower()
    match = _PARAMETER.fullmatch(text)
    if match is None:
        return text
    name, digits = match[1].lower(), match[2].lstrip("0") or "0"
    if digits == "0" or len(digits) > len(str(INT_MAX)) or int(digits) > INT_MAX:
        what = "number of buckets" if name == "bucket" else "truncate width"
        raise InvalidInput(f"Invalid {what}: {digits[:20]} (must be > 0)")
    return f"{name}[{digits}]"


def is_known(transform: str) -> bool:
    """Tell whether a canonical transform is one of the format's own."""
    return transform_name(transform) in _PLAIN or _PARAMETER.fullmatch(transform) is not None


def transform_name(transform: str) -> str:
    """Return a canonical transform without its parameter."""
    match = _PARAMETER.fullmatch(transform)
    return match[1] if match else transform


def takes(transform: str, source_type: Type) -> bool:
    """Tell whether a canonical transform may be applied to a canonical type."""
    name = transform_name(transform)
    if name == "identity":
        return is_primitive(source_type) and type_name(source_type) not in ("geometry", "geography")
    return name not in _SOURCES or type_name(source_type) in _SOURCES[name]


def check_takes(transform: str, source_type: Type) -> None:
    """Refuse a source type that the transform does not take.

    Raises:
        InvalidInput: with the words of the transform in Java.
    """
    if not takes(transform, source_type):
        refusal = _REFUSALS.get(transform_name(transform), "Unsupported type")
        raise InvalidInput(f"{refusal}: {show_type(source_type)}")
