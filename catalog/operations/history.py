"""What happened: the log, a commit with its changes, what differs between revisions, the reflog."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from catalog.errors import InvalidInput, NoSuchRevision
from catalog.operations.ancestry import ReadAhead
from catalog.operations.entries import find_key
from catalog.operations.resolve import has_commit, resolve
from catalog.operations.warehouses import Warehouse
from catalog.store import refs
from catalog.store.engine import read
from catalog.store.refs import ReflogEntry
from catalog.versioning.bases import parent_tree
from catalog.versioning.diff import diff
from catalog.versioning.graph import Follow, every_parent, first_parent, log
from catalog.versioning.ids import ObjectId, to_hex
from catalog.versioning.keys import Key
from catalog.versioning.object_store import Objects
from catalog.versioning.objects import Change, Commit
from catalog.versioning.revisions import check_ref_name
from catalog.versioning.trace import Trace

__all__ = [
    "Compared",
    "LogFilter",
    "LogPage",
    "Logged",
    "Place",
    "ReflogEntry",
    "diff_revisions",
    "every_parent",
    "first_parent",
    "get_commit",
    "list_commits",
    "list_reflog",
]

# A page looks at this many commits at most, so that a filter which few of a long history pass
# answers in bounded time; it is then short, and has a next one.
_MAX_SCANNED = 20_000


@dataclass(frozen=True, slots=True)
class Logged:
    """A commit with its id."""

    commit_id: ObjectId
    commit: Commit


@dataclass(frozen=True, slots=True)
class LogFilter:
    """Which commits a log shows."""

    author: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def passes(self, commit: Commit) -> bool:
        """Say whether the commit passes every filter."""
        return (
            (self.author is None or commit.author == self.author)
            and (self.since is None or commit.committed_at >= self.since)
            and (self.until is None or commit.committed_at <= self.until)
        )


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page of a log begins: a commit and, in the log of a table, its name there."""

    commit_id: ObjectId
    key: Key | None = None


@dataclass(frozen=True, slots=True)
class LogPage:
    """Commits, newest first, and where the next page begins: nowhere after the last."""

    commits: list[Logged]
    going_on: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Compared:
    """Two commits, and the changes that lead from one tree to the other, by key."""

    before: ObjectId
    after: ObjectId
    changes: list[Change]


def list_commits(
    warehouse: Warehouse,
    revision: str | None,
    *,
    going_on: Sequence[Place] = (),
    table: str | None = None,
    wanted: LogFilter,
    limit: int,
    follow: Follow = every_parent,
) -> LogPage:
    """Return a page of a revision's history, newest first, no parent before its child.

    `table`, a key with its levels joined by dots, leaves those commits that changed it, as `Trace`
    follows it. `going_on` is what the page before named; the revision is not looked at then.

    Raises:
        InvalidInput: if `going_on` names a commit that is not of this warehouse, or was named by
            the log of something else.
    """
    objects = warehouse.objects()
    starts = _starts(warehouse, objects, revision, table, going_on)
    commits = ReadAhead(
        warehouse, objects, [revision or warehouse.default_branch, warehouse.default_branch]
    )
    ids = [place.commit_id for place in starts]
    if table is None:
        return _page(log(commits, *ids, follow=follow), ids, follow, wanted, limit, None)
    names: defaultdict[ObjectId, set[Key]] = defaultdict(set)
    for place in starts:
        if place.key is not None:
            names[place.commit_id].add(place.key)
    trace = Trace(objects, commits, names, follow)
    return _page(log(commits, *ids, follow=trace), ids, trace, wanted, limit, trace)


def _page(
    history: Iterable[tuple[ObjectId, Commit]],
    starts: Sequence[ObjectId],
    follow: Follow,
    wanted: LogFilter,
    limit: int,
    trace: Trace | None,
) -> LogPage:
    found: list[Logged] = []
    seen: set[ObjectId] = set()
    ahead = set(starts)
    for commit_id, commit in history:
        if len(found) == limit or len(seen) == _MAX_SCANNED:
            break
        if wanted.passes(commit) and (trace is None or trace.changed(commit_id, commit)):
            found.append(Logged(commit_id, commit))
        seen.add(commit_id)
        ahead.update(follow(commit_id, commit))
    left = sorted(ahead - seen)
    if trace is None:
        return LogPage(found, tuple(map(Place, left)))
    return LogPage(found, tuple(Place(each, key) for each in left for key in trace.keys(each)))


def get_commit(warehouse: Warehouse, revision: str) -> tuple[Logged, list[Change]]:
    """Return a commit, and what it changed against its first parent."""
    commit_id = resolve(warehouse, revision).commit_id
    objects = warehouse.objects()
    commit = objects.commit(commit_id)
    return Logged(commit_id, commit), diff(objects, parent_tree(objects, commit), commit.tree)


def diff_revisions(warehouse: Warehouse, before: str, after: str) -> Compared:
    """Return what differs between two revisions."""
    first = resolve(warehouse, before).commit_id
    second = resolve(warehouse, after).commit_id
    objects = warehouse.objects()
    trees = objects.commits({first, second})
    return Compared(first, second, diff(objects, trees[first].tree, trees[second].tree))


def list_reflog(
    warehouse: Warehouse, branch: str | None, *, before: int | None, limit: int
) -> list[ReflogEntry]:
    """Return how a branch or tag moved, newest first; also of one that was deleted since.

    Raises:
        NoSuchRevision: if there never was one of that name.
    """
    name = warehouse.default_branch if branch is None else check_ref_name(branch)
    moves = read(
        warehouse.catalog.engine,
        lambda connection: refs.list_reflog(
            connection, warehouse.id, branch=name, limit=limit, before=before
        ),
    )
    if not moves and before is None:
        raise NoSuchRevision(
            f"Branch {name!r} has never existed in warehouse {warehouse.name!r}", revision=name
        )
    return moves


def _starts(
    warehouse: Warehouse,
    objects: Objects,
    revision: str | None,
    table: str | None,
    going_on: Sequence[Place],
) -> Sequence[Place]:
    for place in going_on:
        if not has_commit(warehouse, place.commit_id):
            raise InvalidInput(
                f"Invalid page_token: warehouse {warehouse.name!r} has no commit"
                f" {to_hex(place.commit_id)}; begin again without one"
            )
        if (place.key is None) != (table is None):
            raise InvalidInput(
                "Invalid page_token: it goes on with another log; begin again without one"
            )
    if going_on:
        return going_on
    commit_id = resolve(warehouse, revision).commit_id
    if table is None:
        return [Place(commit_id)]
    return [Place(commit_id, find_key(objects, objects.commit(commit_id).tree, table))]
