"""How the management interface routes: ref names hold slashes, bodies are JSON of limited size."""

from collections.abc import Callable, Coroutine
from typing import Any

import orjson
from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.routing import Match
from starlette.types import Message, Scope

from catalog.api.dependencies import read_body
from catalog.errors import InvalidInput

_Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class ManagementRoute(APIRoute):
    """A route that looks at the path as it came, and reads its body itself.

    `/branches/a%2Freset` is the branch `a/reset`, `/branches/a/reset` resets the branch `a`: both
    are `/branches/a/reset` once decoded, so where a route ends in a word after a name, the raw
    path must end in it too.
    """

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match the decoded path, and the last word of the raw one."""
        match, child = super().matches(scope)
        _, _, last = self.path.rpartition("/")
        if match is Match.NONE or last.startswith("{"):
            return match, child
        raw: bytes = scope.get("raw_path") or scope["path"].encode()
        if raw.split(b"?", 1)[0].rpartition(b"/")[2] != last.encode():
            return Match.NONE, {}
        return match, child

    def get_route_handler(self) -> _Handler:
        """Return the handler, behind a check of the body where the route takes one."""
        handle = super().get_route_handler()
        if self.body_field is None:
            return handle

        async def checked(request: Request) -> Response:
            body = await _json_body(request)

            async def replay() -> Message:
                return {"type": "http.request", "body": body, "more_body": False}

            return await handle(Request(request.scope, replay))

        return checked


async def _json_body(request: Request) -> bytes:
    """Return the request's body, which is JSON and not too long."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        # Anything else could be sent by any web page to a server on the reader's own machine.
        raise InvalidInput(
            f"Send the body with Content-Type: application/json, not {kind or 'without a type'!r}"
        )
    body = await read_body(request)
    try:
        orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InvalidInput(f"Malformed JSON in the request body: {error}") from error
    return body
