"""`mainstem blame`: which commit brought each part of a table."""

from typing import Annotated

import typer

from catalog.cli.client import Json
from catalog.cli.commands import Session, query
from catalog.cli.details import part_text
from catalog.cli.options import At
from catalog.cli.output import Note, Table, moment

_COLUMNS = ("Commit", "Date", "Author", "Part", "Is", "Message")


def blame(
    session: Session,
    table: Annotated[
        str,
        typer.Argument(metavar="NS.TABLE", help="A table, view, function or namespace."),
    ],
    at: At = None,
) -> None:
    """Show which commit brought each column, property and other part of a table to what it is."""
    with session.output.waiting("Following its history"):
        found = session.get("blame", table=table, ref=at or session.revision)
    rows = [_row(session, part) for part in found["parts"]]
    notes = () if found["complete"] else (Note("Where no commit stands, the trail was lost."),)
    session.output.answer(found, Table(_COLUMNS, rows), *notes)


def _row(session: Session, part: Json) -> tuple[str, ...]:
    label, value = part_text(part["part"], part["name"], part["value"])
    commit = part["commit"]
    if commit is None:
        return ("-", "-", "-", label, value, "")
    subject = str(commit["message"]).partition("\n")[0]
    short = session.output.short(commit["commit_id"])
    return (short, moment(commit["committed_at"]), commit["author"], label, value, subject)


def register(root: typer.Typer) -> None:
    """Add the command to the application."""
    query(root, "blame")(blame)
