"""Types of columns: primitive types as canonical text, nested types as objects.

A primitive type is written in one way only (`decimal(9, 2)`, `geometry(OGC:CRS84)`), so that
equal types have equal text. Rules: spec "Primitive Types" and Appendix C; Java `Types`.
"""

import re
from functools import lru_cache

from catalog.errors import InvalidInput
from catalog.iceberg.metadata import Metadata
from catalog.iceberg.reading import INT_MAX, shown

Type = str | Metadata

_SIMPLE = frozenset(
    (
        *("boolean", "int", "long", "float", "double", "string", "uuid", "binary"),
        *("date", "time", "timestamp", "timestamptz", "timestamp_ns", "timestamptz_ns"),
        *("unknown", "variant"),
    )
)
_DEFAULT_CRS = "OGC:CRS84"
_DEFAULT_ALGORITHM = "spherical"
_ALGORITHMS = ("spherical", "vincenty", "thomas", "andoyer", "karney")
_MAX_PRECISION = 38

_FLAGS = re.ASCII | re.IGNORECASE
_FIXED = re.compile(r"fixed\[\s*([0-9]{1,10})\s*\]", _FLAGS)
_DECIMAL = re.compile(r"decimal\(\s*([0-9]{1,10})\s*,\s*([0-9]{1,10})\s*\)", _FLAGS)
_GEOMETRY = re.compile(r"geometry\s*(?:\(\s*([^)]*?)\s*\))?", _FLAGS)
_GEOGRAPHY = re.compile(r"geography\s*(?:\(\s*([^,)]*?)\s*(?:,\s*('?\w*'?)\s*)?\))?", _FLAGS)

_V3_NAMES = frozenset(
    ("timestamp_ns", "timestamptz_ns", "variant", "unknown", "geometry", "geography")
)


@lru_cache(maxsize=1024)
def parse_primitive(text: str) -> str:
    """Return the canonical text of a primitive type or of variant.

    Raises:
        InvalidInput: if there is no such type.
    """
    lower = text.lower()
    if lower in _SIMPLE:
        return lower
    if match := _FIXED.fullmatch(text):
        return f"fixed[{_bounded(match[1], text)}]"
    if match := _DECIMAL.fullmatch(text):
        return _decimal(_bounded(match[1], text), _bounded(match[2], text))
    if match := _GEOMETRY.fullmatch(text):
        return f"geometry({_crs(match[1])})"
    if match := _GEOGRAPHY.fullmatch(text):
        return f"geography({_crs(match[1])}, {_algorithm(match[2])})"
    raise InvalidInput(f"Cannot parse type string to primitive: {shown(text)}")


def type_name(column_type: Type) -> str:
    """Return the name of a canonical type without its parameters, e.g. `decimal` or `list`."""
    if isinstance(column_type, str):
        return re.split(r"[(\[]", column_type, maxsplit=1)[0]
    return str(column_type["type"])


def is_primitive(column_type: Type) -> bool:
    """Tell whether a type is primitive; variant is neither primitive nor nested."""
    return isinstance(column_type, str) and column_type != "variant"


def minimum_version(column_type: Type) -> int:
    """Return the first format version that has this type."""
    return 3 if type_name(column_type) in _V3_NAMES else 1


def comparable(column_type: str) -> str:
    """Return a text that is equal for equal primitive types: a CRS compares without case."""
    return column_type.lower() if column_type.startswith("geo") else column_type


def decimal_scale(column_type: str) -> int:
    """Return the scale of a canonical decimal type."""
    return int(column_type[:-1].split(", ")[1])


def decimal_precision(column_type: str) -> int:
    """Return the precision of a canonical decimal type."""
    return int(column_type.removeprefix("decimal(").split(",")[0])


def fixed_length(column_type: str) -> int:
    """Return the length in bytes of a canonical fixed type."""
    return int(column_type.removeprefix("fixed[")[:-1])


def show_type(column_type: Type) -> str:
    """Render a canonical type for a message, nested ones as Java does."""
    if isinstance(column_type, str):
        return column_type
    match column_type["type"]:
        case "struct":
            fields = ", ".join(
                f"{field['id']}: {field['name']}: "
                f"{'required' if field['required'] else 'optional'} {show_type(field['type'])}"
                for field in column_type["fields"]
            )
            return f"struct<{fields}>"
        case "list":
            return f"list<{show_type(column_type['element'])}>"
        case _:
            return f"map<{show_type(column_type['key'])}, {show_type(column_type['value'])}>"


def _bounded(digits: str, text: str) -> int:
    number = int(digits)
    if number > INT_MAX:
        raise InvalidInput(f"Cannot parse type string to primitive: {shown(text)}")
    return number


def _decimal(precision: int, scale: int) -> str:
    if precision > _MAX_PRECISION:
        raise InvalidInput(
            f"Decimals with precision larger than {_MAX_PRECISION} are not supported: {precision}"
        )
    return f"decimal({precision}, {scale})"


def _crs(given: str | None) -> str:
    if given is None:
        return _DEFAULT_CRS
    # pyiceberg (as of 0.12) writes quotes around the name.
    name = given[1:-1] if len(given) > 1 and given[0] == given[-1] == "'" else given
    if not name:
        raise InvalidInput("Invalid CRS: (empty string)")
    return name


def _algorithm(given: str | None) -> str:
    if given is None:
        return _DEFAULT_ALGORITHM
    quoteless = given.strip("'").lower()
    if quoteless not in _ALGORITHMS:
        raise InvalidInput(f"Invalid edge interpolation algorithm: {given}")
    return quoteless
