"""Running statements when the database is busy, gone, slow or full."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection, Engine, event, text

from catalog.errors import CommitStateUnknown, InvalidInput, Unavailable
from catalog.store import engine as engines
from catalog.store.engine import read, transact
from tests.store.conftest import only_postgresql


@pytest.fixture
def url(new_url: Callable[[], str]) -> str:
    """A database with the empty table `kept` and a table `row` that holds one row."""
    url = new_url()
    made = engines.open_database(url)
    transact(made, lambda connection: connection.execute(text("CREATE TABLE kept (n INTEGER)")))
    made.dispose()
    return url


@pytest.fixture
def engine(url: str, open_engine) -> Engine:
    return open_engine(url)


@pytest.fixture
def postgresql(engine: Engine) -> Engine:
    """The database, of the tests that make sense on PostgreSQL alone."""
    if engine.dialect.name != "postgresql":
        pytest.fail("mark this test with only_postgresql")
    return engine


only_sqlite = pytest.mark.parametrize("new_url", ["sqlite"], indirect=True)


def insert(connection: Connection) -> None:
    connection.execute(text("INSERT INTO kept VALUES (1)"))


def kept(engine: Engine) -> int:
    return read(engine, lambda connection: connection.scalar(text("SELECT COUNT(*) FROM kept")))


def in_use(engine: Engine) -> int:
    return engine.pool.checkedout()


def backend(connection: Connection) -> int:
    return connection.scalar(text("SELECT pg_backend_pid()"))


def terminate(engine: Engine, *backends: int) -> None:
    """End sessions as an administrator, or a server that goes away, does."""
    with engine.connect() as connection:
        for each in backends:
            connection.execute(text("SELECT pg_terminate_backend(:pid, 10000)"), {"pid": each})


@pytest.mark.parametrize(
    "url", ["", "nonsense", "mysql://host/db", "oracle://host/db", "sqlite+x:"]
)
def test_a_url_of_no_database_that_we_know_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput):
        engines.open_database(url)


def test_what_raises_changes_nothing_and_keeps_no_connection(engine: Engine) -> None:
    def write(connection: Connection) -> None:
        insert(connection)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        transact(engine, write)
    assert (kept(engine), in_use(engine)) == (0, 0)


def test_a_result_is_handed_on_and_the_connection_given_back(engine: Engine) -> None:
    assert transact(engine, lambda connection: insert(connection) or "done") == "done"
    assert (kept(engine), in_use(engine)) == (1, 0)


def test_with_every_connection_in_use_the_database_is_unavailable(
    url: str, open_engine, monkeypatch
) -> None:
    monkeypatch.setattr(engines, "_POOL_SECONDS", 0.01)
    engine = open_engine(url, connections=1)
    with engine.connect(), engine.connect():
        with pytest.raises(Unavailable, match="database"):
            kept(engine)
        with pytest.raises(Unavailable, match="database"):
            transact(engine, insert)
    assert kept(engine) == 0


@only_sqlite
def test_sqlite_syncs_every_commit_and_lets_readers_pass(engine: Engine) -> None:
    def pragma(name: str):
        return read(engine, lambda connection: connection.scalar(text(f"PRAGMA {name}")))

    assert (pragma("journal_mode"), pragma("synchronous"), pragma("foreign_keys")) == ("wal", 2, 1)


@contextmanager
def busy(engine: Engine, monkeypatch) -> Iterator[list[float]]:
    """Keep the write lock of SQLite until the pause before the second try."""

    @event.listens_for(engine, "connect")
    def impatient(connection, _) -> None:
        connection.execute("PRAGMA busy_timeout = 0")

    pauses: list[float] = []
    with engine.connect() as holder:
        holder.exec_driver_sql("BEGIN IMMEDIATE")

        def sleep(seconds: float) -> None:
            pauses.append(seconds)
            holder.exec_driver_sql("COMMIT")

        monkeypatch.setattr(engines.time, "sleep", sleep)
        yield pauses


@only_sqlite
def test_a_busy_sqlite_is_tried_again(engine: Engine, monkeypatch) -> None:
    with busy(engine, monkeypatch) as pauses:
        transact(engine, insert)
    assert (kept(engine), len(pauses)) == (1, 1)


@only_sqlite
def test_a_sqlite_that_stays_busy_is_unavailable(engine: Engine, monkeypatch) -> None:
    monkeypatch.setattr(engines, "_RETRY_SECONDS", -1)
    with busy(engine, monkeypatch), pytest.raises(Unavailable, match="locked"):
        transact(engine, insert)
    assert kept(engine) == 0


@only_postgresql
@pytest.mark.parametrize("state", ["40001", "40P01"])
def test_a_serialization_failure_is_run_again(postgresql: Engine, state: str) -> None:
    attempts = []

    def write(connection: Connection) -> None:
        attempts.append(1)
        insert(connection)
        if len(attempts) < 3:
            failure = f"DO $$ BEGIN RAISE EXCEPTION 'again' USING ERRCODE = '{state}'; END $$"
            connection.execute(text(failure))

    transact(postgresql, write)
    assert (kept(postgresql), len(attempts)) == (1, 3)


@only_postgresql
def test_serialization_failures_without_end_are_unavailable(
    postgresql: Engine, monkeypatch
) -> None:
    monkeypatch.setattr(engines, "_RETRY_SECONDS", -1)

    def write(connection: Connection) -> None:
        insert(connection)
        connection.execute(text("DO $$ BEGIN RAISE EXCEPTION '' USING ERRCODE = '40001'; END $$"))

    with pytest.raises(Unavailable):
        transact(postgresql, write)
    assert kept(postgresql) == 0


@only_postgresql
def test_dead_connections_are_replaced(postgresql: Engine, url: str, open_engine) -> None:
    other = open_engine(url)
    for run in (kept, lambda engine: transact(engine, insert)):
        with postgresql.connect() as first, postgresql.connect() as second:
            backends = backend(first), backend(second)
        terminate(other, *backends)
        run(postgresql)
    assert kept(postgresql) == 1


@only_postgresql
def test_a_connection_that_dies_in_a_transaction_changes_nothing_twice(
    postgresql: Engine, url: str, open_engine
) -> None:
    other = open_engine(url)
    attempts = []

    def write(connection: Connection) -> None:
        insert(connection)
        attempts.append(1)
        if len(attempts) == 1:
            terminate(other, backend(connection))
        connection.execute(text("SELECT 1"))

    transact(postgresql, write)
    assert (kept(postgresql), len(attempts), in_use(postgresql)) == (1, 2, 0)


@only_postgresql
def test_a_commit_without_an_answer_is_told_as_unknown(
    postgresql: Engine, url: str, open_engine
) -> None:
    other = open_engine(url)

    @event.listens_for(postgresql, "commit")
    def die(connection: Connection) -> None:
        terminate(other, backend(connection))

    with pytest.raises(CommitStateUnknown):
        transact(postgresql, insert)
    assert (kept(postgresql), in_use(postgresql)) == (0, 0)


@only_postgresql
def test_a_statement_that_does_not_end_is_given_up(url: str, open_engine, monkeypatch) -> None:
    monkeypatch.setattr(engines, "_STATEMENT_SECONDS", 0.2)
    engine = open_engine(url)
    with pytest.raises(Unavailable, match="timeout"):
        read(engine, lambda connection: connection.execute(text("SELECT pg_sleep(3600)")))
    with engine.connect() as holder, holder.begin():
        holder.execute(text("LOCK TABLE kept"))
        with pytest.raises(Unavailable, match="timeout"):
            transact(engine, insert)
    assert kept(engine) == 0


@only_postgresql
def test_a_transaction_left_open_by_a_lost_server_is_ended(
    url: str, open_engine, monkeypatch
) -> None:
    monkeypatch.setattr(engines, "_IDLE_SECONDS", 0.2)
    lost = open_engine(url)
    with lost.connect() as connection:
        connection.execute(text("LOCK TABLE kept"))
        # Waits for the lock, which only the end of the other's session gives back.
        transact(open_engine(url), insert)
        connection.invalidate()


@pytest.mark.slow
def test_a_server_that_takes_connections_and_says_nothing_is_unavailable(
    open_engine, monkeypatch
) -> None:
    monkeypatch.setattr(engines, "_CONNECT_SECONDS", 2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        engine = open_engine(f"postgresql+psycopg://nobody@127.0.0.1:{port}/none")
        with pytest.raises(Unavailable, match="timeout"):
            kept(engine)
