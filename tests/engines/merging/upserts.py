"""Upserts by equality deletes, as Flink makes them, which no engine of these tests can write."""

import json
import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.avro.file import AvroFile, AvroOutputFile
from pyiceberg.conversions import to_bytes
from pyiceberg.io.pyarrow import PyArrowFileIO
from pyiceberg.manifest import (
    DATA_FILE_TYPE,
    MANIFEST_ENTRY_SCHEMAS,
    MANIFEST_LIST_FILE_SCHEMAS,
    DataFile,
    FileFormat,
    ManifestEntry,
    ManifestFile,
    PartitionFieldSummary,
)
from pyiceberg.schema import Schema
from pyiceberg.typedef import Record
from pyiceberg.types import DateType, IntegerType, ListType, LongType, NestedField, StructType

from tests.engines.lake import Lake

_ADDED, _EQUALITY_DELETES = 1, 2
_ARROW = {"id": pa.int64(), "day": pa.date32(), "v": pa.int32(), "note": pa.string()}


@dataclass(frozen=True)
class Upsert:
    """One snapshot that deletes rows of a day by key and adds a row."""

    table: str
    branch: str
    key: int
    rows: list[dict[str, Any]]
    summary: dict[str, str]


def upsert(lake: Lake, change: Upsert) -> None:
    """Write the files of an upsert and commit it."""
    config = lake.http.get(f"{lake.uri}/v1/config", params={"warehouse": lake.at("main")}).json()
    name = quote(f"{change.table}@{change.branch}", safe="")
    url = f"{lake.uri}/v1/{config['overrides']['prefix']}/namespaces/m/tables/{name}"
    metadata = lake.http.get(url).json()["metadata"]
    snapshot = _Writing(metadata, change).snapshot()
    updates = [
        {"action": "add-snapshot", "snapshot": snapshot},
        {
            "action": "set-snapshot-ref",
            "ref-name": "main",
            "type": "branch",
            "snapshot-id": snapshot["snapshot-id"],
        },
    ]
    response = lake.http.post(url, json={"requirements": [], "updates": updates})
    assert response.status_code == 200, response.text


