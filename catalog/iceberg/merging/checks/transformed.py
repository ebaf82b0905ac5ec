"""Which values of a column a partition value stands for."""

from decimal import Decimal
from typing import Any

from pyiceberg.transforms import (
    DayTransform,
    HourTransform,
    IdentityTransform,
    MonthTransform,
    Transform,
    TruncateTransform,
    YearTransform,
)
from pyiceberg.types import (
    DateType,
    IcebergType,
    TimestampNanoType,
    TimestampType,
    TimestamptzNanoType,
    TimestamptzType,
)

from catalog.iceberg.merging.checks.ranges import (
    NULL_ONLY,
    Range,
    between,
    comparable,
    exactly,
    starting_with,
)

_HOURS = 24
_MICROS_PER_HOUR = 3_600_000_000
_NANOS_PER_HOUR = 1000 * _MICROS_PER_HOUR
_EPOCH_YEAR = 1970
_MONTHS = 12


def source_range(
    transform: Transform[Any, Any], source_type: IcebergType, value: Any
) -> Range | None:
    """Return the values of the source that a transform maps to `value`; None if no range does."""
    match transform:
        case IdentityTransform():
            return exactly(value)
        case TruncateTransform():
            return NULL_ONLY if value is None else _truncated(transform.width, value)
        case YearTransform() | MonthTransform() | DayTransform() | HourTransform():
            return NULL_ONLY if value is None else _period(transform, source_type, value)
        case _:
            return None


def _truncated(width: int, value: Any) -> Range | None:
    match value:
        case int() | Decimal():
            low = comparable(value)
            return between(low, low + width - 1)
        case str() | bytes():
            # Shorter than the width, the value was not cut.
            whole = comparable(value)
            return starting_with(whole) if len(value) >= width else between(whole, whole)
        case _:
            return None


def _period(transform: Transform[Any, Any], source_type: IcebergType, value: int) -> Range | None:
    """Return the dates or timestamps of a year, month, day or hour.

    Old writers rounded what lies before 1970 up, so there a value may also stand for the one
    before it (Java ProjectionUtil.fixInclusiveTimeProjection).
    """
    first = value - 1 if value <= 0 else value
    low, high = _hours(transform, first), _hours(transform, value + 1)
    match source_type:
        case DateType() if not isinstance(transform, HourTransform):
            return between(low // _HOURS, high // _HOURS - 1)
        case TimestampType() | TimestamptzType():
            return between(low * _MICROS_PER_HOUR, high * _MICROS_PER_HOUR - 1)
        case TimestampNanoType() | TimestamptzNanoType():
            return between(low * _NANOS_PER_HOUR, high * _NANOS_PER_HOUR - 1)
        case _:
            return None


def _hours(transform: Transform[Any, Any], value: int) -> int:
    """Return the hours from 1970 to the start of a year, month, day or hour."""
    match transform:
        case YearTransform():
            return _HOURS * _days(_EPOCH_YEAR + value, 1)
        case MonthTransform():
            year, month = divmod(value, _MONTHS)
            return _HOURS * _days(_EPOCH_YEAR + year, month + 1)
        case DayTransform():
            return _HOURS * value
        case _:
            return value


def _days(year: int, month: int) -> int:
    """Return the days from 1970 to the first of a month; Python's calendar ends too early.

    Years begin in March here, so that the leap day is a year's last.
    """
    year, month = (year - 1, month + 9) if month <= 2 else (year, month - 3)
    leap_days = year // 4 - year // 100 + year // 400
    return 365 * year + leap_days + (153 * month + 2) // 5 - 719468
