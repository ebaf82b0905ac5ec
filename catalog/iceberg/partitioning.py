"""Partition specs: reading, binding to a schema, sameness, ids of partition fields."""

from collections.abc import Iterable

from catalog.errors import InvalidInput, ValidationFailed
from catalog.iceberg.columns import Column, columns_by_id, ids_by_name
from catalog.iceberg.metadata import UNPARTITIONED_LAST_ID, Metadata, present
from catalog.iceberg.reading import (
    as_object,
    find_int,
    is_int,
    read_int,
    read_ints,
    read_list,
    read_string,
)
from catalog.iceberg.transforms import VOID, check_takes, is_known, parse_transform, takes
from catalog.iceberg.types import is_primitive, show_type, type_name

_SPEC_MEMBERS = ("spec-id", "fields")
_FIELD_MEMBERS = ("name", "transform", "source-id", "source-ids", "field-id")


def parse_spec(json: object) -> Metadata:
    """Return the spec in canonical form, not bound to any schema; unknown members are kept.

    Raises:
        InvalidInput: naming the rule that it breaks.
    """
    spec = as_object(json, "partition spec")
    fields = [_parse_field(field) for field in read_list(spec, "fields")]
    missing = sum("field-id" not in field for field in fields)
    if 0 < missing < len(fields):
        raise InvalidInput(
            f"Cannot parse spec with missing field IDs: {missing} missing of {len(fields)} fields."
        )
    ids = [field["field-id"] for field in fields if "field-id" in field]
    if len(set(ids)) != len(ids):
        raise InvalidInput(f"Invalid partition spec: a field id is used twice: {ids}")
    parsed = spec | {"spec-id": find_int(spec, "spec-id") or 0, "fields": fields}
    return present(parsed, _SPEC_MEMBERS)


def parse_sources(field: Metadata) -> Metadata:
    """Return the `source-id` or `source-ids` of a partition or sort field, one of the two.

    One source is always written as `source-id` (spec, Appendix C).
    """
    if field.get("source-ids"):
        sources = read_ints(field, "source-ids")
        if len(sources) > 1:
            return {"source-id": None, "source-ids": sources}
        return {"source-id": sources[0], "source-ids": None}
    return {"source-id": read_int(field, "source-id"), "source-ids": None}


def source_ids(field: Metadata) -> list[int]:
    """Return the ids of the source columns of a partition or sort field."""
    if field.get("source-ids"):
        return list(field["source-ids"])
    return [field["source-id"]]


def check_sources(field: Metadata, version: int) -> None:
    """Refuse several sources below v3, and for transforms that take one.

    Raises:
        InvalidInput: naming the transform.
    """
    count = len(source_ids(field))
    if count == 1:
        return
    transform = field["transform"]
    if version < 3:
        raise InvalidInput(
            f"Transform {transform} with {count} source columns is not supported until v3"
        )
    if is_known(parse_transform(transform)):
        raise InvalidInput(f"Transform {transform} takes one source column, not {count}")


def bind_spec(spec: Metadata, schema: Metadata, version: int) -> None:
    """Refuse a spec that cannot be used with the schema.

    Raises:
        InvalidInput: naming the field and the rule.
    """
    columns = columns_by_id(schema)
    for field in spec["fields"]:
        check_sources(field, version)
        transform = parse_transform(field["transform"])
        for source in source_ids(field):
            if source in columns:
                check_takes(transform, columns[source].type)
    check_partition_names(spec, schema)
    check_spec_sources(spec, schema)


def check_partition_names(spec: Metadata, schema: Metadata) -> None:
    """Refuse names that are empty, used twice, or that of a column other than the source.

    Readers make this check for every spec of a table, default or not.

    Raises:
        InvalidInput: naming the partition field.
    """
    if not spec["fields"]:
        return
    by_name = ids_by_name(schema)
    existing = set(by_name.values())
    names: set[str] = set()
    for field in spec["fields"]:
        name, sources = field["name"], source_ids(field)
        if by_name.get(name, sources[0]) not in sources and existing.intersection(sources):
            raise InvalidInput(
                "Cannot create identity partition sourced from different field in schema: " + name
            )
        if not name:
            raise InvalidInput("Cannot use empty partition name: ")
        if name in names:
            raise InvalidInput(f"Cannot use partition name more than once: {name}")
        names.add(name)


