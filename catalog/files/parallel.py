"""Work on several files at once, none of which goes on after it failed."""

from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_EXCEPTION, Executor, wait
from typing import Any


def for_all(pool: Executor, work: Callable[..., Any], *arguments: Iterable[Any]) -> None:
    """Call a function with each of the arguments, as `map` does, and wait for all calls.

    If one fails, those that have not begun never do, and those that have are waited for before the
    first failure is raised: who hears of it can rely on nothing being written any more.
    """
    futures = [pool.submit(work, *each) for each in zip(*arguments, strict=True)]
    wait(futures, return_when=FIRST_EXCEPTION)
    for future in futures:
        future.cancel()
    wait(futures)
    for future in futures:
        if not future.cancelled():
            future.result()
