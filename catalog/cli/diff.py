"""`mainstem diff`: what differs between two revisions, down to the rows of a table."""

from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from catalog.cli.commands import Session, query
from catalog.cli.completion import complete_revision
from catalog.cli.failures import ExitCode
from catalog.cli.history import Stat, changes_blocks, detailed
from catalog.cli.sql import Format, chosen_format, without_duckdb


def diff(
    session: Session,
    before: Annotated[str, typer.Argument(metavar="FROM", autocompletion=complete_revision)],
    after: Annotated[str, typer.Argument(metavar="TO", autocompletion=complete_revision)],
    stat: Stat = False,
    rows: Annotated[
        str | None,
        typer.Option(
            metavar="NS.TABLE", help="Show which rows of this table differ.", show_default=False
        ),
    ] = None,
    key: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN",
            help="With --rows: tells rows apart; may be repeated. (default: identifier fields)",
            show_default=False,
        ),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="With --rows: how many.", show_default=False),
    ] = None,
    form: Annotated[
        Format | None,
        typer.Option(
            "--format",
            help="Of --rows. (default: by the ending of --output, or table)",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the rows here.", show_default=False),
    ] = None,
) -> None:
    """Show which tables differ between two revisions, what changed within them, or which rows."""
    if rows is not None:
        _rows(session, before, after, rows, key or [], limit, form, output)
        return
    for name, given in (
        ("--key", key),
        ("--limit", limit),
        ("--format", form),
        ("--output", output),
    ):
        if given is not None:
            raise typer.BadParameter("it goes with --rows only", param_hint=name)
    with session.output.waiting("Comparing"):
        detail = detailed(session, stat=stat)
        document = session.get("diff", **{"from": before, "to": after, "detail": detail})
    session.output.answer(document, *changes_blocks(document, stat=stat))


def _rows(
    session: Session,
    before: str,
    after: str,
    table: str,
    key: list[str],
    limit: int | None,
    form: Format | None,
    output: Path | None,
) -> None:
    if form is None and session.output.as_json:
        form = Format.JSON
    chosen = chosen_format(form, output)
    try:
        # Half a second that no other command should pay, and an extra that not everybody has.
        running = import_module("catalog.cli.changed_rows")
    except ModuleNotFoundError as error:
        raise without_duckdb(error) from error
    options = {"key": key, "limit": limit, "form": chosen.value, "output": output}
    if not running.show(session, before, after, table, **options):
        raise typer.Exit(ExitCode.NO)


def register(root: typer.Typer) -> None:
    """Add the command to the application."""
    query(root, "diff")(diff)
