"""Responses made of bytes that are JSON already, or of values that orjson writes."""

from typing import Any

import orjson
from starlette.responses import Response


class JsonResponse(Response):
    """A JSON response written by orjson; bytes are passed through as they are."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """Return the body."""
        if isinstance(content, bytes):
            return content
        return b"" if content is None else orjson.dumps(content)


class ProblemResponse(JsonResponse):
    """An RFC 9457 problem document."""

    media_type = "application/problem+json"


def no_content() -> Response:
    """Return an empty 204."""
    return Response(status_code=204)
