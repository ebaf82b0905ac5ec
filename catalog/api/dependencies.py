"""From a request to what operations take: the catalog, the caller, the JSON body."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson
from fastapi import Request

from catalog.errors import BodyTooLarge, InvalidInput
from catalog.operations.callers import Caller, check_claim
from catalog.operations.warehouses import Catalog

_METADATA_PREFIX = "x-mainstem-metadata-"
_MAX_HEADER_CHARACTERS = 4096


def get_catalog(request: Request) -> Catalog:
    """Return the catalog that this application serves."""
    catalog: Catalog = request.app.state.catalog
    return catalog


def get_caller(request: Request) -> Caller:
    """Return who asks, with the author, message and metadata that the headers claim."""
    caller = caller_from(request.headers)
    return replace(
        caller,
        name=request.scope.get("mainstem.client", caller.name),
        once=request.scope.get("mainstem.once"),
    )


def caller_from(headers: Mapping[str, str]) -> Caller:
    """Read `X-Mainstem-Author`, `-Message` and `-Metadata-<Name>`.

    Header values are bytes that frameworks read as Latin-1; ours are UTF-8.

    Raises:
        InvalidInput: if one is no text, too long, or metadata that only the server may say.
    """
    metadata = {
        name.removeprefix(_METADATA_PREFIX): _text(name, value)
        for name, value in headers.items()
        if name.startswith(_METADATA_PREFIX)
    }
    for name in metadata:
        check_claim(name)
    author = headers.get("x-mainstem-author")
    message = headers.get("x-mainstem-message")
    return Caller(
        author=None if not author else _text("X-Mainstem-Author", author),
        message=None if not message else _text("X-Mainstem-Message", message),
        metadata=metadata,
    )


def _text(name: str, value: str) -> str:
    if len(value) > _MAX_HEADER_CHARACTERS:
        raise InvalidInput(f"Header {name} is longer than {_MAX_HEADER_CHARACTERS} characters")
    try:
        return value.encode("latin-1").decode()
    except UnicodeError as error:
        raise InvalidInput(f"Header {name} is not UTF-8 text") from error


async def read_json(request: Request) -> Any:
    """Return the request's body as JSON.

    Raises:
        BodyTooLarge: as soon as more has arrived than the settings allow.
        InvalidInput: if it is not JSON; the message says where.
    """
    data = await read_body(request)
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise InvalidInput(f"Malformed JSON in the request body: {error}") from error


async def read_body(request: Request) -> bytes:
    """Return the request's body, if it is not too long."""
    catalog: Catalog = request.app.state.catalog
    limit = catalog.settings.max_body_bytes
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > limit:
            raise BodyTooLarge(f"The request body is longer than {limit} bytes", limit=limit)
    return bytes(data)


def require_object(body: Any) -> dict[str, Any]:
    """Return `body` if it is a JSON object.

    Raises:
        InvalidInput: if it is anything else.
    """
    if not isinstance(body, dict):
        raise InvalidInput("The request body must be a JSON object")
    return body
