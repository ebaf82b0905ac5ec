"""Theirs' snapshots taken as they are, ids included, since ours has none of its own."""

from catalog.iceberg.merging.shapes.shape import MergedShapes
from catalog.iceberg.metadata import MAIN, Metadata, current_snapshot_id


def has_no_own_snapshots(base: Metadata, ours: Metadata) -> bool:
    """Tell whether a table's snapshots are still those of the base, some expired perhaps."""
    members = ("last-sequence-number", "next-row-id")
    return (
        current_snapshot_id(base) == current_snapshot_id(ours)
        and all(base[member] == ours[member] for member in members)
        and _ids(ours) <= _ids(base)
    )


def keeps_ids(shapes: MergedShapes) -> bool:
    """Tell whether theirs' files may be listed as they are, with their own ids of specs."""
    return all(
        old == new for ids in (shapes.spec_ids, shapes.order_ids) for old, new in ids.items()
    )


def is_one_line(base: Metadata, theirs: Metadata) -> bool:
    """Tell whether all that theirs added leads to its head: of other files nothing is proven."""
    parents = {_id(each): each.get("parent-snapshot-id") for each in theirs["snapshots"]}
    beside = _ids(theirs) - _ids(base)
    current = current_snapshot_id(theirs)
    while current is not None and current in beside:
        beside.discard(current)
        current = parents.get(current)
    return not beside


def replaces_table(base: Metadata, theirs: Metadata) -> bool:
    """Tell whether theirs began a history anew, as CREATE OR REPLACE TABLE does.

    A rollback goes back in the history that there was, and one with a hole began somewhere else.
    """
    parents = {_id(each): each.get("parent-snapshot-id") for each in theirs["snapshots"]}
    before, current = current_snapshot_id(base), current_snapshot_id(theirs)
    if before is None or current in _ids(base):
        return False
    while current is not None and current in parents and current != before:
        current = parents.pop(current)
    return current is None


def adopt(base: Metadata, shapes: MergedShapes, theirs: Metadata, now_ms: int) -> Metadata:
    """Return the merged shape with theirs' snapshots; refs beside main are not merged here."""
    merged = dict(shapes.metadata)
    known = _ids(merged) | _ids(base)
    new = [_renumbered(each, shapes) for each in theirs["snapshots"] if _id(each) not in known]
    merged["snapshots"] = [*merged["snapshots"], *new]
    for member in ("last-sequence-number", "next-row-id"):
        merged[member] = max(merged[member], theirs[member])
    current = current_snapshot_id(theirs)
    if current is not None and current != current_snapshot_id(merged):
        if current not in _ids(merged):
            # Rolled back to a snapshot that ours has expired since.
            merged["snapshots"] += [each for each in theirs["snapshots"] if _id(each) == current]
        main = merged["refs"].get(MAIN, {"type": "branch"})
        merged["refs"] = merged["refs"] | {MAIN: main | {"snapshot-id": current}}
        merged["current-snapshot-id"] = current
        merged["snapshot-log"] = _log(base, merged, theirs, now_ms)
    last = merged["snapshot-log"][-1:]
    merged["last-updated-ms"] = max(
        now_ms, merged["last-updated-ms"], *(entry["timestamp-ms"] for entry in last)
    )
    return merged


def _log(base: Metadata, ours: Metadata, theirs: Metadata, now_ms: int) -> list[Metadata]:
    """Return ours' log with what theirs' has since the base; it must not run backwards."""
    log = list(ours["snapshot-log"])
    for entry in theirs["snapshot-log"]:
        if entry not in base["snapshot-log"] and entry["snapshot-id"] in _ids(ours):
            moment = max(entry["timestamp-ms"], *(last["timestamp-ms"] for last in log[-1:]), 0)
            log.append(entry | {"timestamp-ms": moment})
    current = ours["current-snapshot-id"]
    if not log or log[-1]["snapshot-id"] != current:
        moment = max(now_ms, *(last["timestamp-ms"] for last in log[-1:]), 0)
        log.append({"timestamp-ms": moment, "snapshot-id": current})
    return log


def _renumbered(snapshot: Metadata, shapes: MergedShapes) -> Metadata:
    schema_id = snapshot.get("schema-id")
    if schema_id is None:
        return snapshot
    return snapshot | {"schema-id": shapes.schema_ids.get(schema_id, schema_id)}


def _ids(metadata: Metadata) -> set[int]:
    return {_id(snapshot) for snapshot in metadata["snapshots"]}


def _id(snapshot: Metadata) -> int:
    found: int = snapshot["snapshot-id"]
    return found
