"""Which commit brought each part of a table, view or namespace to what it is.

Parts are handed down from a commit to the parent that had them as they are; what no parent had,
the commit brought. So the trail goes through merges to the commit on the branch, and through
renames, and ends where the table was made.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

from catalog.errors import NoSuchFile
from catalog.iceberg.metadata import Metadata
from catalog.iceberg.parts import (
    Part,
    Parts,
    function_parts,
    namespace_parts,
    table_parts,
    view_parts,
)
from catalog.operations.ancestry import ReadAhead
from catalog.operations.entries import find_key, missing_error, shown
from catalog.operations.metadata import read_metadata
from catalog.operations.resolve import resolve
from catalog.operations.warehouses import Warehouse
from catalog.versioning.graph import Commits, log
from catalog.versioning.ids import ObjectId
from catalog.versioning.keys import Key
from catalog.versioning.object_store import Objects
from catalog.versioning.objects import Commit, Entry, EntryKind
from catalog.versioning.trace import Trace
from catalog.versioning.tree import get

# So many commits are looked at together, their metadata files read side by side.
_WINDOW = 256
_PARALLEL = 16
# Where the trail is longer than this many commits, or changes of the table, it is left.
_MAX_SCANNED = 200_000
_MAX_CHANGES = 5_000

_BY_KIND: Mapping[EntryKind, Callable[[Metadata], Parts]] = {
    EntryKind.TABLE: table_parts,
    EntryKind.VIEW: view_parts,
    EntryKind.FUNCTION: function_parts,
}

_Identity = tuple[str, int | str]
Read = Callable[[Entry], Parts | None]


@dataclass(frozen=True, slots=True)
class Blamed:
    """A part, and the commit that brought it; None if the trail was left before."""

    part: Part
    brought: tuple[ObjectId, Commit] | None


@dataclass(frozen=True, slots=True)
class Blame:
    """All parts of what a key names at a commit."""

    commit_id: ObjectId
    key: Key
    entry: Entry
    parts: list[Blamed]


@dataclass(frozen=True, slots=True)
class _Held:
    """What a commit holds for the key that is followed, and under which name."""

    key: Key
    entry: Entry


@dataclass(frozen=True, slots=True)
class _Step:
    """A commit on the trail; `before` are the parents to which parts may be handed down.

    `now` is None where the commit left everything as it was.
    """

    commit_id: ObjectId
    commit: Commit
    now: _Held | None
    before: Sequence[tuple[ObjectId, _Held | None]]


def blame(warehouse: Warehouse, revision: str | None, table: str) -> Blame:
    """Tell of each part of a table, view or namespace which commit brought it.

    Raises:
        NoSuchTable: if the revision holds nothing of that name.
        NoSuchFile: if its metadata file is gone.
    """
    commit_id = resolve(warehouse, revision).commit_id
    objects = warehouse.objects()
    tree = objects.commit(commit_id).tree
    key = find_key(objects, tree, table)
    entry = get(objects, tree, key)
    if entry is None:
        raise missing_error(EntryKind.TABLE, key)
    branches = [revision or warehouse.default_branch, warehouse.default_branch]
    commits = ReadAhead(warehouse, objects, branches)
    parts = _read_parts(warehouse, entry)
    blamed = trail(
        objects, commits, commit_id, key, parts, lambda each: _read_if_there(warehouse, each)
    )
    return Blame(commit_id, key, entry, blamed)


def trail(
    objects: Objects, commits: Commits, commit_id: ObjectId, key: Key, parts: Parts, read: Read
) -> list[Blamed]:
    """Return who brought the parts of what `key` names; `read` gives those of earlier states.

    It gives None where they cannot be told any more, and is called by several threads.
    """
    entry = get(objects, commits([commit_id])[commit_id].tree, key)
    assert entry is not None
    parts = _with_names(_Held(key, entry), parts)
    trace = Trace(objects, commits, {commit_id: [key]})
    history = islice(log(commits, commit_id, follow=trace), _MAX_SCANNED)
    steps = (_step(objects, trace, entry, *each) for each in history)
    found = _followed(read, steps, commit_id, parts)
    return [Blamed(part, found.get(identity)) for identity, part in parts.items()]


def _step(
    objects: Objects, trace: Trace, wanted: Entry, commit_id: ObjectId, commit: Commit
) -> _Step:
    parents = trace(commit_id, commit)
    if not trace.changed(commit_id, commit):
        return _Step(commit_id, commit, None, [(parent, None) for parent in parents])

    def held(identifier: ObjectId, tree: ObjectId) -> _Held | None:
        for key in trace.keys(identifier):
            entry = get(objects, tree, key)
            if entry is not None and (entry.kind, entry.uuid) == (wanted.kind, wanted.uuid):
                return _Held(key, entry)
        return None

    trees = {each: found.tree for each, found in objects.commits(parents).items()}
    before = [(parent, held(parent, trees[parent])) for parent in parents]
    return _Step(commit_id, commit, held(commit_id, commit.tree), before)


_Found = dict[_Identity, tuple[ObjectId, Commit]]
_States = Mapping[str | None, Parts | None]


def _followed(read: Read, steps: Iterator[_Step], start: ObjectId, parts: Parts) -> _Found:
    """Hand the parts down the trail, and return for each the commit that it stayed with."""
    found: _Found = {}
    pending = defaultdict(set, {start: set(parts)})
    changes = 0
    with ThreadPoolExecutor(_PARALLEL, thread_name_prefix="blame") as pool:
        while pending and changes < _MAX_CHANGES:
            window = list(islice(steps, _WINDOW))
            if not window:
                break
            entries = {held.entry.metadata_location: held.entry for held in _held(window)}
            states = dict(zip(entries, pool.map(read, entries.values()), strict=True))
            for step in window:
                changes += step.now is not None
                _hand_down(step, states, pending, found)
    return found


def _held(window: Sequence[_Step]) -> Iterator[_Held]:
    for step in window:
        if step.now is not None:
            yield step.now
            yield from (held for _, held in step.before if held is not None)


def _hand_down(
    step: _Step,
    states: _States,
    pending: defaultdict[ObjectId, set[_Identity]],
    found: _Found,
) -> None:
    """Give each part that has come to a commit to the first parent that had it as it is."""
    come = pending.pop(step.commit_id, set())
    if not come:
        return
    if step.now is None:
        for parent, _ in step.before:
            pending[parent] |= come
        return
    now = _state(step.now, states)
    for parent, held in step.before:
        if held is None or now is None:
            continue
        then = _state(held, states)
        if then is None:
            # A file that is gone may have had any of them.
            come.clear()
            return
        same = {each for each in come if each in then and then[each].same == now[each].same}
        if same:
            pending[parent] |= same
            come -= same
    if now is not None:
        found.update(dict.fromkeys(come, (step.commit_id, step.commit)))


def _state(held: _Held, states: _States) -> Parts | None:
    if held.entry.kind is EntryKind.NAMESPACE:
        return _with_names(held, namespace_parts(held.entry.properties))
    parts = states[held.entry.metadata_location]
    return None if parts is None else _with_names(held, parts)


def _with_names(held: _Held, parts: Parts) -> Parts:
    """Add what the tree knows and metadata does not: that it is there, and under which name."""
    kind, name = held.entry.kind.value, shown(held.key)
    own = (Part(kind, kind, held.entry.uuid, held.entry.uuid), Part("name", "name", name, held.key))
    return {part.identity: part for part in own} | parts


def _read_parts(warehouse: Warehouse, entry: Entry) -> Parts:
    if entry.kind is EntryKind.NAMESPACE:
        return namespace_parts(entry.properties)
    assert entry.metadata_location is not None
    return _BY_KIND[entry.kind](read_metadata(warehouse, entry.metadata_location))


def _read_if_there(warehouse: Warehouse, entry: Entry) -> Parts | None:
    try:
        return _read_parts(warehouse, entry)
    except NoSuchFile:
        return None
