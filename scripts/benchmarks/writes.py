"""Branches and commits: one table, many in turn, eight writers at once, and what is stored."""

from collections.abc import Callable, Iterator, Sequence
from itertools import cycle, islice

from benchmarks.client import Load
from benchmarks.figures import BYTES, COUNT, MILLIS, RATE, Figure, Place
from benchmarks.interface import Interface
from benchmarks.lake import Lake
from benchmarks.rounds import Rounds
from catalog.versioning.keys import Key

_WRITERS = 8


def measure_writes(
    server: Interface,
    lake: Lake,
    place: Place,
    rounds: Rounds,
    stored_bytes: Callable[[], int] | None = None,
) -> Iterator[Figure]:
    """Measure on branches of their own; `main` stays as it is."""
    branches = [server.create_branch(f"b/{number}") for number in range(rounds.branches)]
    yield place.figure("create branch", MILLIS, server.address.send([branches]).check().millis)
    keys = lake.scattered()
    one = [_commits(server, f"b/{turn}", keys[:1], rounds.commits) for turn in _turns(rounds)]
    yield place.figure("commit one table", MILLIS, _latencies(one))
    yield place.figure("commit one table, 1 client", RATE, [load.rate for load in one])
    before = stored_bytes() if stored_bytes else 0
    turns = [_commits(server, f"b/{turn}", keys, rounds.commits) for turn in _turns(rounds)]
    yield place.figure("commit 200 tables in turn, 1 client", RATE, [load.rate for load in turns])
    if stored_bytes:
        growth = (stored_bytes() - before) / (len(turns) * rounds.commits)
        yield place.figure("store per commit", BYTES, [growth])
    yield from _measure_writers(server, keys[:: len(keys) // _WRITERS], place, rounds)


def _turns(rounds: Rounds) -> range:
    return range(min(3, rounds.rounds))


def _commits(server: Interface, branch: str, keys: Sequence[Key], count: int) -> Load:
    wanted = enumerate(islice(cycle(keys), count))
    stream = [server.commit(branch, key, str(number)) for number, key in wanted]
    return server.address.send([stream]).check()


def _measure_writers(
    server: Interface, keys: Sequence[Key], place: Place, rounds: Rounds
) -> Iterator[Figure]:
    """Let each of eight writers commit to a table of its own, all on one branch."""
    rates, given_up = [], 0
    for turn in _turns(rounds):
        streams = [
            [server.commit(f"b/{turn}", key, f"{turn} {each}") for each in range(rounds.commits)]
            for key in keys[:_WRITERS]
        ]
        load = server.address.send(streams)
        rates.append(load.rate)
        given_up += sum(answer.status != 200 for answer in load.answers)
    yield place.figure(f"commit own tables, {_WRITERS} clients", RATE, rates)
    yield place.figure("commits given up", COUNT, [given_up])


def _latencies(loads: Sequence[Load]) -> list[float]:
    return [millis for load in loads for millis in load.millis]
