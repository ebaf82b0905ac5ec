"""The schemas of a merged table: ours', theirs' and the merged one, each once."""

from dataclasses import dataclass

from catalog.iceberg.build import next_id
from catalog.iceberg.metadata import Metadata, current_schema
from catalog.iceberg.schemas import find_same_schema, same_schema


@dataclass(frozen=True, slots=True)
class MergedSchemas:
    """The schemas of the result, and what became of theirs' ids."""

    schemas: list[Metadata]
    current_id: int
    ids: dict[int, int]


def merged_schemas(
    base: Metadata, ours: Metadata, theirs: Metadata, merged: Metadata, *, keep_all: bool
) -> MergedSchemas:
    """Return the schemas with `merged` as the current one; ours' ids stay.

    A schema that ours removed comes back only where theirs may have snapshots of it (`keep_all`).
    """
    schemas = list(ours["schemas"])
    ids: dict[int, int] = {}
    for schema in theirs["schemas"]:
        schema_id = schema.get("schema-id", 0)
        found = _find_same(schemas, schema)
        if found is None and (keep_all or schema not in base["schemas"]):
            found = _add(schemas, schema)
        if found is not None:
            ids[schema_id] = found
    current: int = ours["current-schema-id"]
    if not same_schema(current_schema(ours), merged):
        wanted = merged | {"schema-id": ids.get(theirs["current-schema-id"], current)}
        found = _find_same(schemas, wanted)
        current = _add(schemas, wanted) if found is None else found
    return MergedSchemas(schemas, current, ids)


def _add(schemas: list[Metadata], schema: Metadata) -> int:
    """Add a schema, under its own id if that is free, and return its id."""
    used = {each.get("schema-id", 0) for each in schemas}
    schema_id: int = schema.get("schema-id", 0)
    if schema_id in used:
        schema_id = next_id(used, 0)
    schemas.append(schema | {"schema-id": schema_id})
    return schema_id


def _find_same(schemas: list[Metadata], schema: Metadata) -> int | None:
    # Of equal schemas the one with the same id, so that nothing is renumbered without need.
    schema_id: int = schema.get("schema-id", 0)
    for each in schemas:
        if each.get("schema-id", 0) == schema_id and (each == schema or same_schema(each, schema)):
            return schema_id
    return find_same_schema(schemas, schema)
