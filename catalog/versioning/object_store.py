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

# What decoded objects cost in memory over their encoded bytes (measured with sys.getsizeof): each
# item of a node is two byte strings, each changed key of a commit a tuple of strings.
_OBJECT_BYTES = 1000
_ITEM_BYTES = 100
_CHANGED_KEY_BYTES = 200


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
        size = encoded_bytes + _overhead(value)
        with self._lock:
            if identifier in self._found or size > self._max_bytes:
                return
            self._found[identifier] = (value, size)
            self._bytes += size
            while self._bytes > self._max_bytes:
                _, (_, dropped) = self._found.popitem(last=False)
                self._bytes -= dropped


def _below(value: Node | Commit) -> list[ObjectId]:
    if isinstance(value, Commit):
        return [value.tree]
    return [ObjectId(child) for child in value.values] if value.level else []


def _overhead(value: Node | Commit) -> int:
    if isinstance(value, Node):
        return _OBJECT_BYTES + _ITEM_BYTES * len(value.keys)
    return _OBJECT_BYTES + _CHANGED_KEY_BYTES * len(value.changed_keys)


class Objects:
    """The objects as one operation sees them: what it staged, then the cache, then the store.

    It keeps what it read, however small the cache is, so it should not outlive its operation. Not
    safe among threads.
    """

    def __init__(self, fetch: Fetch, cache: ObjectCache) -> None:
        self._fetch = fetch
        self._cache = cache
        self._staged: dict[ObjectId, bytes] = {}
        self._known: dict[ObjectId, Node | Commit] = {}

    @property
    def staged(self) -> Mapping[ObjectId, bytes]:
        """The encodings that the transaction must insert, where they are not stored already."""
        return self._staged

    def staged_below(self, commit_id: ObjectId) -> dict[ObjectId, bytes]:
        """Return the staged encodings of a commit and of all that its tree reaches.

        What was staged for other trees, as of an attempt that came too late, is left out.
        """
        found: dict[ObjectId, bytes] = {}
        ahead = [commit_id]
        while ahead:
            identifier = ahead.pop()
            if identifier in self._staged and identifier not in found:
                found[identifier] = self._staged[identifier]
                ahead += _below(self._known[identifier])
        return found

    def publish(self) -> None:
        """Hand what was staged to the cache, once the transaction has stored it."""
        for identifier, data in self._staged.items():
            self._cache.put(identifier, self._known[identifier], len(data))
        self._staged = {}

    def node(self, identifier: ObjectId) -> Node:
        """Return a node.

        Raises:
            Corruption: if it is not stored, or is no node.
        """
        return self.nodes((identifier,))[identifier]

    def nodes(self, identifiers: Collection[ObjectId]) -> dict[ObjectId, Node]:
        """Return several nodes with one fetch.

        Raises:
            Corruption: if one is not stored, or is no node.
        """
        nodes: dict[ObjectId, Node] = {}
        for identifier, found in self._load(identifiers).items():
            if not isinstance(found, Node):
                raise Corruption(f"Object {to_hex(identifier)} is not a node")
            nodes[identifier] = found
        return nodes

    def commit(self, identifier: ObjectId) -> Commit:
        """Return a commit.

        Raises:
            Corruption: if it is not stored, or is no commit.
        """
        return self.commits((identifier,))[identifier]

    def commits(self, identifiers: Collection[ObjectId]) -> dict[ObjectId, Commit]:
        """Return several commits with one fetch.

        Raises:
            Corruption: if one is not stored, or is no commit.
        """
        commits: dict[ObjectId, Commit] = {}
        for identifier, found in self._load(identifiers).items():
            if not isinstance(found, Commit):
                raise Corruption(f"Object {to_hex(identifier)} is not a commit")
            commits[identifier] = found
        return commits

    def missing(self, identifiers: Iterable[ObjectId]) -> set[ObjectId]:
        """Return those that are neither staged, read already, nor in the cache."""
        missing: set[ObjectId] = set()
        for identifier in identifiers:
            if identifier not in self._known:
                value = self._cache.get(identifier)
                if value is None:
                    missing.add(identifier)
                else:
                    # Whoever asks reads it next, and need not look in the cache again.
                    self._known[identifier] = value
        return missing

    def prefetch(self, identifiers: Iterable[ObjectId]) -> None:
        """Bring those into reach that are missing and stored, with one fetch.

        Raises:
            Corruption: if one was altered.
        """
        wanted = self.missing(identifiers)
        for identifier, data in self._fetch(wanted).items() if wanted else ():
            self._known[identifier] = self._checked(identifier, data)

    def put_node(self, node: Node) -> ObjectId:
        """Stage a node."""
        return self._stage(node, encode_node(node))

    def put_commit(self, commit: Commit) -> ObjectId:
        """Stage a commit."""
        return self._stage(commit, encode_commit(commit))

    def _stage(self, value: Node | Commit, data: bytes) -> ObjectId:
        # An object is staged even if the cache has it: the store may have collected it since.
        identifier = object_id(data)
        self._staged[identifier] = data
        self._known[identifier] = value
        return identifier

    def _load(self, identifiers: Iterable[ObjectId]) -> dict[ObjectId, Node | Commit]:
        found: dict[ObjectId, Node | Commit] = {}
        missing: list[ObjectId] = []
        for identifier in identifiers:
            value = self._known.get(identifier)
            if value is None:
                value = self._cache.get(identifier)
            if value is None:
                missing.append(identifier)
            else:
                found[identifier] = value
        if missing:
            found |= self._read(missing)
        self._known |= found
        return found

    def _read(self, identifiers: list[ObjectId]) -> dict[ObjectId, Node | Commit]:
        fetched = self._fetch(identifiers)
        found: dict[ObjectId, Node | Commit] = {}
        for identifier in identifiers:
            data = fetched.get(identifier)
            if data is None:
                raise Corruption(f"Object {to_hex(identifier)} is missing from the store")
            found[identifier] = self._checked(identifier, data)
        return found

    def _checked(self, identifier: ObjectId, data: bytes) -> Node | Commit:
        if object_id(data) != identifier:
            raise Corruption(f"Object {to_hex(identifier)} was altered in the store")
        value = decode_object(data)
        self._cache.put(identifier, value, len(data))
        return value
