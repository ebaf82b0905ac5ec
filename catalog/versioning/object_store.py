"""Reading and staging objects; the cache that all operations of a process share."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping

from catalog.errors import Corruption
from catalog.versioning.encoding import decode_object, encode_commit, encode_node
from catalog.versioning.ids import ObjectId, object_id, to_hex
from catalog.versioning.objects import Commit, Node

# Returns the encodings of those ids that are stored.
Fetch = Callable[[Collection[ObjectId]], dict[ObjectId, bytes]]

# What a decoded object costs in memory, over its encoded bytes: its tuples and their items.
_OVERHEAD = 3


class ObjectCache:
    """Decoded objects by id, least recently used ones dropped; safe among threads.

    Objects never change, so nothing is ever invalidated. `max_bytes` bounds an estimate of the
    memory taken.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._found: OrderedDict[ObjectId, tuple[Node | Commit, int]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, identifier: ObjectId) -> Node | Commit | None:
        """Return the object if it is here."""
        with self._lock:
            found = self._found.get(identifier)
            if found is None:
                return None
            self._found.move_to_end(identifier)
            return found[0]

    def put(self, identifier: ObjectId, value: Node | Commit, encoded_bytes: int) -> None:
        """Keep an object."""
        size = encoded_bytes * _OVERHEAD
        with self._lock:
            if identifier in self._found or size > self._max_bytes:
                return
            self._found[identifier] = (value, size)
            self._bytes += size
            while self._bytes > self._max_bytes:
                _, (_, dropped) = self._found.popitem(last=False)
                self._bytes -= dropped


class Objects:
    """The objects as one operation sees them: what it staged, then the cache, then the store."""

    def __init__(self, fetch: Fetch, cache: ObjectCache) -> None:
        self._fetch = fetch
        self._cache = cache
        self._staged: dict[ObjectId, bytes] = {}
        self._decoded: dict[ObjectId, Node | Commit] = {}

    @property
    def staged(self) -> Mapping[ObjectId, bytes]:
        """The encodings that the transaction must insert."""
        return self._staged

    def publish(self) -> None:
        """Hand what was staged to the cache, once the transaction has stored it."""
        for identifier, data in self._staged.items():
            self._cache.put(identifier, self._decoded[identifier], len(data))
        self._staged = {}
        self._decoded = {}

    def node(self, identifier: ObjectId) -> Node:
        """Return a node.

        Raises:
            Corruption: if it is not stored, or is no node.
        """
        found = self._load((identifier,))[identifier]
        if not isinstance(found, Node):
            raise Corruption(f"Object {to_hex(identifier)} is not a node")
        return found

    def nodes(self, identifiers: Collection[ObjectId]) -> dict[ObjectId, Node]:
        """Return several nodes with one fetch."""
        self._load(identifiers)
        return {identifier: self.node(identifier) for identifier in identifiers}

    def commit(self, identifier: ObjectId) -> Commit:
        """Return a commit.

        Raises:
            Corruption: if it is not stored, or is no commit.
        """
        return self.commits((identifier,))[identifier]

    def commits(self, identifiers: Collection[ObjectId]) -> dict[ObjectId, Commit]:
        """Return several commits with one fetch."""
        commits: dict[ObjectId, Commit] = {}
        for identifier, found in self._load(identifiers).items():
            if not isinstance(found, Commit):
                raise Corruption(f"Object {to_hex(identifier)} is not a commit")
            commits[identifier] = found
        return commits

    def put_node(self, node: Node) -> ObjectId:
        """Stage a node."""
        return self._stage(node, encode_node(node))

    def put_commit(self, commit: Commit) -> ObjectId:
        """Stage a commit."""
        return self._stage(commit, encode_commit(commit))

    def _stage(self, value: Node | Commit, data: bytes) -> ObjectId:
        identifier = object_id(data)
        if self._cache.get(identifier) is None:
            self._staged[identifier] = data
            self._decoded[identifier] = value
        return identifier

    def _load(self, identifiers: Iterable[ObjectId]) -> dict[ObjectId, Node | Commit]:
        found: dict[ObjectId, Node | Commit] = {}
        missing: list[ObjectId] = []
        for identifier in identifiers:
            value = self._decoded.get(identifier) or self._cache.get(identifier)
            if value is None:
                missing.append(identifier)
            else:
                found[identifier] = value
        if missing:
            fetched = self._fetch(missing)
            for identifier in missing:
                if identifier not in fetched:
                    raise Corruption(f"Object {to_hex(identifier)} is missing from the store")
                data = fetched[identifier]
                if object_id(data) != identifier:
                    raise Corruption(f"Object {to_hex(identifier)} was altered in the store")
                value = decode_object(data)
                self._cache.put(identifier, value, len(data))
                found[identifier] = value
                self._decoded[identifier] = value
        return found
