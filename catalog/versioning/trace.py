"""The history of one key: of what it names, through renames and along the lines that made it."""

from bisect import bisect_left
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from catalog.versioning.diff import changed_keys
from catalog.versioning.graph import Commits, Follow, every_parent
from catalog.versioning.ids import ObjectId
from catalog.versioning.keys import Key
from catalog.versioning.object_store import Objects
from catalog.versioning.objects import Commit, Entry
from catalog.versioning.tree import get


@dataclass(frozen=True, slots=True)
class _Step:
    """What a commit was to the key, and the parents in which its history goes on."""

    changed: bool
    parents: Sequence[ObjectId]


class Trace:
    """Follow a key with `log`: an instance is a `Follow`.

    As git simplifies the log of a path: of a merge whose state one parent had already, that parent
    alone is followed, and only a commit whose state no parent had counts as a change. What the key
    names is followed through renames by its uuid; before it was made, its name is. `starts` gives
    the names to begin with at each commit.
    """

    def __init__(
        self,
        objects: Objects,
        commits: Commits,
        starts: Mapping[ObjectId, Collection[Key]],
        follow: Follow = every_parent,
    ) -> None:
        self._objects = objects
        self._commits = commits
        self._follow = follow
        # Lines that meet in a commit may come to it by several names.
        self._keys = {identifier: frozenset(keys) for identifier, keys in starts.items()}
        self._steps: dict[ObjectId, _Step] = {}

    def __call__(self, identifier: ObjectId, commit: Commit) -> Sequence[ObjectId]:
        """Return the parents in which the history goes on."""
        return self._step(identifier, commit).parents

    def changed(self, identifier: ObjectId, commit: Commit) -> bool:
        """Say whether the commit made a state that none of its parents had."""
        return self._step(identifier, commit).changed

    def keys(self, identifier: ObjectId) -> Collection[Key]:
        """Return the names at a commit that was reached: mostly one."""
        return self._keys[identifier]

    def _step(self, identifier: ObjectId, commit: Commit) -> _Step:
        found = self._steps.get(identifier)
        if found is None:
            found = self._steps[identifier] = self._looked_at(identifier, commit)
        return found

    def _looked_at(self, identifier: ObjectId, commit: Commit) -> _Step:
        parents = self._follow(identifier, commit)
        keys = self._keys[identifier]
        # Most commits change something else, which they say without their tree being read.
        if not any(_holds(commit.changed_keys, key) for key in keys):
            return self._unchanged(keys, parents[:1])
        steps = [self._of_key(commit, parents, key) for key in sorted(keys)]
        followed = {parent for step in steps for parent in step.parents}
        ordered = [parent for parent in parents if parent in followed]
        return _Step(any(step.changed for step in steps), ordered)

    def _of_key(self, commit: Commit, parents: Sequence[ObjectId], key: Key) -> _Step:
        if not _holds(commit.changed_keys, key):
            return self._unchanged(frozenset([key]), parents[:1])
        now = get(self._objects, commit.tree, key)
        trees = {each: found.tree for each, found in self._commits(parents).items()}
        for parent in parents[1:]:
            if get(self._objects, trees[parent], key) == now:
                return self._unchanged(frozenset([key]), [parent])
        for parent in parents:
            former = self._former_key(trees[parent], commit.tree, key, now)
            self._reach(parent, frozenset([former]))
        return _Step(True, parents)

    def _unchanged(self, keys: frozenset[Key], parents: Sequence[ObjectId]) -> _Step:
        for parent in parents:
            self._reach(parent, keys)
        return _Step(False, parents)

    def _reach(self, identifier: ObjectId, keys: frozenset[Key]) -> None:
        known = self._keys.get(identifier)
        self._keys[identifier] = keys if known is None else known | keys

    def _former_key(self, before: ObjectId, after: ObjectId, key: Key, now: Entry | None) -> Key:
        """Return how the parent with the tree `before` called what is `now` under `key`."""
        there = get(self._objects, before, key)
        if now is None or (there is not None and there.uuid == now.uuid):
            return key
        for other, old, new in changed_keys(self._objects, before, after):
            if old is not None and (old.kind, old.uuid) == (now.kind, now.uuid):
                # A second name for one uuid, by registering it again, is no rename.
                return key if new is not None and new.uuid == old.uuid else other
        return key


def _holds(ordered: Sequence[Key], key: Key) -> bool:
    index = bisect_left(ordered, key)
    return index < len(ordered) and ordered[index] == key
