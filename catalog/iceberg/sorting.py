"""Sort orders: reading, binding to a schema, sameness."""

from collections.abc import Iterable

from catalog.errors import InvalidInput, ValidationFailed
from catalog.iceberg.columns import columns_by_id
from catalog.iceberg.metadata import Metadata, present
from catalog.iceberg.partitioning import check_sources, parse_sources, source_ids
from catalog.iceberg.reading import as_object, find_int, read_list, read_string
from catalog.iceberg.transforms import check_takes, parse_transform, takes
from catalog.iceberg.types import is_primitive, show_type

_ORDER_MEMBERS = ("order-id", "fields")
_FIELD_MEMBERS = ("transform", "source-id", "source-ids", "direction", "null-order")


def parse_sort_order(json: object) -> Metadata:
    """Return the sort order in canonical form, not bound to any schema; unknown members are kept.

    Raises:
        InvalidInput: naming the rule that it breaks.
    """
    order = as_object(json, "sort order")
    fields = [_parse_field(field) for field in read_list(order, "fields")]
    order_id = find_int(order, "order-id")
    if order_id is None:
        order_id = 1 if fields else 0
    if order_id != 0 and not fields:
        raise InvalidInput("Unsorted order ID must be 0")
    if order_id == 0 and fields:
        raise InvalidInput("Sort order ID 0 is reserved for unsorted order")
    return present(order | {"order-id": order_id, "fields": fields}, _ORDER_MEMBERS)


def bind_sort_order(order: Metadata, schema: Metadata, version: int) -> None:
    """Refuse a sort order that cannot be used with the schema.

    Raises:
        InvalidInput: naming the field and the rule.
    """
    columns = columns_by_id(schema)
    for field in order["fields"]:
        check_sources(field, version)
        for source in source_ids(field):
            if source in columns and is_primitive(columns[source].type):
                check_takes(parse_transform(field["transform"]), columns[source].type)
    check_sort_sources(order, schema)


def check_sort_sources(order: Metadata, schema: Metadata) -> None:
    """Refuse a sort order whose source columns are missing or of a kind that cannot be sorted.

    Raises:
        ValidationFailed: naming the sort field.
    """
    columns = columns_by_id(schema) if order["fields"] else {}
    for field in order["fields"]:
        transform = parse_transform(field["transform"])
        for source in source_ids(field):
            if source not in columns:
                raise ValidationFailed(
                    f"Cannot find source column for sort field: {_show_field(field)}"
                )
            source_type = columns[source].type
            if not is_primitive(source_type):
                raise ValidationFailed(
                    f"Cannot sort by non-primitive source field: {show_type(source_type)}"
                )
            if not takes(transform, source_type):
                raise ValidationFailed(
                    f"Invalid source type {show_type(source_type)} for transform: {transform}"
                )


def find_same_sort_order(orders: Iterable[Metadata], order: Metadata) -> int | None:
    """Return the id of the first order that sorts alike, None if there is none."""
    wanted = _identity(order)
    return next((int(item["order-id"]) for item in orders if _identity(item) == wanted), None)


def _parse_field(json: object) -> Metadata:
    field = as_object(json, "sort field")
    parsed = field | parse_sources(field)
    parsed["transform"] = parse_transform(read_string(field, "transform"))
    direction = read_string(field, "direction")
    if direction.lower() not in ("asc", "desc"):
        raise InvalidInput(f"Invalid sort direction: {direction}")
    null_order = read_string(field, "null-order")
    if null_order.lower() not in ("nulls-first", "nulls-last"):
        raise InvalidInput(f"Unexpected null order: {null_order}")
    parsed |= {"direction": direction.lower(), "null-order": null_order.lower()}
    return present(parsed, _FIELD_MEMBERS)


def _identity(order: Metadata) -> list[tuple[tuple[int, ...], str, str, str]]:
    return [
        (
            tuple(source_ids(field)),
            parse_transform(field["transform"]),
            field["direction"].lower(),
            field["null-order"].lower(),
        )
        for field in order["fields"]
    ]


def _show_field(field: Metadata) -> str:
    sources = ", ".join(str(source) for source in source_ids(field))
    return f"{field['transform']}({sources}) {field['direction']} {field['null-order']}"
