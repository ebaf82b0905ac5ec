"""What is measured of a server, whichever it is."""

from collections.abc import Sequence
from typing import Protocol

from benchmarks.client import Address
from catalog.versioning.keys import Key


class Interface(Protocol):
    """Builds the requests; whatever they need to know is found out before they are sent."""

    @property
    def address(self) -> Address:
        """Where to send them."""

    def load(self, key: Key, etag: bytes = b"") -> bytes:
        """Load a table from `main`, unless the client's copy is current."""

    def commit(self, branch: str, key: Key, value: str) -> bytes:
        """Commit a small change of a table."""

    def transaction(self, branch: str, keys: Sequence[Key], value: str) -> bytes:
        """Change several tables in one commit."""

    def create_branch(self, name: str) -> bytes:
        """Create a branch at the head of `main`."""

    def merge(self, branch: str) -> bytes:
        """Merge a branch into `main`."""

    def diff(self, branch: str) -> bytes:
        """Compare `main` with a branch."""

    def log(self, limit: int) -> bytes:
        """List the latest commits on `main`."""
