"""Where each thing stands in the three trees of a merge.

A thing is what a kind and a uuid identify, so that it is followed through renames. Namespaces are
never renamed: one is what its name says, and its uuid, which no client sees, is no part of it. So
what two branches create under one name is one namespace.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from catalog.versioning.diff import Item
from catalog.versioning.encoding import decode_entry
from catalog.versioning.keys import Key, decode_key
from catalog.versioning.objects import Entry, EntryKind
from catalog.versioning.outcomes import Action

Place = tuple[Key, Entry]

_Name = tuple[EntryKind, str]
_Identity = tuple[EntryKind, str, Key | None]
_Tree = Mapping[Key, Entry | None]


@dataclass(slots=True)
class Sides:
    """Where a thing stands in each tree and, once decided, in the result; None if it is absent.

    `resolved` says that a resolution decided, `placed` that its place was decided for the sake of
    something else, which happens once; `conflicted` that it is in a conflict, and stays as ours
    has it.
    """

    base: Place | None = None
    ours: Place | None = None
    theirs: Place | None = None
    result: Place | None = None
    action: Action = Action.OURS
    resolved: bool = False
    placed: bool = False
    conflicted: bool = False

    @property
    def key(self) -> Key:
        """The key to speak of: the new one if a side renamed it. Swapping the sides keeps it."""
        old = {self.base[0]} if self.base is not None else set()
        now = {place[0] for place in (self.ours, self.theirs) if place is not None}
        return min((now - old) or now or old)

    def take(self, action: Action, place: Place | None, *, resolved: bool = False) -> None:
        """Decide the result."""
        self.action = action
        self.result = place
        self.resolved = resolved

    def move(self, action: Action, place: Place | None) -> None:
        """Decide the result anew, as a resolution asks, for the sake of something else's place."""
        self.take(action, place, resolved=True)
        self.placed = True

    @property
    def settled(self) -> bool:
        """Whether its place may not be decided anew."""
        return self.placed or self.conflicted


def find_sides(ours: Iterable[Item], theirs: Iterable[Item]) -> list[Sides]:
    """Return each thing that either side changed against the base, by key.

    What stands under several keys of one tree, as a table that was registered twice, cannot be
    followed: then each of its keys is a thing of its own.
    """
    trees = _trees(ours, theirs)
    ambiguous: set[_Name] = set()
    for tree in trees:
        ambiguous |= _repeated(tree)
    found: dict[_Identity, Sides] = {}
    for tree, side in zip(trees, ("base", "ours", "theirs"), strict=True):
        for key, entry in tree.items():
            if entry is not None:
                identity = _identity(key, entry, ambiguous)
                setattr(found.setdefault(identity, Sides()), side, (key, entry))
    return [found[identity] for identity in sorted(found, key=lambda one: _order(one, found[one]))]


def same(one: Place | None, another: Place | None) -> bool:
    """Tell whether a thing is the same in two places, or in neither."""
    if one is None or another is None or one == another:
        return one == another
    return one[0] == another[0] and same_namespace(one[1], another[1])


def same_namespace(one: Entry, another: Entry) -> bool:
    """Tell whether two entries are namespaces that differ in nothing but their uuid."""
    if one.kind is not EntryKind.NAMESPACE:
        return False
    return replace(one, uuid="") == replace(another, uuid="")


def entry_of(place: Place | None) -> Entry | None:
    """Return the entry of a place, None if there is none."""
    return None if place is None else place[1]


def _identity(key: Key, entry: Entry, ambiguous: Collection[_Name]) -> _Identity:
    if entry.kind is EntryKind.NAMESPACE:
        return entry.kind, "", key
    name = (entry.kind, entry.uuid)
    return (*name, key if name in ambiguous else None)


def _order(identity: _Identity, sides: Sides) -> tuple[Key, EntryKind, str]:
    return sides.key, identity[0], identity[1]


def _trees(ours: Iterable[Item], theirs: Iterable[Item]) -> tuple[_Tree, _Tree, _Tree]:
    """Return what base, ours and theirs hold for every key that either side changed."""
    base: dict[Key, Entry | None] = {}
    changed: tuple[dict[Key, Entry | None], dict[Key, Entry | None]] = ({}, {})
    for items, side in zip((ours, theirs), changed, strict=True):
        for encoded, old, new in items:
            key = decode_key(encoded)
            if key not in base:
                base[key] = None if old is None else decode_entry(old)
            side[key] = None if new is None else decode_entry(new)
    return base, base | changed[0], base | changed[1]


def _repeated(tree: _Tree) -> set[_Name]:
    seen: set[_Name] = set()
    repeated: set[_Name] = set()
    for entry in tree.values():
        if entry is not None:
            name = (entry.kind, entry.uuid)
            (repeated if name in seen else seen).add(name)
    return repeated
