"""Hive's folders: `name=value` in a file's path tells a column's value, which the file may lack."""

import re
from collections.abc import Iterable
from datetime import date
from typing import Any
from urllib.parse import unquote

from pyiceberg.types import DateType, IntegerType, LongType, PrimitiveType, StringType

NULL = "__HIVE_DEFAULT_PARTITION__"
Pairs = tuple[tuple[str, str | None], ...]

# The types that a path can be read as.
TYPES: dict[str, PrimitiveType] = {
    "date": DateType(),
    "int": IntegerType(),
    "long": LongType(),
    "string": StringType(),
}
_BITS = {"int": 32, "long": 64}
_EPOCH = date(1970, 1, 1).toordinal()
# As Hive and Spark write them, and zeros before a number, as in `month=07`. Python would read more:
# `1_000`, other scripts' digits, and `20261123` as a date.
_NUMBER = re.compile(r"-?[0-9]+")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def pairs_of(relative: str) -> Pairs:
    """Return the names and values in a file's path below its table's folder, in their order."""
    folders = (folder.partition("=") for folder in relative.split("/")[:-1])
    return tuple(
        (unquote(name), None if value == NULL else unquote(value))
        for name, equals, value in folders
        if name and equals
    )


def inferred(values: Iterable[str | None]) -> PrimitiveType:
    """Return the first of long, date and string that has all values just as they are written.

    So `007` is text, since it would not come back as it was.
    """
    known = {value for value in values if value is not None}
    for name in ("long", "date"):
        if known and all(_round_trips(TYPES[name], value) for value in known):
            return TYPES[name]
    return TYPES["string"]


def parsed(kind: PrimitiveType, text: str | None) -> Any:
    """Return a path's value as Iceberg keeps it in a partition: a date is days since 1970.

    Raises:
        ValueError: if the text is no value of the type, or paths cannot tell such values.
    """
    if text is None:
        return None
    match kind:
        case StringType():
            return text
        case IntegerType() | LongType():
            number = int(_spelled(_NUMBER, text))
            if not -(1 << _BITS[str(kind)] - 1) <= number < 1 << _BITS[str(kind)] - 1:
                raise ValueError(f"{text} is out of range")
            return number
        case DateType():
            return date.fromisoformat(_spelled(_DATE, text)).toordinal() - _EPOCH
        case _:
            raise ValueError(f"a path tells no value of type {kind}")


def _spelled(pattern: re.Pattern[str], text: str) -> str:
    if not pattern.fullmatch(text):
        raise ValueError("it is not written as Hive and Spark do")
    return text


def _round_trips(kind: PrimitiveType, text: str) -> bool:
    try:
        value = parsed(kind, text)
    except ValueError:
        return False
    written = str(value) if kind != DateType() else date.fromordinal(value + _EPOCH).isoformat()
    return written == text
