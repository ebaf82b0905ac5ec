"""Fresh field ids for the schema of a new table (Java AssignFreshIds)."""

from collections.abc import Iterator
from itertools import count

from catalog.iceberg.columns import walk_columns
from catalog.iceberg.metadata import Metadata
from catalog.iceberg.types import Type


def with_fresh_ids(schema: Metadata) -> tuple[Metadata, dict[int, int]]:
    """Return the schema with ids 1, 2, … and the map from old id to new.

    All fields of a struct are numbered before what lies below them.
    """
    numbers = count(1)
    fresh = schema | _fresh_struct(schema, numbers)
    # Both walk in the same order, so the columns pair up.
    renamed = {
        old.id: new.id for old, new in zip(walk_columns(schema), walk_columns(fresh), strict=True)
    }
    if "identifier-field-ids" in schema:
        fresh["identifier-field-ids"] = [renamed[old] for old in schema["identifier-field-ids"]]
    return fresh, renamed


def _fresh_struct(struct: Metadata, numbers: Iterator[int]) -> Metadata:
    numbered = [field | {"id": next(numbers)} for field in struct["fields"]]
    return struct | {
        "fields": [field | {"type": _fresh_type(field["type"], numbers)} for field in numbered]
    }


def _fresh_type(column_type: Type, numbers: Iterator[int]) -> Type:
    if isinstance(column_type, str):
        return column_type
    match column_type["type"]:
        case "struct":
            return _fresh_struct(column_type, numbers)
        case "list":
            element_id = next(numbers)
            element = _fresh_type(column_type["element"], numbers)
            return column_type | {"element-id": element_id, "element": element}
        case _:
            key_id, value_id = next(numbers), next(numbers)
            return column_type | {
                "key-id": key_id,
                "value-id": value_id,
                "key": _fresh_type(column_type["key"], numbers),
                "value": _fresh_type(column_type["value"], numbers),
            }
