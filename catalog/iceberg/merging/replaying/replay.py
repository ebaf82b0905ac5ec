"""Snapshots of one history made again on top of another.

Manifests are written again under the new snapshot ids: listed as they are, their entries would be
missed by incremental readers and by the conflict checks of later writers. Files that are removed
are taken out of the manifests that hold them; all other manifests stay as they are.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from catalog.iceberg.manifests.entries import Entry, StoredEntry
from catalog.iceberg.manifests.lists import (
    ADDED_FILES,
    ADDED_ROWS,
    CONTENT,
    EXISTING_FILES,
    EXISTING_ROWS,
    FIRST_ROW_ID,
    PATH,
    ListRecord,
    manifest_of,
    read_list,
    write_list,
)
from catalog.iceberg.merging.changes import Source
from catalog.iceberg.merging.copies import list_location
from catalog.iceberg.merging.files import FileChanges, FileKey, Step
from catalog.iceberg.merging.lineage import Lineage, operation_of, sequence_number_of
from catalog.iceberg.merging.problems import Problem
from catalog.iceberg.merging.replaying.invariants import Vectors, check_snapshot
from catalog.iceberg.merging.replaying.places import find_places, removed_keys
from catalog.iceberg.merging.replaying.rewriting import CannotReplay, Files, Listed, Rewriting
from catalog.iceberg.merging.replaying.summaries import summarise
from catalog.iceberg.merging.results import ReplayedSnapshot
from catalog.iceberg.metadata import MAIN, Metadata, current_snapshot_id

_DELETES = 1


@dataclass(frozen=True, slots=True)
class Clock:
    """Where new ids and times come from."""

    now_ms: int
    new_snapshot_id: Callable[[], int]


@dataclass(frozen=True, slots=True)
class Sides:
    """Where the files of both sides are read, and what theirs' schema ids are in the result.

    `unseen_deletes` are the delete files of ours that theirs did not know.
    """

    ours: Source
    theirs: Source
    schema_ids: Mapping[int, int]
    unseen_deletes: Collection[Entry]


class Replay:
    """The target's history while theirs' snapshots are added to it, one by one."""

    def __init__(
        self, metadata: Metadata, lineage: Lineage, sides: Sides, files: Files, clock: Clock
    ) -> None:
        self.metadata = dict(metadata)
        self._lineage = lineage
        self._sides = sides
        self._files = files
        self._clock = clock
        self._numbers = dict(lineage.numbers)
        self._head = current_snapshot(metadata)
        self._list = None if self._head is None else sides.ours.lists.of(self._head)
        self._records = [] if self._list is None else list(self._list.records)
        self._vectors = Vectors(sides.unseen_deletes)
        self._wanted: set[FileKey] = set()
        self._places: dict[FileKey, str] = {}

    def run(
        self, steps: Sequence[Step], directory: str, origin_commit: str
    ) -> tuple[ReplayedSnapshot, ...]:
        """Add steps in their order; the target's log tells of the last one, which readers see.

        Raises:
            CannotReplay: if a file that a step removes is not live on the target, or a number that
                it names means nothing there.
        """
        self._wanted = removed_keys(steps)
        records = {record[PATH]: record for record in self._records}
        self._places = find_places(records, steps, self._lineage.parents, self._sides.ours)
        told = tuple(self._add(step, directory, origin_commit) for step in steps)
        if told and self._head is not None:
            moment, current = self._head["timestamp-ms"], self._head["snapshot-id"]
            entry = {"timestamp-ms": moment, "snapshot-id": current}
            self.metadata["snapshot-log"] = [*self.metadata["snapshot-log"], entry]
        return told

    def _add(self, step: Step, directory: str, origin_commit: str) -> ReplayedSnapshot:
        version = self.metadata["format-version"]
        number = self.metadata["last-sequence-number"] + 1 if version > 1 else 0
        self._numbers[sequence_number_of(step.snapshot)] = number
        rewriting = Rewriting(self._unused_id(), number, version, directory, self._files)
        changes = self._fitting(step.changes)
        self._vectors.take(changes)
        before = [record for record in self._records if _holds_files(record)]
        replaced = self._take_out(rewriting, changes)
        created = self._added(rewriting, step.snapshot, changes)
        self._records = [*created, *(replaced.get(record[PATH], record) for record in before)]
        origin = self._lineage.origins[step.snapshot["snapshot-id"]]
        summary = summarise(
            step.snapshot,
            changes,
            previous=self._head,
            origin=origin,
            origin_commit=origin_commit,
        )
        snapshot = self._snapshot(rewriting, step.snapshot, summary)
        check_snapshot(snapshot, before, self._records, changes, self._sides.ours)
        self._files.forget(replaced)
        self._put(snapshot)
        return _told(origin, snapshot, changes)

    def _fitting(self, changes: FileChanges) -> FileChanges:
        """Return changes without the removal of position deletes that are gone already.

        Raises:
            CannotReplay: if any other file that is to be removed is not live.
        """
        missing = {
            key for key in (*changes.removed, *changes.removed_deletes) if key not in self._places
        }
        for key in missing:
            entry = changes.removed_deletes.get(key)
            if entry is None or entry.content_offset is not None:
                raise CannotReplay(_not_live(key))
        if not missing:
            return changes
        removed = {k: entry for k, entry in changes.removed_deletes.items() if k not in missing}
        return FileChanges(changes.added, changes.removed, changes.added_deletes, removed)

    def _take_out(self, rewriting: Rewriting, changes: FileChanges) -> dict[str, ListRecord]:
        """Rewrite the manifests that hold removed files; returns new records by old path."""
        gone: dict[str, set[FileKey]] = defaultdict(set)
        for key in (*changes.removed, *changes.removed_deletes):
            gone[self._places.pop(key)].add(key)
        replaced = {}
        for record in self._records:
            path = record[PATH]
            if path in gone:
                listed = Listed(manifest_of(record), record)
                written, kept = rewriting.without(
                    listed, self._sides.ours, gone[path], self._wanted
                )
                self._place(kept, written)
                replaced[path] = written
        return replaced

    def _added(
        self, rewriting: Rewriting, snapshot: Metadata, changes: FileChanges
    ) -> list[ListRecord]:
        """Write the manifests of the files that a snapshot of theirs added."""
        wanted = changes.added.keys() | changes.added_deletes.keys()
        missing = set(wanted)
        created = []
        for listed in self._new_manifests(snapshot):
            # New files come first in a list; what an engine wrote again behind them can be large.
            if not missing:
                break
            written = rewriting.with_added(listed, self._sides.theirs, wanted, self._number_of)
            if written is not None:
                missing.difference_update(written[1])
                created.append(written[0])
                self._place(written[1], written[0])
        return created

    def _new_manifests(self, snapshot: Metadata) -> Iterator[Listed]:
        lists = self._sides.theirs.lists
        before = lists.records(self._lineage.parents[snapshot["snapshot-id"]])
        for path, record in lists.records(snapshot).items():
            if path not in before:
                yield Listed(manifest_of(record), record)

    def _place(self, keys: list[FileKey], record: ListRecord) -> None:
        for key in keys:
            if key in self._wanted:
                self._places[key] = record[PATH]

    def _number_of(self, stored: StoredEntry) -> int | None:
        """Return the target's number for a data sequence number that theirs states.

        Kept as it is, it would mean another moment there: the target used it for something else.

        Raises:
            CannotReplay: if it is that of no snapshot which the target has.
        """
        explicit = stored.explicit_sequence_number
        if explicit is None or explicit <= self._lineage.shared_number:
            return explicit
        if explicit not in self._numbers or explicit in self._lineage.crossed:
            raise CannotReplay(_unknown_number(stored, explicit))
        return self._numbers[explicit]

    def _snapshot(
        self, rewriting: Rewriting, like: Metadata, summary: Mapping[str, str]
    ) -> Metadata:
        version = rewriting.format_version
        first_row_id = self.metadata["next-row-id"] if version >= 3 else None
        added_rows = 0 if first_row_id is None else self._give_row_ids(first_row_id)
        parent = None if self._head is None else self._head["snapshot-id"]
        data = write_list(
            [] if self._list is None else [self._list],
            self._records,
            version=version,
            snapshot_id=rewriting.snapshot_id,
            parent_snapshot_id=parent,
            sequence_number=rewriting.sequence_number,
            first_row_id=first_row_id,
        )
        location = list_location(rewriting.directory, rewriting.snapshot_id)
        self._files.put(location, data)
        self._list = read_list(data, location)
        self._records = self._list.records
        schema_id = self._sides.schema_ids.get(like.get("schema-id", -1))
        snapshot = {
            "sequence-number": rewriting.sequence_number if version > 1 else None,
            "snapshot-id": rewriting.snapshot_id,
            "parent-snapshot-id": parent,
            "timestamp-ms": self._moment(),
            "summary": dict(summary),
            "manifest-list": location,
            "schema-id": schema_id,
            "first-row-id": first_row_id,
            "added-rows": None if first_row_id is None else added_rows,
        }
        return {name: value for name, value in snapshot.items() if value is not None}

    def _give_row_ids(self, first: int) -> int:
        """Give row ids to data manifests that have none; returns how many were given.

        A manifest that was rewritten gets new ones too, as Java does: its files state their own.
        """
        following = first
        for number, record in enumerate(self._records):
            if record.get(CONTENT) == _DELETES or record.get(FIRST_ROW_ID) is not None:
                continue
            added, existing = record.get(ADDED_ROWS), record.get(EXISTING_ROWS)
            if added is None or existing is None:
                raise CannotReplay(
                    Problem("no-row-counts", f"The list does not count the rows of {record[PATH]}.")
                )
            self._records[number] = record | {FIRST_ROW_ID: following}
            following += added + existing
        return following - first

    def _unused_id(self) -> int:
        used = {snapshot["snapshot-id"] for snapshot in self.metadata["snapshots"]}
        while (found := self._clock.new_snapshot_id()) in used:
            pass
        return found

    def _moment(self) -> int:
        """Return the time of the next snapshot: now, yet after all that the table tells of."""
        told: list[int] = [self.metadata["last-updated-ms"]]
        told += [entry["timestamp-ms"] for entry in self.metadata["snapshot-log"][-1:]]
        return max(self._clock.now_ms, max(told) + 1)

    def _put(self, snapshot: Metadata) -> None:
        """Make a snapshot the current one."""
        metadata = self.metadata
        metadata["snapshots"] = [*metadata["snapshots"], snapshot]
        metadata["current-snapshot-id"] = snapshot["snapshot-id"]
        metadata["last-updated-ms"] = snapshot["timestamp-ms"]
        metadata["last-sequence-number"] = max(
            metadata["last-sequence-number"], sequence_number_of(snapshot)
        )
        metadata["next-row-id"] += snapshot.get("added-rows", 0)
        main = metadata["refs"].get(MAIN, {"type": "branch"})
        metadata["refs"] = metadata["refs"] | {
            MAIN: main | {"snapshot-id": snapshot["snapshot-id"]}
        }
        self._head = snapshot


def current_snapshot(metadata: Metadata) -> Metadata | None:
    """Return the current snapshot of completed metadata, if it has one."""
    current = current_snapshot_id(metadata)
    found = (each for each in metadata["snapshots"] if each["snapshot-id"] == current)
    return next(found, None)


def _told(origin: int, snapshot: Metadata, changes: FileChanges) -> ReplayedSnapshot:
    """Return what the report says of one snapshot."""
    return ReplayedSnapshot(
        origin=origin,
        snapshot_id=snapshot["snapshot-id"],
        operation=operation_of(snapshot) or "",
        added_data_files=len(changes.added),
        removed_data_files=len(changes.removed),
        added_delete_files=len(changes.added_deletes),
        removed_delete_files=len(changes.removed_deletes),
        added_records=sum(entry.file.record_count for entry in changes.added.values()),
        removed_records=sum(entry.file.record_count for entry in changes.removed.values()),
    )


def _holds_files(record: ListRecord) -> bool:
    """Tell whether a manifest of an earlier snapshot lists a live file, or does not say."""
    return record.get(ADDED_FILES) != 0 or record.get(EXISTING_FILES) != 0


def _not_live(key: FileKey) -> Problem:
    return Problem(
        "not-live",
        f"The source removed {key[0]}, which the target has removed or rewritten already.",
    )


def _unknown_number(stored: StoredEntry, number: int) -> Problem:
    return Problem(
        "unknown-sequence-number",
        f"{stored.entry.file.file_path} has the data sequence number {number}, which belongs to no"
        " snapshot that the target has.",
    )
