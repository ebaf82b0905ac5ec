"""The bytes of entries, nodes and commits, as `docs/object-format.md` specifies them.

Everything is CBOR in its deterministic encoding (RFC 8949, section 4.2.1), of arrays, integers,
text, byte strings and null only: maps are arrays of pairs sorted by the UTF-8 of their keys.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

import cbor2

from catalog.clock import from_micros, to_micros
from catalog.errors import Corruption
from catalog.versioning.ids import ObjectId
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


def encode_entry(entry: Entry) -> bytes:
    """Return [kind, uuid, metadata location or null, properties, facts]."""
    return cbor2.dumps(
        [
            _KIND_CODES[entry.kind],
            entry.uuid,
            entry.metadata_location,
            _pairs(entry.properties),
            _pairs(entry.facts),
        ]
    )


@lru_cache(maxsize=65536)
def decode_entry(data: bytes) -> Entry:
    """Return the entry that these bytes encode."""
    try:
        kind, uuid, location, properties, facts = cbor2.loads(data)
        return Entry(_KINDS[kind], uuid, location, dict(properties), dict(facts))
    except (ValueError, TypeError, KeyError, cbor2.CBORError) as error:
        raise Corruption(f"A stored entry cannot be read: {data.hex()}") from error


def encode_node(node: Node) -> bytes:
    """Return [1, 1, level, keys, values]."""
    return cbor2.dumps([_NODE, _VERSION, node.level, node.keys, node.values])


def encode_commit(commit: Commit) -> bytes:
    """Return [2, 1, tree, parents, generation, author, …]; see the page on the format."""
    return cbor2.dumps(
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
        Corruption: if they encode neither, or a version that this release does not know.
    """
    try:
        kind, version, *rest = cbor2.loads(data)
        if version == _VERSION and kind == _NODE:
            level, keys, values = rest
            return Node(level, tuple(keys), tuple(values))
        if version == _VERSION and kind == _COMMIT:
            return _commit(rest)
    except (ValueError, TypeError, cbor2.CBORError) as error:
        raise Corruption("A stored object cannot be read") from error
    raise Corruption(f"A stored object has unknown type {kind!r} or version {version!r}")


def _commit(items: list[Any]) -> Commit:
    tree, parents, generation, author, committer, micros, message, metadata, keys = items
    committed_at: datetime = from_micros(micros)
    return Commit(
        ObjectId(tree),
        tuple(ObjectId(parent) for parent in parents),
        generation,
        author,
        committer,
        committed_at,
        message,
        dict(metadata),
        tuple(decode_key(key) for key in keys),
    )


def _pairs(mapping: Mapping[str, Any]) -> list[list[Any]]:
    if not mapping:
        return []
    return [[key, mapping[key]] for key in sorted(mapping, key=str.encode)]
