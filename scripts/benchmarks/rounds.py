"""How often everything is measured."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rounds:
    """Numbers of repetitions."""

    rounds: int
    loads: int
    commits: int
    branches: int


FULL = Rounds(rounds=5, loads=3_000, commits=100, branches=100)
# The peer is slower; its rounds take as long.
PEER = Rounds(rounds=3, loads=1_000, commits=100, branches=100)
QUICK = Rounds(rounds=1, loads=200, commits=8, branches=5)
