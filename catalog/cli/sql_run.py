"""Run the statements of `mainstem sql` in DuckDB, and print or write what they give."""

import os
import shutil
import sys
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from catalog.cli import sql_shell
from catalog.cli.commands import Session
from catalog.cli.duck import Duck, revision_of, store_options
from catalog.cli.output import Note, Table
from catalog.cli.tables import namespaces_at, tables_at

# What a person is shown of a longer result; a pipe and a file get all of it.
_SHOWN = 200


def run(session: Session, revision: str, query: str | None, form: str, output: Path | None) -> bool:
    """Run a query, or what is piped in, or a shell; say whether all went well."""
    with closing(_open(session, revision)) as duck:
        if query is None and sys.stdin.isatty():
            if session.output.for_person:
                session.output.answer({}, Note(_greeting(session, revision)))
            tables = (".".join(key) for key in tables_at(session, revision))
            sql_shell.run(
                [*tables, *duck.keywords()],
                lambda text: _answer_person(duck, session, text, form, output),
            )
            return True
        text = sys.stdin.read() if query is None else query
        return _answer(duck, session, text, form, output)


def _greeting(session: Session, revision: str) -> str:
    return (
        f"DuckDB's SQL at {session.warehouse}@{revision}. A statement ends with a semicolon;"
        " SHOW ALL TABLES lists what is there, Ctrl-D ends the shell."
    )


def _open(session: Session, revision: str) -> Duck:
    warehouse = f"{session.warehouse}@{revision}"
    config = session.client.get_iceberg("config", warehouse=warehouse)
    schemas = namespaces_at(session, config["overrides"]["prefix"])
    schema = schemas[0][0] if schemas else None
    attached = revision_of(
        session.client, session.warehouse, revision, name=session.warehouse, schema=schema
    )
    duck = Duck(attached, store_options(config["defaults"], os.environ))
    if schema is None:
        duck.use_nothing()
    return duck


def _answer_person(duck: Duck, session: Session, text: str, form: str, output: Path | None) -> bool:
    """Answer in the shell, which Ctrl-C does not end."""
    try:
        return _answer(duck, session, text, form, output)
    except KeyboardInterrupt:
        session.output.say("interrupted")
        return False


def _answer(duck: Duck, session: Session, text: str, form: str, output: Path | None) -> bool:
    try:
        if form == "table":
            _print(duck, session, text)
        else:
            write_rows(duck, text, form, output)
    except (duckdb.Error, ValueError) as error:
        session.output.say(str(error))
        if duck.in_nothing:
            name = session.warehouse
            session.output.say(f"There is no namespace yet; CREATE SCHEMA {name}.NAME makes one.")
        return False
    return True


def _print(duck: Duck, session: Session, text: str) -> None:
    found = duck.run(text, limit=_SHOWN if session.output.for_person else None)
    if found is None:
        return
    rows = [["" if value is None else str(value) for value in row] for row in found.rows]
    blocks = [Table(found.columns, rows, empty="No rows.")]
    notes = [Note(f"The first {_SHOWN} rows; --output writes all.")] if found.more else []
    session.output.answer({}, *blocks, *notes)


def write_rows(duck: Duck, text: str, form: str, output: Path | None) -> None:
    """Write what a query gives to a file, or on standard output.

    Raises:
        duckdb.Error: if it fails.
        ValueError: if it is no query.
    """
    if output is not None:
        duck.export(text, str(output), form)
        return
    # By a file, since DuckDB would open standard output anew and write over what is there.
    with TemporaryDirectory() as directory:
        path = Path(directory, "rows")
        duck.export(text, str(path), form)
        with path.open(encoding="utf-8") as rows:
            shutil.copyfileobj(rows, sys.stdout)
