"""That each name in a merge's result is held once, and stands in a namespace that is there."""

from collections.abc import Iterable, Iterator

from catalog.versioning.ids import ObjectId
from catalog.versioning.keys import Key
from catalog.versioning.object_store import Objects
from catalog.versioning.objects import Entry, EntryKind
from catalog.versioning.outcomes import Action, Conflict, ConflictReason, Resolve
from catalog.versioning.sides import Sides, entry_of
from catalog.versioning.tree import children, get_many


class Placement:
    """The places of all things in the result of one merge, as they are settled.

    Ours and theirs are sound by themselves, so only what comes from different sides can meet. What
    does is moved once at most, as a resolution asks, and then is a conflict, and what is in a
    conflict stays as ours has it: so settling ends.
    """

    def __init__(
        self,
        objects: Objects,
        ours: ObjectId,
        sides: list[Sides],
        resolve: Resolve,
        conflicts: Iterable[Conflict],
    ) -> None:
        self._objects = objects
        self._ours = ours
        self._sides = sides
        self._resolve = resolve
        self._conflicts = {conflict.key: conflict for conflict in conflicts}
        self._base_at = {each.base[0]: each.base[1] for each in sides if each.base is not None}
        self._ours_at = {each.ours[0]: each for each in sides if each.ours is not None}
        self._theirs_at = {each.theirs[0]: each for each in sides if each.theirs is not None}

    def settle(self) -> None:
        """Settle the places until nothing meets and all stands in namespaces that are there."""
        while self._part() or self._house() or self._keep_namespaces():
            pass

    def edits(self) -> dict[Key, Entry | None]:
        """Return the edits that make ours the result, sorted by key."""
        return edits_of(self._sides)

    def conflicts(self) -> tuple[Conflict, ...]:
        """Return all conflicts, one a key, sorted by key."""
        return tuple(self._conflicts[key] for key in sorted(self._conflicts))

    def _conflict(self, sides: Sides, conflict: Conflict) -> None:
        """Note a conflict unless its key is in one already; what it is about stays as ours is."""
        self._conflicts.setdefault(conflict.key, conflict)
        sides.take(Action.OURS, sides.ours)
        sides.conflicted = True

    def _part(self) -> bool:
        """Part all that has one name; say whether anything did."""
        clashes = list(_clashes(self._sides))
        for key, holder, incoming in clashes:
            resolution = self._resolve(key)
            if resolution == "ours" and not incoming.settled:
                incoming.move(Action.OURS, incoming.ours)
            elif resolution == "theirs" and not holder.settled:
                holder.move(Action.THEIRS, holder.theirs)
            else:
                self._conflict(incoming, self._taken(key, holder, incoming))
        return bool(clashes)

    def _taken(self, key: Key, holder: Sides, incoming: Sides) -> Conflict:
        ours, theirs = entry_of(holder.result), entry_of(incoming.result)
        kinds = [entry.kind.value if entry is not None else "thing" for entry in (ours, theirs)]
        if holder.base is None and incoming.base is None:
            reason = ConflictReason.BOTH_CREATED
            verb = "was created on both sides:"
        else:
            reason = ConflictReason.NAME_TAKEN
            verb = "names two things:"
        detail = (
            f"{shown(key)} {verb} one {kinds[0]} on the target, another {kinds[1]} on the source"
        )
        return Conflict(key, reason, detail, self._base_at.get(key), ours, theirs)

    def _house(self) -> bool:
        """Find a namespace for all that comes where ours has none; say whether anything did."""
        homeless = list(self._homeless())
        for each, key in homeless:
            resolution = self._resolve(each.key)
            if resolution == "ours" and not each.settled:
                each.move(Action.OURS, each.ours)
            elif not (
                "theirs" in (resolution, self._resolve(key[:-1])) and self._restore(key[:-1])
            ):
                self._conflict(each, self._namespace_dropped(each, key))
        return bool(homeless)

    def _homeless(self) -> Iterator[tuple[Sides, Key]]:
        """Yield what is new to ours at a key whose namespace neither ours nor the result has."""
        edits = self.edits()
        added = [key for key, entry in edits.items() if entry is not None and len(key) > 1]
        held = get_many(self._objects, self._ours, {key[:-1] for key in added})
        there = {key for key, entry in held.items() if _is_namespace(entry)}
        there |= {key for key, entry in edits.items() if _is_namespace(entry)}
        for each in self._sides:
            if each.result is not None and each.result != each.ours:
                key = each.result[0]
                if len(key) > 1 and key[:-1] not in there:
                    yield each, key

    def _restore(self, namespace: Key) -> bool:
        """Take a namespace, and those around it, from theirs; say whether it will be there."""
        for depth in range(1, len(namespace) + 1):
            sides = self._theirs_at.get(namespace[:depth])
            # Of namespaces that neither side changed, none is missing.
            if sides is not None and not _is_namespace(entry_of(sides.result)):
                if sides.settled:
                    return False
                sides.move(Action.THEIRS, sides.theirs)
        restored = self._theirs_at.get(namespace)
        return restored is not None and _is_namespace(entry_of(restored.theirs))

    def _namespace_dropped(self, sides: Sides, key: Key) -> Conflict:
        entry = entry_of(sides.result)
        kind = entry.kind.value if entry is not None else "thing"
        detail = (
            f"{kind} {shown(key)} is on the source, but the target has no namespace"
            f" {shown(key[:-1])}"
        )
        reason = ConflictReason.NAMESPACE_DROPPED
        return Conflict(key, reason, detail, entry_of(sides.base), entry_of(sides.ours), entry)

    def _keep_namespaces(self) -> bool:
        """Keep dropped namespaces that hold something still; say whether there were any."""
        orphaning = list(self._orphaning())
        for sides, key, held in orphaning:
            resolutions = {self._resolve(key), *(self._resolve(each) for each in held)}
            if "ours" in resolutions and not sides.settled:
                sides.move(Action.OURS, sides.ours)
            else:
                self._conflict(sides, self._namespace_not_empty(sides, key, held))
        return bool(orphaning)

    def _orphaning(self) -> Iterator[tuple[Sides, Key, list[Key]]]:
        """Yield namespaces of ours that the result does not have, but something inside them."""
        edits = self.edits()
        added: dict[Key, list[Key]] = {}
        for key, entry in edits.items():
            if entry is not None:
                added.setdefault(key[:-1], []).append(key)
        for key in edits:
            sides = self._ours_at.get(key)
            if (
                sides is None
                or not _is_namespace(entry_of(sides.ours))
                or _is_namespace(edits[key])
            ):
                continue
            kept = [
                child for child, _ in children(self._objects, self._ours, key) if child not in edits
            ]
            if held := kept + added.get(key, []):
                yield sides, key, held

    def _namespace_not_empty(self, sides: Sides, key: Key, held: list[Key]) -> Conflict:
        more = f" and {len(held) - 1} more" if len(held) > 1 else ""
        detail = (
            f"namespace {shown(key)} was dropped on the source, but the target has"
            f" {shown(held[0])}{more} in it"
        )
        entries = (entry_of(sides.base), entry_of(sides.ours), entry_of(sides.theirs))
        return Conflict(key, ConflictReason.NAMESPACE_NOT_EMPTY, detail, *entries)


def edits_of(sides: Iterable[Sides]) -> dict[Key, Entry | None]:
    """Return the edits that make ours the result, sorted by key."""
    moved = [each for each in sides if each.result != each.ours]
    edits: dict[Key, Entry | None] = {each.ours[0]: None for each in moved if each.ours is not None}
    edits.update(each.result for each in moved if each.result is not None)
    return dict(sorted(edits.items()))


def shown(key: Key) -> str:
    """Return the key as people write it."""
    return ".".join(key)


def _clashes(sides: Iterable[Sides]) -> Iterator[tuple[Key, Sides, Sides]]:
    """Yield each name that two things have in the result: the one that ours has there first.

    A name in the result is its thing's name on ours or on theirs, so no three can meet.
    """
    holders: dict[Key, Sides] = {}
    for each in sides:
        if each.result is not None:
            key = each.result[0]
            other = holders.setdefault(key, each)
            if other is not each:
                ours_first = other.ours is not None and other.ours[0] == key
                yield (key, other, each) if ours_first else (key, each, other)


def _is_namespace(entry: Entry | None) -> bool:
    return entry is not None and entry.kind is EntryKind.NAMESPACE
