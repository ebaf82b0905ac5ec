"""Schemas: reading, structural checks, sameness, what a format version allows.

The server does not police schema evolution: promotion, reused ids and changed defaults are rules
for clients, and a replacement of a table legally breaks all of them.
"""

from collections.abc import Iterable

import orjson

from catalog.errors import InvalidInput, ValidationFailed
from catalog.iceberg.columns import Column, walk_columns
from catalog.iceberg.defaults import parse_default
from catalog.iceberg.metadata import Metadata, present
from catalog.iceberg.reading import (
    as_object,
    find_int,
    find_string,
    read_bool,
    read_int,
    read_ints,
    read_list,
    read_string,
    read_value,
    shown,
)
from catalog.iceberg.types import (
    Type,
    comparable,
    is_primitive,
    minimum_version,
    parse_primitive,
    show_type,
    type_name,
)

# Ids above are reserved for metadata columns (spec "Reserved Field IDs").
MAX_FIELD_ID = 2147483447

_SCHEMA_MEMBERS = ("type", "schema-id", "identifier-field-ids", "fields")
_FIELD_MEMBERS = ("id", "name", "required", "type", "doc", "initial-default", "write-default")
_LIST_MEMBERS = ("type", "element-id", "element", "element-required")
_MAP_MEMBERS = ("type", "key-id", "key", "value-id", "value", "value-required")


def parse_schema(json: object) -> Metadata:
    """Return the schema in canonical form, structurally sound; unknown members are kept.

    Raises:
        InvalidInput: naming the rule that it breaks.
    """
    if not isinstance(json, dict) or json.get("type") != "struct":
        raise InvalidInput(f"Cannot create schema, not a struct type: {shown(json)}")
    schema = _parse_struct(json)
    schema["schema-id"] = find_int(json, "schema-id") or 0
    schema["identifier-field-ids"] = _identifier_ids(json) or None
    schema = present(schema, _SCHEMA_MEMBERS)
    columns = _check_columns(schema)
    for field_id in schema.get("identifier-field-ids", ()):
        _check_identifier(field_id, columns)
    return schema


def same_schema(one: Metadata, other: Metadata) -> bool:
    """Tell whether two schemas differ in nothing but id and the order of identifiers."""
    # Cheap first: most schemas of a table differ in their top level.
    if [field["id"] for field in one["fields"]] != [field["id"] for field in other["fields"]]:
        return False
    return _comparable_schema(one) == _comparable_schema(other)


def find_same_schema(schemas: Iterable[Metadata], schema: Metadata) -> int | None:
    """Return the id of the first schema that is the same, None if there is none."""
    for candidate in schemas:
        if same_schema(candidate, schema):
            return int(candidate.get("schema-id", 0))
    return None


def highest_field_id(schema: Metadata) -> int:
    """Return the highest field id at any depth, 0 if there is no field."""
    return max((column.id for column in walk_columns(schema)), default=0)


def check_version(schema: Metadata, version: int) -> None:
    """Refuse types and defaults that the format version does not have.

    Raises:
        InvalidInput: listing every problem, in the order of field ids.
    """
    problems: list[str] = []
    for column in sorted(walk_columns(schema), key=lambda column: column.id):
        needed = minimum_version(column.type)
        if needed > version:
            problems.append(
                f"Invalid type for {column.name}: {show_type(column.type)} "
                f"is not supported until v{needed}"
            )
        default = column.field.get("initial-default")
        if default is not None and version < 3:
            problems.append(
                f"Invalid initial default for {column.name}: "
                f"non-null default ({shown(default)}) is not supported until v3"
            )
    if problems:
        raise InvalidInput(f"Invalid schema for v{version}:\n- " + "\n- ".join(problems))


def _parse_struct(json: Metadata) -> Metadata:
    return json | {"fields": [_parse_field(field) for field in read_list(json, "fields")]}


def _parse_field(json: object) -> Metadata:
    field = as_object(json, "field")
    column_type = _parse_type(read_value(field, "type"))
    parsed = field | {
        "id": _field_id(field, "id"),
        "name": read_string(field, "name"),
        "required": read_bool(field, "required"),
        "type": column_type,
        "doc": find_string(field, "doc"),
        "initial-default": parse_default(column_type, field.get("initial-default")),
        "write-default": parse_default(column_type, field.get("write-default")),
    }
    return present(parsed, _FIELD_MEMBERS)


