"""Which snapshots of two histories are the same change, and which of theirs ours has yet to take.

A replayed snapshot has an id of its own. Snapshots of one origin are one change, whichever side has
the copy: so branches can be merged back and forth, squashed or picked from, and no change is taken
twice.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate, dropwhile

from catalog.errors import ValidationFailed
from catalog.iceberg.manifests.entries import Read
from catalog.iceberg.merging.copies import Copies
from catalog.iceberg.merging.problems import Problem
from catalog.iceberg.metadata import Metadata, current_snapshot_id

REPLACE = "replace"
_LAST = 1 << 63
_OPERATIONS = frozenset(("append", "overwrite", "delete", REPLACE))


class Purpose(StrEnum):
    """Why theirs is brought to ours.

    What a merge's base holds, ours must hold too: else it was rolled back there. The base of a
    pick is the state before the picked commit, which ours need never have had.
    """

    MERGE = "merge"
    PICK = "pick"


@dataclass(frozen=True, slots=True)
class Lineage:
    """Two histories laid beside each other; snapshots in the order of history.

    `ours` are those of ours that theirs has not. `theirs` are those of theirs from the first one to
    replay on; those of them in `passed` ours has already. `seen` is the state that they began with.
    `numbers` gives ours' sequence number for each of theirs that both have, `shared_number` is the
    last one up to which all numbers mean the same; with `shared_row_ids` so do the ids of all rows
    until then. `crossed` are numbers of theirs that mean no
    moment on ours: what came before them there comes after what came after them.
    """

    ours: tuple[Metadata, ...]
    theirs: tuple[Metadata, ...]
    passed: frozenset[int]
    seen: Metadata | None
    numbers: Mapping[int, int]
    shared_number: int
    shared_row_ids: bool
    crossed: frozenset[int]
    parents: Mapping[int, Metadata | None]
    origins: Mapping[int, int]


def operation_of(snapshot: Metadata) -> str | None:
    """Return what a snapshot says that it did; None if it does not."""
    found: str | None = (snapshot.get("summary") or {}).get("operation")
    return found


def sequence_number_of(snapshot: Metadata) -> int:
    """Return the sequence number of a snapshot; those of v1 have 0."""
    return snapshot.get("sequence-number") or 0


def line_up(
    base: Metadata, ours: Metadata, theirs: Metadata, purpose: Purpose, read: Read
) -> Lineage | list[Problem]:
    """Lay the histories of two sides beside each other, or tell why that cannot be done.

    Files are read only of snapshots that an engine cherry-picked within the table.

    Raises:
        ValidationFailed: if a side's current snapshot is not there.
    """
    return _Histories(base, ours, theirs, read).line_up(purpose)


def find_ambiguous(base: Metadata, ours: Metadata, theirs: Metadata) -> list[Problem]:
    """Return a problem for each snapshot id that stands for two snapshots.

    Ids are random, but clients choose them. What is told by id would take one for the other.
    """
    lists: dict[int, set[str | None]] = {}
    for side in (base, ours, theirs):
        for snapshot in side["snapshots"]:
            lists.setdefault(snapshot["snapshot-id"], set()).add(snapshot.get("manifest-list"))
    return [
        Problem(
            "snapshot-id-taken",
            f"The snapshot id {snapshot_id} stands for different snapshots on the target and the"
            " source: write the source's snapshot again under an id of its own, on a new branch.",
        )
        for snapshot_id, found in lists.items()
        if len(found) > 1
    ]


class _Histories:
    """The chains of the current snapshots of base, ours and theirs."""

    def __init__(self, base: Metadata, ours: Metadata, theirs: Metadata, read: Read) -> None:
        # Ids are unique within a table, so a snapshot that one side has expired is told by another.
        self._known = {
            snapshot["snapshot-id"]: snapshot
            for side in (base, theirs, ours)
            for snapshot in side["snapshots"]
        }
        at_base = {snapshot["snapshot-id"] for snapshot in base["snapshots"]}
        self._once_here = [each for each in ours["snapshots"] if each["snapshot-id"] not in at_base]
        self._base = self._chain(base)
        self._ours = self._chain(ours)
        self._theirs = self._chain(theirs)
        chains = (self._base, self._ours, self._theirs)
        shared = set.intersection(*({each["snapshot-id"] for each in chain} for chain in chains))
        self._copies = Copies(self._known, shared, read)

    def line_up(self, purpose: Purpose) -> Lineage | list[Problem]:
        lost_here = purpose is Purpose.MERGE and self._lost(self._ours)
        problems = [
            *([_rolled_back("target", "source")] if lost_here else []),
            *([_rolled_back("source", "target")] if self._lost(self._theirs) else []),
        ]
        # A rewrite in the base that theirs left out is ours' own, so the base is no end here.
        own_ours = self._since(self._ours, (self._theirs,))
        own_theirs = self._since(self._theirs, (self._base, self._ours))
        if own_ours is None or own_theirs is None:
            side = "target" if own_ours is None else "source"
            problems.append(_expired(side))
        if problems or own_ours is None or own_theirs is None:
            return problems
        steps = self._without(own_theirs, (self._base, self._ours))
        if self._abandoned(steps):
            return [_rolled_back("target", "source")]
        unfit = [problem for each in (*own_ours, *steps) if (problem := _unfit(each)) is not None]
        return unfit or self._lineage(own_ours, own_theirs, steps)

    def _lineage(
        self, own_ours: list[Metadata], own_theirs: list[Metadata], steps: list[Metadata]
    ) -> Lineage:
        step_ids = {each["snapshot-id"] for each in steps}
        from_first = tuple(dropwhile(lambda each: each["snapshot-id"] not in step_ids, own_theirs))
        seen = self._parent(steps[0]) if steps else next(iter(self._base), None)
        ours_by_origin = {self._origin(each): each for each in self._ours}
        ours_ids = {each["snapshot-id"] for each in self._ours}
        shared = [each for each in self._theirs if each["snapshot-id"] in ours_ids]
        last = max(shared, key=sequence_number_of, default=None)
        return Lineage(
            ours=tuple(self._without(own_ours, (self._theirs,))),
            theirs=from_first,
            passed=frozenset(each["snapshot-id"] for each in from_first) - step_ids,
            seen=seen,
            numbers={
                sequence_number_of(each): sequence_number_of(ours_by_origin[self._origin(each)])
                for each in self._theirs
                if self._origin(each) in ours_by_origin
            },
            shared_number=0 if last is None else sequence_number_of(last),
            # An upgrade gives no ids; the next snapshot gives them to all rows, on each side alone.
            shared_row_ids=last is not None and last.get("first-row-id") is not None,
            crossed=self._crossed(ours_by_origin),
            parents={each["snapshot-id"]: self._parent(each) for each in (*own_ours, *own_theirs)},
            origins={each["snapshot-id"]: self._origin(each) for each in (*own_ours, *own_theirs)},
        )

    def _crossed(self, ours_by_origin: Mapping[int, Metadata]) -> frozenset[int]:
        known = []
        for snapshot in reversed(self._theirs):
            same = ours_by_origin.get(self._origin(snapshot))
            # What is replayed comes after all that ours has.
            number = _LAST if same is None else sequence_number_of(same)
            known.append((sequence_number_of(snapshot), number))
        highest = accumulate((number for _, number in known), max)
        lowest = list(accumulate((number for _, number in reversed(known)), min))[::-1]
        return frozenset(
            theirs
            for (theirs, ours), before, after in zip(
                known, highest, [*lowest, _LAST][1:], strict=True
            )
            if ours < before or before > after
        )

    def _chain(self, side: Metadata) -> list[Metadata]:
        """Return the current snapshot of a side and its ancestors, as far as they are known."""
        current = current_snapshot_id(side)
        if current is not None and current not in self._known:
            raise ValidationFailed(f"The current snapshot {current} is not among the snapshots")
        return list(self._walk(current))

    def _walk(self, snapshot_id: int | None) -> Iterator[Metadata]:
        passed: set[int] = set()
        while snapshot_id is not None and snapshot_id in self._known and snapshot_id not in passed:
            passed.add(snapshot_id)
            snapshot = self._known[snapshot_id]
            yield snapshot
            snapshot_id = snapshot.get("parent-snapshot-id")

    def _origin(self, snapshot: Metadata) -> int:
        return self._copies.origin(snapshot)

    def _parent(self, snapshot: Metadata) -> Metadata | None:
        parent = snapshot.get("parent-snapshot-id")
        return None if parent is None else self._known[parent]

    def _lost(self, chain: list[Metadata]) -> bool:
        """Tell whether a chain lacks a change of the base's; rewrites change nothing."""
        ids = {each["snapshot-id"] for each in chain}
        origins = {self._origin(each) for each in chain}
        for snapshot in self._base:
            if snapshot["snapshot-id"] in ids:
                return False
            if self._origin(snapshot) not in origins and operation_of(snapshot) != REPLACE:
                return True
        return False

    def _abandoned(self, steps: list[Metadata]) -> bool:
        """Tell whether the target took one of the steps once, and went back behind it."""
        origins = {self._origin(each) for each in self._once_here}
        return any(self._origin(each) in origins for each in steps)

    def _since(
        self, chain: list[Metadata], others: tuple[list[Metadata], ...]
    ) -> list[Metadata] | None:
        """Return the end of a chain after the last snapshot that another has by id, oldest first.

        None if it is not known where it parted: a snapshot in between has expired.
        """
        shared = {each["snapshot-id"] for other in others for each in other}
        own: list[Metadata] = []
        for snapshot in chain:
            if snapshot["snapshot-id"] in shared:
                return own[::-1]
            own.append(snapshot)
        is_whole = not own or own[-1].get("parent-snapshot-id") is None
        return own[::-1] if is_whole else None

    def _without(
        self, snapshots: list[Metadata], others: tuple[list[Metadata], ...]
    ) -> list[Metadata]:
        origins = {self._origin(each) for other in others for each in other}
        return [each for each in snapshots if self._origin(each) not in origins]


def _rolled_back(side: str, other: str) -> Problem:
    return Problem(
        f"{side}-rolled-back",
        f"The {side} rolled back or replaced snapshots that the {other} still builds on; merging"
        " would bring them back, or lose them.",
    )


def _expired(side: str) -> Problem:
    return Problem(
        f"{side}-expired",
        f"Snapshots that the {side} made since the two parted have been expired there, so what"
        " they did cannot be told.",
    )


def _unfit(snapshot: Metadata) -> Problem | None:
    """Tell why a snapshot cannot be judged or replayed."""
    snapshot_id, operation = snapshot["snapshot-id"], operation_of(snapshot)
    if operation not in _OPERATIONS:
        said = "no operation" if operation is None else f"the unknown operation {operation!r}"
        return Problem("unknown-operation", f"Snapshot {snapshot_id} names {said}.")
    if snapshot.get("key-id") is not None:
        return Problem("encrypted", f"The manifest list of snapshot {snapshot_id} is encrypted.")
    if snapshot.get("manifest-list") is None:
        return Problem("no-manifest-list", f"Snapshot {snapshot_id} has no manifest list.")
    return None
