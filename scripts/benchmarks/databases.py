"""Where a lake is stored: a SQLite file, or a database of a PostgreSQL server of our own."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psycopg
from sqlalchemy import make_url

from tests.services import postgres

# Given the directory of a lake, returns the URL of an empty database.
NewDatabase = Callable[[Path], str]


@contextmanager
def sqlite(_: Path) -> Iterator[NewDatabase]:
    """Give files in the directories of the lakes."""
    yield lambda lake: f"sqlite:///{lake / 'mainstem.db'}"


@contextmanager
def postgresql(directory: Path) -> Iterator[NewDatabase]:
    """Run a server for as long as the context lasts."""
    with postgres(directory) as url:
        server = make_url(url)
        address = server.set(drivername="postgresql").render_as_string(hide_password=False)
        numbers = count(1)

        def make(_: Path) -> str:
            name = f"lake_{next(numbers)}"
            with psycopg.connect(address, autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {name}")
            return server.set(database=name).render_as_string(hide_password=False)

        yield make


DATABASES = {"sqlite": sqlite, "postgresql": postgresql}
