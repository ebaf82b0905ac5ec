"""One build of new metadata: the draft, and what the finish must know of how it came about."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from catalog.errors import InvalidInput
from catalog.iceberg.metadata import MAIN, Metadata
from catalog.iceberg.reading import INT_MAX


@dataclass(slots=True)
class Build:
    """The draft of new metadata while updates are applied.

    `draft` is a shallow copy: whoever changes a list or an object in it puts a new one in its
    place, so that the base stays as it was and untouched parts cost nothing. `clock_ms` is the
    table's clock, which never runs backwards.
    """

    draft: Metadata
    base: Metadata | None
    clock_ms: int
    changed: bool = False
    last_schema_id: int | None = None
    last_spec_id: int | None = None
    last_order_id: int | None = None
    specs_to_check: bool = False
    added_snapshots: set[int] = field(default_factory=set)
    former_mains: set[int] = field(default_factory=set)
    removed_snapshots: bool = False
    _snapshots: dict[int, Metadata] | None = None

    @property
    def version(self) -> int:
        """The format version at this point of the build."""
        version: int = self.draft["format-version"]
        return version

    @property
    def snapshots(self) -> dict[int, Metadata]:
        """The snapshots of the draft by id; read only, indexed once."""
        if self._snapshots is None:
            self._snapshots = {item["snapshot-id"]: item for item in self.draft["snapshots"]}
        return self._snapshots

    def put(self, **members: object) -> None:
        """Put members into the draft (`_` for `-` in their names), and note a change."""
        for name, value in members.items():
            self.draft[name.replace("_", "-")] = value
        self.changed = True

    def put_snapshots(self, snapshots: list[Metadata]) -> None:
        """Put another list of snapshots into the draft."""
        self.put(snapshots=snapshots)
        self._snapshots = None

    def add_snapshot(self, snapshot: Metadata) -> None:
        """Append one snapshot."""
        index = self.snapshots
        self.put(snapshots=[*self.draft["snapshots"], snapshot])
        index[snapshot["snapshot-id"]] = snapshot
        self.added_snapshots.add(snapshot["snapshot-id"])

    def put_main(self, ref: Metadata) -> None:
        """Make a snapshot the current one, and log it unless it is already."""
        snapshot_id = ref["snapshot-id"]
        self.put(refs=self.draft["refs"] | {MAIN: ref})
        if snapshot_id in self.added_snapshots:
            self.former_mains.add(snapshot_id)
        if self.draft["current-snapshot-id"] == snapshot_id:
            return
        log = self.draft["snapshot-log"]
        moment = self.clock_ms
        if snapshot_id in self.added_snapshots:
            moment = self.snapshots[snapshot_id]["timestamp-ms"]
        if log:
            # Readers refuse a log that runs backwards; writers' clocks do.
            moment = max(moment, log[-1]["timestamp-ms"])
        entry = {"timestamp-ms": moment, "snapshot-id": snapshot_id}
        self.put(current_snapshot_id=snapshot_id, snapshot_log=[*log, entry])


def next_id(ids: Iterable[int], start: int) -> int:
    """Return the first id from `start` on that lies above all `ids`.

    Raises:
        InvalidInput: if the 32 bits of an id are used up.
    """
    found = max((used + 1 for used in ids), default=start)
    return check_id(max(start, found))


def check_id(number: int) -> int:
    """Return the id if it fits into 32 bits.

    Raises:
        InvalidInput: if it does not.
    """
    if number > INT_MAX:
        raise InvalidInput(f"No id is left: {number} has more than 32 bits")
    return number
