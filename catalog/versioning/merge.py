"""Three-way merge of trees: every conflict is found, and nothing unsure is merged.

What is merged is not a key but an identity, a kind and a uuid, so that a rename on one side and a
change on the other go together. For each identity that either side changed, its name and its
content are merged on their own; then the names are held against each other, and against the
namespaces that must hold them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from catalog.versioning.diff import changed_items
from catalog.versioning.encoding import decode_entry
from catalog.versioning.ids import ObjectId
from catalog.versioning.keys import Key, decode_key
from catalog.versioning.object_store import Objects
from catalog.versioning.objects import Entry, EntryKind
from catalog.versioning.outcomes import Action, Conflict, ConflictReason, Outcome, TreeMerge
from catalog.versioning.tree import children, get

Resolution = Literal["auto", "fail", "ours", "theirs"]
Resolve = Callable[[Key], Resolution]


# Merges the content of a table or view that both sides changed: key, base, ours, theirs.
Collide = Callable[[Key, Entry | None, Entry, Entry], "Entry | Conflict"]

_Place = tuple[Key, Entry]
_Identity = tuple[EntryKind, str, Key | None]


@dataclass(slots=True)
class _Sides:
    """Where an identity stands in each tree, and where in the result; None if it is absent."""

    base: _Place | None = None
    ours: _Place | None = None
    theirs: _Place | None = None
    result: _Place | None = None
    action: Action | None = None
    resolved: bool = False

    @property
    def key(self) -> Key:
        """The key to speak of: theirs, else ours, else the base's."""
        place = self.theirs or self.ours or self.base
        assert place is not None
        return place[0]

    def take(self, action: Action, place: _Place | None, *, resolved: bool = False) -> None:
        """Decide the result."""
        self.action, self.result, self.resolved = action, place, resolved


@dataclass(slots=True)
class _Merge:
    """What the steps of one merge share."""

    collide: Collide
    resolve: Resolve
    conflicts: dict[Key, Conflict] = field(default_factory=dict)

    def conflict(self, sides: _Sides, reason: ConflictReason, detail: str) -> None:
        """Note a conflict, the first of its key; what ours has stays."""
        entries = (_entry(place) for place in (sides.base, sides.ours, sides.theirs))
        self.conflicts.setdefault(sides.key, Conflict(sides.key, reason, detail, *entries))
        sides.take(Action.OURS, sides.ours)


def merge_trees(
    objects: Objects,
    base: ObjectId,
    ours: ObjectId,
    theirs: ObjectId,
    *,
    collide: Collide,
    resolve: Resolve,
) -> TreeMerge:
    """Merge theirs into ours from their common base; all three are roots.

    A resolution decides what both sides changed: `ours` and `theirs` take that side, `fail` leaves
    a conflict, `auto` asks `collide`. What one side alone changed is always taken.
    """
    theirs_items = changed_items(objects, base, theirs)
    if ours == base:
        return _take_all(theirs_items, theirs)
    identities = _identities(changed_items(objects, base, ours), theirs_items)
    merge = _Merge(collide, resolve)
    for sides in identities:
        _merge_identity(merge, sides)
    _merge_names(merge, identities)
    edits = _edits(identities)
    _check_namespaces(merge, objects, ours, edits, identities)
    return TreeMerge(
        dict(sorted(edits.items())),
        _outcomes(merge, identities),
        tuple(merge.conflicts[key] for key in sorted(merge.conflicts)),
    )


def _take_all(items: list[tuple[bytes, bytes | None, bytes | None]], tree: ObjectId) -> TreeMerge:
    edits: dict[Key, Entry | None] = {}
    outcomes = []
    for encoded, old, new in items:
        key, before, after = decode_key(encoded), _decoded(old), _decoded(new)
        edits[key] = after
        outcomes.append(Outcome(key, Action.THEIRS, before, before, after, after))
    return TreeMerge(edits, tuple(outcomes), (), tree)


def _identities(
    ours: list[tuple[bytes, bytes | None, bytes | None]],
    theirs: list[tuple[bytes, bytes | None, bytes | None]],
) -> list[_Sides]:
    """Return where each identity stands that either side changed.

    An identity under several keys of one tree, as a table that was registered twice, is not
    followed through renames: then each key stands for itself.
    """
    our_new = {key: new for key, _, new in ours}
    their_new = {key: new for key, _, new in theirs}
    base = {key: old for key, old, _ in (*ours, *theirs)}
    trees = (
        base,
        {key: our_new.get(key, old) for key, old in base.items()},
        {key: their_new.get(key, old) for key, old in base.items()},
    )
    trees[1].update(our_new)
    trees[2].update(their_new)
    ambiguous = _ambiguous(trees)
    found: dict[_Identity, _Sides] = {}
    for tree, side in zip(trees, ("base", "ours", "theirs"), strict=True):
        for encoded, data in tree.items():
            entry = _decoded(data)
            if entry is not None:
                key = decode_key(encoded)
                name = (entry.kind, entry.uuid)
                identity = (*name, key if name in ambiguous else None)
                setattr(found.setdefault(identity, _Sides()), side, (key, entry))
    return sorted(found.values(), key=lambda one: one.key)


