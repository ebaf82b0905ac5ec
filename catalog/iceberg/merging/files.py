"""What stretches of a table's history did to its live files."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from catalog.iceberg.manifests.entries import Entry
from catalog.iceberg.metadata import Metadata

# Path, and for a deletion vector its offset: several vectors share one Puffin file.
FileKey = tuple[str, int | None]


class Isolation(StrEnum):
    """How much of what theirs' commands read must be unchanged on ours.

    Snapshot isolation asks it of the rows that they touched, serializability also of the
    partitions: no new rows where theirs deleted or rewrote.
    """

    SERIALIZABLE = "serializable"
    SNAPSHOT = "snapshot"


@dataclass(frozen=True, slots=True)
class FileChanges:
    """The net change of the live files over a stretch of history.

    A file that was both added and removed in between is in none of them. A removed file is given
    as it was before, an added one as it is after.
    """

    added: Mapping[FileKey, Entry]
    removed: Mapping[FileKey, Entry]
    added_deletes: Mapping[FileKey, Entry]
    removed_deletes: Mapping[FileKey, Entry]


@dataclass(frozen=True, slots=True)
class Step:
    """One snapshot, and what it did to its parent's live files."""

    snapshot: Metadata
    changes: FileChanges


def file_key(entry: Entry) -> FileKey:
    """Return what tells a live file from all others of its table."""
    return entry.file.file_path, entry.content_offset
