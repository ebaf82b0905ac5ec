"""Tables as completed metadata, and the edits that clients make to them, each a function."""

import copy
from collections.abc import Callable
from typing import Any

from catalog.iceberg.metadata import completed, written
from catalog.iceberg.parsing import parse_updates
from catalog.iceberg.updates import update_table
from catalog.iceberg.validation import check_table

Table = dict[str, Any]
Edit = Callable[[Table], Table]

UUID = "9c12d441-03fe-4693-9a96-a0705ddf69c1"
NOW = 1_000_000


def field(field_id: int, name: str, kind: Any = "string", /, **members: Any) -> dict[str, Any]:
    required = members.pop("required", False)
    extra = {key.replace("_", "-"): value for key, value in members.items()}
    return {"id": field_id, "name": name, "required": required, "type": kind, **extra}


FIELDS = [
    field(1, "id", "long", required=True),
    field(2, "v", "int"),
    field(3, "name"),
    field(4, "at", "date"),
]


def table(*fields: dict[str, Any], version: int = 2, **members: Any) -> Table:
    """Return an empty table with these columns, `FIELDS` if none are given."""
    columns = list(fields) or FIELDS
    metadata = {
        "format-version": version,
        "table-uuid": UUID,
        "location": "s3://b/t",
        "last-sequence-number": 0,
        "last-updated-ms": NOW,
        "last-column-id": highest({"fields": columns}),
        "current-schema-id": 0,
        "schemas": [{"type": "struct", "schema-id": 0, "fields": columns}],
        "default-spec-id": 0,
        "partition-specs": [{"spec-id": 0, "fields": []}],
        "last-partition-id": 999,
        "default-sort-order-id": 0,
        "sort-orders": [{"order-id": 0, "fields": []}],
        "properties": {"gc.enabled": "false"},
    }
    extra = {key.replace("_", "-"): value for key, value in members.items()}
    return completed(copy.deepcopy(metadata | extra))


def highest(node: Any) -> int:
    """Return the highest field id that stands anywhere in a schema."""
    if isinstance(node, list):
        return max((highest(each) for each in node), default=0)
    if not isinstance(node, dict):
        return 0
    own = [node.get(name, 0) for name in ("id", "element-id", "key-id", "value-id")]
    return max(*own, *(highest(each) for each in node.values()), 0)


def apply(base: Table, *edits: Edit) -> Table:
    """Return the table after some edits; the base stays as it was."""
    result = copy.deepcopy(base)
    for edit in edits:
        result = edit(result)
    return result


def commit(*updates: dict[str, Any]) -> Edit:
    """Return the edit that a commit with these updates makes."""

    def edit(metadata: Table) -> Table:
        parsed = parse_updates(list(updates))
        return completed(update_table(metadata, parsed, base_location=None, now_ms=NOW))

    return edit


def current(metadata: Table) -> dict[str, Any]:
    wanted = metadata["current-schema-id"]
    return next(each for each in metadata["schemas"] if each["schema-id"] == wanted)


def columns(metadata: Table) -> list[dict[str, Any]]:
    return current(metadata)["fields"]


def names(metadata: Table) -> list[str]:
    return [each["name"] for each in columns(metadata)]


def column(metadata: Table, name: str) -> dict[str, Any]:
    return next(each for each in columns(metadata) if each["name"] == name)


def _with_schema(metadata: Table, fields: list[dict[str, Any]], **members: Any) -> Table:
    """Make a schema the current one, as a client does after `ALTER TABLE`."""
    keys = {key.replace("_", "-"): value for key, value in members.items()}
    schema = {**current(metadata), **keys, "fields": fields}
    return commit(
        {"action": "add-schema", "schema": schema},
        {"action": "set-current-schema", "schema-id": -1},
    )(metadata)


def add(name: str, kind: Any = "string", /, *, after: str | None = None, **members: Any) -> Edit:
    """Add a column with the next id, or with the ids of a nested type that `kind` makes of it."""

    def edit(metadata: Table) -> Table:
        next_id = metadata["last-column-id"] + 1
        made = kind(next_id + 1) if callable(kind) else kind
        fields = copy.deepcopy(columns(metadata))
        place = len(fields) if after is None else names(metadata).index(after) + 1
        fields.insert(place, field(next_id, name, made, **members))
        return _with_schema(metadata, fields)

    return edit


def drop(name: str) -> Edit:
    def edit(metadata: Table) -> Table:
        return _with_schema(metadata, [each for each in columns(metadata) if each["name"] != name])

    return edit