def _ambiguous(trees: tuple[Mapping[bytes, bytes | None], ...]) -> set[tuple[EntryKind, str]]:
    ambiguous: set[tuple[EntryKind, str]] = set()
    for tree in trees:
        seen: set[tuple[EntryKind, str]] = set()
        for data in tree.values():
            entry = _decoded(data)
            if entry is not None:
                name = (entry.kind, entry.uuid)
                (ambiguous if name in seen else seen).add(name)
    return ambiguous


def _merge_identity(merge: _Merge, sides: _Sides) -> None:
    if sides.theirs == sides.base:
        sides.take(Action.OURS, sides.ours)
    elif sides.ours == sides.theirs:
        sides.take(Action.BOTH, sides.ours)
    elif sides.ours == sides.base:
        sides.take(Action.THEIRS, sides.theirs)
    else:
        _merge_changed(merge, sides)


def _merge_changed(merge: _Merge, sides: _Sides) -> None:
    resolution = merge.resolve(sides.key)
    if resolution == "ours":
        sides.take(Action.OURS, sides.ours, resolved=True)
    elif resolution == "theirs":
        sides.take(Action.THEIRS, sides.theirs, resolved=True)
    elif sides.ours is None or sides.theirs is None:
        _dropped_conflict(merge, sides)
    else:
        _merge_both(merge, sides, sides.ours, sides.theirs, resolution)


def _dropped_conflict(merge: _Merge, sides: _Sides) -> None:
    kept = sides.ours or sides.theirs
    assert sides.base is not None
    assert kept is not None
    who, other = ("target", "source") if sides.ours is not None else ("source", "target")
    name = f"{sides.base[1].kind.value} {_shown(sides.base[0])}"
    if kept[0] != sides.base[0]:
        reason = ConflictReason.RENAMED_AND_DROPPED
        what = f"renamed to {_shown(kept[0])} on the {who}"
    else:
        reason = ConflictReason.CHANGED_AND_DROPPED
        what = f"changed on the {who}"
    merge.conflict(sides, reason, f"{name} was dropped on the {other} and {what}")


def _merge_both(
    merge: _Merge, sides: _Sides, ours: _Place, theirs: _Place, resolution: Resolution
) -> None:
    base_key = None if sides.base is None else sides.base[0]
    if ours[0] != theirs[0] and base_key not in (ours[0], theirs[0]):
        merge.conflict(
            sides,
            ConflictReason.RENAMED_DIFFERENTLY,
            f"{ours[1].kind.value} {_shown(base_key or ours[0])} is called {_shown(ours[0])} on the"
            f" target and {_shown(theirs[0])} on the source",
        )
        return
    key = theirs[0] if ours[0] == base_key else ours[0]
    content = _merge_content(merge, sides, ours[1], theirs[1], resolution)
    if isinstance(content, Conflict):
        merge.conflict(sides, content.reason, content.detail)
    else:
        sides.take(Action.MERGED, (key, content))


def _merge_content(
    merge: _Merge, sides: _Sides, ours: Entry, theirs: Entry, resolution: Resolution
) -> Entry | Conflict:
    base = _entry(sides.base)
    if theirs in (ours, base):
        return ours
    if ours == base:
        return theirs
    if resolution == "fail":
        detail = f"{ours.kind.value} {_shown(sides.key)} was changed on both sides"
        return Conflict(sides.key, ConflictReason.BOTH_CHANGED, detail)
    if ours.kind is EntryKind.NAMESPACE:
        return _merge_namespace(sides.key, base, ours, theirs)
    return merge.collide(sides.key, base, ours, theirs)


def _merge_namespace(key: Key, base: Entry | None, ours: Entry, theirs: Entry) -> Entry | Conflict:
    old = {} if base is None else base.properties
    merged = dict(ours.properties)
    clashing = []
    for name in sorted(old.keys() | theirs.properties.keys()):
        before, left, right = old.get(name), ours.properties.get(name), theirs.properties.get(name)
        if right in (before, left):
            continue
        if left != before:
            clashing.append(name)
        elif right is None:
            merged.pop(name, None)
        else:
            merged[name] = right
    if clashing:
        return Conflict(
            key,
            ConflictReason.PROPERTY_CONFLICT,
            f"namespace {_shown(key)}: both sides changed {', '.join(clashing)}, differently",
            base,
            ours,
            theirs,
        )
    return Entry(EntryKind.NAMESPACE, ours.uuid, properties=merged)


def _merge_names(merge: _Merge, identities: list[_Sides]) -> None:
    """See that no two identities have one name in the result.

    Ours has one holder of a name and theirs one, so two can meet. A resolution is tried first;
    what it cannot part, and what meets because of it, is a conflict.
    """
    for attempt in ("resolve", "conflict"):
        for holder, incoming in _clashes(identities):
            assert incoming.result is not None
            resolution = merge.resolve(incoming.result[0]) if attempt == "resolve" else "auto"
            if resolution == "ours":
                incoming.take(Action.OURS, incoming.ours, resolved=True)
            elif resolution == "theirs" and _replaceable(holder, incoming):
                holder.take(Action.THEIRS, None, resolved=True)
            else:
                _taken_conflict(merge, holder, incoming)


