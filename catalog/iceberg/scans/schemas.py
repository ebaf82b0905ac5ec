"""Schemas and partition specs as pyiceberg's objects, whatever pyiceberg does not know left out."""

from typing import Any

from pyiceberg.partitioning import PartitionSpec
from pyiceberg.schema import Schema

from catalog.iceberg.metadata import Metadata
from catalog.iceberg.types import parse_primitive, type_name

# What the columns of other types are read as: nothing is judged by their values.
_OPAQUE = "binary"
_KNOWN = frozenset(
    (
        *("boolean", "int", "long", "float", "double", "decimal", "string", "date", "time"),
        *("timestamp", "timestamptz", "timestamp_ns", "timestamptz_ns", "uuid", "fixed", "binary"),
    )
)
_DEFAULTS = ("initial-default", "write-default")
_OPAQUE_TRANSFORM = "opaque"
_VOID = "void"


def to_schema(schema: Metadata) -> Schema:
    """Return a schema for binding and judging; types unknown to pyiceberg become binary."""
    return Schema(**_known_type(schema))


def to_specs(specs: list[Metadata]) -> dict[int, PartitionSpec]:
    """Return partition specs by id; transforms of several columns cannot be projected."""
    return {
        spec.get("spec-id", 0): PartitionSpec(
            **{
                "spec-id": spec.get("spec-id", 0),
                "fields": [_known_field(f) for f in spec["fields"]],
            }
        )
        for spec in specs
    }


def is_unpartitioned(spec: PartitionSpec) -> bool:
    """Tell whether a spec has no field that divides anything."""
    return all(str(field.transform) == _VOID for field in spec.fields)


def _known_type(column_type: Any) -> Any:
    if isinstance(column_type, str):
        canonical = parse_primitive(column_type)
        return canonical if type_name(canonical) in _KNOWN else _OPAQUE
    match column_type["type"]:
        case "struct":
            fields = [_known_column(field) for field in column_type["fields"]]
            return column_type | {"fields": fields}
        case "list":
            return column_type | {"element": _known_type(column_type["element"])}
        case _:
            return column_type | {
                "key": _known_type(column_type["key"]),
                "value": _known_type(column_type["value"]),
            }


def _known_column(field: Metadata) -> Metadata:
    kept = {key: value for key, value in field.items() if key not in _DEFAULTS}
    return kept | {"type": _known_type(field["type"])}


def _known_field(field: Metadata) -> Metadata:
    sources = field.get("source-ids") or [field.get("source-id")]
    transform = field["transform"] if len(sources) == 1 else _OPAQUE_TRANSFORM
    return {
        "field-id": field["field-id"],
        "name": field["name"],
        "source-id": sources[0],
        "transform": transform,
    }
