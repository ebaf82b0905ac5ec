"""What a merge of trees asks for, and what it yields: edits, outcomes and conflicts."""

from collections.abc import Callable, Mapping
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
class Conflict:
    """Two changes that do not go together, with the entry on each side.

    `detail` is a sentence for the people who made the changes; it calls ours the target and theirs
    the source.
    """

    key: Key
    reason: ConflictReason
    detail: str
    base: Entry | None = None
    ours: Entry | None = None
    theirs: Entry | None = None


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

# Merges the content of a table or view that both sides changed: key, base, ours, theirs.
Collide = Callable[[Key, Entry | None, Entry, Entry], Entry | Conflict]
