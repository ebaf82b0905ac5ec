"""What the metadata of a table, a view or a function is made of, part by part.

Two states are compared part by part, and blame tells for each where it came from. Ids that only
number things within one file (of schemas, specs, orders) are no part of it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from catalog.iceberg.columns import Column, columns_by_id, walk_columns
from catalog.iceberg.metadata import (
    MAIN,
    Metadata,
    completed,
    current_schema,
    current_snapshot_id,
    default_sort_order,
    default_spec,
)

_DEFAULTS = ("initial-default", "write-default")


@dataclass(frozen=True, slots=True)
class Part:
    """One part as people name it, and its value as they see it.

    `same` is equal for two states of the part that mean the same: it names columns by field id,
    so that the renaming of a column changes that column alone.
    """

    kind: str
    name: str
    value: Any
    same: Any
    field_id: int | None = None

    @property
    def identity(self) -> tuple[str, int | str]:
        """What the part is called for good: a column has its field id, whatever its name."""
        return (self.kind, self.name if self.field_id is None else self.field_id)


Parts = dict[tuple[str, int | str], Part]


def table_parts(metadata: Metadata) -> Parts:
    """Return the parts of a table's metadata."""
    filled = completed(metadata)
    schema = current_schema(filled)
    columns = columns_by_id(schema)
    names = {field_id: column.name for field_id, column in columns.items()}
    identifiers = sorted(schema.get("identifier-field-ids") or ())
    snapshot_id = current_snapshot_id(filled)
    spec, order = default_spec(filled), default_sort_order(filled)
    fields = [_transformed(field, names) for field in spec["fields"]]
    sorted_by = [_sorted(field, names) for field in order["fields"]]
    return _by_identity(
        [
            _plain("format-version", filled["format-version"]),
            _plain("location", filled.get("location")),
            *map(_column, columns.values()),
            _named("identifier-fields", [names.get(each) for each in identifiers], identifiers),
            _named("partition-spec", fields, [_without_names(each) for each in fields]),
            _named("sort-order", sorted_by, [_without_names(each) for each in sorted_by]),
            *_properties(filled["properties"]),
            *_refs(filled["refs"]),
            _plain("snapshot", snapshot_id),
        ]
    )


def view_parts(metadata: Metadata) -> Parts:
    """Return the parts of a view's metadata; its columns go by name, for their ids do not last."""
    wanted = metadata["current-version-id"]
    version = next(each for each in metadata["versions"] if each["version-id"] == wanted)
    schemas = metadata["schemas"]
    schema = next(each for each in schemas if each.get("schema-id", 0) == version["schema-id"])
    return by_name(
        _by_identity(
            [
                _plain("format-version", metadata["format-version"]),
                *(
                    _part("sql", str(each["dialect"]).lower(), each["sql"])
                    for each in version["representations"]
                    if "sql" in each
                ),
                _plain("default-namespace", version.get("default-namespace")),
                _plain("default-catalog", version.get("default-catalog")),
                *map(_column, walk_columns(schema)),
                *_properties(metadata.get("properties") or {}),
            ]
        )
    )


def function_parts(metadata: Metadata) -> Parts:
    """Return the parts of a function's metadata: its definitions by their id."""
    return _by_identity(
        [
            _plain("format-version", metadata["format-version"]),
            *(
                _part("definition", str(each["definition-id"]), each)
                for each in metadata["definitions"]
            ),
            _plain("secure", metadata.get("secure", False)),
            _plain("doc", metadata.get("doc")),
            *_properties(metadata.get("properties") or {}),
        ]
    )


def namespace_parts(properties: Mapping[str, str]) -> Parts:
    """Return the parts of a namespace: its properties."""
    return _by_identity(_properties(properties))


def by_name(parts: Parts) -> Parts:
    """Return the parts with columns known by their names, where field ids mean nothing."""
    return _by_identity(
        [
            part if part.field_id is None else Part(part.kind, part.name, part.value, part.same)
            for part in parts.values()
        ]
    )


def _by_identity(parts: list[Part] | Iterator[Part]) -> Parts:
    # What is absent is no part.
    return {part.identity: part for part in parts if part.value not in (None, [])}


def _plain(kind: str, value: Any) -> Part:
    return Part(kind, kind, value, value)


def _named(kind: str, value: Any, same: Any) -> Part:
    return Part(kind, kind, value, same)


def _part(kind: str, name: str, value: Any) -> Part:
    return Part(kind, name, value, value)


def _properties(properties: Mapping[str, str]) -> Iterator[Part]:
    return (_part("property", name, properties[name]) for name in sorted(properties))


def _refs(refs: Metadata) -> Iterator[Part]:
    return (_part("ref", name, refs[name]) for name in sorted(refs) if name != MAIN)


def _column(column: Column) -> Part:
    kind = column.type if isinstance(column.type, str) else str(column.type["type"])
    # Its own name only: if a struct is renamed, the columns in it are what they were.
    value: Metadata = {
        "name": column.field.get("name", column.name.rpartition(".")[2]),
        "type": kind,
        "required": column.required,
    }
    if column.field.get("doc"):
        value["doc"] = column.field["doc"]
    for default in _DEFAULTS:
        if default in column.field:
            value[default.replace("-", "_")] = column.field[default]
    return Part("column", column.name, value, value, column.id)


def _transformed(field: Metadata, names: Mapping[int, str]) -> Metadata:
    return {"name": field["name"], **_sources(field, names), "transform": field["transform"]}


def _sorted(field: Metadata, names: Mapping[int, str]) -> Metadata:
    return {
        **_sources(field, names),
        "transform": field["transform"],
        "direction": field["direction"],
        "null_order": field["null-order"],
    }


def _sources(field: Metadata, names: Mapping[int, str]) -> Metadata:
    ids = field.get("source-ids") or [field["source-id"]]
    return {"source_ids": ids, "sources": [names.get(each, f"#{each}") for each in ids]}


def _without_names(field: Metadata) -> Metadata:
    return {name: value for name, value in field.items() if name != "sources"}
