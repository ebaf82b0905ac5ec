"""Metadata of a table as plain data, and what every reader of it needs.

Members that this package does not know stay where they are, so that a newer writer's additions
survive. Rules: spec "Table Metadata Fields" and Appendix C and F.
"""

from typing import Any

Metadata = dict[str, Any]

MAIN = "main"
UNPARTITIONED_LAST_ID = 999
NO_SNAPSHOT = -1

# The order in which Java writes them (TableMetadataParser.toJson); unknown members follow.
TABLE_MEMBERS = (
    "format-version",
    "table-uuid",
    "location",
    "last-sequence-number",
    "last-updated-ms",
    "last-column-id",
    "schema",
    "current-schema-id",
    "schemas",
    "partition-spec",
    "default-spec-id",
    "partition-specs",
    "last-partition-id",
    "default-sort-order-id",
    "sort-orders",
    "properties",
    "current-snapshot-id",
    "next-row-id",
    "encryption-keys",
    "refs",
    "snapshots",
    "statistics",
    "partition-statistics",
    "snapshot-log",
    "metadata-log",
)


def present(metadata: Metadata, members: tuple[str, ...]) -> Metadata:
    """Return the named members that are set, in this order, then all that `members` does not name.

    A known member that is null is left out: absent and null are the same in the format.
    """
    known = {name: metadata[name] for name in members if metadata.get(name) is not None}
    extra = {name: value for name, value in metadata.items() if name not in members}
    return known | extra


def current_snapshot_id(metadata: Metadata) -> int | None:
    """Return the id of the current snapshot; −1, null and absent all mean none."""
    found: int | None = metadata.get("current-snapshot-id")
    return None if found == NO_SNAPSHOT else found


def current_schema(metadata: Metadata) -> Metadata:
    """Return the current schema of completed metadata."""
    return _by_id(metadata["schemas"], "schema-id", metadata["current-schema-id"])


def default_spec(metadata: Metadata) -> Metadata:
    """Return the default partition spec of completed metadata."""
    return _by_id(metadata["partition-specs"], "spec-id", metadata["default-spec-id"])


def default_sort_order(metadata: Metadata) -> Metadata:
    """Return the default sort order of completed metadata."""
    return _by_id(metadata["sort-orders"], "order-id", metadata["default-sort-order-id"])


def completed(metadata: Metadata) -> Metadata:
    """Return a shallow copy in which every optional member is present.

    What v1 writers left out is derived as readers must (spec, Appendix C and F), and a current
    snapshot has its `main` branch. Nothing is checked: the metadata is taken to be valid.
    """
    result = dict(metadata)
    _complete_schemas(result)
    _complete_specs(result)
    for member in ("snapshots", "statistics", "partition-statistics", "snapshot-log"):
        result[member] = result.get(member) or []
    for member in ("metadata-log", "encryption-keys"):
        result[member] = result.get(member) or []
    result["properties"] = result.get("properties") or {}
    result["last-sequence-number"] = result.get("last-sequence-number") or 0
    result["next-row-id"] = result.get("next-row-id") or 0
    result["refs"] = _completed_refs(result)
    return result


def written(metadata: Metadata) -> Metadata:
    """Return completed metadata in the form that its format version is stored in."""
    result = dict(metadata)
    version = result["format-version"]
    if version == 1:
        result["schema"] = current_schema(result)
        result["partition-spec"] = default_spec(result)["fields"]
        del result["last-sequence-number"]
    else:
        result.pop("schema", None)
        result.pop("partition-spec", None)
    if version < 3:
        del result["next-row-id"]
    if not result["encryption-keys"]:
        del result["encryption-keys"]
    # Only v3 may say null; Java's reader of v1 and v2 expects −1.
    current = current_snapshot_id(result)
    if current is not None or version < 3:
        result["current-snapshot-id"] = NO_SNAPSHOT if current is None else current
        return present(result, TABLE_MEMBERS)
    ordered = present(result | {"current-snapshot-id": NO_SNAPSHOT}, TABLE_MEMBERS)
    return ordered | {"current-snapshot-id": None}


def _by_id(items: list[Metadata], member: str, wanted: int) -> Metadata:
    return next(item for item in items if item.get(member, 0) == wanted)


def _complete_schemas(result: Metadata) -> None:
    if result.get("schemas") is None:
        schema_id = result["schema"].get("schema-id") or 0
        result["schemas"] = [result["schema"] | {"schema-id": schema_id}]
        result["current-schema-id"] = schema_id


def _complete_specs(result: Metadata) -> None:
    if result.get("partition-specs") is None:
        fields = _with_field_ids(result.get("partition-spec") or [])
        result["partition-specs"] = [{"spec-id": 0, "fields": fields}]
        result["default-spec-id"] = 0
    elif result["format-version"] == 1:
        result["partition-specs"] = [
            spec | {"fields": _with_field_ids(spec["fields"])} for spec in result["partition-specs"]
        ]
    if result.get("last-partition-id") is None:
        result["last-partition-id"] = max(
            (field["field-id"] for spec in result["partition-specs"] for field in spec["fields"]),
            default=UNPARTITIONED_LAST_ID,
        )
    if result.get("sort-orders") is None:
        result["sort-orders"] = [{"order-id": 0, "fields": []}]
        result["default-sort-order-id"] = 0


def _with_field_ids(fields: list[Metadata]) -> list[Metadata]:
    # v1 may leave them out, and means 1000, 1001, … then.
    first = UNPARTITIONED_LAST_ID + 1
    return [
        field if field.get("field-id") is not None else field | {"field-id": first + position}
        for position, field in enumerate(fields)
    ]


def _completed_refs(metadata: Metadata) -> Metadata:
    refs: Metadata = metadata.get("refs") or {}
    current = current_snapshot_id(metadata)
    if current is None or MAIN in refs:
        return refs
    return {MAIN: {"snapshot-id": current, "type": "branch"}} | refs
