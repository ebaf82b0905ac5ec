"""Updates of snapshots, table refs, statistics and encryption keys."""

from catalog.errors import CommitFailed, InvalidInput, ValidationFailed
from catalog.iceberg.build import Build
from catalog.iceberg.metadata import MAIN, NO_SNAPSHOT, Metadata
from catalog.iceberg.reading import LONG_MAX
from catalog.iceberg.snapshots import fitted, sequence_number

# Java's readers refuse a table whose log is further ahead than this.
CLOCK_TOLERANCE_MS = 60_000


def add_snapshot(build: Build, update: Metadata) -> None:
    """Append a snapshot; no ref moves."""
    for member, what in (
        ("schemas", "schema"),
        ("partition-specs", "partition spec"),
        ("sort-orders", "sort order"),
    ):
        if not build.draft[member]:
            raise ValidationFailed(f"Attempting to add a snapshot before a {what} is added")
    snapshot = fitted(update["snapshot"], build.version)
    if snapshot["snapshot-id"] in build.snapshots:
        raise ValidationFailed(f"Snapshot already exists for id: {snapshot['snapshot-id']}")
    _check_sequence(build, snapshot)
    _check_clock(build, snapshot)
    _advance_row_ids(build, snapshot)
    build.add_snapshot(snapshot)
    # A replacement's snapshot has no parent and may trail; the table's number never falls.
    last = max(build.draft["last-sequence-number"], sequence_number(snapshot))
    build.put(last_sequence_number=last)


def remove_snapshots(build: Build, update: Metadata) -> None:
    """Remove snapshots with their statistics and the refs that point at them."""
    ids = set(update["snapshot-ids"]).intersection(build.snapshots)
    if not ids:
        return
    draft = build.draft
    build.put_snapshots([item for item in draft["snapshots"] if item["snapshot-id"] not in ids])
    for member in ("statistics", "partition-statistics"):
        draft[member] = [item for item in draft[member] if item["snapshot-id"] not in ids]
    build.put(
        refs={name: ref for name, ref in draft["refs"].items() if ref["snapshot-id"] not in ids}
    )
    if draft["current-snapshot-id"] in ids:
        build.put(current_snapshot_id=NO_SNAPSHOT)
    build.removed_snapshots = True


def set_snapshot_ref(build: Build, update: Metadata) -> None:
    """Create or replace a table ref; `main` also moves the current snapshot."""
    name, ref = update["ref-name"], update["ref"]
    if build.draft["refs"].get(name) == ref:
        return
    if ref["snapshot-id"] not in build.snapshots:
        raise ValidationFailed(f"Cannot set {name} to unknown snapshot: {ref['snapshot-id']}")
    if name != MAIN:
        build.put(refs=build.draft["refs"] | {name: ref})
        return
    if ref["type"] != "branch":
        raise ValidationFailed("Cannot set main to a tag, it must be a branch")
    build.put_main(ref)


def remove_snapshot_ref(build: Build, update: Metadata) -> None:
    """Remove a table ref; without `main` there is no current snapshot."""
    name = update["ref-name"]
    refs = build.draft["refs"]
    if name not in refs:
        return
    build.put(refs={other: ref for other, ref in refs.items() if other != name})
    if name == MAIN:
        build.put(current_snapshot_id=NO_SNAPSHOT)


def set_statistics(build: Build, update: Metadata) -> None:
    """Put the statistics file of a snapshot in the place of earlier ones."""
    _replace_by_snapshot(build, "statistics", update["statistics"])


def remove_statistics(build: Build, update: Metadata) -> None:
    """Remove the statistics files of a snapshot."""
    _remove_by_snapshot(build, "statistics", update["snapshot-id"])


def set_partition_statistics(build: Build, update: Metadata) -> None:
    """Put the partition statistics file of a snapshot in the place of earlier ones."""
    _replace_by_snapshot(build, "partition-statistics", update["partition-statistics"])


def remove_partition_statistics(build: Build, update: Metadata) -> None:
    """Remove the partition statistics files of a snapshot."""
    _remove_by_snapshot(build, "partition-statistics", update["snapshot-id"])


def add_encryption_key(build: Build, update: Metadata) -> None:
    """Add an encryption key; one that is there is never overwritten."""
    key, keys = update["encryption-key"], build.draft["encryption-keys"]
    if all(item["key-id"] != key["key-id"] for item in keys):
        build.put(encryption_keys=[*keys, key])


def remove_encryption_key(build: Build, update: Metadata) -> None:
    """Remove an encryption key; an unknown id is ignored."""
    keys = build.draft["encryption-keys"]
    kept = [item for item in keys if item["key-id"] != update["key-id"]]
    if len(kept) != len(keys):
        build.put(encryption_keys=kept)


def _check_sequence(build: Build, snapshot: Metadata) -> None:
    number, last = sequence_number(snapshot), build.draft["last-sequence-number"]
    if build.version == 1 or number > last or "parent-snapshot-id" not in snapshot:
        return
    raise CommitFailed(
        "Validation failed, please retry: "
        f"Cannot add snapshot with sequence number {number} older than last sequence number {last}"
    )


def _check_clock(build: Build, snapshot: Metadata) -> None:
    moment = snapshot["timestamp-ms"]
    if moment > build.clock_ms + CLOCK_TOLERANCE_MS:
        raise InvalidInput(
            f"Cannot add snapshot {snapshot['snapshot-id']}: its timestamp-ms {moment} is more "
            f"than {CLOCK_TOLERANCE_MS} ms ahead of the table's clock {build.clock_ms}",
            timestamp_ms=moment,
            clock_ms=build.clock_ms,
        )


def _advance_row_ids(build: Build, snapshot: Metadata) -> None:
    if build.version < 3:
        return
    first, expected = snapshot.get("first-row-id"), build.draft["next-row-id"]
    if first is None:
        raise ValidationFailed("Cannot add a snapshot: first-row-id is null")
    if first < expected:
        raise CommitFailed(
            "Validation failed, please retry: Cannot add a snapshot, "
            f"first-row-id is behind table next-row-id: {first} < {expected}"
        )
    following = first + snapshot["added-rows"]
    if following > LONG_MAX:
        raise InvalidInput(f"No row id is left: {following} has more than 64 bits")
    build.put(next_row_id=following)


def _replace_by_snapshot(build: Build, member: str, item: Metadata) -> None:
    kept: list[Metadata] = []
    placed = False
    for other in build.draft[member]:
        if other["snapshot-id"] != item["snapshot-id"]:
            kept.append(other)
        elif not placed:
            kept.append(item)
            placed = True
    build.put(**{member: kept if placed else [*kept, item]})


def _remove_by_snapshot(build: Build, member: str, snapshot_id: int) -> None:
    items = build.draft[member]
    kept = [item for item in items if item["snapshot-id"] != snapshot_id]
    if len(kept) != len(items):
        build.put(**{member: kept})
