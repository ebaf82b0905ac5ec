"""Snapshots and table refs: reading and the rules that need nothing but themselves."""

from catalog.errors import InvalidInput
from catalog.iceberg.metadata import NO_SNAPSHOT, Metadata, present
from catalog.iceberg.reading import (
    as_object,
    find_int,
    find_long,
    find_string,
    read_long,
    read_string,
    read_string_map,
    read_strings,
)

_SNAPSHOT_MEMBERS = (
    "sequence-number",
    "snapshot-id",
    "parent-snapshot-id",
    "timestamp-ms",
    "summary",
    "manifest-list",
    "manifests",
    "schema-id",
    "first-row-id",
    "added-rows",
    "key-id",
)
_REF_MEMBERS = (
    "snapshot-id",
    "type",
    "min-snapshots-to-keep",
    "max-snapshot-age-ms",
    "max-ref-age-ms",
)


def parse_snapshot(json: object) -> Metadata:
    """Return the snapshot in canonical form; unknown members are kept.

    Raises:
        InvalidInput: naming the member that is missing or wrong.
    """
    snapshot = as_object(json, "snapshot")
    snapshot_id = read_long(snapshot, "snapshot-id")
    if snapshot_id == NO_SNAPSHOT:
        raise InvalidInput(f"Invalid snapshot id: {NO_SNAPSHOT} means no snapshot")
    parsed = snapshot | {
        "snapshot-id": snapshot_id,
        "timestamp-ms": read_long(snapshot, "timestamp-ms"),
        "sequence-number": find_long(snapshot, "sequence-number") or None,
        "parent-snapshot-id": find_long(snapshot, "parent-snapshot-id"),
        "summary": _summary(snapshot),
        "manifest-list": find_string(snapshot, "manifest-list"),
        "manifests": _manifests(snapshot),
        "schema-id": find_int(snapshot, "schema-id"),
        "key-id": find_string(snapshot, "key-id"),
    }
    return present(parsed | _row_ids(snapshot), _SNAPSHOT_MEMBERS)


def sequence_number(snapshot: Metadata) -> int:
    """Return a snapshot's sequence number; v1 writes none and means 0."""
    number: int = snapshot.get("sequence-number") or 0
    return number


def fitted(snapshot: Metadata, version: int) -> Metadata:
    """Return the snapshot as a table of this format version holds it.

    Raises:
        InvalidInput: naming what it lacks.
    """
    summary = snapshot.get("summary")
    if version == 1:
        number = sequence_number(snapshot)
        if number != 0:
            raise InvalidInput(f"Sequence number must be 0 in v1: {number}")
        if "manifest-list" not in snapshot and "manifests" not in snapshot:
            raise InvalidInput("Cannot parse missing string: manifest-list")
        if summary and "operation" not in summary:
            return snapshot | {"summary": {"operation": "overwrite"} | summary}
        return snapshot
    if "manifest-list" not in snapshot:
        raise InvalidInput("Cannot parse missing string: manifest-list")
    if summary is None or "operation" not in summary:
        raise InvalidInput("Cannot parse missing string: operation")
    return snapshot


def parse_ref(json: object) -> Metadata:
    """Return a table ref of exactly the members that the format names.

    Raises:
        InvalidInput: naming the member that is missing or wrong.
    """
    given = as_object(json, "snapshot reference")
    kind = read_string(given, "type")
    if kind.lower() not in ("branch", "tag"):
        raise InvalidInput(f"Invalid snapshot ref type: {kind}")
    ref = {
        "snapshot-id": read_long(given, "snapshot-id"),
        "type": kind.lower(),
        "min-snapshots-to-keep": find_int(given, "min-snapshots-to-keep"),
        "max-snapshot-age-ms": find_long(given, "max-snapshot-age-ms"),
        "max-ref-age-ms": find_long(given, "max-ref-age-ms"),
    }
    _check_retention(ref)
    return present(ref, _REF_MEMBERS)


def _summary(snapshot: Metadata) -> dict[str, str] | None:
    if snapshot.get("summary") is None:
        return None
    return read_string_map(snapshot, "summary") or None


def _manifests(snapshot: Metadata) -> list[str] | None:
    if snapshot.get("manifests") is None:
        return None
    return read_strings(snapshot, "manifests")


def _row_ids(snapshot: Metadata) -> Metadata:
    first = find_long(snapshot, "first-row-id")
    added = find_long(snapshot, "added-rows")
    if first is None:
        return {"first-row-id": None, "added-rows": None}
    if first < 0:
        raise InvalidInput(f"Invalid first-row-id (cannot be negative): {first}")
    if added is None:
        raise InvalidInput("Invalid added-rows (required when first-row-id is set): null")
    if added < 0:
        raise InvalidInput(f"Invalid added-rows (cannot be negative): {added}")
    return {"first-row-id": first, "added-rows": added}


def _check_retention(ref: Metadata) -> None:
    keep, age, ref_age = (
        ref["min-snapshots-to-keep"],
        ref["max-snapshot-age-ms"],
        ref["max-ref-age-ms"],
    )
    if ref["type"] == "tag" and keep is not None:
        raise InvalidInput("Tags do not support setting minSnapshotsToKeep")
    if ref["type"] == "tag" and age is not None:
        raise InvalidInput("Tags do not support setting maxSnapshotAgeMs")
    if keep is not None and keep <= 0:
        raise InvalidInput("Min snapshots to keep must be greater than 0")
    if age is not None and age <= 0:
        raise InvalidInput("Max snapshot age must be greater than 0 ms")
    if ref_age is not None and ref_age <= 0:
        raise InvalidInput("Max reference age must be greater than 0")
