"""The store on SQLite, and the same on PostgreSQL."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from hashlib import sha256
from itertools import count

import pytest
from sqlalchemy import Connection, Engine

from catalog.store import commits, objects, refs, warehouses
from catalog.store.engine import open_database
from catalog.store.schema import migrate
from catalog.versioning.ids import ObjectId

DATABASES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)]
only_postgresql = pytest.mark.parametrize(
    "new_url", [pytest.param("postgresql", marks=pytest.mark.slow)], indirect=True
)
NOW = datetime(2026, 11, 23, 8, 0, 0, 123456, tzinfo=UTC)


def identifier(text: str) -> ObjectId:
    """Return an id that stands for some object."""
    return ObjectId(sha256(text.encode()).digest())


@pytest.fixture(scope="session", params=DATABASES)
def new_url(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[], str]:
    """Give a function that makes an empty database and returns its URL."""
    if request.param == "postgresql":
        return request.getfixturevalue("new_database")
    directory = tmp_path_factory.mktemp("store")
    numbers = count()
    return lambda: f"sqlite:///{directory}/{next(numbers)}.db"


@pytest.fixture
def open_engine() -> Iterator[Callable[..., Engine]]:
    """Open databases, and close them in the end."""
    opened: list[Engine] = []

    def start(url: str, connections: int = 4) -> Engine:
        opened.append(open_database(url, connections))
        return opened[-1]

    yield start
    for engine in opened:
        engine.dispose()


@pytest.fixture(scope="session")
def engine(new_url: Callable[[], str]) -> Iterator[Engine]:
    """A database with the schema of this release, shared by the tests of a session."""
    opened = open_database(new_url(), 4)
    migrate(opened)
    yield opened
    opened.dispose()


@pytest.fixture(scope="session")
def names() -> Iterator[str]:
    """Names that are never given twice."""
    return (f"lake{number}" for number in count())


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    """A transaction that is never committed."""
    with engine.connect() as opened:
        transaction = opened.execution_options(writes=True).begin()
        yield opened
        transaction.rollback()


@pytest.fixture
def warehouse(connection: Connection, names: Iterator[str]) -> int:
    """The id of a warehouse whose branch `main` is at the commit `first`."""
    return add_warehouse(connection, next(names))


def add_warehouse(connection: Connection, name: str) -> int:
    """Add a warehouse whose branch `main` is at the commit `first`, and return its id."""
    row = warehouses.insert(
        connection,
        name=name,
        default_branch="main",
        sites=(warehouses.Site(f"file:///{name}", {}),),
        created_at=NOW,
    )
    first = identifier("first")
    objects.insert(connection, {first: b"first"})
    commits.insert(connection, row.id, [first])
    add_ref(connection, row.id, "main", "first")
    return row.id


def add_ref(
    connection: Connection,
    warehouse: int,
    name: str,
    commit: str,
    kind: refs.RefKind = refs.RefKind.BRANCH,
) -> None:
    """Add a branch or a tag."""
    refs.insert(
        connection,
        warehouse,
        name=name,
        kind=kind,
        commit_id=identifier(commit),
        created_at=NOW,
        created_by="Ada",
    )
