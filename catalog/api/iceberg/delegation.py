"""What a client is given beside a table's metadata, to get at the table's files."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import Request

from catalog.api.iceberg.addresses import Place
from catalog.operations.access import Access, grant, own_keys, table_location
from catalog.operations.warehouses import Warehouse

# What is meant for one client is kept by nobody on the way, nor beside an Idempotency-Key.
NOT_STORED = {"cache-control": "no-store"}


@dataclass(frozen=True, slots=True)
class Asker:
    """A client that loads or creates a table: what it can use, where, and the table's path."""

    wanted: frozenset[str]
    read_only: bool
    path: str


@dataclass(frozen=True, slots=True)
class Given:
    """What goes into `config` and beside it."""

    config: Mapping[str, str]
    members: Mapping[str, Any]


def asker_of(request: Request, place: Place, table: str) -> Asker:
    """Read what a client can use; `table` is the table's segment in paths."""
    header = request.headers.get("x-iceberg-access-delegation", "")
    prefix, namespace = (request.path_params[name] for name in ("prefix", "namespace"))
    return Asker(
        wanted=frozenset(each.strip() for each in header.split(",")),
        read_only=place.revision.branch is None,
        path=f"v1/{prefix}/namespaces/{namespace}/tables/{table}",
    )


def given_to(warehouse: Warehouse, asker: Asker, metadata: bytes) -> Given:
    """Return what a client is given for a table.

    Raises:
        StorageUnavailable: if credentials cannot be had.
    """
    location = table_location(metadata)
    keys = own_keys(warehouse, location)
    access = grant(warehouse, location, read_only=asker.read_only, wanted=asker.wanted)
    if access is None:
        return Given(keys, {})
    if access.credentials is not None:
        refresh = {access.refresh_property: f"{asker.path}/credentials"}
        return Given(
            {**keys, **access.credentials, **refresh},
            {"storage-credentials": storage_credentials(access)},
        )
    return Given({**keys, **_signer(asker)}, {"remote-signing-config": {}})


def storage_credentials(access: Access | None) -> list[dict[str, Any]]:
    """Render credentials as the document has them."""
    if access is None or access.credentials is None:
        return []
    return [{"prefix": access.prefix, "config": dict(access.credentials)}]


def _signer(asker: Asker) -> dict[str, str]:
    """Return what points clients to the signer: Java's names, old and new, and pyiceberg's."""
    endpoint = f"{asker.path}/sign"
    return {
        "s3.remote-signing-enabled": "true",
        "signer.endpoint": endpoint,
        "s3.signer.endpoint": endpoint,
        "s3.signer": "S3V4RestSigner",
        # pyiceberg's other FileIO for S3 cannot have its requests signed elsewhere.
        "py-io-impl": "pyiceberg.io.fsspec.FsspecFileIO",
    }
