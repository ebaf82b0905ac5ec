"""Updates of a table's shape: schemas, partition specs, sort orders."""

from catalog.errors import InvalidInput, ValidationFailed
from catalog.iceberg.build import Build, check_id, next_id
from catalog.iceberg.metadata import UNPARTITIONED_LAST_ID, Metadata, current_schema
from catalog.iceberg.partitioning import (
    bind_spec,
    check_partition_names,
    check_sequential_ids,
    find_same_spec,
    highest_partition_id,
    with_field_ids,
)
from catalog.iceberg.schemas import check_version, find_same_schema, highest_field_id
from catalog.iceberg.sorting import bind_sort_order, find_same_sort_order

LAST_ADDED = -1


def add_schema(build: Build, update: Metadata) -> None:
    """Add a schema under an id of its own; the same schema keeps the id that it has."""
    draft, schema = build.draft, update["schema"]
    check_version(schema, build.version)
    last = max(draft["last-column-id"], highest_field_id(schema))
    found = find_same_schema(draft["schemas"], schema)
    if found is None:
        used = [item.get("schema-id", 0) for item in draft["schemas"]]
        schema_id = next_id(used, draft["current-schema-id"])
        build.put(schemas=[*draft["schemas"], schema | {"schema-id": schema_id}])
    else:
        schema_id = found
    if last != draft["last-column-id"]:
        build.put(last_column_id=last)
    # Java forgets the id of a schema that was there already; a −1 after it then fails.
    build.last_schema_id = schema_id


def set_current_schema(build: Build, update: Metadata) -> None:
    """Make a schema the current one."""
    schema_id = _meant(update["schema-id"], build.last_schema_id, "schema")
    draft = build.draft
    schema = _find(draft["schemas"], "schema-id", schema_id)
    if schema is not None and schema_id == draft["current-schema-id"]:
        return
    if schema is None:
        raise InvalidInput(f"Cannot set current schema to unknown schema: {schema_id}")
    for spec in draft["partition-specs"]:
        check_partition_names(spec, schema)
    build.put(current_schema_id=schema_id)
    build.specs_to_check = True


def add_spec(build: Build, update: Metadata) -> None:
    """Add a partition spec, bound to the current schema, under an id of its own."""
    draft, spec = build.draft, update["spec"]
    bind_spec(spec, _schema_to_bind(build, "partition spec"), build.version)
    found = find_same_spec(draft["partition-specs"], spec)
    if found is not None:
        build.last_spec_id = found
        return
    last = max(draft["last-partition-id"], UNPARTITIONED_LAST_ID)
    numbered = with_field_ids(
        spec, specs=draft["partition-specs"], last_partition_id=last, version=build.version
    )
    if build.version == 1:
        check_sequential_ids(numbered)
    spec_id = next_id((item["spec-id"] for item in draft["partition-specs"]), 0)
    build.put(
        partition_specs=[*draft["partition-specs"], numbered | {"spec-id": spec_id}],
        last_partition_id=check_id(max(last, highest_partition_id(numbered))),
    )
    build.last_spec_id = spec_id


def set_default_spec(build: Build, update: Metadata) -> None:
    """Make a partition spec the default."""
    spec_id = _meant(update["spec-id"], build.last_spec_id, "spec")
    known = _find(build.draft["partition-specs"], "spec-id", spec_id) is not None
    if known and spec_id == build.draft["default-spec-id"]:
        return
    if not known:
        raise InvalidInput(f"Cannot set default partition spec to unknown spec: {spec_id}")
    build.put(default_spec_id=spec_id)
    build.specs_to_check = True


def add_sort_order(build: Build, update: Metadata) -> None:
    """Add a sort order, bound to the current schema; unsorted is always 0."""
    draft, order = build.draft, update["sort-order"]
    bind_sort_order(order, _schema_to_bind(build, "sort order"), build.version)
    order_id = find_same_sort_order(draft["sort-orders"], order)
    if order_id is None:
        used = (item["order-id"] for item in draft["sort-orders"])
        order_id = next_id(used, 1) if order["fields"] else 0
        build.put(sort_orders=[*draft["sort-orders"], order | {"order-id": order_id}])
    build.last_order_id = order_id


def set_default_sort_order(build: Build, update: Metadata) -> None:
    """Make a sort order the default."""
    order_id = _meant(update["sort-order-id"], build.last_order_id, "sort order")
    known = _find(build.draft["sort-orders"], "order-id", order_id) is not None
    if known and order_id == build.draft["default-sort-order-id"]:
        return
    if not known:
        raise InvalidInput(f"Cannot set default sort order to unknown sort order: {order_id}")
    build.put(default_sort_order_id=order_id)
    build.specs_to_check = True


def remove_schemas(build: Build, update: Metadata) -> None:
    """Remove schemas by id; unknown ids are ignored."""
    ids = set(update["schema-ids"])
    if not ids:
        return
    if build.draft["current-schema-id"] in ids:
        raise InvalidInput("Cannot remove the current schema")
    kept = [item for item in build.draft["schemas"] if item.get("schema-id", 0) not in ids]
    build.put(schemas=kept)


def remove_partition_specs(build: Build, update: Metadata) -> None:
    """Remove partition specs by id; unknown ids are ignored."""
    ids = set(update["spec-ids"])
    if not ids:
        return
    if build.draft["default-spec-id"] in ids:
        raise InvalidInput("Cannot remove the default partition spec")
    kept = [item for item in build.draft["partition-specs"] if item["spec-id"] not in ids]
    build.put(partition_specs=kept)


def _schema_to_bind(build: Build, what: str) -> Metadata:
    if not build.draft["schemas"]:
        raise InvalidInput(f"Cannot add a {what} before a schema is added")
    return current_schema(build.draft)


def _meant(asked: int, last_added: int | None, what: str) -> int:
    """Return the id that an update names: -1 stands for what the same request added last."""
    if asked != LAST_ADDED:
        return asked
    if last_added is None:
        raise ValidationFailed(f"Cannot set last added {what}: no {what} has been added")
    return last_added


def _find(items: list[Metadata], member: str, wanted: int) -> Metadata | None:
    return next((item for item in items if item.get(member, 0) == wanted), None)
