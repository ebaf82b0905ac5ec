"""Read `KEY=VALUE` arguments and times; what cannot be read ends the command as wrong usage."""

from collections.abc import Sequence

import typer

from catalog.clock import format_time, parse_time
from catalog.errors import InvalidInput


def pairs(option: str, texts: Sequence[str] | None) -> dict[str, str] | None:
    """Read `KEY=VALUE` texts; None when the option was not given.

    Raises:
        typer.BadParameter: if one has no `=` or no key, or a key is given twice.
    """
    if not texts:
        return None
    read: dict[str, str] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not (key and equals):
            raise typer.BadParameter(f"write KEY=VALUE, not {text!r}", param_hint=option)
        if key in read:
            raise typer.BadParameter(f"{key!r} is given twice", param_hint=option)
        read[key] = value
    return read


def time_of(option: str, text: str | None) -> str | None:
    """Read a time or a date in UTC and write it as the wire has it; None stays None.

    Raises:
        typer.BadParameter: if it is not a time.
    """
    if text is None:
        return None
    try:
        return format_time(parse_time(text))
    except InvalidInput as error:
        raise typer.BadParameter(error.message, param_hint=option) from error