def check_spec_sources(spec: Metadata, schema: Metadata) -> None:
    """Refuse a spec whose source columns are missing or of a kind that cannot partition.

    Raises:
        ValidationFailed: naming the partition field.
    """
    columns = columns_by_id(schema) if spec["fields"] else {}
    for field in spec["fields"]:
        transform = parse_transform(field["transform"])
        if transform == VOID:
            continue
        for source in source_ids(field):
            column = columns.get(source)
            if column is None:
                raise ValidationFailed(
                    f"Cannot find source column for partition field: {_show_field(field)}"
                )
            _check_source(transform, column)


def same_spec(one: Metadata, other: Metadata) -> bool:
    """Tell whether two specs partition alike: sources, transforms and names, in order."""
    return _identity(one) == _identity(other)


def find_same_spec(specs: Iterable[Metadata], spec: Metadata) -> int | None:
    """Return the id of the first spec that is the same, None if there is none."""
    return next((int(item["spec-id"]) for item in specs if same_spec(item, spec)), None)


def highest_partition_id(spec: Metadata) -> int:
    """Return the highest field id of a spec, 999 if it has no fields."""
    return max((field["field-id"] for field in spec["fields"]), default=UNPARTITIONED_LAST_ID)


def with_field_ids(
    spec: Metadata, *, specs: Iterable[Metadata], last_partition_id: int, version: int
) -> Metadata:
    """Return the spec with an id on every field; ids that are there stay.

    v1 counts from 1000. Later versions lend the id of the same source and transform in an earlier
    spec, and otherwise count on (spec "Partition Evolution").
    """
    fields = spec["fields"]
    if not fields or "field-id" in fields[0]:
        return spec
    if version == 1:
        return renumbered(spec)
    known: dict[tuple[tuple[int, ...], str], int] = {}
    for earlier in specs:
        for field in earlier["fields"]:
            known.setdefault(_meaning(field), field["field-id"])
    numbered: list[Metadata] = []
    for field in fields:
        field_id = known.pop(_meaning(field), None)
        if field_id is None:
            field_id = last_partition_id = last_partition_id + 1
        numbered.append(field | {"field-id": field_id})
    return spec | {"fields": numbered}


def renumbered(spec: Metadata) -> Metadata:
    """Return the spec with fields numbered 1000, 1001, … in order."""
    first = UNPARTITIONED_LAST_ID + 1
    fields = [
        field | {"field-id": first + position} for position, field in enumerate(spec["fields"])
    ]
    return spec | {"fields": fields}


def check_sequential_ids(spec: Metadata) -> None:
    """Refuse field ids other than 1000, 1001, …, as v1 cannot store them.

    Raises:
        ValidationFailed: showing the spec.
    """
    if spec["fields"] != renumbered(spec)["fields"]:
        fields = ", ".join(_show_field(field) for field in spec["fields"])
        raise ValidationFailed(
            f"Spec does not use sequential IDs that are required in v1: [{fields}]"
        )


def _parse_field(json: object) -> Metadata:
    field = as_object(json, "partition field")
    parsed = field | parse_sources(field)
    parsed["name"] = read_string(field, "name")
    parsed["transform"] = parse_transform(read_string(field, "transform"))
    parsed["field-id"] = find_int(field, "field-id")
    return present(parsed, _FIELD_MEMBERS)


def _check_source(transform: str, column: Column) -> None:
    if not is_primitive(column.type):
        raise ValidationFailed(
            f"Cannot partition by non-primitive source field: {show_type(column.type)}"
        )
    if not takes(transform, column.type):
        raise ValidationFailed(
            f"Invalid source type {show_type(column.type)} for transform: {transform}"
        )
    parent = column.parent
    while parent is not None:
        if type_name(parent.type) != "struct":
            raise ValidationFailed(f"Invalid partition field parent: {show_type(parent.type)}")
        parent = parent.parent


def _meaning(field: Metadata) -> tuple[tuple[int, ...], str]:
    return tuple(source_ids(field)), parse_transform(field["transform"])


def _identity(spec: Metadata) -> list[tuple[tuple[tuple[int, ...], str], str]]:
    return [(_meaning(field), field["name"]) for field in spec["fields"]]


def _show_field(field: Metadata) -> str:
    sources = ", ".join(str(source) for source in source_ids(field))
    shown_id = f"{field['field-id']}: " if is_int(field.get("field-id")) else ""
    return f"{shown_id}{field['name']}: {field['transform']}({sources})"
