"""Where the time of a load and of a commit goes, taken inside a process of our own.

What a request takes beyond these parts is the web server's, the framework's and the sockets'.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

import structlog
import uvloop

from benchmarks.client import Address
from benchmarks.figures import MILLIS, Figure, Place
from benchmarks.lake import Lake
from benchmarks.mainstem import Mainstem
from benchmarks.rounds import Rounds
from catalog.api.app import create_app, open_catalog
from catalog.operations import changes, commit
from catalog.operations.callers import Caller
from catalog.operations.changes import TableChange, commit_tables
from catalog.operations.warehouses import get_warehouse
from catalog.settings import Settings
from catalog.versioning.keys import Key

_Spent = defaultdict[str, float]
_WHOLE = "whole, without HTTP"


def measure_parts(settings: Settings, lake: Lake, place: Place, rounds: Rounds) -> Iterator[Figure]:
    """Measure on a lake that no server has open."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        yield from runner.run(_measure_load(settings, lake.scattered()[0], place, rounds))
    yield from _measure_commit(settings, lake, place, rounds)


async def _measure_load(settings: Settings, key: Key, place: Place, rounds: Rounds) -> list[Figure]:
    app = create_app(settings)
    request = Mainstem(Address(0)).load(key).split(b" ", 2)[1]
    scope = {
        "type": "http",
        "method": "GET",
        "path": request.decode(),
        "raw_path": request,
        "query_string": b"",
        "headers": [(b"host", b"127.0.0.1"), (b"accept", b"*/*")],
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b""}

    async def send(_: Any) -> None:
        pass

    quiet = structlog.make_filtering_bound_logger(20)
    structlog.configure(wrapper_class=quiet, cache_logger_on_first_use=True)
    async with app.router.lifespan_context(app):
        wanted = (get_warehouse(app.state.catalog).id, "main")
        await app(dict(scope), receive, send)
        whole, head = [], []
        for _ in range(rounds.loads):
            begun = time.perf_counter()
            await app(dict(scope), receive, send)
            answered = time.perf_counter()
            await app.state.heads.head(wanted)
            head.append(1000 * (time.perf_counter() - answered))
            whole.append(1000 * (answered - begun))
    return [
        place.figure(f"of a load: {_WHOLE}", MILLIS, whole),
        place.figure("of a load: the head's read", MILLIS, head),
    ]


def _measure_commit(
    settings: Settings, lake: Lake, place: Place, rounds: Rounds
) -> Iterator[Figure]:
    catalog = open_catalog(settings)
    samples: defaultdict[str, list[float]] = defaultdict(list)
    spent: _Spent = defaultdict(float)
    try:
        warehouse = get_warehouse(catalog)
        with _timed(catalog.engine.dialect, spent):
            for number in range(rounds.commits):
                update = {"action": "set-properties", "updates": {"bench.part": str(number)}}
                change = TableChange(lake.scattered()[number % 100], [], [update])
                spent.clear()
                begun = time.perf_counter()
                commit_tables(warehouse, "main", [change], caller=Caller("bench"))
                spent[_WHOLE] = time.perf_counter() - begun
                spent["its statements"] -= spent["the database's durable write"]
                for part, seconds in spent.items():
                    samples[part].append(1000 * seconds)
    finally:
        catalog.engine.dispose()
    for part, values in samples.items():
        yield place.figure(f"of a commit: {part}", MILLIS, values)


@contextmanager
def _timed(dialect: Any, spent: _Spent) -> Iterator[None]:
    """Take the time of the parts."""
    parts = (
        (changes, "_plan", "reading and changing metadata"),
        (changes, "write_metadata", "the metadata file, made durable"),
        (commit, "apply", "the tree"),
        (commit, "transact", "its statements"),
        (dialect, "do_commit", "the database's durable write"),
    )
    with ExitStack() as stack:
        for owner, name, part in parts:
            timed = _adding(getattr(owner, name), spent, part)
            stack.enter_context(patch.object(owner, name, timed))
        yield


def _adding(function: Callable[..., Any], spent: _Spent, part: str) -> Callable[..., Any]:
    def timed(*arguments: Any, **named: Any) -> Any:
        begun = time.perf_counter()
        try:
            return function(*arguments, **named)
        finally:
            spent[part] += time.perf_counter() - begun

    return timed
