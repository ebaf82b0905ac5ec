"""That what a branch read has not moved on the target since: a serialisable publish."""

from collections.abc import Sequence

from catalog.errors import InvalidInput
from catalog.operations.entries import shown
from catalog.versioning.ids import ObjectId
from catalog.versioning.keys import Key
from catalog.versioning.object_store import Objects
from catalog.versioning.outcomes import Conflict, ConflictReason
from catalog.versioning.tree import get_many


def moved_reads(
    objects: Objects, base: ObjectId, ours: ObjectId, theirs: ObjectId, names: Sequence[str]
) -> tuple[Conflict, ...]:
    """Return a conflict for each table, its levels joined by dots, that ours changed; by key.

    Raises:
        InvalidInput: with the names that none of the three trees has.
    """
    keys: list[Key] = sorted({tuple(name.split(".")) for name in names if all(name.split("."))})
    before, left, right = (get_many(objects, tree, keys) for tree in (base, ours, theirs))
    known = {shown(key) for key in (*before, *left, *right)}
    unknown = sorted(set(names) - known)
    if unknown:
        raise InvalidInput(
            f"unchanged names {', '.join(map(repr, unknown))}, which neither side has",
            unchanged=unknown,
        )
    return tuple(
        Conflict(
            key,
            ConflictReason.READ_CHANGED,
            f"{shown(key)} was read on the source, and has changed on the target since",
            before.get(key),
            left.get(key),
            right.get(key),
        )
        for key in keys
        if before.get(key) != left.get(key)
    )
