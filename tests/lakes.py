"""A server in this process, and pyiceberg's tables on branches of its warehouses."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Any

import pyarrow as pa
import uvicorn
from pyiceberg.catalog import Catalog as Tables
from pyiceberg.catalog import load_catalog
from pyiceberg.io.pyarrow import _dataframe_to_data_files
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.table import Table
from pyiceberg.table.snapshots import Operation, Summary
from pyiceberg.table.update import AddSnapshotUpdate
from pyiceberg.transforms import IdentityTransform
from pyiceberg.types import LongType, NestedField, StringType

from catalog.api.app import create_app
from catalog.operations.callers import Caller
from catalog.operations.refs import create_branch, get_branch
from catalog.operations.warehouses import Catalog, Warehouse, create_warehouse
from catalog.settings import Settings
from catalog.versioning.ids import to_hex

CALLER = Caller("test")
SCHEMA = Schema(
    NestedField(1, "id", LongType(), required=False),
    NestedField(2, "day", StringType(), required=False),
    NestedField(3, "value", LongType(), required=False),
)
BY_DAY = PartitionSpec(PartitionField(2, 1000, IdentityTransform(), "day"))
Row = tuple[int, str, int]


class _Server(uvicorn.Server):
    """Says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = Event()

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        self.ready.set()


@contextmanager
def serve_here(settings: Settings) -> Iterator[tuple[str, Catalog]]:
    """Serve in a thread for a while; give the address, and the catalog that it serves."""
    app = create_app(settings)
    server = _Server(uvicorn.Config(app, port=0, log_config=None, ws="none"))
    thread = Thread(target=server.run)
    thread.start()
    try:
        assert server.ready.wait(30)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}", app.state.catalog
    finally:
        server.should_exit = True
        thread.join()


@dataclass
class Lake:
    """A warehouse that is served, as operations and as pyiceberg have it."""

    url: str
    warehouse: Warehouse
    _tables: dict[str, Tables] = field(default_factory=dict)

    def at(self, revision: str = "main") -> Tables:
        """Return pyiceberg's catalog of a branch."""
        if revision not in self._tables:
            name = f"{self.warehouse.name}@{revision}"
            self._tables[revision] = load_catalog(
                name, type="rest", uri=f"{self.url}/iceberg", warehouse=name
            )
        return self._tables[revision]

    def table(self, name: str = "t", branch: str = "main") -> Table:
        """Load the table `ns.name`."""
        return self.at(branch).load_table(f"ns.{name}")

    def create(self, name: str = "t", branch: str = "main", **options: Any) -> Table:
        """Create the table `ns.name`, by default partitioned by day."""
        catalog = self.at(branch)
        catalog.create_namespace_if_not_exists("ns")
        options = {"partition_spec": BY_DAY, **options}
        return catalog.create_table(f"ns.{name}", options.pop("schema", SCHEMA), **options)

    def branch(self, name: str, start: str = "main") -> None:
        """Create a branch."""
        create_branch(self.warehouse, name, start, caller=CALLER)

    def head(self, branch: str = "main") -> str:
        """Return a branch's head."""
        return to_hex(get_branch(self.warehouse, branch).commit_id)

    def append(self, *rows: Row, name: str = "t", branch: str = "main") -> None:
        """Append rows."""
        self.table(name, branch).append(arrow(rows))

    def delete(self, condition: str, name: str = "t", branch: str = "main") -> None:
        """Delete rows."""
        self.table(name, branch).delete(condition)

    def rows(self, name: str = "t", branch: str = "main") -> list[Row]:
        """Read all rows, sorted."""
        read = self.table(name, branch).scan().to_arrow()
        return sorted(tuple(row.values()) for row in read.to_pylist())

    def close(self) -> None:
        """Close the connections."""
        for catalog in self._tables.values():
            catalog.close()


def arrow(rows: Sequence[Row]) -> pa.Table:
    """Return rows as they are appended."""
    ids, days, values = zip(*rows, strict=True)
    return pa.table(
        {
            "id": pa.array(ids, pa.int64()),
            "day": pa.array(days, pa.string()),
            "value": pa.array(values, pa.int64()),
        }
    )


def new_lake(url: str, catalog: Catalog, name: str, location: str) -> Lake:
    """Create a warehouse that is empty."""
    warehouse = create_warehouse(catalog, name, location=location, caller=CALLER)
    return Lake(url, warehouse)


def compact(table: Table, condition: str) -> None:
    """Write the rows that a condition holds for into one file, as engines compact.

    pyiceberg does not, so its overwrite by the same rows is called what it is.
    """
    with table.transaction() as transaction:
        old = [task.file for task in table.scan(row_filter=condition).plan_files()]
        rows = table.scan(row_filter=condition).to_arrow()
        with transaction.update_snapshot().overwrite() as snapshot:
            for file in _dataframe_to_data_files(transaction.table_metadata, rows, table.io):
                snapshot.append_data_file(file)
            for file in old:
                snapshot.delete_data_file(file)
        transaction._updates = tuple(map(_as_replace, transaction._updates))


def _as_replace(update: Any) -> Any:
    if not isinstance(update, AddSnapshotUpdate):
        return update
    properties = update.snapshot.summary.additional_properties
    summary = Summary(Operation.REPLACE, **properties)
    snapshot = update.snapshot.model_copy(update={"summary": summary})
    return update.model_copy(update={"snapshot": snapshot})
