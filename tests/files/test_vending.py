"""Credentials are handed out again as long as half of their time is left."""

import threading
from datetime import UTC, datetime, timedelta

import pytest

from catalog.errors import StorageUnavailable
from catalog.files.scopes import Scope
from catalog.files.vending import Vended, VendedCache

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)
TABLE = Scope("bucket", "t", read_only=False)


class Cloud:
    """Gives numbered credentials that hold for an hour."""

    def __init__(self):
        self.now = NOW
        self.given = 0
        self.cache = VendedCache(lambda: self.now, HOUR)

    def vend(self):
        self.given += 1
        return Vended({"number": str(self.given)}, self.now + HOUR)

    def ask(self, scope=TABLE):
        return int(self.cache.get(scope, self.vend).properties["number"])


def test_credentials_are_renewed_when_half_of_their_time_is_over():
    cloud = Cloud()
    asked = []
    for minutes in (0, 29, 30, 59, 60):
        cloud.now = NOW + timedelta(minutes=minutes)
        asked.append(cloud.ask())
    assert asked == [1, 1, 2, 2, 3]


def test_readers_and_writers_and_tables_have_credentials_of_their_own():
    cloud = Cloud()
    scopes = [Scope("bucket", path, only) for path in ("t", "u") for only in (True, False)]
    assert [cloud.ask(scope) for scope in scopes + scopes] == [1, 2, 3, 4] * 2


def test_what_failed_is_asked_again():
    cloud = Cloud()

    def fail():
        raise StorageUnavailable("not now")

    with pytest.raises(StorageUnavailable):
        cloud.cache.get(TABLE, fail)
    assert cloud.ask() == 1


def test_a_slow_cloud_holds_up_nobody_else():
    cloud = Cloud()
    waiting, go_on = threading.Event(), threading.Event()

    def wait():
        waiting.set()
        assert go_on.wait(60)
        return cloud.vend()

    slow = threading.Thread(target=cloud.cache.get, args=(TABLE, wait))
    slow.start()
    assert waiting.wait(60)
    assert cloud.ask(Scope("bucket", "u", read_only=True)) == 1
    go_on.set()
    slow.join()
    assert cloud.ask() == 2
