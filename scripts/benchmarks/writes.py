"""Branches and commits: one table, many in turn, eight writers at once, and what is stored."""

from collections.abc import Iterator, Sequence
from itertools import cycle, islice

from benchmarks import requests
from benchmarks.client import Address, Load
from benchmarks.figures import BYTES, COUNT, MILLIS, RATE, Figure, Place
from benchmarks.lake import Lake
from benchmarks.rounds import Rounds
from benchmarks.store import stored_bytes
from catalog.versioning.keys import Key

_WRITERS = 8


def measure_writes(
    address: Address, lake: Lake, place: Place, rounds: Rounds, database_url: str
) -> Iterator[Figure]:
    """Measure on branches of their own; `main` stays as it is."""
    created = address.send(
        [[requests.create_branch(address, f"b/{number}") for number in range(rounds.branches)]]
    ).expect(201)
    yield place.figure("create branch", MILLIS, created.millis)
    keys = lake.scattered()
    before = stored_bytes(database_url)
    one = [_commits(address, f"b/{turn}", keys[:1], rounds.commits) for turn in _turns(rounds)]
    growth = (stored_bytes(database_url) - before) / (len(one) * rounds.commits)
    yield place.figure("commit one table", MILLIS, _latencies(one))
    yield place.figure("commit one table, 1 client", RATE, [load.rate for load in one])
    yield place.figure("store per commit", BYTES, [growth])
    turns = [_commits(address, f"b/{turn}", keys, rounds.commits) for turn in _turns(rounds)]
    yield place.figure("commit 200 tables in turn, 1 client", RATE, [load.rate for load in turns])
    yield from _measure_writers(address, keys[:: len(keys) // _WRITERS], place, rounds)


def _turns(rounds: Rounds) -> range:
    return range(min(3, rounds.rounds))


def _commits(address: Address, branch: str, keys: Sequence[Key], count: int) -> Load:
    wanted = islice(cycle(keys), count)
    stream = [
        requests.commit(address, branch, key, str(number)) for number, key in enumerate(wanted)
    ]
    return address.send([stream]).expect(200)


def _measure_writers(
    address: Address, keys: Sequence[Key], place: Place, rounds: Rounds
) -> Iterator[Figure]:
    """Let each of eight writers commit to a table of its own, all on one branch."""
    rates, given_up = [], 0
    for turn in _turns(rounds):
        load = address.send(
            [
                [
                    requests.commit(address, f"b/{turn}", key, f"{turn} {number}")
                    for number in range(rounds.commits)
                ]
                for key in keys[:_WRITERS]
            ]
        )
        rates.append(load.rate)
        given_up += sum(answer.status != 200 for answer in load.answers)
    yield place.figure(f"commit own tables, {_WRITERS} clients", RATE, rates)
    yield place.figure("commits given up", COUNT, [given_up])


def _latencies(loads: Sequence[Load]) -> list[float]:
    return [millis for load in loads for millis in load.millis]
