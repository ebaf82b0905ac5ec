"""The requests that are measured, as Mainstem's two interfaces have them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.client import Address
from catalog.versioning.keys import Key
from catalog.versioning.revisions import encode_prefix

_LAKE = "/api/v1/warehouses/lake"


@dataclass(frozen=True, slots=True)
class Mainstem:
    """Builds requests to the default warehouse of a server."""

    address: Address

    def load(self, key: Key, etag: bytes = b"") -> bytes:
        """Load a table, unless the client's copy is current."""
        headers = {"if-none-match": etag.decode()} if etag else {}
        return self.address.request("GET", _table_path("main", key), headers=headers)

    def commit(self, branch: str, key: Key, value: str) -> bytes:
        """Commit a small change of a table."""
        return self.address.request("POST", _table_path(branch, key), table_change(value))

    def transaction(self, branch: str, keys: Sequence[Key], value: str) -> bytes:
        """Change several tables in one commit."""
        path = f"{_catalog(branch)}/transactions/commit"
        return self.address.request("POST", path, transaction(keys, value))

    def updates(self, branch: str, keys: Sequence[Key], updates: Sequence[Any]) -> bytes:
        """Make the same updates to several tables in one commit."""
        path = f"{_catalog(branch)}/transactions/commit"
        body = {"table-changes": [_change(key, updates) for key in keys]}
        return self.address.request("POST", path, body)

    def create_branch(self, name: str) -> bytes:
        """Create a branch at the head of `main`."""
        return self.address.request("POST", f"{_LAKE}/branches", {"name": name, "from": "main"})

    def merge(self, branch: str) -> bytes:
        """Merge a branch into `main`."""
        body = {"source": branch, "target": "main"}
        return self.address.request("POST", f"{_LAKE}/merges", body)

    def diff(self, branch: str) -> bytes:
        """Compare `main` with a branch."""
        return self.address.request("GET", f"{_LAKE}/diff?from=main&to={branch}")

    def log(self, limit: int) -> bytes:
        """List the latest commits on `main`."""
        return self.address.request("GET", f"{_LAKE}/commits?ref=main&limit={limit}")


def table_change(value: str) -> dict[str, Any]:
    """Return the body of a commit that sets one property."""
    update = {"action": "set-properties", "updates": {"bench.round": value}}
    return {"requirements": [], "updates": [update]}


def transaction(keys: Sequence[Key], value: str) -> dict[str, Any]:
    """Return the body of a transaction that sets one property of each table."""
    return {"table-changes": [_change(key, table_change(value)["updates"]) for key in keys]}


def _change(key: Key, updates: Sequence[Any]) -> dict[str, Any]:
    identifier = {"namespace": list(key[:-1]), "name": key[-1]}
    return {"identifier": identifier, "requirements": [], "updates": list(updates)}


def _table_path(branch: str, key: Key) -> str:
    return f"{_catalog(branch)}/namespaces/{key[0]}/tables/{key[1]}"


def _catalog(branch: str) -> str:
    return f"/iceberg/v1/{encode_prefix('lake', branch=branch)}"
