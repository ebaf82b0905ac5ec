"""`Idempotency-Key`: the same request again is answered as before, and does nothing again.

A route takes part by `answering`, which says how its answer follows from what its operation
returns: the operation stores that answer in its own transaction. What changed nothing, an error or
a request for what is so already, is stored once it is answered.
"""

import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar
from uuid import UUID

import anyio.to_thread
import structlog
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from catalog.api.capture import Captured
from catalog.api.errors import error_response
from catalog.api.iceberg.results import loaded_response
from catalog.errors import CatalogError, InvalidInput
from catalog.operations.callers import Once
from catalog.operations.idempotency import Answer, drop_expired, find_answer, keep_answer
from catalog.operations.metadata import read_metadata_bytes
from catalog.operations.tables import Loaded
from catalog.operations.warehouses import Catalog, get_warehouse_by_id

T = TypeVar("T")

_METHODS = {"POST", "PUT", "PATCH", "DELETE"}
# 401, 403 and 413 tell of the server's settings and rules, not of the request: it may be allowed
# when it is sent again.
_FINAL = {200, 201, 204, 400, 404, 409, 422}
_SWEEP_SECONDS = 600.0
_UUID_CHARACTERS = 36

logger = structlog.get_logger()


class Idempotency:
    """Carry out each request with a key once, and answer it again as often as it comes."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._swept_at = float("-inf")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer from what is stored, or carry the request out."""
        key = _key(scope)
        if key is None:
            await self.app(scope, receive, send)
            return
        catalog: Catalog = scope["app"].state.catalog
        body, replay = await _read(receive, catalog.settings.max_body_bytes)
        try:
            now = catalog.clock()
            once = Once(_checked_key(key), _digest(scope, body), now, now - _lifetime(catalog))
            known = await _in_thread(lambda: find_answer(catalog.engine, once))
        except CatalogError as error:
            await error_response(scope, error)(scope, replay, send)
            return
        if known is not None:
            await _answer(catalog, known, scope, replay, send)
            return
        scope["mainstem.once"] = once
        answer = Captured()
        await self.app(scope, replay, answer.send)
        if once.recorded and answer.status < 400:
            await answer.pass_on(send)
        else:
            await self._keep(catalog, once, answer, scope, send)
        await self._sweep(catalog)

    async def _keep(
        self, catalog: Catalog, once: Once, answer: Captured, scope: Scope, send: Send
    ) -> None:
        """Store an answer that came with no commit, and send the one that counts."""
        takes_part = once.answer is not None or answer.status >= 400
        if not takes_part or answer.status not in _FINAL or not answer.may_be_stored:
            await answer.pass_on(send)
            return
        given = answer.stored
        try:
            counts = await _in_thread(lambda: keep_answer(catalog.engine, once, given))
        except CatalogError as error:
            await error_response(scope, error)(scope, _nothing, send)
            return
        if counts is given:
            await answer.pass_on(send)
        else:
            await _answer(catalog, counts, scope, _nothing, send)

    async def _sweep(self, catalog: Catalog) -> None:
        now = catalog.monotonic()
        if now - self._swept_at >= _SWEEP_SECONDS:
            self._swept_at = now
            try:
                since = catalog.clock() - _lifetime(catalog)
                await _in_thread(lambda: drop_expired(catalog.engine, since))
            except CatalogError as error:
                logger.warning("idempotency-sweep", code=error.code, message=error.message)


async def _answer(
    catalog: Catalog, answer: Answer, scope: Scope, receive: Receive, send: Send
) -> None:
    try:
        response = await _in_thread(lambda: _response(catalog, answer))
    except CatalogError as error:
        response = error_response(scope, error)
    await response(scope, receive, send)


def _response(catalog: Catalog, answer: Answer) -> Response:
    loaded = answer.loaded
    if loaded is None:
        return Response(answer.body, answer.status, media_type=answer.media_type)
    warehouse = get_warehouse_by_id(catalog, loaded.warehouse_id)
    metadata = read_metadata_bytes(warehouse, loaded.location)
    return loaded_response(
        warehouse, Loaded(loaded.location, metadata), with_config=loaded.with_config
    )


def _lifetime(catalog: Catalog) -> timedelta:
    return timedelta(seconds=catalog.settings.idempotency_key_lifetime_seconds)


def _key(scope: Scope) -> str | None:
    if scope["type"] != "http" or scope["method"] not in _METHODS:
        return None
    return next(
        (value.decode("latin-1") for name, value in scope["headers"] if name == b"idempotency-key"),
        None,
    )


def _checked_key(text: str) -> str:
    try:
        if len(text) == _UUID_CHARACTERS:
            return str(UUID(text))
    except ValueError:
        pass
    raise InvalidInput(f"Idempotency-Key must be a UUID in its usual form, not {text[:80]!r}")


def _digest(scope: Scope, body: bytes) -> bytes:
    """Return a digest of who asks what, so that nobody is told what another was answered."""
    client = scope.get("mainstem.client", "")
    path = scope.get("raw_path") or scope["path"].encode()
    asked = (client.encode(), scope["method"].encode(), path, scope["query_string"], body)
    return hashlib.sha256(b"\n".join(asked)).digest()


async def _read(receive: Receive, limit: int) -> tuple[bytes, Receive]:
    """Read a body, up to the limit, and return what gives it again."""
    messages: list[Message] = []
    size = 0
    while size <= limit:
        message = await receive()
        messages.append(message)
        size += len(message.get("body", b""))
        if not message.get("more_body"):
            break
    body = b"".join(message.get("body", b"") for message in messages)
    messages.reverse()

    async def replay() -> Message:
        return messages.pop() if messages else await receive()

    return body, replay


async def _nothing() -> Message:
    return {"type": "http.disconnect"}


async def _in_thread(work: Callable[[], T]) -> T:
    return await anyio.to_thread.run_sync(work)
