"""Engines, and the two ways of running statements: `read` and `transact`."""

import random
import sqlite3
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import sqlalchemy
from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from catalog.errors import CommitStateUnknown, InvalidInput, NoSuchWarehouse, Unavailable

__all__ = ["Connection", "Engine", "is_about_nothing", "open_database", "ping", "read", "transact"]

T = TypeVar("T")

# How long a transaction is run again after serialization failures, and a busy SQLite waited for.
_RETRY_SECONDS = 30.0
# Serialization failure and deadlock (PostgreSQL, CockroachDB, YugabyteDB).
_RETRYABLE_STATES = {"40001", "40P01"}
_FOREIGN_KEY_STATE = "23503"
# A transaction around a read would be two more round trips. SQLite's connections begin none.
_READING: Mapping[str, Mapping[str, Any]] = {
    "sqlite": {},
    "postgresql": {"isolation_level": "AUTOCOMMIT"},
}
_CONNECT_SECONDS = 5
_POOL_SECONDS = 10
# A statement may wait for the lock of a server that was lost in the middle of a transaction; the
# database ends that one's session, and gives the lock back, in the meantime.
_STATEMENT_SECONDS = 30
_IDLE_SECONDS = 15


def open_database(url: str, connections: int = 16) -> Engine:
    """Open `sqlite:///path` or `postgresql+psycopg://…`; nothing is read yet.

    Raises:
        InvalidInput: if the URL is none, or names a database that is not supported.
    """
    try:
        parsed = sqlalchemy.make_url(url)
        backend = parsed.get_backend_name()
        if backend == "sqlite":
            return _open_sqlite(parsed, connections)
        if backend == "postgresql":
            return _open_postgresql(parsed, connections)
    except (sqlalchemy.exc.ArgumentError, sqlalchemy.exc.NoSuchModuleError) as error:
        raise InvalidInput(f"Not a database URL: {url!r}") from error
    except ImportError as error:
        raise InvalidInput(
            "The driver for PostgreSQL is not installed: pip install 'mainstem[postgres]'"
        ) from error
    raise InvalidInput(f"Database {backend!r} is not supported; use SQLite or PostgreSQL")


def _open_sqlite(url: sqlalchemy.URL, connections: int) -> Engine:
    engine = sqlalchemy.create_engine(
        url,
        pool_size=connections,
        max_overflow=connections,
        pool_timeout=_POOL_SECONDS,
        connect_args={"timeout": _RETRY_SECONDS, "check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def configure(connection: sqlite3.Connection, _: Any) -> None:
        # The driver must not begin transactions by itself: reads need none, writes say IMMEDIATE.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode = WAL")
        # FULL: what was acknowledged survives a power cut.
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if connection.get_execution_options().get("writes"):
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _open_postgresql(url: sqlalchemy.URL, connections: int) -> Engine:
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    engine = sqlalchemy.create_engine(
        url,
        pool_size=connections,
        max_overflow=connections,
        pool_timeout=_POOL_SECONDS,
        connect_args={
            "connect_timeout": _CONNECT_SECONDS,
            "keepalives_idle": 30,
            "tcp_user_timeout": 30_000,
            "application_name": "mainstem",
        },
    )
    limits = (
        f"SET statement_timeout = {int(_STATEMENT_SECONDS * 1000)};"
        f"SET idle_in_transaction_session_timeout = {int(_IDLE_SECONDS * 1000)}"
    )

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _: Any) -> None:
        # Outside a transaction, whose end would undo it.
        connection.autocommit = True
        connection.execute(limits)
        connection.autocommit = False

    return engine


def read(engine: Engine, query: Callable[[Connection], T]) -> T:
    """Run a query that changes nothing; a dead connection is replaced once.

    Raises:
        InvalidInput: if the database cannot hold a value that it is asked for.
        Unavailable: if the database does not answer.
    """

    def once() -> T:
        with engine.connect() as connection:
            return query(connection.execution_options(**_READING[engine.dialect.name]))

    return _persistently(once)


def ping(engine: Engine) -> None:
    """Ask the database for a sign of life.

    Raises:
        Unavailable: if there is none.
    """
    read(engine, lambda connection: connection.exec_driver_sql("SELECT 1"))


def transact(engine: Engine, write: Callable[[Connection], T]) -> T:
    """Run `write` in one transaction; after a serialization failure it is run again.

    So it must have no other effect than its statements. If it raises, nothing is changed.

    Raises:
        InvalidInput: if the database cannot hold a value that it is given; nothing was changed.
        NoSuchWarehouse: if the warehouse has been deleted meanwhile; nothing was changed.
        Unavailable: if the database does not answer; nothing was changed.
        CommitStateUnknown: if the connection broke while the database was committing.
    """
    return _persistently(lambda: _once(engine, write))


def _persistently(once: Callable[[], T]) -> T:
    """Try until the database is neither busy nor in conflict, and on a new connection once."""
    deadline = time.monotonic() + _RETRY_SECONDS
    pause = 0.002
    replaced = False
    while True:
        try:
            return once()
        except DataError as error:
            # PostgreSQL has no text with a NUL in it, which clients may well send.
            raise InvalidInput(f"The database cannot hold this: {error.orig}") from error
        except IntegrityError as error:
            if is_about_nothing(error):
                # All that rows refer to are warehouses; a server remembers one for a moment.
                raise NoSuchWarehouse("The warehouse does not exist any more") from error
            raise
        except (OperationalError, InterfaceError, PoolTimeout) as error:
            if _retryable(error) and time.monotonic() < deadline:
                time.sleep(random.uniform(pause / 2, pause))
                pause = min(pause * 2, 0.25)
            elif _lost_connection(error) and not replaced:
                replaced = True
            else:
                raise _unavailable(error) from error


def _once(engine: Engine, write: Callable[[Connection], T]) -> T:
    with engine.connect() as connection:
        connection = connection.execution_options(writes=True)
        transaction = connection.begin()
        try:
            result = write(connection)
        except BaseException:
            _rollback(transaction)
            raise
        try:
            transaction.commit()
        except DBAPIError as error:
            if _retryable(error):
                raise
            connection.invalidate()
            raise CommitStateUnknown(
                f"The database did not say whether it committed: {error.orig}"
            ) from error
        return result


def _rollback(transaction: sqlalchemy.RootTransaction) -> None:
    try:
        transaction.rollback()
    except DBAPIError:
        # The connection is dead, and with it the transaction; what made it fail is raised.
        transaction.connection.invalidate()


def _retryable(error: Exception) -> bool:
    original = getattr(error, "orig", None)
    if isinstance(original, sqlite3.OperationalError):
        return original.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
    return getattr(original, "sqlstate", None) in _RETRYABLE_STATES


def is_about_nothing(error: IntegrityError) -> bool:
    """Tell whether a row was refused since what it refers to is not there."""
    original = error.orig
    if isinstance(original, sqlite3.IntegrityError):
        return original.sqlite_errorcode == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY
    return getattr(original, "sqlstate", None) == _FOREIGN_KEY_STATE


def _lost_connection(error: Exception) -> bool:
    return isinstance(error, DBAPIError) and error.connection_invalidated


def _unavailable(error: Exception) -> Unavailable:
    return Unavailable(f"The database does not answer: {error}".split("\n", 1)[0])
