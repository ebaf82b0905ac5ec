"""Loading a table whose answer is cached: the one request that is answered on the event loop.

Engines load tables all day, and a framework's routing and a thread hop cost several times what the
answer itself does (`scripts/bench` measures it). So a plain GET of a table is tried here first: one
read of the ref's head, then memory only. Whatever is not in memory, or not plain, goes on to the
ordinary endpoint, which leaves the answer in the caches.
"""

from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass, field

from starlette.datastructures import State
from starlette.types import ASGIApp, Receive, Scope, Send

from catalog.api.iceberg.addresses import address_key, decode
from catalog.api.iceberg.results import etag_of
from catalog.errors import CatalogError
from catalog.operations.access import offers_access
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
_MODES = {b"": "all", b"snapshots=all": "all", b"snapshots=refs": "refs"}


@dataclass(frozen=True, slots=True)
class _Known:
    """What a load was answered with, and all that this depended on."""

    row: warehouses.Warehouse
    head: ObjectId
    etag: str


@dataclass(frozen=True, slots=True)
class _Target:
    """What a path names, a table on a branch, and the latest answers by mode."""

    warehouse: str
    branch: str
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
        if scope["type"] == "http" and scope["method"] == "GET":
            target = self._target(scope["raw_path"])
            mode = _MODES.get(scope["query_string"])
            if target is not None and mode is not None:
                catalog: Catalog = self._state.catalog
                etag = await _find(catalog, self._state.heads, target, mode)
                if etag is not None and await _answer(catalog, etag, scope, send):
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


async def _find(catalog: Catalog, heads: HeadReader, target: _Target, mode: str) -> str | None:
    """Return the ETag of the table as it is now, if memory alone can tell."""
    try:
        row = catalog.remembered_row(target.warehouse)
        if row is None:
            return None
        head = await heads.head((row.id, target.branch))
        if head is None:
            return None
        known = target.known.get(mode)
        if known is None or known.head != head or (known.row is not row and known.row != row):
            known = _look_up(catalog, row, head, target.key, mode)
            if known is None:
                return None
            target.known[mode] = known
    except (CatalogError, _NotInMemoryError):
        # The ordinary endpoint meets the same, and words it.
        return None
    return known.etag


def _look_up(
    catalog: Catalog, row: warehouses.Warehouse, head: ObjectId, key: Key, mode: str
) -> _Known | None:
    warehouse = handle(catalog, row)
    if offers_access(warehouse):
        return None
    objects = Objects(_refuse, catalog.objects)
    entry = get(objects, objects.commit(head).tree, key)
    if entry is None or entry.kind is not EntryKind.TABLE:
        return None
    assert entry.metadata_location is not None
    return _Known(row, head, etag_of(warehouse, entry.metadata_location, mode))


async def _answer(catalog: Catalog, etag: str, scope: Scope, send: Send) -> bool:
    encoded = etag.encode()
    for name, value in scope["headers"]:
        if name == b"if-none-match" and encoded in value:
            await _send(send, 304, encoded, b"")
            return True
    body = catalog.responses.get(etag)
    if body is None:
        return False
    await _send(send, 200, encoded, body)
    return True


async def _send(send: Send, status: int, etag: bytes, body: bytes) -> None:
    headers = [(b"etag", etag)]
    if status == 200:
        headers.append((b"content-type", b"application/json"))
        headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _parse(path: bytes) -> _Target | None:
    parts = path.split(b"?", 1)[0].decode("latin-1").split("/")
    if len(parts) != 8 or (parts[1], parts[2], parts[4], parts[6]) != (
        "iceberg",
        "v1",
        "namespaces",
        "tables",
    ):
        return None
    try:
        prefix = decode_prefix(decode(parts[3]))
        key = address_key(parts[5], parts[7])
    except CatalogError:
        return None
    if prefix.branch is None or "@" in key[-1]:
        return None
    return _Target(prefix.warehouse, prefix.branch, key)
