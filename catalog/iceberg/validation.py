"""Whole metadata: the check of a table that another catalog wrote, and what a load may leave out.

Java's clients make the same checks whenever they read our answer: metadata that breaks one cannot
be opened.
"""

from collections.abc import Collection
from itertools import pairwise

from catalog.errors import InvalidInput, ValidationFailed
from catalog.iceberg.attachments import (
    parse_encryption_key,
    parse_partition_statistics,
    parse_statistics,
)
from catalog.iceberg.defaults import canonical_uuid
from catalog.iceberg.metadata import (
    MAIN,
    Metadata,
    completed,
    current_schema,
    current_snapshot_id,
    default_sort_order,
    default_spec,
)
from catalog.iceberg.partitioning import (
    check_partition_names,
    check_sources,
    check_spec_sources,
    parse_spec,
)
from catalog.iceberg.properties import MAX_FORMAT_VERSION
from catalog.iceberg.reading import (
    as_object,
    check_json,
    find_long,
    read_int,
    read_list,
    read_long,
    read_object,
    read_string,
    read_string_map,
)
from catalog.iceberg.schemas import highest_field_id, parse_schema
from catalog.iceberg.snapshots import parse_ref, parse_snapshot, sequence_number
from catalog.iceberg.sorting import check_sort_sources, parse_sort_order

_LOG_TOLERANCE_MS = 60_000
_LISTS = (
    "schemas",
    "partition-specs",
    "sort-orders",
    "snapshots",
    "statistics",
    "partition-statistics",
    "snapshot-log",
    "metadata-log",
    "encryption-keys",
)


def check_table(metadata: object) -> None:
    """Check the metadata of a table that another catalog wrote, before it is registered.

    Raises:
        InvalidInput: naming the first rule of the format that it breaks.
    """
    check_json(metadata)
    table = as_object(metadata, "table metadata")
    version = read_int(table, "format-version")
    if not 1 <= version <= MAX_FORMAT_VERSION:
        raise InvalidInput(f"Cannot read unsupported version {version}")
    _check_scalars(table, version)
    _check_containers(table)
    _check_shape(table, version)
    filled = completed(table)
    _check_references(filled, version)
    _check_snapshots(filled, version)
    _check_refs(filled)
    _check_logs(filled)
    for member, parse in (
        ("statistics", parse_statistics),
        ("partition-statistics", parse_partition_statistics),
        ("encryption-keys", parse_encryption_key),
    ):
        for item in read_list(filled, member):
            parse(item)


def table_for_snapshots(metadata: Metadata, mode: str) -> Metadata:
    """Return the metadata with the snapshots that a load asks for: `all`, or those under `refs`.

    Raises:
        InvalidInput: if there is no such mode.
    """
    if mode == "all":
        return metadata
    if mode != "refs":
        raise InvalidInput(f"Invalid snapshots mode: {mode}; use all or refs")
    filled = completed(metadata)
    wanted = {ref["snapshot-id"] for ref in filled["refs"].values()}
    kept = [item for item in filled["snapshots"] if item["snapshot-id"] in wanted]
    return metadata | {"snapshots": kept}


def check_unique(ids: Collection[int], what: str) -> None:
    """Refuse an id that stands twice.

    Raises:
        InvalidInput: showing the ids.
    """
    if len(set(ids)) != len(ids):
        raise InvalidInput(f"Invalid metadata: a {what} id stands twice: {sorted(ids)}")


def _check_scalars(table: Metadata, version: int) -> None:
    # Entries pair a table's two sides of a merge by its uuid, so v1 needs one here as well.
    if table.get("table-uuid") is None:
        raise InvalidInput(f"UUID is required in format v{version}")
    if canonical_uuid(read_string(table, "table-uuid")) is None:
        raise InvalidInput(f"Not a UUID: {table['table-uuid']}")
    if not table.get("location") or not read_string(table, "location"):
        raise InvalidInput(f"Table location is required in format v{version}")
    read_long(table, "last-updated-ms")
    read_int(table, "last-column-id")
    if version > 1 and read_long(table, "last-sequence-number") < 0:
        raise InvalidInput(f"Invalid last-sequence-number: {table['last-sequence-number']}")
    if version > 2 and read_long(table, "next-row-id") < 0:
        raise InvalidInput(f"Invalid next-row-id: {table['next-row-id']}")
    find_long(table, "current-snapshot-id")
    if table.get("properties") is not None:
        read_string_map(table, "properties")


def _check_containers(table: Metadata) -> None:
    # Java's reader takes absence for an empty list, and null for an error.
    for member in ("refs", "properties"):
        if member in table:
            as_object(table[member], member)
    for member in _LISTS:
        if member in table:
            read_list(table, member)


