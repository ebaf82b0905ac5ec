"""Transactions over 200 tables, what they differ in, and their merge; the log."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import count

from benchmarks.figures import MILLIS, Figure, Place
from benchmarks.interface import Interface
from benchmarks.lake import SPARE, Lake
from benchmarks.rounds import Rounds
from catalog.versioning.keys import Key

_Samples = defaultdict[str, list[float]]
_LOGGED = 100


def measure_merges(server: Interface, lake: Lake, place: Place, rounds: Rounds) -> Iterator[Figure]:
    """Make a branch, change 200 tables on it, compare and merge it: with `main` moved, or not."""
    samples: _Samples = defaultdict(list)
    numbers = count()
    for _ in range(rounds.rounds):
        for spread, keys in (("neighbours", lake.neighbours()), ("scattered", lake.scattered())):
            for target in ("unmoved", "moved"):
                branch = f"m/{next(numbers)}"
                _change_on_branch(server, branch, keys, samples)
                if target == "moved":
                    _send(server, server.commit("main", SPARE, branch))
                merged = _send(server, server.merge(branch))
                samples[f"merge 200 {spread}, target {target}"].append(merged)
    _merge_long_branch(server, lake.scattered(), samples)
    for _ in range(max(3, rounds.rounds)):
        samples[f"log of {_LOGGED}"].append(_send(server, server.log(_LOGGED)))
    for operation, values in samples.items():
        yield place.figure(operation, MILLIS, values)


def _change_on_branch(
    server: Interface, branch: str, keys: Sequence[Key], samples: _Samples
) -> None:
    _send(server, server.create_branch(branch))
    changed = _send(server, server.transaction(branch, keys, branch))
    samples["transaction over 200 tables"].append(changed)
    samples["diff of 200"].append(_send(server, server.diff(branch)))


def _merge_long_branch(server: Interface, keys: Sequence[Key], samples: _Samples) -> None:
    """Merge a branch whose 200 changes are 200 commits; once, for it takes long to make."""
    _send(server, server.create_branch("m/long"))
    commits = [server.commit("m/long", key, f"long {number}") for number, key in enumerate(keys)]
    server.address.send([commits]).check()
    samples["merge of 200 commits"].append(_send(server, server.merge("m/long")))


def _send(server: Interface, request: bytes) -> float:
    return server.address.send([[request]]).check().millis[0]
