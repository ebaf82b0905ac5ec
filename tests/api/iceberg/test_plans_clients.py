"""pyiceberg plans through the server what it plans by itself, over tables that engines wrote."""

import duckdb
import pyarrow as pa
import pytest
from pyiceberg.catalog import load_catalog
from pyiceberg.exceptions import NoSuchPlanTaskError

from tests.engines.lake import extension
from tests.servers import serve

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Run a server; give its address."""
    with serve(tmp_path_factory.mktemp("plans")) as address:
        yield address


def catalog(address, mode):
    properties = {"uri": f"{address}/iceberg", "warehouse": "lake", "scan-planning-mode": mode}
    return load_catalog("lake", type="rest", **properties)


@pytest.fixture(scope="module")
def tables(address):
    """A table with position deletes by DuckDB, as planned by the server and by the client."""
    duck = duckdb.connect()
    for name in ("avro", "httpfs", "iceberg"):
        duck.execute(f"INSTALL '{extension(name)}'; LOAD {name}")
    duck.execute(
        f"ATTACH 'lake' AS lake (TYPE iceberg, ENDPOINT '{address}/iceberg',"
        " AUTHORIZATION_TYPE 'none')"
    )
    duck.execute("CREATE SCHEMA lake.ns")
    duck.execute("CREATE TABLE lake.ns.t (id BIGINT, site VARCHAR)")
    for start in (0, 10, 20):
        duck.execute(
            "INSERT INTO lake.ns.t SELECT i, 'site' || i % 3"
            f" FROM range({start}, {start + 10}) numbers(i)"
        )
    duck.execute("DELETE FROM lake.ns.t WHERE id % 4 = 0")
    duck.execute("DELETE FROM lake.ns.t WHERE id = 13")
    duck.close()
    server, client = catalog(address, "server"), catalog(address, "client")
    more = pa.table({"id": [100, 104], "site": ["site1", None]})
    client.load_table("ns.t").append(more)
    yield server.load_table("ns.t"), client.load_table("ns.t")
    server.close()
    client.close()


def planned(scan):
    return sorted(
        (task.file.file_path, sorted(file.file_path for file in task.delete_files))
        for task in scan.plan_files()
    )


@pytest.mark.parametrize(
    "row_filter",
    [
        "id >= 0",
        "id < 10",
        "id = 13",
        "id in (1, 25, 100)",
        "site = 'site1' and id > 5",
        "not (site = 'site1') or id < 3",
        "site is null",
        "site like 'site2%'",
        "id > 1000",
    ],
)
def test_server_plans_what_the_client_plans(tables, row_filter):
    by_server, by_client = (table.scan(row_filter=row_filter) for table in tables)
    assert planned(by_server) == planned(by_client)
    rows = by_client.to_arrow().sort_by("id")
    assert by_server.to_arrow().sort_by("id") == rows
    assert by_server.count() == rows.num_rows


def test_deletes_are_attached(tables):
    attached = [deletes for _, deletes in planned(tables[0].scan())]
    assert sum(1 for deletes in attached if deletes) == 3
    assert tables[0].scan().count() == 30 - 8 - 1 + 2


def test_time_travel(tables):
    for snapshot in tables[1].snapshots():
        scans = [table.scan(snapshot_id=snapshot.snapshot_id) for table in tables]
        assert planned(scans[0]) == planned(scans[1])


def test_unknown_task_is_the_error_that_the_client_knows(address, tables):
    with pytest.raises(NoSuchPlanTaskError):
        catalog(address, "server")._fetch_scan_tasks("ns.t", "nonsense")
