"""The changed rows of a table between two revisions, found by DuckDB.

Only who has the extra `duckdb` can import it.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from catalog.cli.client import Client, Json
from catalog.cli.commands import Session
from catalog.cli.duck import Duck, revision_of, store_options
from catalog.cli.failures import ExitCode, Failure
from catalog.cli.output import Note, Table, dotted
from catalog.cli.row_sql import Comparison, Side, compare
from catalog.cli.sql_quoting import quoted_name
from catalog.cli.sql_run import write_rows
from catalog.cli.tables import namespace_segment
from catalog.iceberg.columns import columns_by_id
from catalog.iceberg.metadata import completed, current_schema

_NAMES = ("before", "after")
# What a person is shown of a longer result; a pipe and a file get all of it.
_SHOWN = 200
_KINDS = ("added", "removed", "changed")


@dataclass(frozen=True, slots=True)
class ChangedRows:
    """What differs, in an open connection."""

    duck: Duck
    comparison: Comparison
    counts: dict[str, int]

    def query(self, limit: int | None) -> str:
        """Return the query for the changed rows, the first `limit` of them."""
        return self.comparison.rows(limit)


@dataclass(frozen=True, slots=True)
class _State:
    """A table at a commit: its name there, and its metadata."""

    commit_id: str
    key: Sequence[str]
    metadata: Json
    config: Json


@contextmanager
def changed_rows(
    client: Client, warehouse: str, before: str, after: str, table: str, key: Sequence[str]
) -> Iterator[ChangedRows]:
    """Find the rows that differ; a table is named as it is called at either revision.

    `key` are the columns that tell rows apart; without any, the table's identifier fields do.

    Raises:
        Failure: if a revision, the table or a column of the key is not there.
        duckdb.Error: if the tables cannot be read.
    """
    states = _states(client, warehouse, before, after, table)
    old, new = (_side(name, state) for name, state in zip(_NAMES, states, strict=True))
    uuids = {state.metadata.get("table-uuid") for state in states if state is not None}
    try:
        comparison = compare(old, new, key or _identifiers(states), by_name=len(uuids) > 1)
    except KeyError as error:
        message = f"Table {table} has no column {error.args[0]}"
        raise Failure(ExitCode.USAGE, message) from error
    with _opened(client, warehouse, states) as duck, TemporaryDirectory() as directory:
        duck.spill_to(directory)
        duck.run(comparison.prepare())
        counted = duck.run(comparison.count())
        yield ChangedRows(duck, comparison, dict(counted.rows if counted else ()))


def show(
    session: Session,
    before: str,
    after: str,
    table: str,
    *,
    key: Sequence[str],
    limit: int | None,
    form: str,
    output: Path | None,
) -> bool:
    """Print or write the rows that differ; say whether all went well."""
    opened = changed_rows(session.client, session.warehouse, before, after, table, key)
    try:
        with ExitStack() as stack:
            with session.output.waiting(f"Comparing rows of {table}"):
                found = stack.enter_context(opened)
            if form == "table":
                _print(session, found, limit)
            else:
                write_rows(found.duck, found.query(limit), form, output)
    except duckdb.Error as error:
        session.output.say(str(error))
        return False
    return True


def _print(session: Session, found: ChangedRows, limit: int | None) -> None:
    shown = limit or (_SHOWN if session.output.for_person else None)
    rows = found.duck.run(found.query(shown))
    assert rows is not None
    cells = [
        (change, ", ".join(columns or ()), *map(_cell, values))
        for change, columns, *values in rows.rows
    ]
    counts = ", ".join(f"{found.counts.get(kind, 0):,} {kind}" for kind in _KINDS)
    session.output.answer({}, Table(rows.columns, cells, empty="No row differs."), Note(counts))
    if shown is not None and shown < sum(found.counts.values()):
        session.output.answer({}, Note(f"The first {shown:,} of them; --output writes all."))


def _cell(value: object) -> str:
    return "NULL" if value is None else str(value)


def _states(
    client: Client, warehouse: str, before: str, after: str, table: str
) -> tuple[_State | None, _State | None]:
    query = {"from": before, "to": after}
    found = client.get("warehouses", warehouse, "diff", **query)
    ids = (found["from_commit_id"], found["to_commit_id"])
    keys = _keys(found["changes"], table)
    old, new = (
        None if key is None else _state(client, warehouse, commit_id, key)
        for commit_id, key in zip(ids, keys, strict=True)
    )
    return old, new


def _keys(changes: Sequence[Json], table: str) -> tuple[Sequence[str] | None, Sequence[str] | None]:
    """Return what the table is called on both sides, None where it is not there."""
    for side in ("to", "from"):
        for change in changes:
            if side in change and dotted(change[side]["key"]) == table:
                kinds = {change[each]["kind"] for each in ("from", "to") if each in change}
                if kinds != {"table"}:
                    kind = " and ".join(sorted(kinds))
                    raise Failure(ExitCode.USAGE, f"{table} is a {kind}: only tables have rows")
                old, new = (
                    change[each]["key"] if each in change else None for each in ("from", "to")
                )
                return old, new
    # It is the same on both sides, or on neither, as will be seen.
    return table.split("."), table.split(".")


def _state(client: Client, warehouse: str, commit_id: str, key: Sequence[str]) -> _State:
    config = client.get_iceberg("config", warehouse=f"{warehouse}@{commit_id}")
    namespace = namespace_segment(key[:-1])
    prefix = config["overrides"]["prefix"]
    loaded = client.get_iceberg(prefix, "namespaces", namespace, "tables", key[-1])
    return _State(commit_id, key, completed(loaded["metadata"]), config)


def _side(name: str, state: _State | None) -> Side | None:
    if state is None:
        return None
    namespace, table = ".".join(state.key[:-1]), state.key[-1]
    source = ".".join(map(quoted_name, (name, namespace, table)))
    return Side(source, current_schema(state.metadata)["fields"])


def _identifiers(states: Sequence[_State | None]) -> list[str]:
    for state in reversed(states):
        if state is not None:
            schema = current_schema(state.metadata)
            columns = columns_by_id(schema)
            ids = schema.get("identifier-field-ids") or ()
            return sorted(columns[each].name for each in ids)
    return []


@contextmanager
def _opened(client: Client, warehouse: str, states: Sequence[_State | None]) -> Iterator[Duck]:
    there = [(name, state) for name, state in zip(_NAMES, states, strict=True) if state is not None]
    first, *more = (
        revision_of(client, warehouse, state.commit_id, name=name) for name, state in there
    )
    options = store_options(there[0][1].config["defaults"], os.environ)
    with closing(Duck(first, options)) as duck:
        for revision in more:
            duck.attach(revision)
        yield duck
