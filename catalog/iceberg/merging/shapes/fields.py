"""A schema as its fields by id, flat, so that they are compared one by one; and back."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from catalog.iceberg.metadata import Metadata
from catalog.iceberg.types import Type

# The parts of a list or map that are fields of their own, with the members that say so.
_PARTS = {
    "list": (("element", "element-required"),),
    "map": (("key", None), ("value", "value-required")),
}
_FIELD = "field"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a struct, or the element, key or value of a list or map (`role`).

    `members` are those of the field itself; its `type` is the canonical text of a primitive type,
    or the kind of a nested one, whose further members are in `nested`.
    """

    id: int
    parent: int | None
    role: str
    members: Metadata
    nested: Metadata

    @property
    def required(self) -> bool:
        """Whether it holds no null; a key never does."""
        return bool(self.members.get("required", True))

    @property
    def type(self) -> str:
        """Its primitive type, or the kind of a nested one."""
        return str(self.members["type"])


Fields = Mapping[int, Field]


def fields_by_id(schema: Metadata) -> dict[int, Field]:
    """Return the fields of a parsed schema, parents before children, siblings in order."""
    return {field.id: field for field in _struct_fields(schema["fields"], None)}


def built_fields(fields: Fields, order: Mapping[int | None, Sequence[int]]) -> list[Metadata]:
    """Return the fields of a schema, given the ids of the children of each parent in order."""
    return [_built_field(fields[each], fields, order) for each in order.get(None, ())]


def children(fields: Fields) -> dict[int | None, list[int]]:
    """Return the ids of the children of each parent, in order; None stands for the schema."""
    found: dict[int | None, list[int]] = {None: []}
    for field in fields.values():
        found.setdefault(field.parent, []).append(field.id)
    return found


def column_name(fields: Fields, field_id: int) -> str:
    """Return the full name of a field, as people write it."""
    field = fields[field_id]
    name = str(field.members["name"]) if field.role == _FIELD else field.role
    if field.parent is None or field.parent not in fields:
        return name
    return f"{column_name(fields, field.parent)}.{name}"


def is_named(field: Field) -> bool:
    """Tell whether a field is one of a struct, and so has a name and a place among others."""
    return field.role == _FIELD


def _struct_fields(fields: Sequence[Metadata], parent: int | None) -> Iterator[Field]:
    for field in fields:
        members = {name: value for name, value in field.items() if name not in ("id", "type")}
        yield from _with_nested(field["id"], parent, _FIELD, members, field["type"])


def _with_nested(
    field_id: int, parent: int | None, role: str, members: Metadata, column_type: Type
) -> Iterator[Field]:
    if isinstance(column_type, str):
        yield Field(field_id, parent, role, members | {"type": column_type}, {})
        return
    kind = column_type["type"]
    told = {"type", "fields"} if kind == "struct" else {"type", *_told(kind)}
    nested = {name: value for name, value in column_type.items() if name not in told}
    yield Field(field_id, parent, role, members | {"type": kind}, nested)
    if kind == "struct":
        yield from _struct_fields(column_type["fields"], field_id)
        return
    for part, required in _PARTS[kind]:
        need = {} if required is None else {"required": column_type[required]}
        yield from _with_nested(column_type[f"{part}-id"], field_id, part, need, column_type[part])


def _told(kind: str) -> Iterator[str]:
    for part, required in _PARTS[kind]:
        yield part
        yield f"{part}-id"
        if required is not None:
            yield required


def _built_field(
    field: Field, fields: Fields, order: Mapping[int | None, Sequence[int]]
) -> Metadata:
    return field.members | {"id": field.id, "type": _built_type(field, fields, order)}


def _built_type(field: Field, fields: Fields, order: Mapping[int | None, Sequence[int]]) -> Type:
    kind = field.type
    below = [fields[each] for each in order.get(field.id, ())]
    if kind == "struct":
        inner = [_built_field(each, fields, order) for each in below]
        return {"type": kind, "fields": inner, **field.nested}
    if kind not in _PARTS:
        return kind
    built: Metadata = {"type": kind, **field.nested}
    parts = {each.role: each for each in below}
    for part, required in _PARTS[kind]:
        built[f"{part}-id"] = parts[part].id
        built[part] = _built_type(parts[part], fields, order)
        if required is not None:
            built[required] = parts[part].required
    return built