def _parse_type(json: object) -> Type:
    if isinstance(json, str):
        return parse_primitive(json)
    if isinstance(json, dict):
        match json.get("type"):
            case "struct":
                return present(_parse_struct(json), ("type", "fields"))
            case "list":
                return _parse_list(json)
            case "map":
                return _parse_map(json)
    raise InvalidInput(f"Cannot parse type from json: {shown(json)}")


def _parse_list(json: Metadata) -> Metadata:
    parsed = json | {
        "element-id": _field_id(json, "element-id"),
        "element": _parse_type(read_value(json, "element")),
        "element-required": read_bool(json, "element-required"),
    }
    return present(parsed, _LIST_MEMBERS)


def _parse_map(json: Metadata) -> Metadata:
    parsed = json | {
        "key-id": _field_id(json, "key-id"),
        "key": _parse_type(read_value(json, "key")),
        "value-id": _field_id(json, "value-id"),
        "value": _parse_type(read_value(json, "value")),
        "value-required": read_bool(json, "value-required"),
    }
    return present(parsed, _MAP_MEMBERS)


def _field_id(json: Metadata, member: str) -> int:
    field_id = read_int(json, member)
    if field_id > MAX_FIELD_ID:
        raise InvalidInput(
            f"Invalid field id {field_id}: ids above {MAX_FIELD_ID} are reserved", id=field_id
        )
    return field_id


def _identifier_ids(json: Metadata) -> list[int]:
    if json.get("identifier-field-ids") is None:
        return []
    return list(dict.fromkeys(read_ints(json, "identifier-field-ids")))


def _check_columns(schema: Metadata) -> dict[int, Column]:
    names: dict[str, int] = {}
    columns: dict[int, Column] = {}
    for column in walk_columns(schema):
        if column.name in names:
            raise ValidationFailed(
                f"Invalid schema: multiple fields for name {column.name}: "
                f"{names[column.name]} and {column.id}"
            )
        if column.id in columns:
            raise InvalidInput(
                f"Multiple entries with same key: {column.id}={columns[column.id].name} "
                f"and {column.id}={column.name}"
            )
        if column.required and column.type == "unknown":
            raise InvalidInput(f"Cannot create required field with unknown type: {column.name}")
        names[column.name] = column.id
        columns[column.id] = column
    return columns


def _check_identifier(field_id: int, columns: dict[int, Column]) -> None:
    column = columns.get(field_id)
    if column is None:
        raise InvalidInput(
            f"Cannot add fieldId {field_id} as an identifier field: field does not exist"
        )
    reason = _identifier_problem(column)
    if reason:
        raise InvalidInput(f"Cannot add field {column.name} as an identifier field: {reason}")


def _identifier_problem(column: Column) -> str | None:
    if not is_primitive(column.type):
        return "not a primitive type field"
    if not column.required:
        return "not a required field"
    if column.type in ("float", "double"):
        return "must not be float or double field"
    parent = column.parent
    while parent is not None:
        if type_name(parent.type) != "struct":
            return f"must not be nested in {_show_column(parent)}"
        if not parent.required:
            return f"must not be nested in an optional field {_show_column(parent)}"
        parent = parent.parent
    return None


def _show_column(column: Column) -> str:
    need = "required" if column.required else "optional"
    return f"{column.id}: {column.name}: {need} {show_type(column.type)}"


def _comparable_schema(schema: Metadata) -> bytes:
    # Registered files hold schemas as other writers spell them, so both sides are read anew.
    parsed = parse_schema(schema)
    del parsed["schema-id"]
    identifiers = sorted(parsed.pop("identifier-field-ids", ()))
    return orjson.dumps([_comparable_type(parsed), identifiers], option=orjson.OPT_SORT_KEYS)


def _comparable_type(column_type: Type) -> Type:
    if isinstance(column_type, str):
        return comparable(column_type)
    result = dict(column_type)
    for part in ("element", "key", "value"):
        if part in result:
            result[part] = _comparable_type(result[part])
    if "fields" in result:
        result["fields"] = [
            field | {"type": _comparable_type(field["type"])} for field in result["fields"]
        ]
    return result
