"""Single values as JSON (spec Appendix D; the REST document's PrimitiveTypeValue)."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from pyiceberg.types import (
    DateType,
    IcebergType,
    TimestampNanoType,
    TimestampType,
    TimestamptzNanoType,
    TimestamptzType,
    TimeType,
)

Json = Any

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  # Timestamps without zone have none in JSON either.
_UTC = "+00:00"
_NANOS = 1000


def to_json(value: Any, value_type: IcebergType) -> Json:
    """Return a value, in Iceberg's own representation, as JSON."""
    match value:
        case None | bool() | str() | float():
            return value
        case int():
            return _whole_number(value, value_type)
        case Decimal():
            return f"{value:f}" if _scale(value) >= 0 else str(value)
        case UUID():
            return str(value)
        case bytes():
            return _bytes(value, value_type)
        case _:
            raise AssertionError(f"{type(value)} is no primitive value")


def _whole_number(value: int, value_type: IcebergType) -> Json:
    try:
        match value_type:
            case DateType():
                return (date(1970, 1, 1) + timedelta(days=value)).isoformat()
            case TimeType():
                return _time(value).isoformat(timespec="microseconds")
            case TimestampType():
                return _timestamp(value)
            case TimestamptzType():
                return _timestamp(value) + _UTC
            case TimestampNanoType():
                return _timestamp_nanos(value)
            case TimestamptzNanoType():
                return _timestamp_nanos(value) + _UTC
    except OverflowError:
        # Python's calendar ends with the year 9999, Iceberg's does not; the number is exact.
        return value
    return value


def _time(micros: int) -> time:
    return (_EPOCH + timedelta(microseconds=micros)).time()


def _timestamp(micros: int) -> str:
    return (_EPOCH + timedelta(microseconds=micros)).isoformat(timespec="microseconds")


def _timestamp_nanos(nanos: int) -> str:
    return f"{_timestamp(nanos // _NANOS)}{nanos % _NANOS:03d}"


def _scale(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int)
    return -exponent


def _bytes(value: bytes, value_type: IcebergType) -> Json:
    if str(value_type) == "uuid":
        return str(UUID(bytes=value))
    return value.hex().upper()
