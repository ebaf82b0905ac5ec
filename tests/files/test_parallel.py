"""Several files at once: what fails is told when nothing is under way any more."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from catalog.files.parallel import for_all


def test_a_failure_is_told_after_what_had_begun() -> None:
    begun, failed = Event(), Event()
    done: list[str] = []

    def work(name: str) -> None:
        if name == "fails":
            assert begun.wait(10)
            failed.set()
            raise OSError(name)
        begun.set()
        assert failed.wait(10)
        done.append(name)

    with ThreadPoolExecutor(2) as pool:
        with pytest.raises(OSError, match="fails"):
            for_all(pool, work, ["slow", "fails"])
        assert done == ["slow"]


def test_all_is_done_when_nothing_fails() -> None:
    done: list[tuple[int, str]] = []
    with ThreadPoolExecutor(2) as pool:
        for_all(pool, lambda number, name: done.append((number, name)), [1, 2], ["a", "b"])
        assert sorted(done) == [(1, "a"), (2, "b")]
