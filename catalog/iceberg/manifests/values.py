"""Partition values: as Avro stores them, as pyiceberg knows them, and the bounds of many."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from pyiceberg.conversions import to_bytes
from pyiceberg.types import (
    BinaryType,
    BooleanType,
    DecimalType,
    DoubleType,
    FloatType,
    IntegerType,
    LongType,
    PrimitiveType,
    StringType,
    UnknownType,
    UUIDType,
)

from catalog.iceberg.avro.schemas import Fixed, Primitive, Type, optional

Convert = Callable[[Any], Any]

_TYPES: dict[str, PrimitiveType] = {
    "null": UnknownType(),
    "boolean": BooleanType(),
    # Dates, times and timestamps are counted, and encoded, as the numbers that they are stored as.
    "int": IntegerType(),
    "long": LongType(),
    "float": FloatType(),
    "double": DoubleType(),
    "bytes": BinaryType(),
    "string": StringType(),
}


def converter(kind: Type) -> Convert | None:
    """Return what makes pyiceberg's value out of a stored one; None if they are the same."""
    found = value_type(kind)
    if isinstance(found, DecimalType):
        scale = found.scale
        return lambda value: None if value is None else _decimal(value, scale)
    if isinstance(found, UUIDType):
        return lambda value: None if value is None else _uuid(value)
    return None


def value_type(kind: Type) -> PrimitiveType:
    """Return the type of a partition value by its Avro type.

    Raises:
        ValueError: if it is none that a partition can have.
    """
    inner = optional(kind)
    if inner is not None:
        kind = inner[2]
    if not isinstance(kind, Primitive | Fixed):
        raise ValueError("a partition value is neither a number nor text nor bytes")
    logical = kind.logical or {}
    if logical.get("logicalType") == "decimal":
        return DecimalType(int(logical["precision"]), int(logical.get("scale", 0)))
    if logical.get("logicalType") == "uuid":
        return UUIDType()
    return BinaryType() if isinstance(kind, Fixed) else _TYPES[kind.name]


def _decimal(value: bytes, scale: int) -> Decimal:
    unscaled = int.from_bytes(value, "big", signed=True)
    digits = tuple(int(digit) for digit in str(abs(unscaled)))
    return Decimal((int(unscaled < 0), digits, -scale))


def _uuid(value: bytes | str) -> UUID:
    return UUID(value) if isinstance(value, str) else UUID(bytes=value)


@dataclass(slots=True)
class Bounds:
    """The summary of one partition field over many files (spec "Manifest Lists")."""

    type: PrimitiveType
    contains_null: bool = False
    contains_nan: bool = False
    _lower: Any = field(default=None, init=False)
    _upper: Any = field(default=None, init=False)

    def add(self, value: Any) -> None:
        """Take in the value of one file."""
        if value is None:
            self.contains_null = True
        elif value != value:
            self.contains_nan = True
        elif self._lower is None:
            self._lower = self._upper = value
        elif _order(value) < _order(self._lower):
            self._lower = value
        elif _order(self._upper) < _order(value):
            self._upper = value

    @property
    def lower(self) -> bytes | None:
        """The smallest value, as a single value is serialised; None if there is none."""
        return None if self._lower is None else to_bytes(self.type, self._lower)

    @property
    def upper(self) -> bytes | None:
        """The largest value."""
        return None if self._upper is None else to_bytes(self.type, self._upper)


def _order(value: Any) -> Any:
    """Return what Java's readers compare: UTF-16 for text, and minus zero below zero."""
    if isinstance(value, str):
        return value.encode("utf-16-be")
    if isinstance(value, float):
        return value, math.copysign(1, value)
    return value