def _clashes(identities: list[_Sides]) -> list[tuple[_Sides, _Sides]]:
    """Return pairs with one name in the result: the one that has it on ours, and the other."""
    holders: dict[Key, _Sides] = {}
    clashes = []
    for sides in identities:
        if sides.result is None:
            continue
        key = sides.result[0]
        if key not in holders:
            holders[key] = sides
            continue
        first = holders[key]
        ours_first = first.ours is not None and first.ours[0] == key
        clashes.append((first, sides) if ours_first else (sides, first))
        holders[key] = clashes[-1][0]
    return clashes


def _replaceable(holder: _Sides, incoming: _Sides) -> bool:
    assert holder.result is not None
    assert incoming.result is not None
    kinds = {holder.result[1].kind, incoming.result[1].kind}
    return len(kinds) == 1 and EntryKind.NAMESPACE not in kinds


def _taken_conflict(merge: _Merge, holder: _Sides, incoming: _Sides) -> None:
    assert holder.result is not None
    assert incoming.result is not None
    key, entry = incoming.result
    held, kind = holder.result[1].kind.value, entry.kind.value
    if incoming.base is None and holder.base is None:
        reason = ConflictReason.BOTH_CREATED
        detail = f"both sides created {_shown(key)}: a {held} on the target, a {kind} on the source"
    else:
        reason = ConflictReason.NAME_TAKEN
        detail = f"{_shown(key)} names one {held} on the target and another {kind} on the source"
    conflict = Conflict(key, reason, detail, _entry(incoming.base), holder.result[1], entry)
    merge.conflicts.setdefault(key, conflict)
    incoming.take(Action.OURS, incoming.ours)


def _edits(identities: list[_Sides]) -> dict[Key, Entry | None]:
    edits: dict[Key, Entry | None] = {}
    for sides in identities:
        if sides.ours is not None and sides.result != sides.ours:
            edits[sides.ours[0]] = None
    for sides in identities:
        if sides.result is not None and sides.result != sides.ours:
            edits[sides.result[0]] = sides.result[1]
    return edits


def _check_namespaces(
    merge: _Merge,
    objects: Objects,
    ours: ObjectId,
    edits: Mapping[Key, Entry | None],
    identities: list[_Sides],
) -> None:
    """See that whatever the result holds stands in a namespace that the result holds."""

    def in_result(key: Key) -> Entry | None:
        return edits[key] if key in edits else get(objects, ours, key)

    by_key = {sides.result[0]: sides for sides in identities if sides.result is not None}
    for key, entry in edits.items():
        parent = in_result(key[:-1]) if len(key) > 1 else None
        if entry is not None and len(key) > 1:
            if parent is None or parent.kind is not EntryKind.NAMESPACE:
                detail = (
                    f"the source has {entry.kind.value} {_shown(key)}, but the target has no"
                    f" namespace {_shown(key[:-1])}"
                )
                merge.conflict(by_key[key], ConflictReason.NAMESPACE_DROPPED, detail)
        elif entry is None:
            _check_dropped(merge, objects, ours, edits, key)


def _check_dropped(
    merge: _Merge,
    objects: Objects,
    ours: ObjectId,
    edits: Mapping[Key, Entry | None],
    namespace: Key,
) -> None:
    dropped = get(objects, ours, namespace)
    if dropped is None or dropped.kind is not EntryKind.NAMESPACE:
        return
    for key, _ in children(objects, ours, namespace):
        if edits.get(key, dropped) is not None:
            detail = (
                f"namespace {_shown(namespace)} was dropped on the source, but the target has"
                f" {_shown(key)} in it"
            )
            reason = ConflictReason.NAMESPACE_NOT_EMPTY
            conflict = Conflict(namespace, reason, detail, dropped, dropped, None)
            merge.conflicts.setdefault(namespace, conflict)
            return


def _outcomes(merge: _Merge, identities: list[_Sides]) -> tuple[Outcome, ...]:
    outcomes = {}
    for sides in identities:
        if sides.theirs == sides.base or sides.key in merge.conflicts:
            continue
        assert sides.action is not None
        outcomes[sides.key] = Outcome(
            sides.key,
            sides.action,
            _entry(sides.base),
            _entry(sides.ours),
            _entry(sides.theirs),
            _entry(sides.result),
            sides.resolved,
        )
    return tuple(outcomes[key] for key in sorted(outcomes))


def _entry(place: _Place | None) -> Entry | None:
    return None if place is None else place[1]


def _decoded(data: bytes | None) -> Entry | None:
    return None if data is None else decode_entry(data)


def _shown(key: Key) -> str:
    return ".".join(key)
