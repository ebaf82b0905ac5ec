"""The tree that a merge is taken against, also where history criss-crosses.

Two commits have several best common ancestors once each of two lines was merged into the other.
These are merged with each other first, as git's recursive strategy does. What conflicts there was
settled by somebody on either line, perhaps differently, so no base can be told: it is marked
undecided, which equals nothing, and only what both lines agree on is merged then.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from catalog.versioning.diff import changed_keys
from catalog.versioning.graph import is_ancestor, merge_bases
from catalog.versioning.ids import ObjectId
from catalog.versioning.keys import Key
from catalog.versioning.merge import Collide, Resolution, merge_trees
from catalog.versioning.object_store import Objects
from catalog.versioning.objects import Commit, Entry, EntryKind
from catalog.versioning.tree import apply, empty_tree

# Beyond this many criss-crosses upon each other, all that the ancestors differ in is undecided.
_MAX_DEPTH = 30
# Neither a location nor a property of anything real; no name of a table holds control characters.
_UNDECIDED = "\x01undecided"

_Identity = tuple[EntryKind, str | Key]


@dataclass(frozen=True, slots=True)
class _Place:
    """Where one of the two trees, 0 or 1, holds an entry."""

    side: int
    key: Key
    entry: Entry


def parent_tree(objects: Objects, commit: Commit) -> ObjectId:
    """Return the tree of a commit's first parent; the empty one for the first commit of all."""
    if not commit.parents:
        return empty_tree(objects)
    return objects.commit(commit.parents[0]).tree


def base_tree(objects: Objects, bases: Sequence[ObjectId], *, collide: Collide) -> ObjectId:
    """Return the one tree that stands for all best common ancestors, given as commits.

    The tree of several is for merging alone: it may hold what no commit does.
    """
    return _base_tree(objects, bases, collide, _MAX_DEPTH)


def is_undecided(entry: Entry) -> bool:
    """Say whether a base's entry is no state of anything, but the mark that there is none."""
    return entry.metadata_location == _UNDECIDED or _UNDECIDED in entry.properties


def _base_tree(
    objects: Objects, bases: Sequence[ObjectId], collide: Collide, depth: int
) -> ObjectId:
    if not bases:
        return empty_tree(objects)
    merged = [bases[0]]
    tree = objects.commit(bases[0]).tree
    for other in bases[1:]:
        theirs = objects.commit(other).tree
        if depth == 0:
            tree = _undecide(objects, tree, tree, theirs, None)
        else:
            below = _best(objects, {b for each in merged for b in _bases(objects, each, other)})
            base = _base_tree(objects, below, collide, depth - 1)
            tree = _merged_base(objects, base, tree, theirs, collide)
        merged.append(other)
    return tree


def _bases(objects: Objects, ours: ObjectId, theirs: ObjectId) -> list[ObjectId]:
    return merge_bases(objects.commits, ours, theirs)


def _best(objects: Objects, commits: Collection[ObjectId]) -> list[ObjectId]:
    """Leave out each commit that is an ancestor of another."""
    return sorted(
        commit
        for commit in commits
        if not any(
            other != commit and is_ancestor(objects.commits, commit, other) for other in commits
        )
    )


def _merged_base(
    objects: Objects, base: ObjectId, ours: ObjectId, theirs: ObjectId, collide: Collide
) -> ObjectId:
    merged = merge_trees(objects, base, ours, theirs, collide=collide, resolve=_auto)
    tree = merged.tree or apply(objects, ours, merged.edits)
    if not merged.conflicts:
        return tree
    return _undecide(objects, tree, ours, theirs, [each.key for each in merged.conflicts])


def _auto(key: Key) -> Resolution:
    return "auto"


def _undecide(
    objects: Objects,
    tree: ObjectId,
    ours: ObjectId,
    theirs: ObjectId,
    conflicts: Sequence[Key] | None,
) -> ObjectId:
    """Mark in `tree` what ours and theirs differ in and a conflict touches; None is everything."""
    differing: dict[_Identity, list[_Place]] = {}
    for key, before, after in changed_keys(objects, ours, theirs):
        for side, entry in enumerate((before, after)):
            if entry is not None:
                # As in a merge, a namespace is what its name says.
                is_namespace = entry.kind is EntryKind.NAMESPACE
                identity = (entry.kind, key if is_namespace else entry.uuid)
                differing.setdefault(identity, []).append(_Place(side, key, entry))
    edits: dict[Key, Entry | None] = {}
    marks: dict[Key, Entry] = {}
    for places in differing.values():
        keys = {place.key for place in places}
        if conflicts is None or any(_touches(key, other) for key in keys for other in conflicts):
            edits.update(dict.fromkeys(keys))
            entry = _undecided_entry([place.entry for place in places])
            marks.update(dict.fromkeys(_undecided_keys(places, marks), entry))
    return apply(objects, tree, edits | marks)


def _touches(key: Key, conflict: Key) -> bool:
    """Say whether one is the other, or holds it."""
    shorter = min(len(key), len(conflict))
    return key[:shorter] == conflict[:shorter]


def _undecided_keys(places: Sequence[_Place], taken: Collection[Key]) -> set[Key]:
    """Return where an undecided entry stands: of two names, neither is the base's.

    What stands twice in one tree, as a table that was registered twice, is not followed through
    renames, so each of its names stands for itself.
    """
    keys = {place.key for place in places}
    sides = [place.side for place in places]
    if len(sides) > len(set(sides)) or (len(keys) == 1 and not keys & set(taken)):
        return keys
    first = min(keys)
    return {(*first[:-1], f"{first[-1]}{_UNDECIDED}{places[0].entry.uuid}")}


def _undecided_entry(entries: Sequence[Entry]) -> Entry:
    """Return an entry that equals neither side's, nor any property of it that they differ in."""
    first, last = entries[0], entries[-1]
    if first.kind is not EntryKind.NAMESPACE:
        return Entry(first.kind, first.uuid, _UNDECIDED)
    names = first.properties.keys() | last.properties.keys()
    return Entry(
        first.kind,
        first.uuid,
        properties={
            name: first.properties[name]
            if first.properties.get(name) == last.properties.get(name)
            else _UNDECIDED
            for name in sorted(names)
        }
        | {_UNDECIDED: _UNDECIDED},
    )
