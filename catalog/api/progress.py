"""`Accept: application/x-ndjson` on merges: a line for each table as it is done, then the answer.

The answer itself is made, and under an idempotency key stored, as it is without this: what came
before it on the stream is told to whoever listens and kept nowhere.
"""

import asyncio
import re

import orjson
from starlette.types import ASGIApp, Receive, Scope, Send

from catalog.api.capture import Captured
from catalog.operations.merging.contents import Progress, Report, unreported

MEDIA_TYPE = "application/x-ndjson"
_PATHS = re.compile(r"/api/v1/warehouses/[^/]+/(merges|cherry-picks|reverts)")
_SCOPE_KEY = "mainstem.report"


class ProgressLines:
    """Answer requests that ask for it line by line, always with status 200.

    The last line holds the `status` and the `body` that the request would have been answered with.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if not _asks_for_lines(scope):
            await self.app(scope, receive, send)
            return
        answer, lines = Captured(), _Lines(asyncio.get_running_loop())
        request = {**scope, _SCOPE_KEY: lines.report}
        working = asyncio.ensure_future(self._work(request, receive, answer, lines))
        try:
            headers = [(b"content-type", MEDIA_TYPE.encode()), (b"cache-control", b"no-store")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            while (line := await lines.queue.get()) is not None:
                await send({"type": "http.response.body", "body": line, "more_body": True})
            await send({"type": "http.response.body", "body": _last_line(answer)})
        finally:
            # What it raises has been answered already, and is for the server's log.
            await working

    async def _work(
        self, scope: Scope, receive: Receive, answer: Captured, lines: "_Lines"
    ) -> None:
        try:
            await self.app(scope, receive, answer.send)
        finally:
            lines.queue.put_nowait(None)


class _Lines:
    """Lines that threads hand to the loop that sends them."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.queue: asyncio.Queue[bytes | None] = asyncio.Queue()

    def report(self, progress: Progress) -> None:
        """Hand over a line; from any thread."""
        self._loop.call_soon_threadsafe(self.queue.put_nowait, orjson.dumps(progress) + b"\n")


def report_of(scope: Scope) -> Report:
    """Return where to report the progress of a request."""
    report: Report = scope.get(_SCOPE_KEY, unreported)
    return report


def _asks_for_lines(scope: Scope) -> bool:
    if scope["type"] != "http" or scope["method"] != "POST":
        return False
    if _PATHS.fullmatch(scope["path"]) is None:
        return False
    accepted = b",".join(value for name, value in scope["headers"] if name == b"accept")
    types = [
        part.partition(";")[0].strip().lower() for part in accepted.decode("latin-1").split(",")
    ]
    return MEDIA_TYPE in types


def _last_line(answer: Captured) -> bytes:
    return b'{"status":%d,"body":%s}\n' % (answer.status, answer.body or b"null")
