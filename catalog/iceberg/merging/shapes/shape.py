"""Three-way merge of a table's shape: all of its metadata but snapshots and what lists them.

The rules are those of the serial history *base, ours, theirs*. No file is looked at: what must hold
of files for the result to be right is owed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from catalog.iceberg.merging.owed import Claim, Owed, Side
from catalog.iceberg.merging.problems import Problem
from catalog.iceberg.merging.shapes.attachments import merged_keys, merged_statistics
from catalog.iceberg.merging.shapes.findings import Findings, other, spoken
from catalog.iceberg.merging.shapes.identities import histories, new_ids
from catalog.iceberg.merging.shapes.orders import check_orders, merged_orders
from catalog.iceberg.merging.shapes.promotions import changes_transforms
from catalog.iceberg.merging.shapes.properties import merged_properties
from catalog.iceberg.merging.shapes.renumbering import renumbered
from catalog.iceberg.merging.shapes.schema_lists import merged_schemas
from catalog.iceberg.merging.shapes.schema_proofs import COLUMN_PROMOTED, owe_for_schema
from catalog.iceberg.merging.shapes.schemas import MEMBER_CHANGED_TWICE, SchemaSides, merged_schema
from catalog.iceberg.merging.shapes.specs import check_specs, merged_specs
from catalog.iceberg.merging.shapes.three_way import CLASH, choose, merged_members
from catalog.iceberg.metadata import TABLE_MEMBERS, Metadata, current_schema
from catalog.iceberg.partitioning import source_ids
from catalog.iceberg.properties import MAX_FORMAT_VERSION
from catalog.iceberg.transforms import VOID, parse_transform

FORMAT_VERSION_UNSUPPORTED = "format-version-unsupported"
LOCATION_CHANGED_TWICE = "location-changed-twice"
POSITION_DELETES_IN_V3 = "position-deletes-in-v3"

_SCHEMA_MEMBERS = ("schemas", "current-schema-id", "last-column-id")


@dataclass(frozen=True, slots=True)
class MergedShapes:
    """The merged shape of a table.

    `metadata` is ours with all merged but snapshots, refs, logs and numbers. The maps give for ids
    of theirs those in the result. `notes` is for people; `owed` must be proven, or the merge is a
    conflict.
    """

    metadata: Metadata
    schema_ids: Mapping[int, int]
    spec_ids: Mapping[int, int]
    order_ids: Mapping[int, int]
    notes: tuple[str, ...]
    owed: tuple[Owed, ...]


def merge_shapes(base: Metadata, ours: Metadata, theirs: Metadata) -> MergedShapes | list[Problem]:
    """Merge the shape of completed metadata, or return every problem that there is."""
    findings = Findings()
    version = _merged_version(ours, theirs, findings)
    if findings.problems:
        return findings.problems
    ids, last_column_id = _new_ids(base, ours, theirs, findings)
    if findings.problems:
        return findings.problems
    their_shape = renumbered(theirs, ids)
    sides = SchemaSides.of(*(current_schema(each) for each in (base, ours, their_shape)))
    schema, fields = merged_schema(sides, findings)
    owe_for_schema(sides, fields, ids, base["last-column-id"], findings)
    keep_all = bool(_snapshot_ids(theirs) - _snapshot_ids(base))
    schemas = merged_schemas(base, ours, their_shape, schema, keep_all=keep_all)
    specs = merged_specs(base, ours, their_shape, findings, keep_all=keep_all)
    orders = merged_orders(base, ours, their_shape, findings, keep_all=keep_all)
    result = ours | {
        "format-version": version,
        "last-column-id": last_column_id,
        "schemas": schemas.schemas,
        "current-schema-id": schemas.current_id,
        "partition-specs": specs.specs,
        "default-spec-id": specs.default_id,
        "last-partition-id": specs.last_id,
        "sort-orders": orders.orders,
        "default-sort-order-id": orders.default_id,
        "properties": merged_properties(base, ours, their_shape, schema, findings),
    }
    gone = {each: sides.name(each) for each in _all_ids(sides) if each not in fields}
    check_specs(result, gone, findings)
    check_orders(result, gone, findings)
    _check_promotions(sides, (base, ours, their_shape), findings)
    result = _with_rest(result, base, theirs, findings)
    if findings.problems:
        return findings.problems
    return MergedShapes(
        result,
        schema_ids=schemas.ids,
        spec_ids=specs.ids,
        order_ids=orders.ids,
        notes=tuple(findings.notes),
        owed=tuple(findings.owed),
    )


def _merged_version(ours: Metadata, theirs: Metadata, findings: Findings) -> int:
    versions = [int(each["format-version"]) for each in (ours, theirs)]
    version = max(versions)
    if version > MAX_FORMAT_VERSION:
        findings.refuse(
            FORMAT_VERSION_UNSUPPORTED,
            f"The table has the format version {version}, which no merge knows yet.",
        )
    if version > 2 and versions[1] < 3:
        problem = Problem(
            POSITION_DELETES_IN_V3,
            f"The target has format version {version}, and the source, which has {versions[1]},"
            " added position delete files, which that version does not allow: upgrade the source"
            " before it deletes rows.",
        )
        findings.owe(Claim.NO_POSITION_DELETES, Side.THEIRS, problem)
    return version


def _new_ids(
    base: Metadata, ours: Metadata, theirs: Metadata, findings: Findings
) -> tuple[dict[int, int], int]:
    # Mostly nobody changed a schema, and a table may have many.
    if all(base[name] == ours[name] == theirs[name] for name in _SCHEMA_MEMBERS):
        return {}, ours["last-column-id"]
    return new_ids(*histories(base, ours, theirs), findings)


def _snapshot_ids(metadata: Metadata) -> set[int]:
    return {snapshot["snapshot-id"] for snapshot in metadata["snapshots"]}


def _all_ids(sides: SchemaSides) -> Iterator[int]:
    yield from (*sides.base_fields, *sides.our_fields, *sides.their_fields)


def _check_promotions(
    sides: SchemaSides, tables: tuple[Metadata, Metadata, Metadata], findings: Findings
) -> None:
    """Refuse a new spec or order by a column whose promotion changes what transforms yield."""
    fields = {Side.OURS: sides.our_fields, Side.THEIRS: sides.their_fields}
    metadata = {Side.OURS: tables[1], Side.THEIRS: tables[2]}
    for side, own in fields.items():
        users = set(_new_sources(tables[0], metadata[other(side)]))
        for field_id in sorted(users & own.keys() & sides.base_fields.keys()):
            before, after = sides.base_fields[field_id].type, own[field_id].type
            if changes_transforms(before, after):
                findings.refuse(
                    COLUMN_PROMOTED,
                    f"Column {sides.name(field_id)} was changed from {before} to {after} on"
                    f" {spoken(side)}, and {spoken(other(side))} partitions or sorts by it now.",
                )


def _new_sources(base: Metadata, metadata: Metadata) -> Iterator[int]:
    for member in ("partition-specs", "sort-orders"):
        for item in metadata[member]:
            if item not in base[member]:
                for field in item["fields"]:
                    if parse_transform(field["transform"]) != VOID:
                        yield from source_ids(field)


def _with_rest(result: Metadata, base: Metadata, theirs: Metadata, findings: Findings) -> Metadata:
    """Merge the location, what hangs on the table, and members that nobody here knows."""
    sides = (base, result, theirs)
    unknown = [
        {name: value for name, value in each.items() if name not in TABLE_MEMBERS} for each in sides
    ]
    members = merged_members(unknown[0], unknown[1], unknown[2])
    for name in members.clashing:
        findings.refuse(
            MEMBER_CHANGED_TWICE,
            f"Both sides changed the member {name} of the metadata, to different values.",
        )
    location = choose(*(each["location"] for each in sides))
    if location is CLASH:
        findings.refuse(
            LOCATION_CHANGED_TWICE,
            f"Both sides moved the table, the target to {result['location']} and the source to"
            f" {theirs['location']}.",
        )
    merged = {name: value for name, value in result.items() if name in TABLE_MEMBERS}
    merged |= members.merged | {"location": location}
    base_keys, our_keys, their_keys = (each["encryption-keys"] for each in sides)
    merged["encryption-keys"] = merged_keys(base_keys, our_keys, their_keys, findings)
    for member in ("statistics", "partition-statistics"):
        before, left, right = (each[member] for each in sides)
        merged[member] = merged_statistics(before, left, right, known=_snapshot_ids(result))
    return merged
