"""Loading tables: cold, warm, unchanged, and beside the bare server answering the same bytes."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path

from benchmarks.client import Address, Load
from benchmarks.figures import MILLIS, RATE, Figure, Place
from benchmarks.interface import Interface
from benchmarks.lake import HISTORY, Lake
from benchmarks.processes import bare
from benchmarks.rounds import Rounds

_CLIENTS = 16
_COLD = 100


@dataclass(frozen=True, slots=True)
class _Case:
    """One kind of load, and what it took in each round."""

    operation: str
    place: Place
    address: Address
    wanted: Sequence[bytes]
    status: int = 200
    millis: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)

    def run(self, loads: int) -> None:
        """Take one more round."""
        self.millis.extend(self._load(1, loads // 4).millis)
        self.rates.append(self._load(_CLIENTS, loads).rate)

    def _load(self, clients: int, total: int) -> Load:
        """Let each client begin with another table."""
        offsets = [client * len(self.wanted) // clients for client in range(clients)]
        streams = [
            islice(cycle([*self.wanted[offset:], *self.wanted[:offset]]), total // clients)
            for offset in offsets
        ]
        return self.address.send(streams).check(self.status)

    def figures(self) -> Iterator[Figure]:
        """Sum up."""
        yield self.place.figure(f"{self.operation}, 1 client", MILLIS, self.millis)
        yield self.place.figure(f"{self.operation}, {_CLIENTS} clients", RATE, self.rates)


def measure_loads(
    server: Interface, lake: Lake, place: Place, rounds: Rounds, directory: Path
) -> Iterator[Figure]:
    """Measure on a server that was just started, for else nothing is cold."""
    keys = lake.scattered()[::2][:_COLD]
    loads = [server.load(key) for key in keys]
    cold = server.address.send([loads]).check(200)
    yield place.figure("loadTable cold, 1 client", MILLIS, cold.millis)
    history = server.load(HISTORY)
    first = server.address.send([[history]]).check(200).answers[0]
    cases = [
        _Case("loadTable warm", place, server.address, loads),
        _Case("loadTable 100 snapshots", place, server.address, [history]),
    ]
    with ExitStack() as stack:
        if first.etag:
            etags = [answer.etag for answer in cold.answers]
            unchanged = [server.load(key, etag) for key, etag in zip(keys, etags, strict=True)]
            cases.append(_Case("loadTable unchanged (304)", place, server.address, unchanged, 304))
        if place.server == "mainstem":
            bodies = {"table": cold.answers[0].body, "history": first.body}
            beside = stack.enter_context(bare(directory, bodies)).address
            cases[1:1] = [_beside("loadTable warm", place, beside, "/table")]
            cases[3:3] = [_beside("loadTable 100 snapshots", place, beside, "/history")]
        # By turns, so that all share the machine's moods.
        for _ in range(rounds.rounds):
            for case in cases:
                case.run(rounds.loads)
    for case in cases:
        yield from case.figures()


def _beside(operation: str, place: Place, address: Address, path: str) -> _Case:
    bare_place = Place("bare HTTP server", place.database, place.tables)
    return _Case(operation, bare_place, address, [address.request("GET", path)])
