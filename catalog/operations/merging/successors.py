"""Tables that both sides changed, where one side's state grew out of the other's.

It is so after a squashed merge or a cherry-pick, when the source has gone on since. The table's
metadata log tells: it lists the metadata files that a state came from, oldest first.
"""

from collections.abc import Callable

from catalog.errors import NoSuchFile
from catalog.iceberg.metadata import Metadata
from catalog.versioning.objects import Entry, EntryKind
from catalog.versioning.outcomes import Collision

ReadMetadata = Callable[[str], Metadata]


def successor(read: ReadMetadata, collision: Collision) -> Entry | None:
    """Return the side that grew out of the other, None if neither did; reads metadata."""
    base, ours, theirs = collision.base, collision.ours, collision.theirs
    if _follows(read, base, ours, theirs):
        return theirs
    return ours if _follows(read, base, theirs, ours) else None


def _follows(read: ReadMetadata, base: Entry | None, earlier: Entry, later: Entry) -> bool:
    """Say whether `later` grew out of `earlier`, and that out of the base.

    Without the second half a table that one side rolled back below the base would come back: its
    old file stands in the other side's log too.
    """
    log = _log(read, later)
    if earlier.metadata_location not in log:
        return False
    if base is None:
        return True
    if base.metadata_location in log:
        return log.index(base.metadata_location) < log.index(earlier.metadata_location)
    # The log is cut after some number of files, so the base may only be known to the earlier one.
    return base.metadata_location in _log(read, earlier)


def _log(read: ReadMetadata, entry: Entry) -> list[str | None]:
    if entry.kind is not EntryKind.TABLE or entry.metadata_location is None:
        return []
    try:
        metadata = read(entry.metadata_location)
    except NoSuchFile:
        return []
    return [logged["metadata-file"] for logged in metadata.get("metadata-log") or ()]
