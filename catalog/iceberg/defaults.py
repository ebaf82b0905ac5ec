"""Default values of columns: JSON in, canonical JSON out (spec "Default values", Appendix D).

Canonical means as Java writes it, so that equal defaults have equal JSON.
"""

import re
import uuid
from collections.abc import Callable
from datetime import date

from catalog.errors import InvalidInput
from catalog.iceberg.reading import is_int, is_long, shown
from catalog.iceberg.types import (
    Type,
    decimal_precision,
    decimal_scale,
    fixed_length,
    show_type,
    type_name,
)

_FLOAT_MAX = 3.4028234663852886e38

_TIME = re.compile(r"([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,9}))?)?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DECIMAL = re.compile(r"-?([0-9]+)(?:\.([0-9]+))?")
_HEX = re.compile(r"(?:[0-9a-fA-F]{2})*")
_UUID_CHARACTERS = 36


def parse_default(column_type: Type, value: object) -> object:
    """Return the canonical JSON of a default value, None for none.

    Raises:
        InvalidInput: if the value is not one of this type.
    """
    if value is None:
        return None
    parser = _PARSERS.get(type_name(column_type))
    if parser is None or not isinstance(column_type, str):
        raise InvalidInput(
            f"Invalid default value for {show_type(column_type)}: {shown(value)} (must be null)"
        )
    parsed = parser(column_type, value)
    if parsed is None:
        raise InvalidInput(f"Cannot parse default as a {column_type} value: {shown(value)}")
    return parsed


def _boolean(_: str, value: object) -> object:
    return value if isinstance(value, bool) else None


def _int(_: str, value: object) -> object:
    return value if is_int(value) else None


def _long(_: str, value: object) -> object:
    return value if is_long(value) else None


def _floating(column_type: str, value: object) -> object:
    # Java refuses `1`; the spec's JSON numbers do not tell it from `1.0`.
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    number = float(value)
    return None if column_type == "float" and abs(number) > _FLOAT_MAX else number


def _decimal(column_type: str, value: object) -> object:
    match = _DECIMAL.fullmatch(value) if isinstance(value, str) else None
    if match is None or len(match[2] or "") != decimal_scale(column_type):
        return None
    digits = (match[1] + (match[2] or "")).lstrip("0")
    return value if len(digits) <= decimal_precision(column_type) else None


def _date(_: str, value: object) -> object:
    return _canonical_date(value) if isinstance(value, str) else None


def _time(_: str, value: object) -> object:
    return _canonical_time(value, 6) if isinstance(value, str) else None


def _timestamp(column_type: str, value: object) -> object:
    if not isinstance(value, str):
        return None
    zone = "+00:00" if column_type.startswith("timestamptz") else ""
    if not value.endswith(zone):
        return None
    day, separator, clock = value.removesuffix(zone).partition("T")
    day_text = _canonical_date(day)
    clock_text = _canonical_time(clock, 9 if column_type.endswith("_ns") else 6)
    if not separator or day_text is None or clock_text is None:
        return None
    return f"{day_text}T{clock_text}{zone}"


def _text(_: str, value: object) -> object:
    return value if isinstance(value, str) else None


def _uuid(_: str, value: object) -> object:
    if not isinstance(value, str) or len(value) != _UUID_CHARACTERS:
        return None
    return canonical_uuid(value)


def _binary(_: str, value: object) -> object:
    return value.upper() if isinstance(value, str) and _HEX.fullmatch(value) else None


def _fixed(column_type: str, value: object) -> object:
    if not isinstance(value, str) or not _HEX.fullmatch(value):
        return None
    if len(value) != 2 * fixed_length(column_type):
        raise InvalidInput(
            f"Cannot parse default {column_type} value: {shown(value)}, "
            f"incorrect length: {len(value)}"
        )
    return value.upper()


def canonical_uuid(text: str) -> str | None:
    """Return a UUID in its hyphenated lower-case form, None if the text is none in that form."""
    try:
        parsed = str(uuid.UUID(text))
    except ValueError:
        return None
    return parsed if parsed == text.lower() else None


def _canonical_date(text: str) -> str | None:
    if not _DATE.fullmatch(text):
        return None
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        return None


def _canonical_time(text: str, digits: int) -> str | None:
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    hours, minutes, seconds, fraction = match[1], match[2], match[3] or "00", match[4] or ""
    if hours > "23" or minutes > "59" or seconds > "59" or len(fraction) > digits:
        return None
    fraction = fraction.rstrip("0")
    return f"{hours}:{minutes}:{seconds}" + (f".{fraction}" if fraction else "")


_PARSERS: dict[str, Callable[[str, object], object]] = {
    "boolean": _boolean,
    "int": _int,
    "long": _long,
    "float": _floating,
    "double": _floating,
    "decimal": _decimal,
    "date": _date,
    "time": _time,
    "timestamp": _timestamp,
    "timestamptz": _timestamp,
    "timestamp_ns": _timestamp,
    "timestamptz_ns": _timestamp,
    "string": _text,
    "uuid": _uuid,
    "binary": _binary,
    "fixed": _fixed,
}
