"""One table with two histories: both forked from the same metadata file, written by pyiceberg."""

import itertools
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import pyarrow as pa
from pyiceberg.catalog.memory import InMemoryCatalog
from pyiceberg.partitioning import UNPARTITIONED_PARTITION_SPEC, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.table import Table

from catalog.iceberg.files import decode_metadata, encode_metadata
from catalog.iceberg.merging.files import Isolation
from catalog.iceberg.merging.lineage import Purpose
from catalog.iceberg.merging.results import TableConflict, TableMerge
from catalog.iceberg.merging.table import merge_table
from catalog.iceberg.metadata import Metadata, completed, written

NEW_IDS = itertools.count(9_000_000_000)


@dataclass
class Lab:
    """A catalog whose tables share one location, as branches of a table do."""

    directory: Path
    catalog: InMemoryCatalog = field(init=False)
    _numbers: Any = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self.catalog = InMemoryCatalog("lab", warehouse=f"file://{self.directory}")
        self.catalog.create_namespace("lab")

    def table(
        self, schema: Schema, rows: pa.Table, spec: PartitionSpec | None, properties: Any
    ) -> Table:
        table = self.catalog.create_table(
            self._name(),
            schema,
            partition_spec=spec or UNPARTITIONED_PARTITION_SPEC,
            properties=properties,
        )
        if len(rows):
            table.append(rows)
        return table

    def fork(self, table: Table) -> Table:
        """Register another name for the state that a table has now."""
        return self.catalog.register_table(self._name(), table.metadata_location)

    def at(self, metadata: Metadata) -> Table:
        """Register metadata under a new name, as its writers and readers see it."""
        location = f"{metadata['location']}/metadata/m{next(self._numbers)}.metadata.json"
        path_of(location).write_bytes(encode_metadata(written(metadata), location))
        return self.catalog.register_table(self._name(), location)

    def _name(self) -> tuple[str, str]:
        return "lab", f"t{next(self._numbers)}"


def path_of(location: str) -> Path:
    return Path(urlparse(location).path)


def read(location: str) -> bytes:
    return path_of(location).read_bytes()


def write(location: str, data: bytes) -> None:
    assert not path_of(location).exists()
    path_of(location).write_bytes(data)


def metadata_of(table: Table) -> Metadata:
    location = table.metadata_location
    return completed(decode_metadata(read(location), location))


def merge(base: Metadata, ours: Any, theirs: Any, **options: Any) -> TableMerge | TableConflict:
    """Merge tables, or metadata, as the server does."""
    sides = [each if isinstance(each, dict) else metadata_of(each) for each in (base, ours, theirs)]
    known = {
        "read": read,
        "write": write,
        "now_ms": int(datetime.now(UTC).timestamp() * 1000),
        "new_snapshot_id": NEW_IDS.__next__,
        "isolation": Isolation.SERIALIZABLE,
        "origin_commit": "ab" * 32,
        "purpose": Purpose.MERGE,
    }
    return merge_table(*sides, **(known | options))
