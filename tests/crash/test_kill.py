"""`kill -9` of servers at random moments, with writers at work: nothing acknowledged is lost."""

import random
import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.crash.lake import Client, Lake, Server, check_files

pytestmark = pytest.mark.slow
SEED = random.SystemRandom().randrange(1 << 32)


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[ExitStack]:
    """Whatever was started is killed in the end."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def chance() -> random.Random:
    print(f"seed {SEED}")
    return random.Random(SEED)


def killed_again_and_again(
    server: Server, servers: ExitStack, directory: Path, rounds: int, chance: random.Random
) -> Lake:
    """Kill the server in the middle of writing, round by round, and check each time."""
    servers.callback(server.kill)
    lake = Lake()
    server.start()
    client = Client(server)
    servers.callback(client.http.close)
    lake.fill(client)
    # The last time in good order, which loses no answer either.
    for end in [server.kill] * rounds + [server.stop]:
        writers = lake.writers(server)
        lake.wait_for(chance.randint(5, 40))
        time.sleep(chance.uniform(0, 0.03))
        end()
        for each in writers:
            each.join()
        check_files(directory / "data" / "warehouse")
        server.start()
        lake.check(client)
    return lake


def test_a_server_on_sqlite_keeps_its_word(
    tmp_path: Path, servers: ExitStack, chance: random.Random
) -> None:
    server = Server(tmp_path, "server", "")
    lake = killed_again_and_again(server, servers, tmp_path, 8, chance)
    assert min(lake.acknowledged.values()) > 0
    database = sqlite3.connect(tmp_path / "data" / "mainstem.db")
    assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    database.close()


def test_a_server_on_postgresql_keeps_its_word(
    tmp_path: Path, postgres_url: str, servers: ExitStack, chance: random.Random
) -> None:
    server = Server(tmp_path, "server", postgres_url)
    lake = killed_again_and_again(server, servers, tmp_path, 3, chance)
    assert min(lake.acknowledged.values()) > 0


def test_of_two_servers_one_may_be_killed(
    tmp_path: Path, postgres_url: str, servers: ExitStack, chance: random.Random
) -> None:
    lake = Lake()
    both = [Server(tmp_path, name, postgres_url) for name in ("first", "second")]
    for each in both:
        servers.callback(each.kill)
        each.start()
    first, second = (Client(each) for each in both)
    for client in (first, second):
        servers.callback(client.http.close)
    lake.fill(first)
    writers = lake.writers(*both)
    lake.wait_for(chance.randint(20, 60))
    both[1].kill()
    # The writers of the other one go on as if nothing had happened.
    lake.wait_for(20)
    both[0].kill()
    for each in writers:
        each.join()
    for server, client in zip(both, (first, second), strict=True):
        server.start()
        lake.check(client)
    check_files(tmp_path / "data" / "warehouse")
