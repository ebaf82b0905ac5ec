"""The prolly tree: a sorted map in nodes whose borders follow from the keys alone.

The items of each level are cut after every item whose key hashes to a border, so a tree's shape,
and with it the id of its root, depends on what it holds and never on the order of the edits. The
root is the one node of the lowest level that has just one. `docs/object-format.md` has the rule.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from itertools import pairwise

from catalog.versioning.encoding import decode_entry, encode_entry
from catalog.versioning.ids import ObjectId
from catalog.versioning.keys import Key, decode_key, encode_key, inside
from catalog.versioning.object_store import Objects
from catalog.versioning.objects import Entry, Node

# How many items a node holds on average, on level 0 and above it. Of 16 to 128, 64 reads a level
# less than 32 for 2,000 and for 100,000 tables, and a commit of one table writes no more bytes.
_LEAF_FAN_OUT = 32
_INNER_FAN_OUT = 64

# Iterating reads ahead by up to this many nodes of one parent with one fetch.
_READ_AHEAD = 32

# What to do with the items of one level: a new value, or None to remove the key.
_Edits = dict[bytes, bytes | None]


def empty_tree(objects: Objects) -> ObjectId:
    """Return the root of the tree that holds nothing: a leaf without items."""
    return objects.put_node(Node(0, (), ()))


def get(objects: Objects, root: ObjectId, key: Key) -> Entry | None:
    """Return the entry of a key; reads one node a level."""
    encoded = encode_key(key)
    node = objects.node(root)
    while node.level:
        index = bisect_left(node.keys, encoded)
        if index == len(node.keys):
            return None
        node = objects.node(ObjectId(node.values[index]))
    index = bisect_left(node.keys, encoded)
    if index == len(node.keys) or node.keys[index] != encoded:
        return None
    return decode_entry(node.values[index])


def get_many(objects: Objects, root: ObjectId, keys: Iterable[Key]) -> dict[Key, Entry]:
    """Return the entries of those keys that are there; one fetch a level."""
    wanted = {encode_key(key): key for key in keys}
    ordered = sorted(wanted)
    prefetch(objects, root, ordered)
    found: dict[Key, Entry] = {}
    for encoded in ordered:
        entry = get(objects, root, wanted[encoded])
        if entry is not None:
            found[wanted[encoded]] = entry
    return found


def prefetch(objects: Objects, root: ObjectId, ordered: Sequence[bytes]) -> None:
    """Bring the nodes on the paths to these sorted keys into reach with one fetch a level."""
    level = [(objects.node(root), 0, len(ordered))]
    while level and level[0][0].level:
        children: list[tuple[ObjectId, int, int]] = []
        for node, start, stop in level:
            while start < stop:
                index = bisect_left(node.keys, ordered[start])
                if index == len(node.keys):
                    index -= 1
                    end = stop
                else:
                    end = bisect_right(ordered, node.keys[index], start, stop)
                children.append((ObjectId(node.values[index]), start, end))
                start = end
        nodes = objects.nodes([identifier for identifier, _, _ in children])
        level = [(nodes[identifier], start, stop) for identifier, start, stop in children]


def scan(
    objects: Objects, root: ObjectId, *, start: bytes = b"", stop: bytes | None = None
) -> Iterator[tuple[Key, Entry]]:
    """Yield keys and entries from `start` up to but without `stop`, in order, lazily."""
    for key, value in _items(objects, objects.node(root), start, stop):
        yield decode_key(key), decode_entry(value)


def children(
    objects: Objects, root: ObjectId, namespace: Key, *, after: str | None = None
) -> Iterator[tuple[Key, Entry]]:
    """Yield what lies directly in a namespace, () being the top, in order, lazily.

    Whatever lies deeper is leapt over, so the cost follows what is yielded.
    """
    start, stop = inside(namespace) if namespace else (b"", None)
    if after is not None:
        start = inside((*namespace, after))[1]
    depth = len(namespace) + 1
    top = objects.node(root)
    leap: bytes | None = start
    while leap is not None:
        start, leap = leap, None
        for encoded, value in _items(objects, top, start, stop):
            key = decode_key(encoded)
            if len(key) > depth:
                leap = inside(key[:depth])[1]
                break
            yield key, decode_entry(value)


def _items(
    objects: Objects, node: Node, start: bytes, stop: bytes | None
) -> Iterator[tuple[bytes, bytes]]:
    """Yield the items below a node with keys in the half-open range, reading ahead ever more."""
    first = bisect_left(node.keys, start)
    if node.level == 0:
        end = len(node.keys) if stop is None else bisect_left(node.keys, stop)
        yield from zip(node.keys[first:end], node.values[first:end], strict=True)
        return
    # The child whose last key is the first one from `stop` on may hold keys before it, too.
    end = len(node.keys) if stop is None else bisect_left(node.keys, stop) + 1
    ahead = 1
    while first < end:
        batch = [ObjectId(child) for child in node.values[first : min(first + ahead, end)]]
        found = objects.nodes(batch)
        for identifier in batch:
            yield from _items(objects, found[identifier], start, stop)
        first += ahead
        ahead = min(2 * ahead, _READ_AHEAD)


def apply(objects: Objects, root: ObjectId, edits: Mapping[Key, Entry | None]) -> ObjectId:
    """Return the root of the tree after the edits; None removes a key, absent or not.

    Reads and writes the nodes on the paths to the edited keys, O(edits × depth) of them.
    """
    level_edits: _Edits = {
        encode_key(key): None if entry is None else encode_entry(entry)
        for key, entry in edits.items()
    }
    if not level_edits:
        return root
    prefetch(objects, root, sorted(level_edits))
    top = objects.node(root)
    for level in range(top.level + 1):
        level_edits = _rewrite(objects, top, level, level_edits)
        if not level_edits:
            return root
    items = {top.keys[-1]: bytes(root)} if top.keys else {}
    for key, value in level_edits.items():
        if value is None:
            items.pop(key, None)
        else:
            items[key] = value
    return _root(objects, top.level + 1, items)


def _root(objects: Objects, level: int, items: dict[bytes, bytes]) -> ObjectId:
    """Return the root above the nodes of `level - 1` that `items` lists by their last keys."""
    if not items:
        return empty_tree(objects)
    while len(items) > 1:
        keys = sorted(items)
        nodes = _cut(level, keys, [items[key] for key in keys], set(keys))
        items = {node.keys[-1]: objects.put_node(node) for node in nodes}
        level += 1
    root = ObjectId(next(iter(items.values())))
    node = objects.node(root)
    while node.level and len(node.keys) == 1:
        root = ObjectId(node.values[0])
        node = objects.node(root)
    return root


def _rewrite(objects: Objects, top: Node, level: int, edits: _Edits) -> _Edits:
    """Apply edits to the items of one level; return the edits that follow for the level above."""
    ordered = sorted(edits)
    above: _Edits = {}
    position = 0
    while position < len(ordered):
        node = _node_at(objects, top, level, ordered[position])
        keys: list[bytes] = []
        values: list[bytes] = []
        borders: set[bytes] = set()
        while True:
            last = node.keys[-1] if node.keys else None
            rightmost = last is None or last == top.keys[-1]
            end = len(ordered) if rightmost else bisect_right(ordered, last or b"", position)
            borders.update(_edit(node, ordered[position:end], edits, keys, values))
            position = end
            if last is not None:
                above.setdefault(last, None)
            if rightmost or not keys or is_border(level, keys[-1]):
                break
            # The node lost its border, so it goes on with what the next node holds.
            node = _node_after(objects, top, level, last or b"")
        for new in _cut(level, keys, values, borders):
            above[new.keys[-1]] = objects.put_node(new)
    return {key: value for key, value in above.items() if _differs(objects, top, level, key, value)}


def _edit(
    node: Node, ordered: Sequence[bytes], edits: _Edits, keys: list[bytes], values: list[bytes]
) -> set[bytes]:
    """Append the node's items, edited, to `keys` and `values`; return keys that may be borders.

    Only the last key of a node can be a border among those that were there before.
    """
    new_keys = list(node.keys)
    new_values = list(node.values)
    borders = {node.keys[-1]} if node.keys else set()
    for key in ordered:
        value = edits[key]
        index = bisect_left(new_keys, key)
        present = index < len(new_keys) and new_keys[index] == key
        if value is None:
            if present:
                del new_keys[index], new_values[index]
        elif present:
            new_values[index] = value
        else:
            new_keys.insert(index, key)
            new_values.insert(index, value)
            borders.add(key)
    keys += new_keys
    values += new_values
    return borders


def _cut(
    level: int, keys: Sequence[bytes], values: Sequence[bytes], borders: set[bytes]
) -> list[Node]:
    """Cut items into nodes after each border; only keys in `borders` are looked at."""
    cuts = [
        index + 1
        for index, key in enumerate(keys)
        if key in borders and is_border(level, key) and index + 1 < len(keys)
    ]
    edges = [0, *cuts, len(keys)] if keys else []
    return [
        Node(level, tuple(keys[start:stop]), tuple(values[start:stop]))
        for start, stop in pairwise(edges)
    ]


def is_border(level: int, key: bytes) -> bool:
    """Say whether a node of this level ends after the item with this key."""
    digest = blake2b(key, digest_size=8, salt=level.to_bytes(16, "big")).digest()
    return int.from_bytes(digest, "big") % (_INNER_FAN_OUT if level else _LEAF_FAN_OUT) == 0


def _node_at(objects: Objects, top: Node, level: int, key: bytes) -> Node:
    """Return the node of a level in which the key lies, or would lie."""
    node = top
    while node.level > level:
        index = min(bisect_left(node.keys, key), len(node.keys) - 1)
        node = objects.node(ObjectId(node.values[index]))
    return node


def _node_after(objects: Objects, top: Node, level: int, key: bytes) -> Node:
    """Return the first node of a level whose last key comes after `key`; there must be one."""
    node = top
    while node.level > level:
        node = objects.node(ObjectId(node.values[bisect_right(node.keys, key)]))
    return node


def _differs(objects: Objects, top: Node, level: int, key: bytes, value: bytes | None) -> bool:
    """Say whether the level above the rewritten one does not hold this item already."""
    if level == top.level:
        return True
    node = _node_at(objects, top, level + 1, key)
    index = bisect_left(node.keys, key)
    held = node.values[index] if index < len(node.keys) and node.keys[index] == key else None
    return held != value
