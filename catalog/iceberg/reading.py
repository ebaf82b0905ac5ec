"""Typed reads from JSON objects, with the messages of Java's JsonUtil.

Every value that a client sends passes through here before it is used, so that nothing malformed
gets further than a 400. A Python trap closed on the way: `True` is an `int`, and is refused as one.
"""

from collections.abc import Callable

import orjson

from catalog.errors import InvalidInput
from catalog.iceberg.metadata import Metadata

INT_MAX = 2**31 - 1
LONG_MAX = 2**63 - 1
_UNSIGNED_LONG_MAX = 2**64 - 1

# orjson writes at most 254 levels; a schema spends three levels on one nested struct.
MAX_DEPTH = 200

_SHOWN_CHARACTERS = 200


def check_json(value: object) -> None:
    """Refuse what cannot be written back as JSON: too deep, too large a number, broken text.

    Raises:
        InvalidInput: naming what is wrong.
    """
    level = [value]
    for _ in range(MAX_DEPTH):
        below: list[object] = []
        for item in level:
            if isinstance(item, dict):
                for key in item:
                    _check_scalar(_checked_text(key))
                below.extend(item.values())
            elif isinstance(item, list):
                below.extend(item)
            else:
                _check_scalar(item)
        if not below:
            return
        level = below
    raise InvalidInput(f"JSON is nested deeper than {MAX_DEPTH} levels", limit=MAX_DEPTH)


def shown(value: object) -> str:
    """Render a JSON value for a message, cut to a readable length."""
    try:
        text = orjson.dumps(value).decode()
    except (TypeError, RecursionError):
        text = type(value).__name__
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"


def class_name(kind: str) -> str:
    """Return the name that Java gives to an update or requirement, for messages."""
    return "".join(word.capitalize() for word in kind.split("-")).replace("Uuid", "UUID")


def to_int(text: str) -> int | None:
    """Return the integer of 32 bits that a property holds as text, None if it holds none."""
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit()) or len(digits) > len(str(INT_MAX)):
        return None
    return int(text) if is_int(int(text)) else None


def is_int(value: object) -> bool:
    """Tell whether the value is an integer of 32 bits."""
    return type(value) is int and -INT_MAX - 1 <= value <= INT_MAX


def is_long(value: object) -> bool:
    """Tell whether the value is an integer of 64 bits."""
    return type(value) is int and -LONG_MAX - 1 <= value <= LONG_MAX


def read_int(obj: Metadata, field: str) -> int:
    """Return a required integer of 32 bits."""
    return _whole(_required(obj, field, "int"), field, is_int, "an integer")


def read_long(obj: Metadata, field: str) -> int:
    """Return a required integer of 64 bits."""
    return _whole(_required(obj, field, "long"), field, is_long, "a long")


def read_string(obj: Metadata, field: str) -> str:
    """Return a required string."""
    return _string(_required(obj, field, "string"), field)


def read_bool(obj: Metadata, field: str) -> bool:
    """Return a required boolean."""
    value = _required(obj, field, "boolean")
    if not isinstance(value, bool):
        raise InvalidInput(f"Cannot parse to a boolean value: {field}: {shown(value)}")
    return value


def read_value(obj: Metadata, field: str) -> object:
    """Return a required member of any kind but null."""
    value: object = obj.get(field)
    if value is None:
        raise InvalidInput(f"Cannot parse missing field: {field}")
    return value


def read_object(obj: Metadata, field: str) -> Metadata:
    """Return a required object."""
    return as_object(read_value(obj, field), field)


def as_object(value: object, what: str) -> Metadata:
    """Return the value if it is an object; `what` names it in the refusal."""
    if not isinstance(value, dict):
        raise InvalidInput(f"Cannot parse {what} from non-object value: {shown(value)}")
    return value


def find_int(obj: Metadata, field: str) -> int | None:
    """Return an optional integer of 32 bits; null counts as absent."""
    return read_int(obj, field) if obj.get(field) is not None else None


def find_long(obj: Metadata, field: str) -> int | None:
    """Return an optional integer of 64 bits; null counts as absent."""
    return read_long(obj, field) if obj.get(field) is not None else None


def find_string(obj: Metadata, field: str) -> str | None:
    """Return an optional string; null counts as absent."""
    return read_string(obj, field) if obj.get(field) is not None else None


def read_string_map(obj: Metadata, field: str) -> dict[str, str]:
    """Return a required object whose values are all strings."""
    value = _required(obj, field, "map")
    if not isinstance(value, dict):
        raise InvalidInput(
            f"Cannot parse string map from non-object value: {field}: {shown(value)}"
        )
    return {key: _string(item, key) for key, item in value.items()}


def read_list(obj: Metadata, field: str) -> list[object]:
    """Return a required array."""
    value = _required(obj, field, "list")
    if not isinstance(value, list):
        raise InvalidInput(f"Cannot parse JSON array from non-array value: {field}: {shown(value)}")
    return value


def read_strings(obj: Metadata, field: str) -> list[str]:
    """Return a required array of strings."""
    strings = [item for item in read_list(obj, field) if isinstance(item, str)]
    _check_elements(obj, field, len(strings), "string from non-text")
    return strings


def read_ints(obj: Metadata, field: str) -> list[int]:
    """Return a required array of integers of 32 bits."""
    ints = [item for item in read_list(obj, field) if isinstance(item, int) and is_int(item)]
    _check_elements(obj, field, len(ints), "integer from non-int")
    return ints


def read_longs(obj: Metadata, field: str) -> list[int]:
    """Return a required array of integers of 64 bits."""
    longs = [item for item in read_list(obj, field) if isinstance(item, int) and is_long(item)]
    _check_elements(obj, field, len(longs), "long from non-long")
    return longs


def _checked_text(key: object) -> str:
    if not isinstance(key, str):
        raise InvalidInput(f"Name of a JSON member is not a string: {key!r}")
    return key


def _check_scalar(value: object) -> None:
    if value is None or isinstance(value, bool):
        return
    if isinstance(value, str):
        if not value.isascii():
            _check_text(value)
    elif isinstance(value, int):
        if not -LONG_MAX - 1 <= value <= _UNSIGNED_LONG_MAX:
            raise InvalidInput("A number has more than 64 bits")
    elif isinstance(value, float):
        if value != value or value in (float("inf"), float("-inf")):
            raise InvalidInput(f"Not a JSON number: {value}")
    else:
        raise InvalidInput(f"Not a JSON value: {type(value).__name__}")


def _check_text(value: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise InvalidInput(f"Text is not valid Unicode: {value[:50]!a}") from error


def _required(obj: Metadata, field: str, kind: str) -> object:
    if field not in obj:
        raise InvalidInput(f"Cannot parse missing {kind}: {field}")
    return obj[field]


def _whole(value: object, field: str, fits: Callable[[object], bool], kind: str) -> int:
    if not isinstance(value, int) or not fits(value):
        raise InvalidInput(f"Cannot parse to {kind} value: {field}: {shown(value)}")
    return value


def _string(value: object, field: str) -> str:
    if not isinstance(value, str):
        raise InvalidInput(f"Cannot parse to a string value: {field}: {shown(value)}")
    return value


def _check_elements(obj: Metadata, field: str, accepted: int, kinds: str) -> None:
    if accepted != len(obj[field]):
        raise InvalidInput(f"Cannot parse {kinds} value in {field}: {shown(obj[field])}")
