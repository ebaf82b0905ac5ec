"""Time: aware datetimes in UTC with microseconds; RFC 3339 in and out."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from catalog.errors import InvalidInput

Clock = Callable[[], datetime]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def now() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)


def to_micros(moment: datetime) -> int:
    """Return microseconds since 1970-01-01T00:00Z, without rounding."""
    return (moment - _EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """Return the moment `micros` microseconds after 1970-01-01T00:00Z."""
    return _EPOCH + timedelta(microseconds=micros)


def to_millis(moment: datetime) -> int:
    """Return milliseconds since 1970-01-01T00:00Z, rounded down."""
    return to_micros(moment) // 1000


@lru_cache(maxsize=4096)
def format_time(moment: datetime) -> str:
    """Render as RFC 3339 in UTC with six digits and `Z`, so that text order is time order."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_time(text: str) -> datetime:
    """Read an RFC 3339 time or date; without a zone it is taken as UTC.

    Raises:
        InvalidInput: if `text` is not a time.
    """
    try:
        moment = datetime.fromisoformat(text)
        # Moving it to UTC may leave the years 1 to 9999.
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidInput(
            f"Not a time: {text!r}; write for example 2026-11-23T08:00:00Z", value=text
        ) from error
