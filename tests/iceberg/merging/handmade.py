"""Histories of files made by hand: deletes, vectors and row ids, which pyiceberg cannot write.

A file is named by a word; `history.commit("append", data("a"))`. Manifests are made as Java makes
them: one of added data, one of added deletes, and those that held removed files written again.
"""

import copy
import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from pyiceberg.manifest import DataFile, FileFormat
from pyiceberg.types import IntegerType, NestedField, StructType

from catalog.iceberg.manifests.entries import Entry, read_entries
from catalog.iceberg.manifests.lists import read_manifests
from catalog.iceberg.merging.files import FileKey, file_key
from catalog.iceberg.metadata import Metadata, completed
from catalog.iceberg.scans.deletes import DeleteIndex
from catalog.iceberg.scans.schemas import to_specs
from tests import manifests as made

UUID = "9c12d441-03fe-4693-9a96-a0705ddf69c1"
DAY = {"name": "day", "transform": "identity", "source-id": 2, "field-id": 1000}
PARTITION = StructType(NestedField(1000, "day", IntegerType(), required=False))

_ids = itertools.count(101)


@dataclass(frozen=True)
class Part:
    """An entry of a manifest."""

    status: int
    snapshot: int
    sequence: int | None
    file: Any
    row_id: int | None = None


