"""What a scan asks for: the REST document's PlanTableScanRequest against a table's metadata."""

from dataclasses import dataclass
from typing import Any

from pyiceberg.schema import Schema

from catalog.errors import InvalidInput
from catalog.iceberg.metadata import MAIN, Metadata, completed, current_schema
from catalog.iceberg.reading import LONG_MAX, shown
from catalog.iceberg.scans.filters import Filter
from catalog.iceberg.scans.predicates import parse_predicate
from catalog.iceberg.scans.schemas import to_schema, to_specs

Request = dict[str, Any]

_MEMBERS = (
    "snapshot-id",
    "select",
    "filter",
    "min-rows-requested",
    "case-sensitive",
    "use-snapshot-schema",
    "start-snapshot-id",
    "end-snapshot-id",
    "stats-fields",
)


@dataclass(frozen=True, slots=True)
class Scan:
    """A scan bound to metadata.

    `snapshots` are read: one for a point in time (none of an empty table), for an incremental
    scan every append of the range, oldest first.
    """

    snapshots: tuple[Metadata, ...]
    is_incremental: bool
    filter: Filter
    stats_fields: frozenset[int]
    min_rows: int | None


def pinned(request: Request, metadata: Metadata) -> Request:
    """Return a request that means the same when the table has moved on, unknown members dropped.

    Raises:
        InvalidInput: if a member has not its type, or the request names both kinds of scan.
    """
    known = {name: request[name] for name in _MEMBERS if request.get(name) is not None}
    for name in ("snapshot-id", "start-snapshot-id", "end-snapshot-id", "min-rows-requested"):
        _check_long(known, name)
    for name in ("case-sensitive", "use-snapshot-schema"):
        if not isinstance(known.get(name, False), bool):
            raise InvalidInput(f"Cannot parse to a boolean value: {name}: {shown(known[name])}")
    for name in ("select", "stats-fields"):
        names = known.get(name, [])
        if not isinstance(names, list) or not all(isinstance(each, str) for each in names):
            raise InvalidInput(f"Cannot parse to a list of strings: {name}: {shown(names)}")
    incremental = {"start-snapshot-id", "end-snapshot-id"} & known.keys()
    if len(incremental) == 1:
        raise InvalidInput(
            "Invalid incremental scan: both start-snapshot-id and end-snapshot-id are required"
        )
    if incremental and "snapshot-id" in known:
        raise InvalidInput(
            "Invalid scan: snapshot-id cannot go with start-snapshot-id and end-snapshot-id"
        )
    main = completed(metadata)["refs"].get(MAIN)
    if not incremental and main is not None:
        known.setdefault("snapshot-id", main["snapshot-id"])
    return known


def open_scan(request: Request, metadata: Metadata) -> Scan:
    """Bind a pinned request to the metadata of its table.

    Raises:
        InvalidInput: if it names a snapshot or a column that the table does not have.
    """
    whole = completed(metadata)
    by_id = {snapshot["snapshot-id"]: snapshot for snapshot in whole["snapshots"]}
    is_incremental = "start-snapshot-id" in request
    if is_incremental:
        snapshots = _appends(by_id, request["start-snapshot-id"], request["end-snapshot-id"])
        last = by_id[request["end-snapshot-id"]]
    elif "snapshot-id" in request:
        last = _snapshot(by_id, request["snapshot-id"])
        snapshots = (last,)
    else:
        last, snapshots = {}, ()
    use_snapshot_schema = request.get("use-snapshot-schema", False)
    schema = to_schema(_schema_of(whole, last) if use_snapshot_schema else current_schema(whole))
    case_sensitive = request.get("case-sensitive", True)
    _ids(schema, request.get("select", []), case_sensitive)
    predicate = parse_predicate(request.get("filter"), schema, case_sensitive=case_sensitive)
    return Scan(
        snapshots=snapshots,
        is_incremental=is_incremental,
        filter=Filter(schema, to_specs(whole["partition-specs"]), predicate, case_sensitive),
        stats_fields=_ids(schema, request.get("stats-fields", []), case_sensitive),
        min_rows=request.get("min-rows-requested"),
    )


def _check_long(request: Request, name: str) -> None:
    value = request.get(name, 0)
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > LONG_MAX:
        raise InvalidInput(f"Cannot parse to a long value: {name}: {shown(value)}")


def _snapshot(by_id: dict[int, Metadata], snapshot_id: int) -> Metadata:
    if snapshot_id not in by_id:
        raise InvalidInput(f"Cannot find snapshot with ID {snapshot_id}")
    return by_id[snapshot_id]


def _appends(by_id: dict[int, Metadata], start: int, end: int) -> tuple[Metadata, ...]:
    """Return the appends after `start` up to `end`; `start` itself may have expired."""
    found: list[Metadata] = []
    current = _snapshot(by_id, end)
    seen: set[int] = set()
    while current["snapshot-id"] != start:
        if current["snapshot-id"] in seen:
            raise InvalidInput(f"The history of snapshot {end} goes in a circle")
        seen.add(current["snapshot-id"])
        if (current.get("summary") or {}).get("operation") == "append":
            found.append(current)
        parent = current.get("parent-snapshot-id")
        if parent == start:
            break
        if parent is None or parent not in by_id:
            raise InvalidInput(
                f"Starting snapshot (exclusive) {start} is not a parent ancestor of end"
                f" snapshot {end}"
            )
        current = by_id[parent]
    return tuple(reversed(found))


def _schema_of(metadata: Metadata, snapshot: Metadata) -> Metadata:
    """Return the schema that a snapshot was written with; v1 writers did not always say which."""
    wanted = snapshot.get("schema-id", metadata["current-schema-id"])
    found = [each for each in metadata["schemas"] if each.get("schema-id", 0) == wanted]
    return found[0] if found else current_schema(metadata)


def _ids(schema: Schema, names: list[str], case_sensitive: bool) -> frozenset[int]:
    try:
        return frozenset(schema.find_field(name, case_sensitive).field_id for name in names)
    except ValueError as error:
        raise InvalidInput(f"Cannot find a field of {shown(names)} in the schema") from error
