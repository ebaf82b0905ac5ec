"""One warehouse in local files and in a bucket at once: engines find each table's own store."""

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from tests.engines.lake import Duck, Lake
from tests.services import ObjectStore

ROWS = pa.table({"id": [1, 2]})


@pytest.fixture
def spread(
    make_lake: Callable[..., Lake], s3: ObjectStore, secrets_file: Path, tmp_path: Path
) -> Lake:
    """Give a warehouse on disk whose namespace `cold` is in a bucket, with `ns.t` and `cold.t`."""
    lake = make_lake((tmp_path / "warehouse").as_uri())
    bucket = f"s3://{s3.bucket}/locations/{tmp_path.name}"
    s3.reveal(secrets_file, lake.warehouse, bucket)
    vending = {"access-delegation": "vended-credentials", "sts.role-arn": s3.role_arn}
    added = {"locations": [{"location": bucket, "storage": {**s3.storage, **vending}}]}
    url = f"{lake.server}/api/v1/warehouses/{lake.warehouse}"
    answer = lake.http.patch(url, json=added)
    assert answer.status_code == 200, answer.text
    catalog = lake.pyiceberg()
    catalog.create_namespace("ns")
    catalog.create_namespace("cold", {"location": f"{bucket}/cold"})
    for name in ("ns.t", "cold.t"):
        catalog.create_table(name, ROWS.schema).append(ROWS)
    return lake


def test_pyiceberg_writes_to_each_table_where_it_lives(
    spread: Lake, s3: ObjectStore, tmp_path: Path
) -> None:
    catalog = spread.pyiceberg()
    assert catalog.load_table("ns.t").location().startswith((tmp_path / "warehouse").as_uri())
    cold = catalog.load_table("cold.t")
    assert cold.location().startswith(f"s3://{s3.bucket}/locations/")
    chosen = catalog.create_table("ns.far", ROWS.schema, location=f"{cold.location()}-beside")
    chosen.append(ROWS)
    for name in ("ns.t", "cold.t", "ns.far"):
        assert catalog.load_table(name).scan().to_arrow()["id"].to_pylist() == [1, 2]


def test_duckdb_joins_tables_of_both_stores_and_writes_to_both(spread: Lake, duck: Duck) -> None:
    duck.attach(spread, "main", "m")
    duck.sql("INSERT INTO m.ns.t VALUES (3)", "INSERT INTO m.cold.t VALUES (3), (4)")
    duck.sql("CREATE TABLE m.cold.made AS SELECT 7 AS id")
    assert duck.sql("SELECT id FROM m.ns.t JOIN m.cold.t USING (id) ORDER BY id") == [
        (1,),
        (2,),
        (3,),
    ]
    made = spread.pyiceberg().load_table("cold.made")
    assert made.location().startswith("s3://")
    assert made.scan().to_arrow()["id"].to_pylist() == [7]


def test_one_merge_takes_the_tables_of_both_stores(spread: Lake) -> None:
    spread.branch("work")
    work = spread.pyiceberg("work")
    for name in ("ns.t", "cold.t"):
        work.load_table(name).append(ROWS)
    spread.merge("work")
    for name in ("ns.t", "cold.t"):
        assert spread.pyiceberg().load_table(name).scan().to_arrow().num_rows == 4
