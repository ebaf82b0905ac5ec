"""The graph of commits: ancestors, merge bases, the log.

Generation numbers order the walks: an ancestor's is always smaller, so a walk from the highest
down sees each commit after all of its descendants (as git does with its commit-graph file).
"""

import heapq
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from catalog.clock import to_micros
from catalog.versioning.ids import ObjectId
from catalog.versioning.objects import Commit

# Reads several commits at once.
Commits = Callable[[Collection[ObjectId]], Mapping[ObjectId, Commit]]
# Chooses among the parents of a commit.
Follow = Callable[[ObjectId, Commit], Sequence[ObjectId]]

_OURS = 1
_THEIRS = 2
_BOTH = _OURS | _THEIRS
_STALE = 4


def merge_bases(commits: Commits, ours: ObjectId, theirs: ObjectId) -> list[ObjectId]:
    """Return the best common ancestors: those that are no ancestor of another one.

    Several mean a criss-cross history, none unrelated histories. Sorted, so that every replica
    takes them in one order. Reads the commits above the bases, generation by generation.
    """
    if ours == theirs:
        return [ours]
    marks = {ours: _OURS, theirs: _THEIRS}
    queue: list[tuple[int, ObjectId]] = []
    known = dict(commits((ours, theirs)))
    for identifier, commit in known.items():
        heapq.heappush(queue, (-commit.generation, identifier))
    bases: list[ObjectId] = []
    while any(marks[identifier] & _STALE == 0 for _, identifier in queue):
        batch = _pop_generation(queue)
        for identifier in batch:
            mark = marks[identifier]
            if mark == _BOTH:
                bases.append(identifier)
                mark |= _STALE
            for parent in known[identifier].parents:
                if parent not in marks:
                    marks[parent] = 0
                marks[parent] |= mark
        _enqueue_parents(commits, known, queue, batch)
    return sorted(base for base in bases if marks[base] & _STALE == 0)


def _pop_generation(queue: list[tuple[int, ObjectId]]) -> list[ObjectId]:
    generation = queue[0][0]
    batch: list[ObjectId] = []
    while queue and queue[0][0] == generation:
        batch.append(heapq.heappop(queue)[1])
    return batch


def _enqueue_parents(
    commits: Commits,
    known: dict[ObjectId, Commit],
    queue: list[tuple[int, ObjectId]],
    batch: list[ObjectId],
) -> None:
    wanted = {parent for identifier in batch for parent in known[identifier].parents}
    missing = wanted - known.keys()
    if missing:
        for identifier, commit in commits(missing).items():
            known[identifier] = commit
            heapq.heappush(queue, (-commit.generation, identifier))


def is_ancestor(commits: Commits, ancestor: ObjectId, descendant: ObjectId) -> bool:
    """Say whether `ancestor` is `descendant` or one of its ancestors."""
    floor = commits((ancestor,))[ancestor].generation
    seen = {descendant}
    frontier = {descendant}
    while frontier:
        if ancestor in frontier:
            return True
        found = commits(frontier)
        frontier = {
            parent
            for commit in found.values()
            if commit.generation > floor
            for parent in commit.parents
            if parent not in seen
        }
        seen |= frontier
    return False


def every_parent(_: ObjectId, commit: Commit) -> Sequence[ObjectId]:
    """Follow all lines of history."""
    return commit.parents


def first_parent(_: ObjectId, commit: Commit) -> Sequence[ObjectId]:
    """Follow one line only: what a branch was itself, without the commits that it merged."""
    return commit.parents[:1]


def log(
    commits: Commits, *starts: ObjectId, follow: Follow = every_parent
) -> Iterator[tuple[ObjectId, Commit]]:
    """Yield `starts` and their ancestors, newest first, no parent before its child; lazy."""
    seen = set(starts)
    queue = [
        (-first.generation, -to_micros(first.committed_at), start, first)
        for start, first in commits(seen).items()
    ]
    heapq.heapify(queue)
    while queue:
        *_, identifier, commit = heapq.heappop(queue)
        yield identifier, commit
        fresh = [parent for parent in follow(identifier, commit) if parent not in seen]
        seen.update(fresh)
        for parent, found in commits(fresh).items() if fresh else ():
            order = (-found.generation, -to_micros(found.committed_at), parent, found)
            heapq.heappush(queue, order)
