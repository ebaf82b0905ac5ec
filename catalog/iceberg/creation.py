"""The metadata of a new table, from a REST CreateTableRequest."""

from catalog.errors import InvalidInput, ValidationFailed
from catalog.iceberg.field_ids import with_fresh_ids
from catalog.iceberg.locations import strip_trailing_slashes
from catalog.iceberg.metadata import NO_SNAPSHOT, Metadata, completed, written
from catalog.iceberg.partitioning import (
    bind_spec,
    highest_partition_id,
    parse_spec,
    renumbered,
    source_ids,
)
from catalog.iceberg.properties import (
    PARQUET_CODEC,
    RESERVED,
    check_creation,
    protected,
    requested_version,
)
from catalog.iceberg.reading import as_object, check_json, read_string_map
from catalog.iceberg.schemas import check_version, highest_field_id, parse_schema
from catalog.iceberg.sorting import bind_sort_order, parse_sort_order


def new_table(request: object, *, location: str, table_uuid: str, now_ms: int) -> Metadata:
    """Return the first metadata of a table: fresh field ids, spec and sort order renumbered.

    Name, namespace and location are the caller's business. Whatever the request says, `gc.enabled`
    is `false` and `write.metadata.delete-after-commit.enabled` not `true`: an engine sees one
    branch, and would delete what others still read.

    Raises:
        InvalidInput: if the request is malformed or asks for what the format version lacks.
    """
    check_json(request)
    wanted = as_object(request, "create table request")
    properties = _properties(wanted)
    version = requested_version(properties)
    if wanted.get("schema") is None:
        raise InvalidInput("Invalid schema: null")
    asked = parse_schema(wanted["schema"])
    spec = parse_spec(_or_default(wanted, "partition-spec"))
    order = parse_sort_order(_or_default(wanted, "write-order"))
    bind_spec(spec, asked, version)
    bind_sort_order(order, asked, version)
    check_version(asked, version)
    check_creation(properties, schema=asked, version=version)
    schema, fresh = with_fresh_ids(asked)
    return written(
        completed(
            {
                "format-version": version,
                "table-uuid": table_uuid,
                "location": strip_trailing_slashes(location),
                "last-updated-ms": now_ms,
                "last-column-id": highest_field_id(schema),
                "schemas": [schema | {"schema-id": 0}],
                "current-schema-id": 0,
                "properties": protected(_stored(properties)),
                "current-snapshot-id": NO_SNAPSHOT,
            }
            | _first_spec(spec, fresh)
            | _first_sort_order(order, fresh)
        )
    )


def _or_default(wanted: Metadata, member: str) -> object:
    given: object = wanted.get(member)
    return {"fields": []} if given is None else given


def _properties(wanted: Metadata) -> dict[str, str]:
    if wanted.get("properties") is None:
        return {}
    return read_string_map(wanted, "properties")


def _stored(properties: dict[str, str]) -> dict[str, str]:
    kept = {key: value for key, value in properties.items() if key not in RESERVED}
    return {PARQUET_CODEC: "zstd"} | kept


def _first_spec(spec: Metadata, fresh: dict[int, int]) -> Metadata:
    numbered = renumbered(_resourced(spec, fresh)) | {"spec-id": 0}
    return {
        "partition-specs": [numbered],
        "default-spec-id": 0,
        "last-partition-id": highest_partition_id(numbered),
    }


def _first_sort_order(order: Metadata, fresh: dict[int, int]) -> Metadata:
    order_id = 1 if order["fields"] else 0
    return {
        "sort-orders": [_resourced(order, fresh) | {"order-id": order_id}],
        "default-sort-order-id": order_id,
    }


def _resourced(bound: Metadata, fresh: dict[int, int]) -> Metadata:
    fields = []
    for field in bound["fields"]:
        # Only a void field gets here without its source.
        lost = [source for source in source_ids(field) if source not in fresh]
        if lost:
            raise ValidationFailed(f"Cannot find source column {lost[0]} of {field['transform']}")
        sources = [fresh[source] for source in source_ids(field)]
        member: Metadata = (
            {"source-ids": sources} if len(sources) > 1 else {"source-id": sources[0]}
        )
        fields.append(field | member)
    return bound | {"fields": fields}
