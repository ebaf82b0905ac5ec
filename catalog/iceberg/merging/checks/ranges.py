"""What a column may hold in a file, as far as a bound or a partition value tells.

A range claims no more than it must: what is not known is everything.
"""

import math
import struct
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pyiceberg.types import (
    BinaryType,
    BooleanType,
    DateType,
    DecimalType,
    DoubleType,
    FixedType,
    FloatType,
    IcebergType,
    IntegerType,
    LongType,
    StringType,
    TimestampNanoType,
    TimestampType,
    TimestamptzNanoType,
    TimestamptzType,
    TimeType,
)
from pyiceberg.utils.decimal import decimal_to_unscaled

_WHOLE = (
    *(IntegerType, LongType, DateType, TimeType),
    *(TimestampType, TimestamptzType, TimestampNanoType, TimestamptzNanoType),
)


@dataclass(frozen=True, slots=True)
class Range:
    """What values may be there: null, NaN, and ordinary ones from `low` to `high`.

    A bound that is None is not known; `ends_before` leaves `high` itself out. Strings are compared
    by their bytes and decimals of one scale by their digits, so that is what they are here.
    """

    null: bool = True
    nan: bool = True
    ordinary: bool = True
    low: Any = None
    high: Any = None
    ends_before: bool = False

    def meets(self, other: "Range") -> bool:
        """Tell whether a value may be in both; null meets null, and NaN NaN."""
        if (self.null and other.null) or (self.nan and other.nan):
            return True
        if not (self.ordinary and other.ordinary):
            return False
        return self._reaches(other) and other._reaches(self)

    def within(self, other: "Range") -> "Range":
        """Return what both allow."""
        low = self.low if other.low is None else other.low
        if self.low is not None and other.low is not None:
            low = max(self.low, other.low)
        upper = self if other.high is None or not other._ends_first(self) else other
        return Range(
            null=self.null and other.null,
            nan=self.nan and other.nan,
            ordinary=self.ordinary and other.ordinary,
            low=low,
            high=upper.high,
            ends_before=upper.ends_before,
        )

    def _reaches(self, other: "Range") -> bool:
        """Tell whether this does not end before the other begins."""
        if self.high is None or other.low is None:
            return True
        if self.ends_before:
            return bool(other.low < self.high)
        return bool(other.low <= self.high)

    def _ends_first(self, other: "Range") -> bool:
        if other.high is None:
            return True
        return bool(self.high < other.high or (self.high == other.high and self.ends_before))


EVERYTHING = Range()
NULL_ONLY = Range(nan=False, ordinary=False)


def exactly(value: Any) -> Range:
    """Return the range of one value, in Iceberg's own representation."""
    if value is None:
        return NULL_ONLY
    if isinstance(value, float) and math.isnan(value):
        return Range(null=False, ordinary=False)
    return between(comparable(value), comparable(value))


def between(low: Any, high: Any, *, ends_before: bool = False) -> Range:
    """Return a range without null and NaN."""
    return Range(null=False, nan=False, low=low, high=high, ends_before=ends_before)


def starting_with(prefix: bytes) -> Range:
    """Return the range of all byte strings that start with a prefix."""
    stem = prefix.rstrip(b"\xff")
    if not stem:
        return between(prefix, None)
    return between(prefix, stem[:-1] + bytes([stem[-1] + 1]), ends_before=True)


def comparable(value: Any) -> Any:
    """Return a value as what its column's order is by."""
    match value:
        case str():
            return value.encode(errors="surrogatepass")
        case Decimal():
            return decimal_to_unscaled(value)
        case _:
            return value


def bounded(field_type: IcebergType, low: bytes | None, high: bytes | None) -> Range:
    """Return the range between two bounds of a file's metrics; null and NaN are not judged."""
    return Range(low=_decoded(field_type, low), high=_decoded(field_type, high))


def _decoded(field_type: IcebergType, data: bytes | None) -> Any:
    """Return a bound as a value to compare; None if it says nothing.

    The length tells what type it was written with: a column may have been promoted since. UUIDs
    are left out, since old writers ordered them otherwise.
    """
    if data is None:
        return None
    match field_type:
        case StringType() | BinaryType() | FixedType():
            return data
        case DecimalType():
            return int.from_bytes(data, "big", signed=True)
        case FloatType() | DoubleType():
            return _decoded_float(data)
        case BooleanType():
            return data != b"\x00"
        case _ if isinstance(field_type, _WHOLE) and len(data) in (4, 8):
            return int.from_bytes(data, "little", signed=True)
        case _:
            return None


def _decoded_float(data: bytes) -> float | None:
    if len(data) not in (4, 8):
        return None
    value: float = struct.unpack("<f" if len(data) == 4 else "<d", data)[0]
    return None if math.isnan(value) else value
