"""The bytes of entries, nodes and commits, as `docs/object-format.md` specifies them.

Everything is CBOR in its deterministic encoding (RFC 8949, section 4.2.1), of arrays, integers,
text, byte strings and null only: maps are arrays of pairs sorted by the UTF-8 of their keys.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any

import cbor2

from catalog.clock import from_micros, to_micros
from catalog.errors import CatalogError, Corruption, InvalidInput
from catalog.versioning.ids import ID_BYTES, ObjectId
from catalog.versioning.keys import decode_key, encode_key
from catalog.versioning.objects import Commit, Entry, EntryKind, Node

# The first two items of an object: what it is, and the version of its layout.
_NODE = 1
_COMMIT = 2
_VERSION = 1

_KIND_CODES = {
    EntryKind.NAMESPACE: 1,
    EntryKind.TABLE: 2,
    EntryKind.VIEW: 3,
    EntryKind.FUNCTION: 4,
}
_KINDS = {code: kind for kind, code in _KIND_CODES.items()}

# CBOR holds integers from -2^64 to 2^64 - 1; beyond, it would need a tag.
_INTEGERS = range(-(1 << 64), 1 << 64)


def encode_entry(entry: Entry) -> bytes:
    """Return [kind, uuid, metadata location or null, properties, facts].

    Raises:
        InvalidInput: if a property is no text, a fact neither text nor an integer, or a text not
            valid Unicode.
    """
    for name, property_ in entry.properties.items():
        if type(property_) is not str:
            raise InvalidInput(f"Property {name!r} is no text: {property_!r}", property=name)
    for name, fact in entry.facts.items():
        if type(fact) is not str and (type(fact) is not int or fact not in _INTEGERS):
            raise InvalidInput(f"Fact {name!r} is neither text nor an integer: {fact!r}", fact=name)
    return _dumps(
        [
            _KIND_CODES[entry.kind],
            entry.uuid,
            entry.metadata_location,
            _pairs(entry.properties),
            _pairs(entry.facts),
        ]
    )


# A merge meets each changed entry several times, and a server the same ones all day.
@lru_cache(maxsize=8192)
def decode_entry(data: bytes) -> Entry:
    """Return the entry that these bytes encode.

    Raises:
        Corruption: if they encode none.
    """
    try:
        kind, uuid, location, properties, facts = cbor2.loads(data)
        entry = Entry(_KINDS[kind], uuid, location, dict(properties), dict(facts))
    except (ValueError, TypeError, KeyError, cbor2.CBORError) as error:
        raise Corruption(f"A stored entry cannot be read: {data.hex()}") from error
    if (
        type(uuid) is not str
        or not (location is None or type(location) is str)
        or not all(type(text) is str for pair in properties for text in pair)
        or not all(type(name) is str and type(fact) in (str, int) for name, fact in facts)
    ):
        raise Corruption(f"A stored entry holds what none may: {data.hex()}")
    return entry


def encode_node(node: Node) -> bytes:
    """Return [1, 1, level, keys, values]."""
    return _dumps([_NODE, _VERSION, node.level, node.keys, node.values])


def encode_commit(commit: Commit) -> bytes:
    """Return [2, 1, tree, parents, generation, author, …]; see the page on the format.

    Raises:
        InvalidInput: if a text is not valid Unicode.
    """
    return _dumps(
        [
            _COMMIT,
            _VERSION,
            commit.tree,
            commit.parents,
            commit.generation,
            commit.author,
            commit.committer,
            to_micros(commit.committed_at),
            commit.message,
            _pairs(commit.metadata),
            [encode_key(key) for key in commit.changed_keys],
        ]
    )


def decode_object(data: bytes) -> Node | Commit:
    """Return the node or commit that these bytes encode.

    Raises:
        Corruption: if they encode neither, not in the one way that is allowed, or in a version
            that this release does not know.
    """
    try:
        kind, version, *items = cbor2.loads(data)
    except (ValueError, TypeError, cbor2.CBORError) as error:
        raise Corruption("A stored object cannot be read") from error
    if version != _VERSION or kind not in (_NODE, _COMMIT):
        raise Corruption(f"A stored object has unknown type {kind!r} or version {version!r}")
    try:
        found = _node(items) if kind == _NODE else _commit(items)
        canonical = encode_node(found) if isinstance(found, Node) else encode_commit(found)
    except (ValueError, TypeError, AttributeError, OverflowError, CatalogError) as error:
        raise Corruption("A stored object does not have the parts of its type") from error
    if canonical != data:
        raise Corruption("A stored object is not encoded in the one way that is allowed")
    return found


def _node(items: list[Any]) -> Node:
    level, keys, values = items
    _require(type(level) is int and level >= 0, "level")
    _require(type(keys) is list and type(values) is list, "arrays")
    _require(len(keys) == len(values), "a value for each key")
    _require({*map(type, keys), *map(type, values)} <= {bytes}, "byte strings")
    _require(_ascending(keys), "keys in order")
    if level:
        _require(bool(keys) and set(map(len, values)) == {ID_BYTES}, "ids of children")
    return Node(level, tuple(keys), tuple(values))


def _commit(items: list[Any]) -> Commit:
    tree, parents, generation, author, committer, micros, message, metadata, keys = items
    _require(all(type(each) is bytes and len(each) == ID_BYTES for each in (tree, *parents)), "ids")
    _require(type(generation) is int and generation >= 0, "generation")
    _require({type(author), type(committer), type(message)} == {str}, "text")
    _require(type(micros) is int, "time")
    _require(all(type(text) is str for pair in metadata for text in pair), "metadata")
    _require({*map(type, keys)} <= {bytes} and _ascending(keys), "keys in order")
    return Commit(
        ObjectId(tree),
        tuple(ObjectId(parent) for parent in parents),
        generation,
        author,
        committer,
        from_micros(micros),
        message,
        dict(metadata),
        tuple(decode_key(key) for key in keys),
    )


def _require(holds: bool, part: str) -> None:
    if not holds:
        raise ValueError(part)


def _ascending(keys: Sequence[bytes]) -> bool:
    return all(first < second for first, second in pairwise(keys))


def _pairs(mapping: Mapping[str, Any]) -> list[list[Any]]:
    if not mapping:
        return []
    try:
        return [[key, mapping[key]] for key in sorted(mapping, key=str.encode)]
    except UnicodeEncodeError as error:
        raise InvalidInput("Text that is not valid Unicode cannot be stored") from error


def _dumps(items: list[Any]) -> bytes:
    try:
        return cbor2.dumps(items)
    except UnicodeEncodeError as error:
        raise InvalidInput("Text that is not valid Unicode cannot be stored") from error
