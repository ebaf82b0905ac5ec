"""LoadTableResult and its kin, put together from the metadata file's own bytes.

Only a registered table that would let engines delete its files is sent with other properties.
"""

import hashlib
from collections.abc import Callable

import orjson
import structlog
from fastapi import Request, Response

from catalog.api.answering import answering
from catalog.api.iceberg.addresses import Address
from catalog.api.iceberg.delegation import NOT_STORED, Asker, given_to
from catalog.api.responses import JsonResponse
from catalog.errors import InvalidInput, StorageUnavailable
from catalog.files.delegation import region_of
from catalog.iceberg.files import safe_from_engines
from catalog.iceberg.metadata import Metadata
from catalog.iceberg.validation import table_for_snapshots
from catalog.operations.access import offers_access, table_location
from catalog.operations.callers import Caller
from catalog.operations.idempotency import Answer, LoadedAnswer
from catalog.operations.tables import Loaded, get_table, load_table
from catalog.operations.warehouses import Warehouse
from catalog.store.warehouses import Site
from catalog.versioning.ids import ObjectId
from catalog.versioning.objects import EntryKind

_MODES = ("all", "refs")

logger = structlog.get_logger()


def etag_of(warehouse: Warehouse, location: str, mode: str = "all") -> str:
    """Return the ETag of a table as loaded: it changes with whatever the answer holds."""
    storage = orjson.dumps([sorted(site.storage.items()) for site in warehouse.sites])
    seed = f"{warehouse.id}\n{location}\n{mode}\n".encode() + storage
    return f'"{hashlib.blake2b(seed, digest_size=16).hexdigest()}"'


def load_result(
    request: Request, address: Address, kind: EntryKind, asker: Asker | None = None
) -> Response:
    """Answer a load: 304 if the client has it, else from cached bytes.

    What holds credentials is neither cached nor answered by 304, for they run out.
    """
    mode = request.query_params.get("snapshots") or "all"
    if mode not in _MODES:
        raise InvalidInput(f"snapshots must be 'all' or 'refs', not {mode!r}")
    warehouse, commit_id = address.warehouse, address.place.commit_id
    entry = get_table(warehouse, commit_id, address.key, kind)
    assert entry.metadata_location is not None
    if asker is not None and offers_access(warehouse):
        loaded = _load(warehouse, commit_id, address, kind, mode)
        return JsonResponse(load_body(warehouse, loaded, asker=asker), headers=NOT_STORED)
    etag = etag_of(warehouse, entry.metadata_location, mode)
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers={"etag": etag})
    cached = warehouse.catalog.responses.get(etag)
    if cached is None:
        cached = load_body(warehouse, _load(warehouse, commit_id, address, kind, mode))
        warehouse.catalog.responses.put(etag, cached)
    return JsonResponse(cached, headers={"etag": etag})


def _load(
    warehouse: Warehouse, commit_id: ObjectId, address: Address, kind: EntryKind, mode: str
) -> Loaded:
    loaded = load_table(warehouse, commit_id, address.key, kind)
    if mode == "refs" and kind is EntryKind.TABLE:
        metadata = table_for_snapshots(orjson.loads(loaded.metadata), "refs")
        return Loaded(loaded.location, orjson.dumps(metadata))
    return loaded


def loaded_response(
    warehouse: Warehouse, loaded: Loaded, *, with_config: bool = True, asker: Asker | None = None
) -> Response:
    """Answer a create, register or commit with the table as it is now.

    It has taken place, so where no credentials are to be had the answer is without: told that the
    store fails, clients would take it that nothing was changed. Who loads the table hears of it.
    """
    assert loaded.location is not None
    try:
        body = load_body(warehouse, loaded, with_config=with_config, asker=asker)
    except StorageUnavailable as error:
        logger.warning("without-credentials", location=loaded.location, message=error.message)
        body = load_body(warehouse, loaded, with_config=with_config)
    headers = _private(warehouse, asker) or {"etag": etag_of(warehouse, loaded.location)}
    return JsonResponse(body, headers=headers)


