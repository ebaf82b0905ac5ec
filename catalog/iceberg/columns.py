"""The columns of a schema at every depth, found by id and by name."""

from collections.abc import Iterator
from dataclasses import dataclass

from catalog.iceberg.metadata import Metadata
from catalog.iceberg.types import Type, parse_primitive


@dataclass(frozen=True, slots=True)
class Column:
    """One field of a struct, or the element, key or value of a list or map."""

    id: int
    name: str
    short_name: str
    type: Type
    required: bool
    parent: "Column | None"
    field: Metadata


def walk_columns(schema: Metadata) -> Iterator[Column]:
    """Yield every column, parents before children, in the order of the schema."""
    yield from _fields(schema["fields"], None, "", "")


def columns_by_id(schema: Metadata) -> dict[int, Column]:
    """Return the columns of a valid schema by field id."""
    return {column.id: column for column in walk_columns(schema)}


def ids_by_name(schema: Metadata) -> dict[str, int]:
    """Return the ids of the columns of a valid schema by full name, and by short name.

    A short name leaves out `element` and `value` before a struct; where it is also the full name
    of another column, that one has it (Java: IndexByName).
    """
    columns = list(walk_columns(schema))
    short = {column.short_name: column.id for column in columns}
    return short | {column.name: column.id for column in columns}


def _fields(
    fields: list[Metadata], parent: Column | None, prefix: str, short_prefix: str
) -> Iterator[Column]:
    for field in fields:
        column = Column(
            id=field["id"],
            name=prefix + field["name"],
            short_name=short_prefix + field["name"],
            type=_canonical(field["type"]),
            required=field["required"],
            parent=parent,
            field=field,
        )
        yield column
        yield from _below(column)


def _below(column: Column) -> Iterator[Column]:
    nested = column.type
    if isinstance(nested, str):
        return
    match nested["type"]:
        case "struct":
            prefix, short_prefix = f"{column.name}.", f"{column.short_name}."
            yield from _fields(nested["fields"], column, prefix, short_prefix)
        case "list":
            yield from _part(column, nested, "element")
        case _:
            yield from _part(column, nested, "key")
            yield from _part(column, nested, "value")


def _part(parent: Column, nested: Metadata, part: str) -> Iterator[Column]:
    part_type = _canonical(nested[part])
    # Java leaves out `element` and `value` before a struct only.
    hidden = part != "key" and not isinstance(part_type, str) and part_type["type"] == "struct"
    column = Column(
        id=nested[f"{part}-id"],
        name=f"{parent.name}.{part}",
        short_name=parent.short_name if hidden else f"{parent.short_name}.{part}",
        type=part_type,
        required=part == "key" or nested[f"{part}-required"],
        parent=parent,
        field={},
    )
    yield column
    yield from _below(column)


def _canonical(column_type: Type) -> Type:
    return parse_primitive(column_type) if isinstance(column_type, str) else column_type
