"""How much data changed between two states of a table, from what its snapshots say of themselves.

Where one state's snapshot is an ancestor of the other's, what the snapshots between them added
and removed is summed up. Otherwise only the totals of both can be told, and their difference.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from catalog.iceberg.metadata import Metadata, completed, current_snapshot_id

# How many of the snapshots between two states are listed.
_LISTED = 100
_MOVED = ("added-", "deleted-", "removed-")


@dataclass(frozen=True, slots=True)
class Totals:
    """How much a state holds; rows that delete files take away are still counted."""

    rows: int = 0
    files: int = 0
    bytes: int = 0
    delete_files: int = 0


@dataclass(frozen=True, slots=True)
class Movement:
    """What was added and removed. Rows that a compaction only wrote anew are neither."""

    rows_added: int = 0
    rows_removed: int = 0
    files_added: int = 0
    files_removed: int = 0
    bytes_added: int = 0
    bytes_removed: int = 0
    delete_files_added: int = 0
    delete_files_removed: int = 0

    def plus(self, other: "Movement") -> "Movement":
        """Return both together."""
        pairs = zip(_values(self), _values(other), strict=True)
        return Movement(*(one + two for one, two in pairs))

    def undone(self) -> "Movement":
        """Return what takes this back."""
        values = _values(self)
        return Movement(*(values[index ^ 1] for index in range(len(values))))


def data_change(before: Metadata | None, after: Metadata | None) -> dict[str, Any]:
    """Return what changed of the data; `basis` says how it was found out.

    The bases are `same`, `snapshots`, `created`, `dropped`, `replaced` by another table of that
    name, and `totals`, where `difference` is all that can be told. `exact` is false where delete
    files make the numbers of rows upper bounds or guesses.
    """
    sides = [_Side.of(before), _Side.of(after)]
    basis, movement, between, back = _moved(*sides)
    old, new = (side.totals for side in sides)
    listed = [_shown(snapshot) for snapshot in between[:_LISTED]]
    return {
        "basis": basis,
        "exact": not any(map(_has_deletes, [*sides[0].current, *sides[1].current, *between])),
        **({} if movement is None else asdict(movement)),
        "before": None if old is None else asdict(old),
        "after": None if new is None else asdict(new),
        "difference": None if old is None or new is None else _difference(old, new),
        "snapshots_added": 0 if back else len(between),
        "snapshots_removed": len(between) if back else 0,
        "snapshots": listed,
    }


@dataclass(frozen=True, slots=True)
class _Side:
    """One state: its snapshots by id, and the current one in a list if there is one."""

    uuid: str | None
    snapshots: Mapping[int, Metadata]
    current: Sequence[Metadata]

    @classmethod
    def of(cls, metadata: Metadata | None) -> "_Side":
        if metadata is None:
            return cls(None, {}, [])
        filled = completed(metadata)
        snapshots = {each["snapshot-id"]: each for each in filled["snapshots"]}
        current = snapshots.get(current_snapshot_id(filled) or 0)
        return cls(filled.get("table-uuid") or "", snapshots, [current] if current else [])

    @property
    def head(self) -> int | None:
        return self.current[0]["snapshot-id"] if self.current else None

    @property
    def totals(self) -> Totals | None:
        return _totals(_summary(self.current[0])) if self.current else Totals()


_Moved = tuple[str, Movement | None, list[Metadata], bool]


def _moved(before: _Side, after: _Side) -> _Moved:
    if before.uuid != after.uuid:
        return _exchanged(before, after)
    if before.head == after.head:
        return "same", Movement(), [], False
    snapshots = {**before.snapshots, **after.snapshots}
    for start, end, back in ((after.head, before.head, False), (before.head, after.head, True)):
        chain = _chain(snapshots, start, end)
        older, newer = (after, before) if back else (before, after)
        if chain is not None and _told(chain, older.totals, newer.totals):
            movement = _sum(chain)
            return "snapshots", movement.undone() if back else movement, chain, back
    return "totals", None, [], False


def _exchanged(before: _Side, after: _Side) -> _Moved:
    basis = "created" if before.uuid is None else "dropped" if after.uuid is None else "replaced"
    old, new = before.totals, after.totals
    if old is None or new is None:
        return basis, None, [], False
    gone, come = _held(old), _held(new)
    return basis, come.plus(gone.undone()), [], False


def _held(totals: Totals) -> Movement:
    return Movement(
        rows_added=totals.rows,
        files_added=totals.files,
        bytes_added=totals.bytes,
        delete_files_added=totals.delete_files,
    )


def _chain(
    snapshots: Mapping[int, Metadata], start: int | None, end: int | None
) -> list[Metadata] | None:
    """Return the snapshots from `start` back to before `end`; None if it is no ancestor."""
    chain: list[Metadata] = []
    at = start
    while at != end:
        snapshot = snapshots.get(at) if at is not None else None
        if snapshot is None or len(chain) > len(snapshots):
            return None
        chain.append(snapshot)
        at = snapshot.get("parent-snapshot-id")
    return chain or None


def _told(chain: Iterable[Metadata], before: Totals | None, after: Totals | None) -> bool:
    """Say whether the snapshots tell all that happened: what they moved makes up the difference."""
    summaries = [_summary(snapshot) for snapshot in chain]
    if before is None or after is None:
        return all(any(str(name).startswith(_MOVED) for name in each) for each in summaries)
    rows = sum(
        _number(each, "added-records") - _number(each, "deleted-records") for each in summaries
    )
    files = sum(
        _number(each, "added-data-files") - _number(each, "deleted-data-files")
        for each in summaries
    )
    return (rows, files) == (after.rows - before.rows, after.files - before.files)


def _sum(chain: Iterable[Metadata]) -> Movement:
    total = Movement()
    for snapshot in chain:
        total = total.plus(_movement(_summary(snapshot)))
    return total


def _movement(summary: Mapping[str, Any]) -> Movement:
    """Return what a snapshot says of itself; writers leave out what is 0."""
    compaction = summary.get("operation") == "replace"
    deleted = _number(summary, "deleted-records") + _number(summary, "added-position-deletes")
    return Movement(
        rows_added=0 if compaction else _number(summary, "added-records"),
        rows_removed=(
            0 if compaction else max(0, deleted - _number(summary, "removed-position-deletes"))
        ),
        files_added=_number(summary, "added-data-files"),
        files_removed=_number(summary, "deleted-data-files"),
        bytes_added=_number(summary, "added-files-size"),
        bytes_removed=_number(summary, "removed-files-size"),
        delete_files_added=_number(summary, "added-delete-files"),
        delete_files_removed=_number(summary, "removed-delete-files"),
    )


def _totals(summary: Mapping[str, Any]) -> Totals | None:
    if "total-records" not in summary:
        return None
    return Totals(
        rows=_number(summary, "total-records"),
        files=_number(summary, "total-data-files"),
        bytes=_number(summary, "total-files-size"),
        delete_files=_number(summary, "total-delete-files"),
    )


def _difference(before: Totals, after: Totals) -> dict[str, int]:
    old, new = asdict(before), asdict(after)
    return {name: new[name] - old[name] for name in old}


def _has_deletes(snapshot: Metadata) -> bool:
    summary = _summary(snapshot)
    names = ("total-delete-files", "added-delete-files", "removed-delete-files")
    return any(_number(summary, name) for name in names)


def _summary(snapshot: Metadata) -> Mapping[str, Any]:
    summary: Metadata = snapshot.get("summary") or {}
    return summary


def _number(summary: Mapping[str, Any], name: str) -> int:
    # Engines write numbers as text; one that is none is not worth failing a diff for.
    text = str(summary.get(name, "0"))
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0


def _shown(snapshot: Metadata) -> dict[str, Any]:
    return {
        "snapshot_id": snapshot["snapshot-id"],
        "timestamp_ms": snapshot["timestamp-ms"],
        "operation": str(_summary(snapshot).get("operation") or ""),
    }


def _values(movement: Movement) -> list[int]:
    return [getattr(movement, each.name) for each in fields(movement)]
