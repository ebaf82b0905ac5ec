"""How often everything is measured."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rounds:
    """Numbers of repetitions."""

    rounds: int
    loads: int
    commits: int
    branches: int
    entries: int
    # Data files of a table, few and many.
    files: tuple[int, int]


FULL = Rounds(rounds=3, loads=2_000, commits=60, branches=50, entries=10_000, files=(10, 500))
# The peer is slower; its rounds take as long.
PEER = Rounds(rounds=3, loads=800, commits=60, branches=50, entries=10_000, files=(10, 500))
QUICK = Rounds(rounds=1, loads=200, commits=8, branches=5, entries=100, files=(2, 50))