def change(name: str, /, **members: Any) -> Edit:
    """Change attributes of a column; None takes one away."""

    def edit(metadata: Table) -> Table:
        keys = {key.replace("_", "-"): value for key, value in members.items()}
        fields = [
            {key: value for key, value in {**each, **keys}.items() if value is not None}
            if each["name"] == name
            else each
            for each in copy.deepcopy(columns(metadata))
        ]
        return _with_schema(metadata, fields)

    return edit


def rename(old: str, new: str) -> Edit:
    return change(old, name=new)


def promote(name: str, kind: str) -> Edit:
    return change(name, type=kind)


def reorder(*order: str) -> Edit:
    return lambda metadata: _with_schema(metadata, [column(metadata, each) for each in order])


def identify(*wanted: str) -> Edit:
    def edit(metadata: Table) -> Table:
        ids = [column(metadata, each)["id"] for each in wanted]
        return _with_schema(metadata, columns(metadata), identifier_field_ids=ids)

    return edit


def partition(*parts: tuple[str, str]) -> Edit:
    """Partition by (column, transform), with partition field ids counted on."""

    def edit(metadata: Table) -> Table:
        fields = [
            {
                "source-id": column(metadata, name)["id"],
                "transform": transform,
                "name": f"{name}_{transform.split('[')[0]}",
            }
            for name, transform in parts
        ]
        return commit(
            {"action": "add-spec", "spec": {"fields": fields}},
            {"action": "set-default-spec", "spec-id": -1},
        )(metadata)

    return edit


def sort(*wanted: str, direction: str = "asc") -> Edit:
    def edit(metadata: Table) -> Table:
        fields = [
            {
                "source-id": column(metadata, name)["id"],
                "transform": "identity",
                "direction": direction,
                "null-order": "nulls-first",
            }
            for name in wanted
        ]
        return commit(
            {"action": "add-sort-order", "sort-order": {"order-id": 1, "fields": fields}},
            {"action": "set-default-sort-order", "sort-order-id": -1},
        )(metadata)

    return edit


def put(**properties: str) -> Edit:
    """Set properties, `__` in their names for a dot and `_` for a hyphen."""
    keys = {key.replace("__", ".").replace("_", "-"): value for key, value in properties.items()}
    return set_properties(keys)


def set_properties(properties: dict[str, str]) -> Edit:
    return commit({"action": "set-properties", "updates": properties})


def unset(*keys: str) -> Edit:
    return commit({"action": "remove-properties", "removals": list(keys)})


def upgrade(version: int) -> Edit:
    return commit({"action": "upgrade-format-version", "format-version": version})


def relocate(location: str) -> Edit:
    return commit({"action": "set-location", "location": location})


def with_member(name: str, value: Any) -> Edit:
    """Set a member that this package does not know, or, by None, remove it."""

    def edit(metadata: Table) -> Table:
        result = {**metadata, name: value}
        return result if value is not None else {k: v for k, v in result.items() if k != name}

    return edit


def snapshot(number: int) -> Edit:
    """Append a snapshot to `main`; its files are nobody's concern here."""

    def edit(metadata: Table) -> Table:
        version = metadata["format-version"]
        sequence = metadata["last-sequence-number"] + 1 if version > 1 else 0
        made = {
            "snapshot-id": number,
            "sequence-number": sequence,
            "timestamp-ms": NOW,
            "summary": {"operation": "append"},
            "manifest-list": f"s3://b/t/metadata/snap-{number}.avro",
            "schema-id": metadata["current-schema-id"],
        }
        if version > 2:
            made |= {"first-row-id": metadata["next-row-id"], "added-rows": 1}
        if "main" in metadata["refs"]:
            made["parent-snapshot-id"] = metadata["refs"]["main"]["snapshot-id"]
        return commit(
            {"action": "add-snapshot", "snapshot": made},
            set_ref("main", number),
        )(metadata)

    return edit


def set_ref(name: str, number: int, kind: str = "branch", **members: int) -> dict[str, Any]:
    keys = {key.replace("_", "-"): value for key, value in members.items()}
    return {
        "action": "set-snapshot-ref",
        "ref-name": name,
        "snapshot-id": number,
        "type": kind,
        **keys,
    }


def struct(*fields: dict[str, Any]) -> dict[str, Any]:
    return {"type": "struct", "fields": list(fields)}


def check_valid(metadata: Table) -> None:
    """Insist that the package's own check of foreign tables passes."""
    check_table(written(metadata))
