"""Services that several packages of tests use; each is started by the first test that asks."""

import signal
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import psycopg
import pytest
import structlog
from hypothesis import settings
from sqlalchemy import make_url

from tests.services import (
    USED,
    Azurite,
    ObjectStore,
    Postgres,
    azurite,
    object_store,
    postgres_server,
)

# Where what started the tests ignores Ctrl-C, as shells do for what runs in the background, each
# command under test would ignore it, too.
signal.signal(signal.SIGINT, signal.default_int_handler)

# The same examples in every run, so that what chance finds is never put down to another change;
# who looks for more runs with `--hypothesis-profile=explore`.
settings.register_profile("explore", deadline=None)
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.load_profile("repeatable")

# As the server does; the default takes seconds to render one fault, with all its variables.
structlog.configure(
    [
        structlog.processors.add_log_level,
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),
    ]
)


@pytest.fixture(scope="session")
def postgres_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """The PostgreSQL server that the tests share; who stops it runs one of their own."""
    with postgres_server(tmp_path_factory.mktemp("postgres")) as server:
        yield server


@pytest.fixture(scope="session")
def new_database(postgres_service: Postgres) -> Callable[[], str]:
    """Give a function that makes an empty PostgreSQL database and returns its URL."""
    numbers = count(1)
    server = make_url(postgres_service.url)
    address = server.set(drivername="postgresql").render_as_string(hide_password=False)

    def make() -> str:
        name = f"test_{next(numbers)}"
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return server.set(database=name).render_as_string(hide_password=False)

    return make


@pytest.fixture
def postgres_url(new_database: Callable[[], str]) -> str:
    """Give an empty PostgreSQL database of the test's own."""
    return new_database()


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    """The object store that the tests share."""
    with object_store(tmp_path_factory.mktemp("s3")) as store:
        yield store


@pytest.fixture(scope="session")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    """The emulator of Azure that the tests share."""
    with azurite(tmp_path_factory.mktemp("azure")) as store:
        yield store


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Tell the process that prints which services a worker of xdist's used."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["services"] = USED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over which services a worker of xdist's used."""
    # A worker that crashed has told nothing.
    USED.extend(getattr(node, "workeroutput", {}).get("services", []))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which services the tests ran on."""
    if USED:
        terminalreporter.write_line(f"services: {', '.join(dict.fromkeys(USED))}")
