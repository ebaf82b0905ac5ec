"""`mainstem sql`: its options; DuckDB is loaded only when a query is to run."""

from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from catalog.cli.commands import Session, change
from catalog.cli.failures import ExitCode, Failure
from catalog.cli.options import At


class Format(StrEnum):
    """How rows are printed or written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


def sql(
    session: Session,
    query: Annotated[
        str | None,
        typer.Argument(metavar="[QUERY]", help="Without one: a shell, or what is piped in."),
    ] = None,
    at: At = None,
    form: Annotated[
        Format | None,
        typer.Option(
            "--format", help="(default: by the ending of --output, or table)", show_default=False
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the rows here.", show_default=False),
    ] = None,
) -> None:
    """Query a revision with DuckDB; name a table of another one "table@revision"."""
    if form is None and session.output.as_json:
        form = Format.JSON
    chosen = chosen_format(form, output)
    revision = at or session.revision or session.default_branch()
    try:
        # Half a second that no other command should pay, and an extra that not everybody has.
        running = import_module("catalog.cli.sql_run")
        succeeded = running.run(session, revision, query, chosen.value, output)
    except ModuleNotFoundError as error:
        raise without_duckdb(error) from error
    if not succeeded:
        raise typer.Exit(ExitCode.NO)


def without_duckdb(error: ModuleNotFoundError) -> Failure:
    """Return the failure of who lacks the extra."""
    return Failure(ExitCode.NO, f"{error.name} is not installed: pip install 'mainstem[duckdb]'")


def chosen_format(form: Format | None, output: Path | None) -> Format:
    """Return the form that is asked for, or that the file's ending says.

    Raises:
        typer.BadParameter: if rows cannot be printed or written so.
    """
    if form is None and output is not None:
        ending = output.suffix.removeprefix(".").lower()
        if ending not in (Format.CSV, Format.JSON, Format.PARQUET):
            raise typer.BadParameter("end it in .csv, .json or .parquet", param_hint="--output")
        form = Format(ending)
    form = form or Format.TABLE
    if form is Format.PARQUET and output is None:
        raise typer.BadParameter("parquet needs --output FILE", param_hint="--format")
    if form is Format.TABLE and output is not None:
        raise typer.BadParameter("a table is only printed", param_hint="--output")
    return form


def register(root: typer.Typer) -> None:
    """Add the command to the application."""
    change(root, "sql")(sql)
