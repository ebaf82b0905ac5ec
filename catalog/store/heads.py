"""Reading heads of branches as cheaply as can be: the one read that every load of a table pays.

A read that begins after a request arrived shows all that was acknowledged before it, so requests
that wait together may share one.
"""

import asyncio
import sqlite3
import threading
from collections import defaultdict
from typing import Any, Protocol

from sqlalchemy import bindparam, select, tuple_
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from catalog.errors import Unavailable
from catalog.store.engine import Connection, Engine, read
from catalog.store.refs import RefKind
from catalog.store.tables import refs
from catalog.versioning.ids import ObjectId

# A warehouse's id and the name of a branch.
RefKey = tuple[int, str]

_Waiting = defaultdict[RefKey, list["asyncio.Future[ObjectId | None]"]]


class HeadReader(Protocol):
    """Reads heads for a single event loop."""

    async def head(self, key: RefKey) -> ObjectId | None:
        """Return the head of a branch, None if there is none, as where a tag has the name."""
        ...

    def close(self) -> None:
        """Give back what the reader holds."""
        ...


def open_head_reader(engine: Engine) -> HeadReader:
    """Return the reader that fits the database."""
    return SqliteHeads(engine) if engine.dialect.name == "sqlite" else SharedHeads(engine)


class SqliteHeads:
    """Reads on the event loop itself: in WAL mode that waits for nobody and takes microseconds."""

    _SQL = "SELECT commit_id FROM refs WHERE warehouse_id = ? AND name = ? AND kind = 'branch'"

    def __init__(self, engine: Engine) -> None:
        self._connection: Any = engine.raw_connection()
        self._cursor = self._connection.cursor()

    async def head(self, key: RefKey) -> ObjectId | None:
        """Return the head of a branch."""
        try:
            # All rows, though there is one at most: what is not read to its end stays a snapshot.
            rows = self._cursor.execute(self._SQL, key).fetchall()
        except sqlite3.Error as error:
            raise Unavailable(f"The database does not answer: {error}") from error
        return ObjectId(rows[0][0]) if rows else None

    def close(self) -> None:
        """Return the connection to its pool."""
        self._connection.close()


class SharedHeads:
    """Reads in a thread, all heads that were asked for while the last read ran in one statement.

    On a connection of its own and by the driver itself, which answers in half the time; whenever
    that fails, the ordinary way of reading is taken, with its patience and its words.
    """

    _SQL = (
        "SELECT warehouse_id, name, commit_id FROM refs"
        " WHERE (warehouse_id, name) IN (SELECT * FROM unnest(%s::bigint[], %s::text[]))"
        " AND kind = 'branch'"
    )
    _STATEMENT = select(refs.c.warehouse_id, refs.c.name, refs.c.commit_id).where(
        tuple_(refs.c.warehouse_id, refs.c.name).in_(bindparam("keys", expanding=True)),
        refs.c.kind == RefKind.BRANCH.value,
    )

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: defaultdict[RefKey, list[asyncio.Future[ObjectId | None]]] = defaultdict(
            list
        )
        self._connection: Any = None
        self._wake = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="heads", daemon=True)
        self._thread.start()

    async def head(self, key: RefKey) -> ObjectId | None:
        """Return the head of a branch, by a read that begins after this call."""
        self._loop = loop = asyncio.get_running_loop()
        future: asyncio.Future[ObjectId | None] = loop.create_future()
        with self._wake:
            self._waiting[key].append(future)
            self._wake.notify()
        return await future

    def close(self) -> None:
        """Stop the thread."""
        with self._wake:
            self._closed = True
            self._wake.notify()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._waiting or self._closed)
                if self._closed:
                    self._disconnect()
                    return
                asked, self._waiting = self._waiting, defaultdict(list)
            found: dict[RefKey, ObjectId] = {}
            fault: Exception | None = None
            try:
                found = self._read(list(asked))
            except Exception as error:
                # Whatever it is, those who wait are told, and the thread goes on for the others.
                fault = error
            assert self._loop is not None
            self._loop.call_soon_threadsafe(_answer, asked, found, fault)

    def _read(self, keys: list[RefKey]) -> dict[RefKey, ObjectId]:
        try:
            return self._read_directly(keys)
        except (self._engine.dialect.loaded_dbapi.Error, SQLAlchemyError):
            self._disconnect()
        try:
            return read(self._engine, lambda connection: self._query(connection, keys))
        except DBAPIError as error:
            raise Unavailable(f"The database does not answer: {error.orig}") from error

    def _read_directly(self, keys: list[RefKey]) -> dict[RefKey, ObjectId]:
        if self._connection is None:
            taken = self._engine.raw_connection()
            self._connection = taken.driver_connection
            taken.detach()
            self._connection.autocommit = True
        parameters = ([key[0] for key in keys], [key[1] for key in keys])
        rows = self._connection.execute(self._SQL, parameters, binary=True)
        return {(row[0], row[1]): ObjectId(row[2]) for row in rows}

    def _query(self, connection: Connection, keys: list[RefKey]) -> dict[RefKey, ObjectId]:
        rows = connection.execute(self._STATEMENT, {"keys": keys})
        return {(row[0], row[1]): ObjectId(bytes(row[2])) for row in rows}

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _answer(
    asked: _Waiting,
    found: dict[RefKey, ObjectId],
    fault: Exception | None,
) -> None:
    for key, futures in asked.items():
        for future in futures:
            if future.done():
                continue
            if fault is not None:
                future.set_exception(fault)
            else:
                future.set_result(found.get(key))