def _check_shape(table: Metadata, version: int) -> None:
    for member, reads in (
        ("schemas", "current-schema-id"),
        ("partition-specs", "default-spec-id"),
        ("sort-orders", "default-sort-order-id"),
        ("last-partition-id", "last-partition-id"),
    ):
        if member in table:
            read_int(table, reads)
        elif version > 1:
            raise InvalidInput(f"{member} must exist in format v{version}")
    if "schemas" in table:
        # A schema without an id has 0 (Java SchemaParser); nothing else may leave it out.
        for schema in table["schemas"]:
            parse_schema(schema)
        ids = [read_int({"schema-id": 0} | schema, "schema-id") for schema in table["schemas"]]
        check_unique(ids, "schema")
    else:
        parse_schema(table.get("schema"))
    if "partition-specs" in table:
        parsed = [parse_spec(item) for item in table["partition-specs"]]
        check_unique([read_int(item, "spec-id") for item in table["partition-specs"]], "spec")
    else:
        parsed = [parse_spec({"fields": read_list(table, "partition-spec")})]
    if version > 1 and any("field-id" not in field for spec in parsed for field in spec["fields"]):
        raise InvalidInput("Cannot parse missing int: field-id")
    for order in table.get("sort-orders", ()):
        parse_sort_order(order)
    orders = [read_int(order, "order-id") for order in table.get("sort-orders", ())]
    check_unique(orders, "sort order")


def _check_references(filled: Metadata, version: int) -> None:
    _check_holds(filled, "schemas", "schema-id", "current-schema-id")
    _check_holds(filled, "partition-specs", "spec-id", "default-spec-id")
    _check_holds(filled, "sort-orders", "order-id", "default-sort-order-id")
    schema = current_schema(filled)
    for spec in filled["partition-specs"]:
        check_partition_names(spec, schema)
        for field in spec["fields"]:
            check_sources(field, version)
    check_spec_sources(default_spec(filled), schema)
    check_sort_sources(default_sort_order(filled), schema)
    highest = max(highest_field_id(item) for item in filled["schemas"])
    if highest > filled["last-column-id"]:
        raise InvalidInput(
            f"Invalid last-column-id {filled['last-column-id']}: a schema has field {highest}"
        )


def _check_holds(filled: Metadata, members: str, member: str, wanted: str) -> None:
    if all(item.get(member, 0) != filled[wanted] for item in filled[members]):
        raise InvalidInput(
            f"Cannot find {members} entry with {wanted}={filled[wanted]} from {members}"
        )


def _check_snapshots(filled: Metadata, version: int) -> None:
    snapshots = [parse_snapshot(snapshot) for snapshot in read_list(filled, "snapshots")]
    check_unique([snapshot["snapshot-id"] for snapshot in snapshots], "snapshot")
    last = filled["last-sequence-number"]
    for snapshot in snapshots:
        number = sequence_number(snapshot)
        if version == 1 and number != 0:
            raise InvalidInput(f"Sequence number must be 0 in v1: {number}")
        if version > 1 and number > last:
            raise ValidationFailed(
                f"Invalid snapshot with sequence number {number} "
                f"greater than last sequence number {last}"
            )


def _check_refs(filled: Metadata) -> None:
    known = {snapshot["snapshot-id"] for snapshot in filled["snapshots"]}
    current = current_snapshot_id(filled)
    if current is not None and current not in known:
        raise InvalidInput("Invalid table metadata: Cannot find current version")
    refs = read_object(filled, "refs")
    for name in refs:
        if parse_ref(refs[name])["snapshot-id"] not in known:
            raise InvalidInput(
                f"Snapshot for reference {name} does not exist in the existing snapshots list"
            )
    if MAIN not in refs:
        return
    main = refs[MAIN]["snapshot-id"]
    if current is None:
        raise InvalidInput(f"Current snapshot is not set, but main branch exists: {main}")
    if main != current:
        raise InvalidInput(f"Current snapshot ID does not match main branch ({current} != {main})")


def _check_logs(filled: Metadata) -> None:
    updated = filled["last-updated-ms"]
    for member, words in (
        ("snapshot-log", "snapshot log"),
        ("metadata-log", "previous metadata log"),
    ):
        moments = [
            read_long(as_object(entry, member), "timestamp-ms")
            for entry in read_list(filled, member)
        ]
        pairs = pairwise(moments)
        if any(later - earlier < -_LOG_TOLERANCE_MS for earlier, later in pairs):
            raise InvalidInput(f"[BUG] Expected sorted {words} entries.")
        if moments and updated - moments[-1] < -_LOG_TOLERANCE_MS:
            what = (
                "last snapshot log entry at"
                if member == "snapshot-log"
                else ("the latest metadata log entry timestamp")
            )
            raise InvalidInput(f"Invalid update timestamp {updated}: before {what} {moments[-1]}")
    for entry in filled["snapshot-log"]:
        read_long(entry, "snapshot-id")
    for entry in filled["metadata-log"]:
        read_string(entry, "metadata-file")
