"""Page tokens: the last name, the last row, or the commits that a page ends at."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol, TypeVar

from catalog.clock import parse_time
from catalog.errors import Corruption, InvalidInput
from catalog.operations.history import Place
from catalog.operations.refs import Ref
from catalog.versioning.ids import from_hex, to_hex
from catalog.versioning.keys import decode_key, encode_key


class Numbered(Protocol):
    """A row with a number that grows."""

    @property
    def id(self) -> int:
        """The number."""
        ...


N = TypeVar("N", bound=Numbered)

# What a row number can be in any database.
_MAX_DIGITS = 18


def name_page(found: Sequence[Ref], limit: int) -> tuple[Sequence[Ref], str | None]:
    """Cut what was found to the limit, and name the ref after which the next page begins."""
    page = found[:limit]
    return page, page[-1].name if len(found) > limit else None


def number_page(found: Sequence[N], limit: int) -> tuple[Sequence[N], str | None]:
    """Cut what was found to the limit, and number the row before which the next page begins."""
    page = found[:limit]
    return page, str(page[-1].id) if len(found) > limit else None


def after_number(token: str | None) -> int | None:
    """Return the number of the row before which a page begins.

    Raises:
        InvalidInput: if the token is no number.
    """
    if token is None:
        return None
    if not (token.isascii() and token.isdigit() and len(token) <= _MAX_DIGITS):
        raise InvalidInput(f"Invalid page_token: {token!r}; begin again without one")
    return int(token)


def commit_token(going_on: Sequence[Place]) -> str | None:
    """Name the places where the next page begins; None if there is no next page."""
    return ".".join(map(_place_text, going_on)) or None


def from_commits(token: str | None) -> tuple[Place, ...]:
    """Return the places where a page begins; none for the first page.

    Raises:
        InvalidInput: if the token does not name commits.
    """
    if token is None:
        return ()
    try:
        return tuple(map(_place, token.split(".")))
    except (Corruption, InvalidInput, ValueError) as error:
        raise InvalidInput(f"Invalid page_token: {token!r}; begin again without one") from error


def _place_text(place: Place) -> str:
    commit_id = to_hex(place.commit_id)
    return commit_id if place.key is None else f"{commit_id}-{encode_key(place.key).hex()}"


def _place(text: str) -> Place:
    commit_id, found, encoded = text.partition("-")
    if not found:
        return Place(from_hex(commit_id))
    key = decode_key(bytes.fromhex(encoded))
    encode_key(key)
    return Place(from_hex(commit_id), key)


def time_of(parameter: str, text: str | None) -> datetime | None:
    """Read a time of the query; the error names the parameter.

    Raises:
        InvalidInput: if it is no time.
    """
    if text is None:
        return None
    try:
        return parse_time(text)
    except InvalidInput as error:
        raise InvalidInput(f"{parameter}: {error.message}", value=text) from error
