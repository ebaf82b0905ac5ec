"""Three-way merge of trees: every conflict is found, and nothing unsure is merged.

What is merged is not a key but a thing, a kind with a uuid, so that a rename on one side and a
change on the other go together; only a namespace is what its key says. Each thing that either side
changed is decided on its own; then `placement` holds their names against each other, and against
the namespaces that must hold them.
"""

from collections.abc import Iterable
from dataclasses import replace

from catalog.errors import Corruption
from catalog.versioning.diff import changed_items
from catalog.versioning.ids import ObjectId
from catalog.versioning.keys import Key
from catalog.versioning.object_store import Objects
from catalog.versioning.objects import Entry, EntryKind
from catalog.versioning.outcomes import (
    Action,
    Collide,
    Collision,
    Conflict,
    ConflictReason,
    Outcome,
    Resolution,
    Resolve,
    TreeMerge,
)
from catalog.versioning.placement import Placement, edits_of, shown
from catalog.versioning.sides import Place, Sides, entry_of, find_sides, same, same_namespace

__all__ = ["Collide", "Collision", "Conflict", "Resolution", "Resolve", "merge_trees"]


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

    What one side alone changed is taken, and what both made the same. Where both changed one thing
    its resolution decides: `ours` and `theirs` take that side, its deletion too, `fail` leaves a
    conflict, and `auto` merges a rename with a change, the properties of a namespace one by one,
    and asks `collide` for the contents of tables and views, once for all that collide. Resolutions
    of sides also decide between two things with one name; between a namespace that was dropped and
    what the other side put into it, but never so that something is dropped that only ours has in
    it.
    """
    their_changes = changed_items(objects, base, theirs)
    if ours == base:
        return _take_all(find_sides((), their_changes), theirs)
    sides = find_sides(changed_items(objects, base, ours), their_changes)
    conflicts = _decide_all(sides, collide, resolve)
    placement = Placement(objects, ours, sides, resolve, conflicts)
    placement.settle()
    return TreeMerge(placement.edits(), _outcomes(sides), placement.conflicts())


def _take_all(sides: Iterable[Sides], tree: ObjectId) -> TreeMerge:
    changed = list(sides)
    for each in changed:
        each.take(Action.THEIRS, each.theirs)
    return TreeMerge(edits_of(changed), _outcomes(changed), (), tree)


def _decide_all(sides: Iterable[Sides], collide: Collide, resolve: Resolve) -> list[Conflict]:
    """Decide the result of each thing; what is in a conflict stays as ours has it."""
    conflicts: list[Conflict] = []
    colliding: list[tuple[Sides, Collision]] = []
    for each in sides:
        found = _decide(each, resolve)
        if isinstance(found, Collision):
            colliding.append((each, found))
        elif found is not None:
            conflicts.append(found)
    if colliding:
        contents = collide([collision for _, collision in colliding])
        for (each, collision), content in zip(colliding, contents, strict=True):
            if (conflict := _take_content(each, collision, content)) is not None:
                conflicts.append(conflict)
    return conflicts


def _decide(sides: Sides, resolve: Resolve) -> Conflict | Collision | None:
    """Decide the result of one thing, unless its contents collide."""
    if sides.ours == sides.base:
        # To the last bit, as where ours changed nothing at all and theirs' tree is taken whole.
        sides.take(Action.THEIRS, sides.theirs)
    elif same(sides.theirs, sides.base):
        sides.take(Action.OURS, sides.ours)
    elif same(sides.ours, sides.theirs):
        sides.take(Action.BOTH, sides.ours)
    elif same(sides.ours, sides.base):
        sides.take(Action.THEIRS, sides.theirs)
    else:
        return _decide_changed(sides, resolve(sides.key))
    return None


def _decide_changed(sides: Sides, resolution: Resolution) -> Conflict | Collision | None:
    """Decide the result of one thing that both sides changed, not alike."""
    if resolution == "ours":
        sides.take(Action.OURS, sides.ours, resolved=True)
        return None
    if resolution == "theirs":
        sides.take(Action.THEIRS, sides.theirs, resolved=True)
        return None
    merged = _merged(sides, resolution)
    if isinstance(merged, Conflict):
        return _leave(sides, merged)
    if isinstance(merged, Collision):
        return merged
    sides.take(Action.MERGED, merged)
    return None


def _take_content(sides: Sides, collision: Collision, content: Entry | Conflict) -> Conflict | None:
    """Take the content that two colliding ones were merged to."""
    if isinstance(content, Conflict):
        return _leave(sides, content)
    ours = collision.ours
    if (content.kind, content.uuid) != (ours.kind, ours.uuid):
        raise Corruption(f"Merging the content of {shown(sides.key)} made something else of it")
    sides.take(Action.MERGED, (_merged_name(sides), content))
    return None


def _leave(sides: Sides, conflict: Conflict) -> Conflict:
    sides.take(Action.OURS, sides.ours)
    sides.conflicted = True
    return conflict


def _merged(sides: Sides, resolution: Resolution) -> Place | Conflict | Collision:
    if sides.ours is None or sides.theirs is None:
        return _dropped(sides)
    if resolution == "fail":
        return _both_changed(sides)
    our_key, their_key = sides.ours[0], sides.theirs[0]
    base_key = None if sides.base is None else sides.base[0]
    if our_key != their_key and base_key not in (our_key, their_key):
        return _conflict(
            sides,
            ConflictReason.RENAMED_DIFFERENTLY,
            f"one {sides.ours[1].kind.value} was named {shown(our_key)} on the target and"
            f" {shown(their_key)} on the source",
        )
    content = _merged_content(sides, sides.ours[1], sides.theirs[1])
    return (_merged_name(sides), content) if isinstance(content, Entry) else content


def _merged_name(sides: Sides) -> Key:
    """Return the name of what both sides have, and at most one of them renamed."""
    base, ours, theirs = (each and each[0] for each in (sides.base, sides.ours, sides.theirs))
    if ours is None or theirs is None:
        raise Corruption("A merge has a content for something that one side does not have")
    return theirs if ours == base else ours


def _dropped(sides: Sides) -> Conflict:
    kept = sides.ours or sides.theirs
    if kept is None or sides.base is None:
        raise Corruption("A merge found a drop of what was not there, or is on neither side")
    keeper, dropper = ("target", "source") if sides.ours is not None else ("source", "target")
    renamed = kept[0] != sides.base[0]
    reason = ConflictReason.RENAMED_AND_DROPPED if renamed else ConflictReason.CHANGED_AND_DROPPED
    verb = "renamed" if renamed else "changed"
    what = f"{kept[1].kind.value} {shown(kept[0])}"
    return _conflict(
        sides, reason, f"{what} was {verb} on the {keeper} and dropped on the {dropper}"
    )


def _both_changed(sides: Sides) -> Conflict:
    kind = sides.ours[1].kind.value if sides.ours is not None else "table"
    return _conflict(
        sides,
        ConflictReason.BOTH_CHANGED,
        f"{kind} {shown(sides.key)} was changed on the target and, differently, on the source",
    )


def _merged_content(sides: Sides, ours: Entry, theirs: Entry) -> Entry | Conflict | Collision:
    base = entry_of(sides.base)
    if theirs in (ours, base):
        return ours
    if ours == base:
        return theirs
    if ours.kind is EntryKind.NAMESPACE:
        return _merged_namespace(sides, base, ours, theirs)
    return Collision(sides.key, base, ours, theirs)


def _merged_namespace(
    sides: Sides, base: Entry | None, ours: Entry, theirs: Entry
) -> Entry | Conflict:
    """Merge properties one by one; nothing else of a namespace but its uuid may differ."""
    if not same_namespace(replace(ours, properties={}), replace(theirs, properties={})):
        return _both_changed(sides)
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
            del merged[name]
        else:
            merged[name] = right
    if not clashing:
        return replace(ours, properties=merged)
    detail = (
        f"namespace {shown(sides.key)}: the target and the source gave different values to the"
        f" {'property' if len(clashing) == 1 else 'properties'} {', '.join(clashing)}"
    )
    return _conflict(sides, ConflictReason.PROPERTY_CONFLICT, detail)


def _conflict(sides: Sides, reason: ConflictReason, detail: str) -> Conflict:
    base, ours, theirs = map(entry_of, (sides.base, sides.ours, sides.theirs))
    return Conflict(sides.key, reason, detail, base, ours, theirs)


def _is_taken(sides: Sides) -> bool:
    """Say whether theirs changed a thing, and not only who made a namespace."""
    return sides.theirs != sides.base and sides.action is not Action.OURS


def _outcomes(sides: Iterable[Sides]) -> tuple[Outcome, ...]:
    """Return what became of all that theirs changed, or a resolution decided."""
    return tuple(
        Outcome(
            each.key,
            each.action,
            base=entry_of(each.base),
            ours=entry_of(each.ours),
            theirs=entry_of(each.theirs),
            result=entry_of(each.result),
            resolved=each.resolved,
        )
        for each in sides
        if not each.conflicted and (each.resolved or _is_taken(each))
    )
