"""One server process against two on the same database."""

from collections.abc import Iterator, Sequence
from itertools import cycle, islice

from benchmarks.client import Address, Load, send
from benchmarks.figures import RATE, Figure, Place
from benchmarks.lake import Lake
from benchmarks.mainstem import Mainstem
from benchmarks.rounds import Rounds

_READERS = 16
_WRITERS = 8


def measure_replicas(
    servers: Sequence[Mainstem], lake: Lake, place: Place, rounds: Rounds
) -> Iterator[Figure]:
    """Send the same work to the first server alone and to all of them, by turns."""
    branches = [servers[0].create_branch(f"r/{number}") for number in range(_WRITERS)]
    servers[0].address.send([branches]).check(201)
    alone, together = servers[:1], servers
    samples: dict[str, list[float]] = {}
    for number in range(rounds.rounds):
        for those in (alone, together):
            which = f"{len(those)} server{'s' if len(those) > 1 else ''}"
            loads = f"loadTable warm, {_READERS} clients, {which}"
            commits = f"commit own branches, {_WRITERS} clients, {which}"
            samples.setdefault(loads, []).append(_loads(those, lake, rounds).rate)
            written = _commits(those, lake, rounds, f"{number} {which}")
            samples.setdefault(commits, []).append(written.rate)
    for operation, values in samples.items():
        yield place.figure(operation, RATE, values)


def _loads(servers: Sequence[Mainstem], lake: Lake, rounds: Rounds) -> Load:
    keys = lake.scattered()[:100]
    for server in servers:
        server.address.send([[server.load(key) for key in keys]]).check(200)
    streams: list[tuple[Address, Iterator[bytes]]] = []
    for client in range(_READERS):
        server = servers[client % len(servers)]
        requests = cycle([server.load(key) for key in keys])
        streams.append((server.address, islice(requests, rounds.loads // _READERS)))
    return send(streams).check(200)


def _commits(servers: Sequence[Mainstem], lake: Lake, rounds: Rounds, value: str) -> Load:
    streams = []
    for client in range(_WRITERS):
        server = servers[client % len(servers)]
        commits = [
            server.commit(f"r/{client}", lake.scattered()[client], f"{value} {number}")
            for number in range(rounds.commits)
        ]
        streams.append((server.address, commits))
    return send(streams).check(200)
