"""Tables with data files, and snapshots that add to them or take from them, as engines write them.

No data file is there: neither a commit nor a merge looks at one. The tables share the manifest of
their first snapshot, which would take long to make for each of them.
"""

from dataclasses import dataclass
from pathlib import Path

import orjson

from benchmarks.manifests import SCHEMA, SPEC, VERSION, data_manifest
from catalog.iceberg.creation import new_table
from catalog.iceberg.manifests.entries import Manifest, read_stored
from catalog.iceberg.manifests.lists import (
    ADDED_FILES,
    EXISTING_FILES,
    ListRecord,
    new_record,
    write_list,
)
from catalog.iceberg.manifests.writing import ManifestWriter
from catalog.iceberg.metadata import Metadata

BASE, OURS, THEIRS = 1, 2, 3
_BEGAN_MS = 1_700_000_000_000
_PATHS = {BASE: "base", OURS: "ours", THEIRS: "theirs"}


@dataclass(frozen=True, slots=True)
class Written:
    """A manifest that was written, and the record that lists it."""

    data: bytes
    record: ListRecord


class Histories:
    """One base snapshot, one that ours adds to it and one that theirs does, for many tables.

    Ours appends one file. Theirs appends one too or, with `rewriting`, writes one of the base's
    files again, of another day, as a delete in an engine does that copies on write.
    """

    def __init__(self, folder: Path, files: int, *, rewriting: bool) -> None:
        self._folder = folder
        self._base = self._write(
            "base.avro", data_manifest(range(files), f"{folder}/b", BASE), BASE
        )
        appended = {
            snapshot: self._write(
                f"{_PATHS[snapshot]}.avro",
                data_manifest(range(day, day + 1), f"{folder}/{_PATHS[snapshot]}", snapshot),
                snapshot,
            )
            for snapshot, day in ((OURS, 1), (THEIRS, 0))
        }
        kept = self._without_first() if rewriting else self._base
        self._records = {
            BASE: [self._base],
            OURS: [appended[OURS], self._base],
            THEIRS: [appended[THEIRS], kept],
        }
        self._rewriting = rewriting

    def metadata(self, location: str, table_uuid: str) -> Metadata:
        """Return the metadata of a table after its first snapshot."""
        request = {
            "name": "t",
            "schema": orjson.loads(SCHEMA.model_dump_json()),
            "partition-spec": orjson.loads(SPEC.model_dump_json()),
        }
        created = new_table(request, location=location, table_uuid=table_uuid, now_ms=_BEGAN_MS)
        snapshot = self.snapshot(BASE)
        return created | {
            "snapshots": [snapshot],
            "current-snapshot-id": BASE,
            "last-sequence-number": snapshot["sequence-number"],
            "refs": {"main": {"snapshot-id": BASE, "type": "branch"}},
            "snapshot-log": [{"snapshot-id": BASE, "timestamp-ms": snapshot["timestamp-ms"]}],
            "last-updated-ms": snapshot["timestamp-ms"],
        }

    def updates(self, snapshot_id: int) -> list[Metadata]:
        """Return what an engine sends to commit a snapshot on top of the base."""
        ref = {"ref-name": "main", "type": "branch", "snapshot-id": snapshot_id}
        return [
            {"action": "add-snapshot", "snapshot": self.snapshot(snapshot_id)},
            {"action": "set-snapshot-ref", **ref},
        ]

    def snapshot(self, snapshot_id: int) -> Metadata:
        """Return a snapshot, its list written."""
        number = 1 if snapshot_id == BASE else 2
        path = self._folder / f"snap-{_PATHS[snapshot_id]}.avro"
        if not path.exists():
            path.write_bytes(self._list(snapshot_id, number))
        rewrites = self._rewriting and snapshot_id == THEIRS
        return {
            "snapshot-id": snapshot_id,
            "sequence-number": number,
            "timestamp-ms": _BEGAN_MS + snapshot_id,
            "schema-id": 0,
            "manifest-list": path.as_uri(),
            "summary": {
                "operation": "overwrite" if rewrites else "append",
                "total-data-files": str(self._live_files(snapshot_id)),
            },
            **({} if snapshot_id == BASE else {"parent-snapshot-id": BASE}),
        }

    def _live_files(self, snapshot_id: int) -> int:
        counts = (ADDED_FILES, EXISTING_FILES)
        return sum(
            written.record[count] for written in self._records[snapshot_id] for count in counts
        )

    def _list(self, snapshot_id: int, number: int) -> bytes:
        return write_list(
            [],
            [written.record for written in self._records[snapshot_id]],
            version=VERSION,
            snapshot_id=snapshot_id,
            parent_snapshot_id=None if snapshot_id == BASE else BASE,
            sequence_number=number,
            first_row_id=None,
        )

    def _write(self, name: str, data: bytes, snapshot_id: int) -> Written:
        """Write a manifest whose files a snapshot added."""
        writer = _writer(data, snapshot_id)
        for stored in read_stored(_unlisted(snapshot_id), SPEC, lambda _: data):
            writer.add(stored)
        return self._put(name, writer, snapshot_id)

    def _without_first(self) -> Written:
        """Write the base's manifest as theirs does that takes its first file out."""
        data = self._base.data
        writer = _writer(data, THEIRS)
        first, *others = read_stored(_unlisted(BASE), SPEC, lambda _: data)
        writer.remove(first)
        for stored in others:
            writer.keep(stored)
        return self._put("kept.avro", writer, THEIRS)

    def _put(self, name: str, writer: ManifestWriter, snapshot_id: int) -> Written:
        data = writer.finish()
        path = self._folder / name
        path.write_bytes(data)
        record = new_record(
            writer,
            path=path.as_uri(),
            length=len(data),
            snapshot_id=snapshot_id,
            sequence_number=1 if snapshot_id == BASE else 2,
            like={},
        )
        return Written(data, record)


def _writer(data: bytes, snapshot_id: int) -> ManifestWriter:
    return ManifestWriter(data, SPEC, format_version=VERSION, snapshot_id=snapshot_id)


def _unlisted(snapshot_id: int) -> Manifest:
    number = 1 if snapshot_id == BASE else 2
    return Manifest("", 0, False, number, number, snapshot_id, None, None, None)