@dataclass
class History:
    """The metadata of a table, and all files that any history of it has."""

    version: int = 2
    files: dict[str, bytes] = field(default_factory=dict)
    metadata: Metadata = field(default_factory=dict)
    heads: list[tuple[Any, list[Part]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.metadata = completed(
            {
                "format-version": self.version,
                "table-uuid": UUID,
                "location": "memory:t",
                "last-updated-ms": 0,
                "last-column-id": 2,
                "schemas": [SCHEMA],
                "current-schema-id": 0,
                "partition-specs": [{"spec-id": 0, "fields": [DAY]}],
                "default-spec-id": 0,
                "last-partition-id": 1000,
                "sort-orders": [{"order-id": 0, "fields": []}],
                "default-sort-order-id": 0,
                "properties": {},
            }
        )

    def fork(self) -> "History":
        """Return a history that goes on from here by itself."""
        metadata = copy.deepcopy(self.metadata)
        forked = History(self.version, self.files)
        forked.metadata, forked.heads = metadata, list(self.heads)
        return forked

    def adopt(self, metadata: Metadata) -> None:
        """Go on from metadata that was not made here, such as a merge's."""
        self.metadata = copy.deepcopy(metadata)
        self.heads = []
        specs = to_specs(metadata["partition-specs"])
        (snapshot,) = [
            each
            for each in metadata["snapshots"]
            if each["snapshot-id"] == metadata["current-snapshot-id"]
        ]
        for manifest in read_manifests(snapshot, self.files.__getitem__):
            record = manifest.record
            row = {
                "path": manifest.path,
                "content": int(manifest.is_deletes),
                "sequence_number": manifest.sequence_number,
                "min_sequence_number": manifest.min_sequence_number,
                "snapshot": manifest.snapshot_id,
                "added_files_count": record.added_files_count,
                "existing_files_count": record.existing_files_count,
                "deleted_files_count": record.deleted_files_count,
                "added_rows_count": record.added_rows_count,
                "existing_rows_count": record.existing_rows_count,
                "deleted_rows_count": record.deleted_rows_count,
                "first_row_id": manifest.first_row_id,
            }
            parts = [
                Part(
                    made.ADDED if entry.added else made.EXISTING,
                    entry.snapshot_id or 0,
                    entry.sequence_number,
                    entry.file,
                    entry.first_row_id,
                )
                for entry in read_entries(manifest, specs[manifest.spec_id], self.files.__getitem__)
            ]
            self.heads.append((row, parts))

    def commit(
        self, operation: str, *added: Any, removed: Iterable[Any] = (), **summary: str
    ) -> "History":
        """Add a snapshot; a file may be a pair of itself and an explicit sequence number."""
        number, snapshot = self.metadata["last-sequence-number"] + 1, next(_ids)
        first_row_id = self.metadata["next-row-id"]
        gone = {_key(each) for each in removed}
        heads = [self._without(head, gone, number, snapshot) for head in self.heads]
        pairs = [each if isinstance(each, tuple) else (each, None) for each in added]
        for deletes in (False, True):
            parts = [
                Part(made.ADDED, snapshot, sequence, one)
                for one, sequence in pairs
                if (one.content != made.DATA) is deletes
            ]
            if parts:
                heads.insert(0, self._manifest(parts, deletes, number, snapshot))
        self.heads = heads
        self._give_row_ids()
        self._put(operation, number, snapshot, summary)
        if self.version >= 3:
            added = self.metadata["next-row-id"] - first_row_id
            self.metadata["snapshots"][-1] |= {"first-row-id": first_row_id, "added-rows": added}
        return self

    def _give_row_ids(self) -> None:
        """Give ids to the rows from before an upgrade, as a writer's first list does."""
        heads = []
        for row, parts in self.heads:
            first = self.metadata.get("next-row-id", 0)
            if self.version >= 3 and row["first_row_id"] is None and not row["content"]:
                rows = row["added_rows_count"] + row["existing_rows_count"]
                self.metadata["next-row-id"] = first + rows
                row = row | {"first_row_id": first}
            heads.append((row, parts))
        self.heads = heads

    def _without(self, head: Any, gone: set[FileKey], number: int, snapshot: int) -> Any:
        row, parts = head
        if not any(_key(part.file) in gone for part in parts if part.status != made.DELETED):
            return head
        known = []
        row_id = row["first_row_id"]
        for part in parts:
            if part.status == made.DELETED:
                continue
            own = part.row_id
            if own is None and row_id is not None:
                own, row_id = row_id, row_id + part.file.record_count
            sequence = row["sequence_number"] if part.sequence is None else part.sequence
            if _key(part.file) in gone:
                known.append(Part(made.DELETED, snapshot, sequence, part.file, own))
            else:
                known.append(Part(made.EXISTING, part.snapshot, sequence, part.file, own))
        return self._manifest(known, bool(row["content"]), number, snapshot)

    def _manifest(self, parts: list[Part], deletes: bool, number: int, snapshot: int) -> Any:
        path = f"memory:t/metadata/{snapshot}-h{next(_ids)}.avro"
        entries = []
        for part in parts:
            values = [part.file[place] for place in range(len(part.file))]
            values[ROW_ID] = part.row_id
            one = DataFile(*values)
            entries.append(made.entry(one, part.status, part.snapshot, sequence=part.sequence))
        self.files[path] = made.manifest(*entries, partition=PARTITION)
        live = [part for part in parts if part.status != made.DELETED]
        count = {status: [p for p in parts if p.status == status] for status in (0, 1, 2)}
        rows = {s: sum(p.file.record_count for p in count[s]) for s in count}
        first_row_id = None
        if self.version >= 3 and not deletes:
            first_row_id = self.metadata["next-row-id"]
            self.metadata["next-row-id"] += rows[0] + rows[1]
        row = {
            "path": path,
            "content": int(deletes),
            "sequence_number": number,
            "min_sequence_number": min(
                (number if p.sequence is None else p.sequence for p in live), default=number
            ),
            "snapshot": snapshot,
            "added_files_count": len(count[1]),
            "existing_files_count": len(count[0]),
            "deleted_files_count": len(count[2]),
            "added_rows_count": rows[1],
            "existing_rows_count": rows[0],
            "deleted_rows_count": rows[2],
            "first_row_id": first_row_id,
        }
        return row, parts

    def _put(self, operation: str, number: int, snapshot: int, summary: dict[str, str]) -> None:
        location = f"memory:t/metadata/snap-{snapshot}.avro"
        rows = []
        for row, _ in self.heads:
            known = {
                k: v for k, v in row.items() if k not in ("path", "snapshot", "sequence_number")
            }
            rows.append(
                made.listed(row["path"], row["sequence_number"], snapshot=row["snapshot"], **known)
            )
        self.files[location] = made.manifest_list(*rows)
        metadata = self.metadata
        moment = metadata["last-updated-ms"] + 1
        added = {
            "snapshot-id": snapshot,
            "sequence-number": number,
            "timestamp-ms": moment,
            "summary": {"operation": operation, **self._totals(), **summary},
            "manifest-list": location,
            "schema-id": 0,
        }
        if metadata.get("current-snapshot-id"):
            added["parent-snapshot-id"] = metadata["current-snapshot-id"]
        metadata["snapshots"] = [*metadata["snapshots"], added]
        metadata["snapshot-log"] = [
            *metadata["snapshot-log"],
            {"timestamp-ms": moment, "snapshot-id": snapshot},
        ]
        metadata["current-snapshot-id"] = snapshot
        metadata["refs"] = {"main": {"snapshot-id": snapshot, "type": "branch"}}
        metadata["last-updated-ms"] = moment
        metadata["last-sequence-number"] = number

    def _totals(self) -> dict[str, str]:
        live = [
            part.file.record_count
            for row, parts in self.heads
            for part in parts
            if part.status != made.DELETED and not row["content"]
        ]
        return {"total-data-files": str(len(live)), "total-records": str(sum(live))}


SCHEMA = {
    "type": "struct",
    "schema-id": 0,
    "fields": [
        {"id": 1, "name": "id", "required": False, "type": "long"},
        {"id": 2, "name": "day", "required": False, "type": "int"},
    ],
}
ROW_ID = [each.name for each in made.DATA_FILE_TYPE[3].fields].index("first_row_id")


def data(name: str, day: int = 1, rows: int = 10, **fields: Any) -> Any:
    return made.file(name, partition=[day], record_count=rows, **fields)


def position_deletes(name: str, target: str, day: int = 1, rows: int = 1) -> Any:
    return made.file(
        name,
        made.POSITION_DELETES,
        partition=[day],
        record_count=rows,
        referenced_data_file=target,
    )


def equality_deletes(name: str, day: int = 1, rows: int = 1) -> Any:
    return made.file(
        name, made.EQUALITY_DELETES, partition=[day], record_count=rows, equality_ids=[1]
    )


def vector(name: str, target: str, day: int = 1, rows: int = 1, offset: int = 4) -> Any:
    return made.file(
        name,
        made.POSITION_DELETES,
        partition=[day],
        record_count=rows,
        file_format=FileFormat.PUFFIN,
        referenced_data_file=target,
        content_offset=offset,
        content_size_in_bytes=40,
    )


def _key(one: Any) -> FileKey:
    return one.file_path, one[OFFSET]


OFFSET = [each.name for each in made.DATA_FILE_TYPE[3].fields].index("content_offset")


def live(metadata: Metadata, files: dict[str, bytes]) -> list[Entry]:
    """Return the live files of a table's current snapshot."""
    current = metadata["current-snapshot-id"]
    (snapshot,) = [each for each in metadata["snapshots"] if each["snapshot-id"] == current]
    specs = to_specs(metadata["partition-specs"])
    return [
        entry
        for manifest in read_manifests(snapshot, files.__getitem__)
        for entry in read_entries(manifest, specs[manifest.spec_id], files.__getitem__)
    ]


def rows(metadata: Metadata, files: dict[str, bytes]) -> dict[str, list[str]]:
    """Return the live data files, each with the deletes that readers apply to it."""
    entries = live(metadata, files)
    found = [entry for entry in entries if entry.file.content == made.DATA]
    index = DeleteIndex(found, to_specs(metadata["partition-specs"]))
    for entry in entries:
        if entry.file.content != made.DATA:
            index.add(entry)
    return {
        entry.file.file_path: sorted(each.file.file_path for each in index.deletes_of(number))
        for number, entry in enumerate(found)
    }


def keys(entries: Iterable[Entry]) -> set[FileKey]:
    return {file_key(entry) for entry in entries}
