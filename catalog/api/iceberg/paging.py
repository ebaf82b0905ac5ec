"""Page tokens that name the commit they page through, so that writers do not disturb a listing."""

import base64
from dataclasses import dataclass

import orjson
from fastapi import Request

from catalog.api.iceberg.addresses import Place
from catalog.errors import CatalogError, InvalidInput
from catalog.operations.resolve import has_commit
from catalog.versioning.ids import ObjectId, from_hex, to_hex

# A client that can page gets pages of this size when it does not say which it wants.
_DEFAULT_SIZE = 1000


@dataclass(frozen=True, slots=True)
class Page:
    """Where a listing goes on, and how much of it is asked for; no size means all."""

    commit_id: ObjectId
    after: str | None
    size: int | None

    @property
    def limit(self) -> int | None:
        """How many to look up: one more than the page, to know whether there is another."""
        return None if self.size is None else self.size + 1

    def cut(self, names: list[str]) -> tuple[list[str], str | None]:
        """Return the page of `names`, and the token of the next one."""
        if self.size is None or len(names) <= self.size:
            return names, None
        page = names[: self.size]
        return page, _encode(self.commit_id, page[-1])


def page_of(request: Request, place: Place) -> Page:
    """Read `pageToken` and `pageSize`.

    Raises:
        InvalidInput: if either is not what it should be.
    """
    token = request.query_params.get("pageToken")
    size = _size(request.query_params.get("pageSize"))
    if size is None and token is not None:
        size = _DEFAULT_SIZE
    if not token:
        return Page(place.commit_id, None, size)
    commit_id, after = _decode(token)
    if not has_commit(place.warehouse, commit_id):
        raise InvalidInput(f"Invalid pageToken: {token}; begin again without one")
    return Page(commit_id, after, size)


def _size(text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or not 0 < int(text[:10]) < 2**31:
        raise InvalidInput(f"pageSize must be a whole number of at least 1, not {text!r}")
    return int(text)


def _encode(commit_id: ObjectId, after: str) -> str:
    data = orjson.dumps([to_hex(commit_id), after])
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _decode(token: str) -> tuple[ObjectId, str]:
    try:
        data = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        commit_hex, after = orjson.loads(data)
        if not isinstance(commit_hex, str) or not isinstance(after, str):
            raise InvalidInput(f"Invalid pageToken: {token}")
        return from_hex(commit_hex), after
    except (ValueError, CatalogError) as error:
        raise InvalidInput(f"Invalid pageToken: {token}; begin again without one") from error
