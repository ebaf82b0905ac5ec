"""Metadata whose fields get other ids, wherever it names them."""

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from catalog.iceberg.metadata import Metadata
from catalog.iceberg.types import Type

NAME_MAPPING = "schema.name-mapping.default"

_PARTS = ("element", "key", "value")


def renumbered(metadata: Metadata, ids: Mapping[int, int]) -> Metadata:
    """Return completed metadata in which the fields have other ids; all at once, so ids may swap.

    Statistics, which name fields too, belong to snapshots and are left as they are.
    """
    if not ids:
        return metadata
    result = metadata | {
        "schemas": [_schema(schema, ids) for schema in metadata["schemas"]],
        "partition-specs": [_with_sources(spec, ids) for spec in metadata["partition-specs"]],
        "sort-orders": [_with_sources(order, ids) for order in metadata["sort-orders"]],
    }
    mapping = metadata["properties"].get(NAME_MAPPING)
    if mapping is not None:
        text = _renumbered_mapping(mapping, ids)
        result["properties"] = metadata["properties"] | {NAME_MAPPING: text}
    return result


def _schema(schema: Metadata, ids: Mapping[int, int]) -> Metadata:
    result = _struct(schema, ids)
    if schema.get("identifier-field-ids"):
        result["identifier-field-ids"] = [
            ids.get(each, each) for each in schema["identifier-field-ids"]
        ]
    return result


def _struct(struct: Metadata, ids: Mapping[int, int]) -> Metadata:
    fields = [
        field | {"id": ids.get(field["id"], field["id"]), "type": _type(field["type"], ids)}
        for field in struct["fields"]
    ]
    return struct | {"fields": fields}


def _type(column_type: Type, ids: Mapping[int, int]) -> Type:
    if isinstance(column_type, str):
        return column_type
    if column_type["type"] == "struct":
        return _struct(column_type, ids)
    result = dict(column_type)
    for part in _PARTS:
        if part in column_type:
            old = column_type[f"{part}-id"]
            result |= {part: _type(column_type[part], ids), f"{part}-id": ids.get(old, old)}
    return result


def _with_sources(item: Metadata, ids: Mapping[int, int]) -> Metadata:
    return item | {"fields": [_source(field, ids) for field in item["fields"]]}


def _source(field: Metadata, ids: Mapping[int, int]) -> Metadata:
    result = dict(field)
    if field.get("source-id") is not None:
        result["source-id"] = ids.get(field["source-id"], field["source-id"])
    if field.get("source-ids"):
        result["source-ids"] = [ids.get(each, each) for each in field["source-ids"]]
    return result


def _renumbered_mapping(text: str, ids: Mapping[int, int]) -> str:
    try:
        mapping = orjson.loads(text)
    except orjson.JSONDecodeError:
        return text

    def renumber(entry: Metadata) -> Metadata:
        field_id = entry.get("field-id")
        if not isinstance(field_id, int) or field_id not in ids:
            return entry
        return entry | {"field-id": ids[field_id]}

    return orjson.dumps(_mapped(mapping, renumber)).decode()


def _mapped(node: Any, change: Callable[[Metadata], Metadata]) -> Any:
    """Return JSON with every object in it changed, the innermost first."""
    if isinstance(node, list):
        return [_mapped(each, change) for each in node]
    if isinstance(node, dict):
        return change({name: _mapped(value, change) for name, value in node.items()})
    return node
