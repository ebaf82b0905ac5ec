"""Three-way merge of a table's properties, key by key.

Keys that name a column are followed through its rename and its drop, the name mapping is merged by
field id, and what belongs to the target alone is never taken from the source.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from catalog.iceberg.columns import columns_by_id, ids_by_name
from catalog.iceberg.merging.shapes.findings import Findings
from catalog.iceberg.merging.shapes.name_mapping import merged_mapping
from catalog.iceberg.merging.shapes.renumbering import NAME_MAPPING
from catalog.iceberg.merging.shapes.schemas import COLUMN_USED_AND_DROPPED
from catalog.iceberg.merging.shapes.three_way import CLASH, choose
from catalog.iceberg.metadata import Metadata, current_schema
from catalog.iceberg.properties import RESERVED

PROPERTY_CONFLICT = "property-conflict"

_COLUMN_PREFIXES = (
    "write.metadata.metrics.column.",
    "write.parquet.bloom-filter-enabled.column.",
    "write.parquet.bloom-filter-fpp.column.",
    "write.parquet.bloom-filter-ndv.column.",
    "write.parquet.stats-enabled.column.",
)
# Where the target keeps its files, what may be deleted of them, with which secrets, and how its
# writers commit, is the target's business.
_TARGETS_OWN = frozenset(
    (
        "gc.enabled",
        "write.metadata.delete-after-commit.enabled",
        "location",
        "write.data.path",
        "write.folder-storage.path",
        "write.metadata.path",
        "write.wap.enabled",
        "write.location-provider.impl",
    )
)
_TARGETS_OWN_PREFIXES = (
    "commit.",
    "encryption.",
    "history.expire.",
    "write.object-storage.",
    "s3.",
    "gcs.",
    "adls.",
    "client.",
    "oss.",
)
# Copies of other parts of the metadata, which some writers leave here.
_DERIVED = RESERVED | {
    "numFiles",
    "numRows",
    "rawDataSize",
    "totalSize",
    "COLUMN_STATS_ACCURATE",
    "transient_lastDdlTime",
}
# Taken like others, but people should know that they were.
_MEANINGFUL = frozenset(
    (
        *("write.delete.isolation-level", "write.update.isolation-level"),
        *("write.merge.isolation-level", "write.delete.mode", "write.update.mode"),
        *("write.merge.mode", "write.upsert.enabled", "write.distribution-mode"),
        "write.format.default",
    )
)

# A plain key, or a prefix with the id of the column that follows it.
_Name = str | tuple[str, int]


@dataclass(frozen=True, slots=True)
class _Side:
    """One side's properties by what they are about, and the keys as the side spells them."""

    values: dict[_Name, str]
    keys: dict[_Name, str]
    names: dict[int, str]


def merged_properties(
    base: Metadata, ours: Metadata, theirs: Metadata, schema: Metadata, findings: Findings
) -> dict[str, str]:
    """Merge the properties of completed metadata; `schema` is the merged one."""
    known = ids_by_name(current_schema(base))
    sides = [_side(each, known) for each in (base, ours, theirs)]
    merged = _names(schema)
    result: dict[str, str] = {}
    for name in dict.fromkeys((*sides[1].values, *sides[2].values, *sides[0].values)):
        if isinstance(name, tuple) and name[1] not in merged:
            value = _of_dropped(name, sides, findings)
        else:
            value = _chosen(name, sides, schema, findings)
        if value is not None:
            result[_key(name, value, sides, merged)] = value
    return result


def _side(metadata: Metadata, known: Mapping[str, int]) -> _Side:
    schema = current_schema(metadata)
    keys: dict[_Name, str] = {}
    # A key that still has the name from before a rename is about that column too, unless there is
    # one with the new name; then it is a key like any other.
    for ids in (ids_by_name(schema), known):
        for key in metadata["properties"]:
            name = _named(key, ids)
            if name != key and key not in keys.values():
                keys.setdefault(name, key)
    keys |= {key: key for key in metadata["properties"] if key not in keys.values()}
    values = {name: metadata["properties"][key] for name, key in keys.items()}
    return _Side(values, keys, _names(schema))


def _named(key: str, ids: Mapping[str, int]) -> _Name:
    for prefix in _COLUMN_PREFIXES:
        if key.startswith(prefix) and key.removeprefix(prefix) in ids:
            return prefix, ids[key.removeprefix(prefix)]
    return key


def _names(schema: Metadata) -> dict[int, str]:
    return {field_id: column.name for field_id, column in columns_by_id(schema).items()}


def _chosen(name: _Name, sides: list[_Side], schema: Metadata, findings: Findings) -> str | None:
    before, left, right = (side.values.get(name) for side in sides)
    if isinstance(name, str):
        if name in _DERIVED:
            return left
        if name in _TARGETS_OWN or name.startswith(_TARGETS_OWN_PREFIXES):
            if right not in (before, left):
                findings.notes.append(
                    f"The property {name} of the source was not taken: it is the target's own."
                )
            return left
    chosen = choose(before, left, right)
    if chosen is CLASH and name == NAME_MAPPING and left is not None and right is not None:
        mapping = merged_mapping(before, left, right, columns_by_id(schema))
        if mapping is not None:
            return mapping
    if chosen is CLASH:
        findings.refuse(PROPERTY_CONFLICT, _clash(name, before, sides))
        return left
    if name in _MEANINGFUL and chosen != left:
        shown = "removed" if chosen is None else f"set to {chosen}"
        findings.notes.append(f"The property {name} is {shown}, as on the source.")
    return None if chosen is None else str(chosen)


def _clash(name: _Name, before: str | None, sides: list[_Side]) -> str:
    keys = [side.keys.get(name) for side in sides]
    key = keys[1] or keys[2] or keys[0]
    left, right = (side.values.get(name) for side in sides[1:])
    if left is not None and right is not None:
        what = f"is {left!r} on the target and {right!r} on the source"
    else:
        remover, keeper = ("target", "source") if left is None else ("source", "target")
        what = f"was removed on the {remover} and set to {left or right!r} on the {keeper}"
    was = "was not set" if before is None else f"was {before!r}"
    return f"The property {key} {what}; before, it {was}."


def _of_dropped(name: tuple[str, int], sides: list[_Side], findings: Findings) -> str | None:
    """Return what is left of a property of a dropped column: ours', if ours dropped it.

    It is a problem if one side set the property, and the other dropped the column.
    """
    before = sides[0].values.get(name)
    for setter, dropper in ((sides[1], sides[2]), (sides[2], sides[1])):
        dropped = name[1] in sides[0].names and name[1] not in dropper.names
        if dropped and name[1] in setter.names and setter.values.get(name) != before:
            findings.refuse(
                COLUMN_USED_AND_DROPPED,
                f"Column {sides[0].names[name[1]]} was dropped on one side, and the property"
                f" {(setter.keys | sides[0].keys)[name]} was changed on the other.",
            )
    return None if name[1] in sides[1].names else sides[1].values.get(name)


def _key(name: _Name, value: str, sides: list[_Side], merged: Mapping[int, str]) -> str:
    """Return how to write a key: with the column's name in the result, where it had its name."""
    if isinstance(name, str):
        return name
    prefix, field_id = name
    side = next(each for each in (sides[1], sides[2], sides[0]) if each.values.get(name) == value)
    key = side.keys[name]
    followed = field_id in merged and key == prefix + side.names.get(field_id, "")
    return prefix + merged[field_id] if followed else key
