"""Loading tables: cold, warm, unchanged, and beside the bare server answering the same bytes."""

from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from pathlib import Path

from benchmarks import requests
from benchmarks.client import Address, Load
from benchmarks.figures import MILLIS, RATE, Figure, Place
from benchmarks.lake import HISTORY, Lake
from benchmarks.processes import bare
from benchmarks.rounds import Rounds
from catalog.versioning.keys import Key

_CLIENTS = 16
_COLD = 100


def measure_loads(
    address: Address, lake: Lake, place: Place, rounds: Rounds, directory: Path
) -> Iterator[Figure]:
    """Measure on a server that was just started, for else nothing is cold."""
    keys = lake.scattered()[::2][:_COLD]
    cold = address.send([[requests.load(address, key) for key in keys]]).expect(200)
    yield place.figure("loadTable cold, 1 client", MILLIS, cold.millis)
    history = address.send([[requests.load(address, HISTORY)]]).expect(200).answers[0]
    bodies = {"table": cold.answers[0].body, "history": history.body}
    etags = [answer.etag for answer in cold.answers]
    with bare(directory, bodies) as server:
        yield from _measure_warm(address, server.address, place, rounds, keys=keys, etags=etags)


def _measure_warm(
    address: Address,
    bare_address: Address,
    place: Place,
    rounds: Rounds,
    *,
    keys: Sequence[Key],
    etags: Sequence[bytes],
) -> Iterator[Figure]:
    """Take the servers by turns, so that they share the machine's moods."""
    loads = [requests.load(address, key) for key in keys]
    unchanged = [
        requests.load(address, key, etag=etag) for key, etag in zip(keys, etags, strict=True)
    ]
    history = [requests.load(address, HISTORY)]
    same = [bare_address.request("GET", "/table")]
    same_history = [bare_address.request("GET", "/history")]
    cases = (
        ("loadTable warm", place, address, loads, 200),
        ("loadTable warm", _bare(place), bare_address, same, 200),
        ("loadTable unchanged (304)", place, address, unchanged, 304),
        (f"loadTable {_SNAPSHOTS}", place, address, history, 200),
        (f"loadTable {_SNAPSHOTS}", _bare(place), bare_address, same_history, 200),
    )
    single: list[list[float]] = [[] for _ in cases]
    rates: list[list[float]] = [[] for _ in cases]
    for _ in range(rounds.rounds):
        for number, (_, _, to, wanted, status) in enumerate(cases):
            single[number] += _run(to, wanted, 1, rounds.loads // 4, status).millis
            rates[number].append(_run(to, wanted, _CLIENTS, rounds.loads, status).rate)
    for number, (operation, where, _, _, _) in enumerate(cases):
        yield where.figure(f"{operation}, 1 client", MILLIS, single[number])
        yield where.figure(f"{operation}, {_CLIENTS} clients", RATE, rates[number])


_SNAPSHOTS = "100 snapshots"


def _bare(place: Place) -> Place:
    return Place("bare HTTP server", place.database, place.tables)


def _run(to: Address, wanted: Sequence[bytes], clients: int, total: int, status: int) -> Load:
    each = total // clients
    streams = [
        islice(cycle([*wanted[offset:], *wanted[:offset]]), each)
        for offset in (client * len(wanted) // clients for client in range(clients))
    ]
    return to.send(streams).expect(status)
