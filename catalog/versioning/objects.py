"""What the store holds: entries, nodes, commits; and what comparing two trees yields."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from catalog.versioning.ids import ObjectId
from catalog.versioning.keys import Key


class EntryKind(StrEnum):
    """What a key names."""

    NAMESPACE = "namespace"
    TABLE = "table"
    VIEW = "view"
    FUNCTION = "function"


@dataclass(frozen=True, slots=True)
class Entry:
    """What the tree holds for a key.

    Namespaces carry their properties, everything else a metadata location. `facts` are the small
    figures that a diff shows without reading metadata.
    """

    kind: EntryKind
    uuid: str
    metadata_location: str | None = None
    properties: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, int | str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Node:
    """A node of the tree: keys in order and, for each, an encoded entry or a child's id.

    At level 0 the values are encoded entries. Above it each key is the last one of the child
    whose id stands beside it.
    """

    level: int
    keys: tuple[bytes, ...]
    values: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Commit:
    """A state of all tables, with its history and who made it.

    `generation` is 0 without parents, else one more than the highest of theirs; `changed_keys` are
    sorted, and those that differ from the first parent's tree.
    """

    tree: ObjectId
    parents: tuple[ObjectId, ...]
    generation: int
    author: str
    committer: str
    committed_at: datetime
    message: str
    metadata: Mapping[str, str]
    changed_keys: tuple[Key, ...]


class ChangeKind(StrEnum):
    """What happened to a key between two trees."""

    ADDED = "added"
    REMOVED = "removed"
    MODIFIED = "modified"
    RENAMED = "renamed"


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between two trees; `from_key` is the old key of what was renamed.

    What was dropped and created anew under one name is `modified`, with two uuids.
    """

    key: Key
    change: ChangeKind
    before: Entry | None
    after: Entry | None
    from_key: Key | None = None
