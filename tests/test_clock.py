"""Times as people and machines write them."""

import pytest

from catalog.clock import format_time, parse_time
from catalog.errors import InvalidInput


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-11-23T08:00:00.25Z", "2026-11-23T08:00:00.250000Z"),
        ("2026-11-23T08:00:00+02:00", "2026-11-23T06:00:00.000000Z"),
        ("2026-11-23T08:00:00", "2026-11-23T08:00:00.000000Z"),
        ("2026-11-23", "2026-11-23T00:00:00.000000Z"),
    ],
)
def test_times_are_read_in_utc(text: str, utc: str) -> None:
    assert format_time(parse_time(text)) == utc


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "2026-13-01", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-01:00"],
)
def test_what_is_no_moment_in_utc_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="Not a time"):
        parse_time(text)
