"""What a merge of trees yields: edits, what became of each change, and conflicts."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from catalog.versioning.ids import ObjectId
from catalog.versioning.keys import Key
from catalog.versioning.objects import Entry


class ConflictReason(StrEnum):
    """Why two changes do not go together."""

    BOTH_CHANGED = "both-changed"
    CHANGED_AND_DROPPED = "changed-and-dropped"
    BOTH_CREATED = "both-created"
    RENAMED_DIFFERENTLY = "renamed-differently"
    RENAMED_AND_DROPPED = "renamed-and-dropped"
    NAME_TAKEN = "name-taken"
    NAMESPACE_DROPPED = "namespace-dropped"
    NAMESPACE_NOT_EMPTY = "namespace-not-empty"
    PROPERTY_CONFLICT = "property-conflict"


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two changes that do not go together, with the entry on each side."""

    key: Key
    reason: ConflictReason
    detail: str
    base: Entry | None = None
    ours: Entry | None = None
    theirs: Entry | None = None


class Action(StrEnum):
    """What a merge did with something that theirs changed."""

    OURS = "ours"
    THEIRS = "theirs"
    BOTH = "both"
    MERGED = "merged"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one thing that theirs changed; `resolved` if a resolution decided it."""

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

    `tree` is the result's root where it is known without applying the edits.
    """

    edits: Mapping[Key, Entry | None]
    outcomes: tuple[Outcome, ...]
    conflicts: tuple[Conflict, ...]
    tree: ObjectId | None = None
