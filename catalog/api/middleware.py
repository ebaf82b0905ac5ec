"""What happens to every request: an id, one line in the log, and Iceberg's paths left encoded."""

import os
import time

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

logger = structlog.get_logger()


class RawIcebergPath:
    """Route `/iceberg` on the path as it came, still percent-encoded.

    A table may be called `a/b`; once decoded, its slash could not be told from the path's own.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Replace the decoded path by the raw one."""
        if scope["type"] == "http" and scope["path"].startswith("/iceberg"):
            raw: bytes = scope["raw_path"]
            scope = {**scope, "path": raw.split(b"?", 1)[0].decode("ascii")}
        await self.app(scope, receive, send)


class RequestLog:
    """Give each request an id and write one line when it is answered.

    Reads that succeed are logged at level debug, since engines make thousands of them.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Log the request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun = time.perf_counter()
        request_id = os.urandom(8).hex()
        scope["mainstem.request_id"] = request_id
        status = 0

        async def note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *message.get("headers", ()),
                    (b"x-request-id", request_id.encode()),
                ]
            await send(message)

        try:
            await self.app(scope, receive, note)
        finally:
            quiet = scope["method"] in ("GET", "HEAD") and status < 500
            log = logger.debug if quiet else logger.info
            log(
                "request",
                method=scope["method"],
                path=scope["path"],
                status=status,
                ms=round((time.perf_counter() - begun) * 1000, 1),
                request_id=request_id,
            )
