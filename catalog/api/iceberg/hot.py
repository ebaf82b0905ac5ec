"""Loading a table whose answer is cached: the one request that is answered on the event loop.

Engines load tables all day, and a framework's routing and a thread hop cost several times what the
answer itself does (`scripts/bench` measures it). So a plain GET of a table is tried here first: one
read of the ref's head, then memory only. Whatever is not in memory, or not plain, goes on to the
ordinary endpoint, which leaves the answer in the caches.

Spark asks as often whether there is a table or a view of some name, and mostly there is none. The
tree tells that, so it is answered from memory too.
"""

from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass, field

from starlette.datastructures import State
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from catalog.api.errors import error_response
from catalog.api.iceberg.addresses import address_key, decode
from catalog.api.iceberg.results import etag_of, load_body
from catalog.api.responses import no_content
from catalog.errors import CatalogError
from catalog.operations.access import offers_access
from catalog.operations.entries import missing_error
from catalog.operations.tables import Loaded
from catalog.operations.warehouses import Catalog, handle
from catalog.store import warehouses
from catalog.store.heads import HeadReader
from catalog.versioning.ids import ObjectId
from catalog.versioning.keys import Key
from catalog.versioning.object_store import Objects
from catalog.versioning.objects import EntryKind
from catalog.versioning.revisions import decode_prefix
from catalog.versioning.tree import get

_MAX_REMEMBERED = 200_000
_KINDS = {"tables": EntryKind.TABLE, "views": EntryKind.VIEW}
_EXISTENCE = "existence"
_MODES = {b"": "all", b"snapshots=all": "all", b"snapshots=refs": "refs"}


@dataclass(frozen=True, slots=True)
class _Known:
    """What a load was answered with, and all that this depended on; no ETag if there is none.

    `location` is that of a metadata file whose own bytes are the answer.
    """

    row: warehouses.Warehouse
    head: ObjectId
    etag: str | None
    location: str | None = None


@dataclass(frozen=True, slots=True)
class _Target:
    """What a path names, a table or view on a branch, and the latest answers by mode."""

    warehouse: str
    branch: str
    kind: EntryKind
    key: Key
    known: dict[str, _Known] = field(default_factory=dict)


class _NotInMemoryError(Exception):
    """Raised instead of fetching objects from the database."""


def _refuse(ids: Collection[ObjectId]) -> dict[ObjectId, bytes]:
    raise _NotInMemoryError


class HotLoads:
    """Answer loads from memory; hand everything else to the application."""

    def __init__(self, app: ASGIApp, state: State) -> None:
        self.app = app
        self._state = state
        self._targets: OrderedDict[bytes, _Target | None] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or hand on."""
        if scope["type"] == "http" and scope["method"] in ("GET", "HEAD"):
            target = self._target(scope["raw_path"])
            asked = scope["query_string"]
            mode = _MODES.get(asked) if scope["method"] == "GET" else _EXISTENCE
            if target is not None and mode is not None:
                catalog: Catalog = self._state.catalog
                known = await _find(catalog, self._state.heads, target, mode)
                if known is not None and await _answer(catalog, known, target, scope, send):
                    return
        await self.app(scope, receive, send)

    def _target(self, path: bytes) -> _Target | None:
        try:
            return self._targets[path]
        except KeyError:
            target = self._targets[path] = _parse(path)
            if len(self._targets) > _MAX_REMEMBERED:
                self._targets.popitem(last=False)
            return target


async def _find(catalog: Catalog, heads: HeadReader, target: _Target, mode: str) -> _Known | None:
    """Return what there is to say of the table as it is now, if memory alone can tell."""
    try:
        row = catalog.remembered_row(target.warehouse)
        if row is None:
            return None
        head = await heads.head((row.id, target.branch))
        if head is None:
            return None
        known = target.known.get(mode)
        if known is None or known.head != head or (known.row is not row and known.row != row):
            known = _look_up(catalog, row, head, target, mode)
            if known is None:
                return None
            target.known[mode] = known
    except (CatalogError, _NotInMemoryError):
        # The ordinary endpoint meets the same, and words it.
        return None
    return known


def _look_up(
    catalog: Catalog, row: warehouses.Warehouse, head: ObjectId, target: _Target, mode: str
) -> _Known | None:
    objects = Objects(_refuse, catalog.objects)
    entry = get(objects, objects.commit(head).tree, target.key)
    if entry is None or entry.kind is not target.kind:
        return _Known(row, head, None)
    if mode == _EXISTENCE:
        return _Known(row, head, "")
    warehouse = handle(catalog, row)
    if target.kind is not EntryKind.TABLE or offers_access(warehouse):
        return None
    assert entry.metadata_location is not None
    etag = etag_of(warehouse, entry.metadata_location, mode)
    # Of several sites, only the metadata tells which one the table is in.
    whole = mode == "all" and len(warehouse.sites) == 1
    return _Known(row, head, etag, entry.metadata_location if whole else None)


async def _answer(
    catalog: Catalog, known: _Known, target: _Target, scope: Scope, send: Send
) -> bool:
    if known.etag is None:
        missing = error_response(scope, missing_error(target.kind, target.key))
        await missing(scope, _receive_nothing, send)
        return True
    if scope["method"] == "HEAD":
        await no_content()(scope, _receive_nothing, send)
        return True
    encoded = known.etag.encode()
    for name, value in scope["headers"]:
        if name == b"if-none-match" and encoded in value:
            await _send(send, 304, encoded, b"")
            return True
    body = catalog.responses.get(known.etag) or _put_together(catalog, known, known.etag)
    if body is None:
        return False
    await _send(send, 200, encoded, body)
    return True


def _put_together(catalog: Catalog, known: _Known, etag: str) -> bytes | None:
    """Make the answer of metadata that is in memory, as it is after every commit."""
    metadata = None if known.location is None else catalog.metadata.get(known.location)
    if metadata is None:
        return None
    body = load_body(handle(catalog, known.row), Loaded(known.location, metadata))
    catalog.responses.put(etag, body)
    return body


async def _receive_nothing() -> Message:
    return {"type": "http.disconnect"}


async def _send(send: Send, status: int, etag: bytes, body: bytes) -> None:
    headers = [(b"etag", etag)]
    if status == 200:
        headers.append((b"content-type", b"application/json"))
        headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _parse(path: bytes) -> _Target | None:
    parts = path.split(b"?", 1)[0].decode("latin-1").split("/")
    if len(parts) != 8 or (parts[1], parts[2], parts[4]) != ("iceberg", "v1", "namespaces"):
        return None
    kind = _KINDS.get(parts[6])
    if kind is None:
        return None
    try:
        prefix = decode_prefix(decode(parts[3]))
        key = address_key(parts[5], parts[7])
    except CatalogError:
        return None
    if prefix.branch is None or "@" in key[-1]:
        return None
    return _Target(prefix.warehouse, prefix.branch, kind, key)
