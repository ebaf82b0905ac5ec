"""Reading heads for many requests at once, on every database."""

import asyncio
import sqlite3
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text

from catalog.errors import Unavailable
from catalog.store import refs
from catalog.store.engine import transact
from catalog.store.heads import HeadReader, open_head_reader
from catalog.store.refs import RefKind
from tests.store.conftest import add_ref, add_warehouse, identifier


@pytest.fixture
def stored(engine: Engine, names: Iterator[str]) -> int:
    """The id of a warehouse that is there for good."""
    return transact(engine, lambda connection: add_warehouse(connection, next(names)))


@pytest.fixture
def heads(engine: Engine) -> Iterator[HeadReader]:
    reader = open_head_reader(engine)
    yield reader
    reader.close()


def test_a_head_is_what_was_last_acknowledged(engine: Engine, heads, stored: int) -> None:
    async def follow() -> list[bool]:
        seen, at = [], identifier("first")
        for number in range(20):
            to = identifier(str(number))
            moved = transact(
                engine,
                lambda connection, at=at, to=to: refs.compare_and_swap(
                    connection, stored, "main", expected=at, commit_id=to
                ),
            )
            seen.append(moved and await heads.head((stored, "main")) == to)
            at = to
        return seen

    assert asyncio.run(follow()) == [True] * 20


def test_many_requests_at_once_each_get_their_own(engine: Engine, heads, stored: int) -> None:
    async def ask() -> list[object]:
        names = ["main", "absent", "MAIN"] * 100
        return await asyncio.gather(*(heads.head((stored, name)) for name in names))

    assert asyncio.run(ask()) == [identifier("first"), None, None] * 100


def test_a_tag_is_not_the_head_of_a_branch(engine: Engine, heads, stored: int) -> None:
    transact(engine, lambda connection: add_ref(connection, stored, "v1", "first", RefKind.TAG))
    assert asyncio.run(heads.head((stored, "v1"))) is None


def test_requests_that_were_given_up_harm_no_other(heads, stored: int) -> None:
    async def ask() -> object:
        given_up = [asyncio.ensure_future(heads.head((stored, "main"))) for _ in range(10)]
        await asyncio.sleep(0)
        for each in given_up:
            each.cancel()
        return await heads.head((stored, "main"))

    assert asyncio.run(ask()) == identifier("first")


def test_a_question_that_cannot_be_asked_harms_no_other(heads, stored: int) -> None:
    async def ask() -> object:
        with pytest.raises((IndexError, sqlite3.Error, Unavailable)):
            await asyncio.wait_for(heads.head((stored,)), 30)
        return await asyncio.wait_for(heads.head((stored, "main")), 30)

    assert asyncio.run(ask()) == identifier("first")


@pytest.mark.slow
def test_a_reader_outlives_the_death_of_its_connection(new_database, open_engine) -> None:
    url = new_database()
    engine, other = open_engine(url), open_engine(url)
    transact(engine, lambda connection: connection.execute(text(TABLE)))
    heads = open_head_reader(engine)

    async def ask() -> None:
        for _ in range(3):
            assert await heads.head((1, "main")) is None
            with other.connect() as connection:
                connection.execute(text(TERMINATE))

    try:
        asyncio.run(ask())
    finally:
        heads.close()


def test_a_database_that_is_gone_is_said_to_every_request(open_engine) -> None:
    engine = open_engine("postgresql+psycopg://nobody@127.0.0.1:1/none")
    heads = open_head_reader(engine)

    async def ask() -> list[object]:
        asked = (heads.head((1, "main")) for _ in range(5))
        return await asyncio.gather(*asked, return_exceptions=True)

    try:
        answers = asyncio.run(ask())
    finally:
        heads.close()
    assert [type(each) for each in answers] == [Unavailable] * 5


TABLE = "CREATE TABLE refs (warehouse_id BIGINT, name TEXT, kind TEXT, commit_id BYTEA)"
TERMINATE = (
    "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
