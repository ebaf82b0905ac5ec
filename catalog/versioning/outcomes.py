"""What a merge of trees asks for, and what it yields: edits, outcomes and conflicts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from catalog.versioning.ids import ObjectId
from catalog.versioning.keys import Key
from catalog.versioning.objects import Entry


class ConflictReason(StrEnum):
    """Why two changes do not go together. The values are stable: clients rely on them."""

    BOTH_CHANGED = "both-changed"
    CHANGED_AND_DROPPED = "changed-and-dropped"
    BOTH_CREATED = "both-created"
    RENAMED_DIFFERENTLY = "renamed-differently"
    RENAMED_AND_DROPPED = "renamed-and-dropped"
    NAME_TAKEN = "name-taken"
    NAMESPACE_DROPPED = "namespace-dropped"
    NAMESPACE_NOT_EMPTY = "namespace-not-empty"
    PROPERTY_CONFLICT = "property-conflict"
    READ_CHANGED = "read-changed"


@dataclass(frozen=True, slots=True)
class Cause:
    """One of the things for which two contents do not go together: a stable code, a sentence."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two changes that do not go together, with the entry on each side.

    `detail` is a sentence for the people who made the changes; it calls ours the target and theirs
    the source. `causes` are all that were found inside a table or view.
    """

    key: Key
    reason: ConflictReason
    detail: str
    base: Entry | None = None
    ours: Entry | None = None
    theirs: Entry | None = None
    causes: tuple[Cause, ...] = ()


@dataclass(frozen=True, slots=True)
class Collision:
    """A table or view whose content both sides changed, not alike."""

    key: Key
    base: Entry | None
    ours: Entry
    theirs: Entry

    def conflict(self, detail: str, causes: tuple[Cause, ...] = ()) -> Conflict:
        """Return that its two contents do not go together."""
        sides = self.base, self.ours, self.theirs
        return Conflict(self.key, ConflictReason.BOTH_CHANGED, detail, *sides, causes)


class Action(StrEnum):
    """What a merge did with something that changed."""

    OURS = "ours"
    THEIRS = "theirs"
    BOTH = "both"
    MERGED = "merged"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one thing, followed through renames; `resolved` if a resolution decided it.

    The entries are None where it is absent. Something dropped and something else created under its
    name are two outcomes with one key.
    """

    key: Key
    action: Action
    base: Entry | None
    ours: Entry | None
    theirs: Entry | None
    result: Entry | None
    resolved: bool = False


@dataclass(frozen=True, slots=True)
class TreeMerge:
    """The edits that make ours the result, and how they came about; all sorted by key.

    With conflicts there is no result, and the edits mean nothing. `tree` is the result's root where
    it is known without applying the edits.
    """

    edits: Mapping[Key, Entry | None]
    outcomes: tuple[Outcome, ...]
    conflicts: tuple[Conflict, ...]
    tree: ObjectId | None = None


# What to do where two changes do not go together: ask `Collide`, conflict, or take a side.
Resolution = Literal["auto", "fail", "ours", "theirs"]
Resolve = Callable[[Key], Resolution]

# Merges the contents of tables and views that both sides changed; answers in the same order.
Collide = Callable[[Sequence[Collision]], Sequence[Entry | Conflict]]
