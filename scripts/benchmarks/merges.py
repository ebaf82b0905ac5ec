"""Transactions over 200 tables, what they differ in, and their merge; the log."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import count

from benchmarks import requests
from benchmarks.client import Address
from benchmarks.figures import MILLIS, Figure, Place
from benchmarks.lake import SPARE, Lake
from benchmarks.rounds import Rounds
from catalog.versioning.keys import Key

_Samples = defaultdict[str, list[float]]
_LOGGED = 100


def measure_merges(address: Address, lake: Lake, place: Place, rounds: Rounds) -> Iterator[Figure]:
    """Make a branch, change 200 tables on it, compare and merge it: with `main` moved, or not."""
    samples: _Samples = defaultdict(list)
    numbers = count()
    for _ in range(rounds.rounds):
        for spread, keys in (("neighbours", lake.neighbours()), ("scattered", lake.scattered())):
            for moved in (False, True):
                branch = f"m/{next(numbers)}"
                _changed_branch(address, branch, keys, samples)
                if moved:
                    _send(address, requests.commit(address, "main", SPARE, branch), 200)
                target = "moved" if moved else "unmoved"
                samples[f"merge 200 {spread}, target {target}"].append(
                    _send(address, requests.merge(address, branch, "main"), 200)
                )
    _merge_long_branch(address, lake.scattered(), samples)
    for _ in range(max(3, rounds.rounds)):
        samples[f"log of {_LOGGED}"].append(
            _send(address, requests.log(address, "main", _LOGGED), 200)
        )
    for operation, values in samples.items():
        yield place.figure(operation, MILLIS, values)


def _changed_branch(address: Address, branch: str, keys: Sequence[Key], samples: _Samples) -> None:
    _send(address, requests.create_branch(address, branch), 201)
    changed = _send(address, requests.transaction(address, branch, keys, branch), 204)
    samples["transaction over 200 tables"].append(changed)
    # A branch's name in a query needs no escape for its slash.
    compared = _send(address, requests.diff(address, "main", branch), 200)
    samples["diff of 200"].append(compared)


def _merge_long_branch(address: Address, keys: Sequence[Key], samples: _Samples) -> None:
    """Merge a branch whose 200 changes are 200 commits; once, for it takes long to make."""
    _send(address, requests.create_branch(address, "m/long"), 201)
    for number, key in enumerate(keys):
        _send(address, requests.commit(address, "m/long", key, f"long {number}"), 200)
    merged = _send(address, requests.merge(address, "m/long", "main"), 200)
    samples["merge of 200 commits"].append(merged)


def _send(address: Address, request: bytes, status: int) -> float:
    return address.send([[request]]).expect(status).millis[0]
