"""Page tokens that name the commit they page through, so that writers do not disturb a listing."""

import base64
import hashlib
from dataclasses import dataclass

import orjson
from fastapi import Request

from catalog.api.iceberg.addresses import Place
from catalog.errors import CatalogError, InvalidInput
from catalog.operations.resolve import has_commit
from catalog.versioning.ids import ObjectId, from_hex, to_hex
from catalog.versioning.keys import Key
from catalog.versioning.objects import EntryKind

# A client that can page gets pages of this size when it does not say which it wants.
_DEFAULT_SIZE = 1000


@dataclass(frozen=True, slots=True)
class Page:
    """Where a listing goes on, and how much of it is asked for; no size means all.

    `listing` is a digest of what is listed, which the tokens of its pages hold.
    """

    listing: str
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
        return page, _encode(self.listing, self.commit_id, page[-1])


def page_of(request: Request, place: Place, kind: EntryKind, namespace: Key) -> Page:
    """Read `pageToken` and `pageSize` of a listing of one kind in a namespace.

    A client that sends no `pageToken`, not even an empty one, cannot page and gets all at once.

    Raises:
        InvalidInput: if either is not what it should be.
    """
    token = request.query_params.get("pageToken")
    size = _size(request.query_params.get("pageSize")) or _DEFAULT_SIZE
    listing = _listing(request.path_params["prefix"], kind, namespace)
    if not token:
        return Page(listing, place.commit_id, None, None if token is None else size)
    of, commit_id, after = _decode(token)
    if of != listing or not has_commit(place.warehouse, commit_id):
        raise InvalidInput(f"Invalid pageToken for this listing: {token}; begin again without one")
    return Page(listing, commit_id, after, size)


def _listing(prefix: str, kind: EntryKind, namespace: Key) -> str:
    listed = orjson.dumps([prefix, kind.value, namespace])
    return hashlib.blake2b(listed, digest_size=8).hexdigest()


def _size(text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or not 0 < int(text[:10]) < 2**31:
        raise InvalidInput(f"pageSize must be a whole number of at least 1, not {text!r}")
    return int(text)


def _encode(listing: str, commit_id: ObjectId, after: str) -> str:
    data = orjson.dumps([listing, to_hex(commit_id), after])
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _decode(token: str) -> tuple[str, ObjectId, str]:
    try:
        data = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        listing, commit_hex, after = orjson.loads(data)
        if not all(isinstance(part, str) for part in (listing, commit_hex, after)):
            raise InvalidInput(f"Invalid pageToken: {token}")
        return listing, from_hex(commit_hex), after
    except (ValueError, TypeError, CatalogError) as error:
        raise InvalidInput(f"Invalid pageToken: {token}; begin again without one") from error
