"""Bytes of immutable files, and of answers made from them."""

import threading
from collections import OrderedDict


class ByteCache:
    """Bytes by name, least recently used ones dropped; safe among threads.

    What a name stands for never changes, so nothing is ever invalidated.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._found: OrderedDict[str, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, name: str) -> bytes | None:
        """Return the bytes if they are here."""
        with self._lock:
            found = self._found.get(name)
            if found is not None:
                self._found.move_to_end(name)
            return found

    def put(self, name: str, data: bytes) -> None:
        """Keep bytes, unless they are more than all that may be kept."""
        with self._lock:
            if name in self._found or len(data) > self._max_bytes:
                return
            self._found[name] = data
            self._bytes += len(data)
            while self._bytes > self._max_bytes:
                _, dropped = self._found.popitem(last=False)
                self._bytes -= len(dropped)
