"""Which snapshots are copies of another one, and which only name one.

A merge's copy names its origin in `source-snapshot-id`, as Iceberg's cherry-picks do. Any client
may write there what it likes: jobs name what they read, of another table perhaps. Two snapshots
that name one id are then two changes, and a merge that took them for one would lose rows. So a copy
is what a merge wrote itself, or what added the very files of the snapshot that it names.
"""

from collections.abc import Collection, Mapping

from pyiceberg.partitioning import UNPARTITIONED_PARTITION_SPEC

from catalog.iceberg.manifests.entries import Read, read_entries
from catalog.iceberg.manifests.lists import read_manifests
from catalog.iceberg.merging.files import FileKey, file_key
from catalog.iceberg.metadata import Metadata

SOURCE_SNAPSHOT = "source-snapshot-id"
ORIGIN_COMMIT = "mainstem.origin-commit"


def list_location(directory: str, snapshot_id: int) -> str:
    """Return where a merge writes the manifest list of a snapshot."""
    return f"{directory}/{_list_name(snapshot_id)}"


def replayed_from(snapshot: Metadata) -> int | None:
    """Return the origin of a snapshot that a merge wrote, None for all others.

    Its summary alone does not tell: clients copy summaries, too. They name their own lists.
    """
    location = str(snapshot.get("manifest-list") or "")
    is_replayed = ORIGIN_COMMIT in (snapshot.get("summary") or {}) and location.endswith(
        f"/{_list_name(snapshot['snapshot-id'])}"
    )
    return _named(snapshot) if is_replayed else None


class Copies:
    """Finds the first snapshots that made a change, among those that are known.

    Of a cherry-pick that is `shared` by all histories nothing needs to be told, so none is read.
    """

    def __init__(self, known: Mapping[int, Metadata], shared: Collection[int], read: Read) -> None:
        self._known = known
        self._shared = shared
        self._read = read
        self._origins: dict[int, int] = {}

    def origin(self, snapshot: Metadata) -> int:
        """Follow copies back to the first snapshot that made a change.

        Raises:
            ValidationFailed: if the files of a snapshot cannot be understood.
        """
        own: int = snapshot["snapshot-id"]
        if own not in self._origins:
            self._origins[own] = self._follow(snapshot)
        return self._origins[own]

    def _follow(self, snapshot: Metadata) -> int:
        passed: set[int] = set()
        while True:
            own: int = snapshot["snapshot-id"]
            source = self._source(snapshot)
            if source is None or own in passed:
                return own
            if source not in self._known:
                return source
            passed.add(own)
            snapshot = self._known[source]

    def _source(self, snapshot: Metadata) -> int | None:
        replayed = replayed_from(snapshot)
        if replayed is not None:
            return replayed
        named = None if snapshot["snapshot-id"] in self._shared else _named(snapshot)
        picked = None if named is None else self._known.get(named)
        return named if picked is not None and self._adds_same(picked, snapshot) else None

    def _adds_same(self, one: Metadata, another: Metadata) -> bool:
        """Tell whether two snapshots added the same files, at least one.

        If a copy is not known as one, nothing is lost: files are added once only.
        """
        return bool(added := self._added(one)) and added == self._added(another)

    def _added(self, snapshot: Metadata) -> set[FileKey]:
        if snapshot.get("manifest-list") is None or snapshot.get("key-id") is not None:
            return set()
        own = snapshot["snapshot-id"]
        # Only paths are asked for, so no spec needs to be known.
        return {
            file_key(entry)
            for manifest in read_manifests(snapshot, self._read)
            if manifest.snapshot_id == own
            for entry in read_entries(manifest, UNPARTITIONED_PARTITION_SPEC, self._read)
            if entry.added and entry.snapshot_id == own
        }


def _list_name(snapshot_id: int) -> str:
    return f"snap-{snapshot_id}-merge.avro"


def _named(snapshot: Metadata) -> int | None:
    text = (snapshot.get("summary") or {}).get(SOURCE_SNAPSHOT)
    try:
        return None if text is None else int(text)
    except ValueError:
        return None