class _Writing:
    """The files of one upsert, in the format of its table."""

    def __init__(self, metadata: dict[str, Any], change: Upsert) -> None:
        self.metadata, self.change = metadata, change
        self.version = min(3, max(2, metadata["format-version"]))
        self.snapshot_id = int.from_bytes(os.urandom(7))
        self.parent = next(
            each
            for each in metadata["snapshots"]
            if each["snapshot-id"] == metadata["current-snapshot-id"]
        )
        self.spec = next(
            each
            for each in metadata["partition-specs"]
            if each["spec-id"] == metadata["default-spec-id"]
        )
        self.schema = next(
            each
            for each in metadata["schemas"]
            if each["schema-id"] == metadata["current-schema-id"]
        )
        self.number = metadata["last-sequence-number"] + 1
        self.io = PyArrowFileIO()

    def snapshot(self) -> dict[str, Any]:
        rows = self.change.rows
        deletes = [{"id": self.change.key}]
        written = [
            self._manifest(self._file("upserted", rows), content=0, rows=len(rows)),
            self._manifest(
                self._file("keys", deletes, content=_EQUALITY_DELETES, equality_ids=[1]),
                content=1,
                rows=1,
            ),
        ]
        path = f"{self.metadata['location']}/metadata/snap-{self.snapshot_id}.avro"
        first_row_id = self.metadata.get("next-row-id", 0)
        self._avro(
            path,
            MANIFEST_LIST_FILE_SCHEMAS[self.version],
            "manifest_file",
            [*self._listed(), *written],
            **{
                "snapshot-id": str(self.snapshot_id),
                "parent-snapshot-id": str(self.parent["snapshot-id"]),
                "sequence-number": str(self.number),
                "first-row-id": str(first_row_id),
            },
        )
        lineage = {"first-row-id": first_row_id, "added-rows": len(rows)}
        return {
            "snapshot-id": self.snapshot_id,
            "parent-snapshot-id": self.parent["snapshot-id"],
            "sequence-number": self.number,
            "timestamp-ms": self.parent["timestamp-ms"] + 1,
            "manifest-list": path,
            "schema-id": self.metadata["current-schema-id"],
            "summary": {"operation": "overwrite", **self.change.summary},
            **(lineage if self.version == 3 else {}),
        }

    @property
    def _partition(self) -> tuple[int, ...]:
        """The day of the rows, counted as Iceberg counts it, if the table is partitioned."""
        day: date = self.change.rows[0]["day"]
        return ((day - date(1970, 1, 1)).days,) if self.spec["fields"] else ()

    def _file(self, name: str, rows: list[dict[str, Any]], content: int = 0, **more: Any) -> Any:
        path = f"{self.metadata['location']}/data/{name}-{self.snapshot_id}.parquet"
        ids = {field["name"]: field["id"] for field in self.schema["fields"]}
        columns = list(rows[0])
        table = pa.Table.from_pylist(
            rows,
            schema=pa.schema(
                [
                    pa.field(each, _ARROW[each], metadata={"PARQUET:field_id": str(ids[each])})
                    for each in columns
                ]
            ),
        )
        local = Path(urlsplit(path).path)
        local.parent.mkdir(exist_ok=True)
        pq.write_table(table, local)
        keys = [each["id"] for each in rows]
        return DataFile.from_args(
            _table_format_version=self.version,
            content=content,
            file_path=path,
            file_format=FileFormat.PARQUET,
            partition=Record(*self._partition),
            record_count=len(rows),
            file_size_in_bytes=local.stat().st_size,
            value_counts={ids[each]: len(rows) for each in columns},
            null_value_counts={ids[each]: 0 for each in columns},
            lower_bounds={ids["id"]: to_bytes(LongType(), min(keys))},
            upper_bounds={ids["id"]: to_bytes(LongType(), max(keys))},
            **more,
        )

    def _manifest(self, file: DataFile, *, content: int, rows: int) -> ManifestFile:
        partition = StructType(
            *(
                NestedField(each["field-id"], each["name"], DateType(), required=False)
                for each in self.spec["fields"]
            )
        )
        schema = _entry_schema(self.version, partition)
        entry = ManifestEntry.from_args(
            _table_format_version=self.version,
            status=_ADDED,
            snapshot_id=self.snapshot_id,
            sequence_number=None,
            file_sequence_number=None,
            data_file=file,
        )
        path = f"{self.metadata['location']}/metadata/{self.snapshot_id}-m{content}.avro"
        length = self._avro(
            path,
            schema,
            "manifest_entry",
            [entry],
            schema=json.dumps(self.schema),
            content=("data", "deletes")[content],
            **{
                "partition-spec": json.dumps(self.spec["fields"]),
                "partition-spec-id": str(self.spec["spec-id"]),
            },
        )
        bound = to_bytes(DateType(), self._partition[0]) if self._partition else None
        summaries = [PartitionFieldSummary(False, False, bound, bound)] if self._partition else []
        values = {
            "manifest_path": path,
            "manifest_length": length,
            "partition_spec_id": self.spec["spec-id"],
            "content": content,
            "sequence_number": self.number,
            "min_sequence_number": self.number,
            "added_snapshot_id": self.snapshot_id,
            "added_files_count": 1,
            "existing_files_count": 0,
            "deleted_files_count": 0,
            "added_rows_count": rows,
            "existing_rows_count": 0,
            "deleted_rows_count": 0,
            "partitions": summaries,
            "first_row_id": None if content else self.metadata.get("next-row-id"),
        }
        fields = MANIFEST_LIST_FILE_SCHEMAS[self.version].fields
        return ManifestFile(*(values.get(field.name) for field in fields))

    def _listed(self) -> list[ManifestFile]:
        """Return what the manifest list of the parent lists."""
        with AvroFile[ManifestFile](
            self.io.new_input(self.parent["manifest-list"]),
            MANIFEST_LIST_FILE_SCHEMAS[self.version],
            read_types={-1: ManifestFile, 508: PartitionFieldSummary},
        ) as reader:
            return list(reader)

    def _avro(
        self, path: str, shape: Schema, name: str, records: list[Any], /, **header: str
    ) -> int:
        header = {"format-version": str(self.version), **header}
        output = self.io.new_output(path)
        with AvroOutputFile(output, shape, name, metadata=header) as file:
            file.write_block(records)
        return len(output)


def _entry_schema(version: int, partition: StructType) -> Schema:
    """Return the schema of an entry; Java reads the ids of equality deletes as int only."""
    changed = {102: partition, 135: ListType(136, IntegerType(), element_required=True)}
    data_file = StructType(
        *(
            NestedField(each.field_id, each.name, changed[each.field_id], required=each.required)
            if each.field_id in changed
            else each
            for each in DATA_FILE_TYPE[version].fields
        )
    )
    fields = MANIFEST_ENTRY_SCHEMAS[version].fields
    return Schema(
        *(
            NestedField(2, "data_file", data_file, required=True) if each.field_id == 2 else each
            for each in fields
        )
    )