def answering_loaded(
    caller: Caller,
    warehouse: Warehouse,
    *,
    with_config: bool = True,
    asker: Asker | None = None,
) -> Callable[[Loaded], Response]:
    """Answer a create, register or commit with the table as it is now.

    For a request with a key its metadata's location is stored, not the metadata once more, nor
    credentials: who asks again loads the table to have some.
    """

    def render(loaded: Loaded) -> Response:
        return loaded_response(warehouse, loaded, with_config=with_config, asker=asker)

    def record(loaded: Loaded) -> Answer:
        assert loaded.location is not None
        made_of = LoadedAnswer(warehouse.id, loaded.location, with_config)
        return Answer(200, JsonResponse.media_type, b"", made_of)

    return answering(caller, render, record)


def answering_staged(
    caller: Caller, warehouse: Warehouse, asker: Asker
) -> Callable[[Metadata], Response]:
    """Answer a staged create: there is no metadata location yet."""

    def render(metadata: Metadata) -> Response:
        loaded = Loaded(None, orjson.dumps(metadata))
        body = load_body(warehouse, loaded, asker=asker)
        return JsonResponse(body, headers=_private(warehouse, asker))

    return answering(caller, render)


def _private(warehouse: Warehouse, asker: Asker | None) -> dict[str, str] | None:
    return NOT_STORED if asker is not None and offers_access(warehouse) else None


def load_body(
    warehouse: Warehouse, loaded: Loaded, *, with_config: bool = True, asker: Asker | None = None
) -> bytes:
    """Return a LoadTableResult as JSON; with credentials for the asker, if one is named.

    Raises:
        StorageUnavailable: if these are not to be had.
    """
    parts = [b"{"]
    if loaded.location is not None:
        parts += [b'"metadata-location":', orjson.dumps(loaded.location), b","]
    parts += [b'"metadata":', safe_from_engines(loaded.metadata)]
    if with_config:
        config, members = _config_of(warehouse, loaded.metadata), {}
        if asker is not None and offers_access(warehouse):
            given = given_to(warehouse, asker, loaded.metadata)
            config, members = {**config, **given.config}, dict(given.members)
        for name, value in {"config": config, **members}.items():
            parts += [b",", orjson.dumps(name), b":", orjson.dumps(value)]
    parts.append(b"}")
    return b"".join(parts)


# Storage properties that a client may see; everything else may be a secret.
_PUBLIC_STORAGE = (
    "s3.endpoint",
    "s3.region",
    "client.region",
    "s3.path-style-access",
    "adls.account-name",
    "adls.account-host",
    "adls.blob-storage-authority",
    "adls.dfs-storage-authority",
    "gcs.project-id",
    "gcs.service.host",
)


def client_config(warehouse: Warehouse) -> dict[str, str]:
    """Return what a client needs to know of object storage, whichever location a table is in.

    What locations do not agree on is told with each table, since a client mixes the two.
    """
    remote = [site for site in warehouse.sites if not site.location.startswith("file:")]
    configs = [_site_config(site) for site in remote or warehouse.sites]
    first = configs[0].items()
    return {key: value for key, value in first if all(each.get(key) == value for each in configs)}


def _config_of(warehouse: Warehouse, metadata: bytes) -> dict[str, str]:
    """Return what a client needs to know of the store that a table is in."""
    if len(warehouse.sites) == 1:
        return _site_config(warehouse.sites[0])
    site = warehouse.site_of(table_location(metadata))
    return {} if site is None else _site_config(site)


def _site_config(site: Site) -> dict[str, str]:
    found = {key: site.storage[key] for key in _PUBLIC_STORAGE if key in site.storage}
    region = region_of(site.storage)
    # Clients read the region under either of its names.
    return found if region is None else {**found, "s3.region": region, "client.region": region}
