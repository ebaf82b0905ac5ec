"""Versions of a view: reading and sameness (view spec; Java ViewVersionParser)."""

from catalog.errors import InvalidInput
from catalog.iceberg.metadata import Metadata, present
from catalog.iceberg.reading import (
    as_object,
    find_string,
    read_int,
    read_list,
    read_long,
    read_string,
    read_string_map,
    read_strings,
)

_VERSION_MEMBERS = (
    "version-id",
    "timestamp-ms",
    "schema-id",
    "summary",
    "default-catalog",
    "default-namespace",
    "representations",
)
_REPRESENTATION_MEMBERS = ("type", "sql", "dialect")


def parse_view_version(json: object) -> Metadata:
    """Return the version in canonical form; unknown members are kept.

    Raises:
        InvalidInput: naming the member that is missing or wrong.
    """
    version = as_object(json, "view version")
    representations = [_representation(item) for item in read_list(version, "representations")]
    unsupported = [item["type"] for item in representations if item["type"] != "sql"]
    if unsupported:
        raise InvalidInput(f"Found unsupported view representations: {unsupported}")
    dialects(representations)
    parsed = version | {
        "version-id": read_int(version, "version-id"),
        "timestamp-ms": read_long(version, "timestamp-ms"),
        "schema-id": read_int(version, "schema-id"),
        "summary": read_string_map(version, "summary"),
        "default-catalog": find_string(version, "default-catalog"),
        "default-namespace": read_strings(version, "default-namespace"),
        "representations": representations,
    }
    return present(parsed, _VERSION_MEMBERS)


def dialects(representations: list[Metadata]) -> list[str]:
    """Return the SQL dialects in lower case, sorted.

    Raises:
        InvalidInput: if one stands twice.
    """
    found: set[str] = set()
    for item in representations:
        dialect = str(item["dialect"]).lower()
        if dialect in found:
            raise InvalidInput(
                f"Invalid view version: Cannot add multiple queries for dialect {dialect}"
            )
        found.add(dialect)
    return sorted(found)


def same_version(one: Metadata, other: Metadata) -> bool:
    """Tell whether two versions differ in nothing but id and time."""
    return _meaning(one) == _meaning(other)


def _meaning(version: Metadata) -> Metadata:
    return {
        name: value
        for name, value in version.items()
        if name not in ("version-id", "timestamp-ms") and value is not None
    }


def _representation(json: object) -> Metadata:
    representation = as_object(json, "view representation")
    kind = read_string(representation, "type").lower()
    if kind != "sql":
        return {"type": kind}
    parsed = representation | {
        "type": kind,
        "sql": read_string(representation, "sql"),
        "dialect": read_string(representation, "dialect"),
    }
    return present(parsed, _REPRESENTATION_MEMBERS)
