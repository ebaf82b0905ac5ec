"""The requests that are measured, as the two interfaces have them."""

from collections.abc import Sequence
from typing import Any

from benchmarks.client import Address
from catalog.versioning.keys import Key
from catalog.versioning.revisions import encode_prefix

LAKE = "/api/v1/warehouses/lake"


def table_path(branch: str, key: Key) -> str:
    """Return the path of a table on a branch of the default warehouse."""
    return f"{_catalog(branch)}/namespaces/{key[0]}/tables/{key[1]}"


def load(address: Address, key: Key, branch: str = "main", etag: bytes = b"") -> bytes:
    """Return the request that loads a table, unless the client's copy is current."""
    headers = {"if-none-match": etag.decode()} if etag else {}
    return address.request("GET", table_path(branch, key), headers=headers)


def commit(address: Address, branch: str, key: Key, value: str) -> bytes:
    """Return the request that commits a small change of a table."""
    return address.request("POST", table_path(branch, key), _change(value))


def transaction(address: Address, branch: str, keys: Sequence[Key], value: str) -> bytes:
    """Return the request that changes several tables in one commit."""
    changes = [
        {"identifier": {"namespace": list(key[:-1]), "name": key[-1]}, **_change(value)}
        for key in keys
    ]
    path = f"{_catalog(branch)}/transactions/commit"
    return address.request("POST", path, {"table-changes": changes})


def create_branch(address: Address, name: str, start: str = "main") -> bytes:
    """Return the request that creates a branch."""
    return address.request("POST", f"{LAKE}/branches", {"name": name, "from": start})


def merge(address: Address, source: str, target: str) -> bytes:
    """Return the request that merges a branch."""
    return address.request("POST", f"{LAKE}/merges", {"source": source, "target": target})


def diff(address: Address, before: str, after: str) -> bytes:
    """Return the request for the differences between two revisions."""
    return address.request("GET", f"{LAKE}/diff?from={before}&to={after}")


def log(address: Address, revision: str, limit: int) -> bytes:
    """Return the request for the latest commits."""
    return address.request("GET", f"{LAKE}/commits?ref={revision}&limit={limit}")


def _catalog(branch: str) -> str:
    return f"/iceberg/v1/{encode_prefix('lake', branch=branch)}"


def _change(value: str) -> dict[str, Any]:
    update = {"action": "set-properties", "updates": {"bench.round": value}}
    return {"requirements": [], "updates": [update]}
