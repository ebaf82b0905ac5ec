"""What differs between two trees; equal subtrees are skipped."""

from collections.abc import Iterable, Iterator, Sequence

from catalog.versioning.encoding import decode_entry
from catalog.versioning.ids import ObjectId
from catalog.versioning.keys import Key, decode_key
from catalog.versioning.object_store import Objects
from catalog.versioning.objects import Change, ChangeKind, Entry, Node

# An encoded key with its encoded entry on either side.
Item = tuple[bytes, bytes | None, bytes | None]


def changed_items(objects: Objects, before: ObjectId, after: ObjectId) -> list[Item]:
    """Return what differs between two roots, encoded, in key order.

    Reads O(changes × depth) nodes, with one fetch a level: a node that stands in both trees holds
    the same keys in both, so whatever is below it is equal.
    """
    if before == after:
        return []
    left = {before: objects.node(before)}
    right = {after: objects.node(after)}
    level = max(left[before].level, right[after].level)
    while level:
        left, right = _without_common(left, right)
        left, right = _descend(objects, left, right, level)
        level -= 1
    left, right = _without_common(left, right)
    return sorted(_leaf_changes(left.values(), right.values()))


_Nodes = dict[ObjectId, Node]


def _without_common(left: _Nodes, right: _Nodes) -> tuple[_Nodes, _Nodes]:
    common = left.keys() & right.keys()
    if not common:
        return left, right
    return (
        {key: node for key, node in left.items() if key not in common},
        {key: node for key, node in right.items() if key not in common},
    )


def _descend(objects: Objects, left: _Nodes, right: _Nodes, level: int) -> tuple[_Nodes, _Nodes]:
    """Replace the nodes of `level` on both sides by those children that only one side has."""
    old = _children(left, level)
    new = _children(right, level)
    stay_left = {key: node for key, node in left.items() if node.level < level}
    stay_right = {key: node for key, node in right.items() if node.level < level}
    fetched = objects.nodes((old | new) - (old & new))
    return (
        stay_left | {key: fetched[key] for key in old - new},
        stay_right | {key: fetched[key] for key in new - old},
    )


def _children(nodes: _Nodes, level: int) -> set[ObjectId]:
    return {
        ObjectId(child) for node in nodes.values() if node.level == level for child in node.values
    }


def _leaf_changes(left: Iterable[Node], right: Iterable[Node]) -> Iterator[Item]:
    """Yield what differs between the leaves of two trees.

    A leaf whose keys stayed, as most do, is compared with its twin item by item; no other leaf can
    hold those keys. The others are compared as two maps, which costs several times as much.
    """
    twins = {node.keys: node for node in left}
    unpaired = []
    for node in right:
        twin = twins.pop(node.keys, None)
        if twin is None:
            unpaired.append(node)
            continue
        for item in zip(node.keys, twin.values, node.values, strict=True):
            if item[1] != item[2]:
                yield item
    old = _leaf_items(twins.values())
    new = _leaf_items(unpaired)
    for key in old.keys() | new.keys():
        if old.get(key) != new.get(key):
            yield key, old.get(key), new.get(key)


def _leaf_items(nodes: Iterable[Node]) -> dict[bytes, bytes]:
    items: dict[bytes, bytes] = {}
    for node in nodes:
        items.update(zip(node.keys, node.values, strict=True))
    return items


def changed_keys(
    objects: Objects, before: ObjectId, after: ObjectId
) -> Iterator[tuple[Key, Entry | None, Entry | None]]:
    """Yield each key that differs between two roots, with its entries, in key order."""
    for key, old, new in changed_items(objects, before, after):
        yield decode_key(key), _entry(old), _entry(new)


def diff(objects: Objects, before: ObjectId, after: ObjectId) -> list[Change]:
    """Return the changes between two roots by key, renames paired."""
    return pair_renames(list(changed_keys(objects, before, after)))


def pair_renames(changed: Sequence[tuple[Key, Entry | None, Entry | None]]) -> list[Change]:
    """Return the changes that what differs amounts to.

    A key that is gone and one that is new, of one kind and uuid, are one rename.
    """
    gone = {
        (old.kind, old.uuid): (key, old)
        for key, old, new in changed
        if old is not None and (new is None or new.uuid != old.uuid)
    }
    renamed: dict[Key, tuple[Key, Entry]] = {}
    for key, old, new in changed:
        if new is not None and (old is None or old.uuid != new.uuid):
            source = gone.get((new.kind, new.uuid))
            if source is not None:
                renamed[key] = source
    left = {source for source, _ in renamed.values()}
    changes: list[Change] = []
    for key, old, new in changed:
        if key in renamed:
            from_key, entry = renamed[key]
            changes.append(Change(key, ChangeKind.RENAMED, entry, new, from_key))
            if old is not None and key not in left:
                changes.append(Change(key, ChangeKind.REMOVED, old, None))
        elif key in left:
            if new is not None:
                changes.append(Change(key, ChangeKind.ADDED, None, new))
        elif old is None:
            changes.append(Change(key, ChangeKind.ADDED, None, new))
        elif new is None:
            changes.append(Change(key, ChangeKind.REMOVED, old, None))
        else:
            changes.append(Change(key, ChangeKind.MODIFIED, old, new))
    return changes


def _entry(data: bytes | None) -> Entry | None:
    return None if data is None else decode_entry(data)
