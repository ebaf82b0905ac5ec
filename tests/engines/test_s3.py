"""A warehouse in an S3 store: engines use the settings that the catalog hands out."""

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from tests.engines.lake import Duck, Lake
from tests.services import ObjectStore


@pytest.fixture
def bucket(make_lake: Callable[..., Lake], s3: ObjectStore, tmp_path: Path) -> Lake:
    """Give a warehouse in the bucket."""
    lake = make_lake(f"s3://{s3.bucket}/engines/{tmp_path.name}", s3)
    lake.pyiceberg().create_namespace("ns")
    return lake


def credentials(s3: ObjectStore) -> dict[str, str]:
    return {"s3.access-key-id": s3.access_key, "s3.secret-access-key": s3.secret_key}


def test_pyiceberg_and_duckdb_write_to_a_bucket_and_agree(
    bucket: Lake, s3: ObjectStore, duck: Duck
) -> None:
    catalog = bucket.pyiceberg(**credentials(s3))
    table = catalog.create_table("ns.t", pa.schema([("id", pa.int64())]))
    assert table.location().startswith(f"s3://{s3.bucket}/engines/")
    table.append(pa.table({"id": [1, 2]}))
    duck.sql(
        f"CREATE SECRET store (TYPE s3, KEY_ID '{s3.access_key}', SECRET '{s3.secret_key}',"
        f" ENDPOINT '{s3.endpoint.removeprefix('http://')}', URL_STYLE 'path', USE_SSL false,"
        f" REGION '{s3.region}')"
    )
    duck.attach(bucket, "main", "m", ", ACCESS_DELEGATION_MODE 'none'")
    duck.sql("DELETE FROM m.ns.t WHERE id = 1", "INSERT INTO m.ns.t VALUES (3)")
    duck.sql("CREATE TABLE m.ns.made AS SELECT 7 AS id")
    assert duck.sql("FROM m.ns.t ORDER BY id") == [(2,), (3,)]
    assert sorted(catalog.load_table("ns.t").scan().to_arrow()["id"].to_pylist()) == [2, 3]
    assert catalog.load_table("ns.made").scan().to_arrow()["id"].to_pylist() == [7]


def test_a_branch_in_a_bucket_is_merged(bucket: Lake, s3: ObjectStore) -> None:
    bucket.branch("work")
    work = bucket.pyiceberg("work", **credentials(s3))
    work.create_table("ns.t", pa.schema([("id", pa.int64())])).append(pa.table({"id": [1]}))
    main = bucket.pyiceberg(**credentials(s3))
    assert main.list_tables("ns") == []
    bucket.merge("work")
    assert main.load_table("ns.t").scan().to_arrow()["id"].to_pylist() == [1]


def test_the_settings_of_the_store_are_handed_out_but_no_secret(
    bucket: Lake, s3: ObjectStore
) -> None:
    table = bucket.pyiceberg().create_table("ns.t", pa.schema([("id", pa.int64())]))
    properties = table.io.properties
    assert properties["s3.endpoint"] == s3.endpoint
    assert properties["s3.path-style-access"] == "true"
    answered = bucket.http.get(f"{bucket.uri}/v1/{bucket.warehouse}.main/namespaces/ns/tables/t")
    assert answered.status_code == 200
    assert s3.secret_key not in answered.text
    assert s3.access_key not in answered.json()["config"].values()


def test_the_command_line_reads_a_bucket_with_keys_of_the_environment(
    bucket: Lake, s3: ObjectStore
) -> None:
    catalog = bucket.pyiceberg(**credentials(s3))
    catalog.create_table("ns.t", pa.schema([("id", pa.int64())])).append(pa.table({"id": [5]}))
    keys = {"AWS_ACCESS_KEY_ID": s3.access_key, "AWS_SECRET_ACCESS_KEY": s3.secret_key}
    assert bucket.command("sql", "FROM ns.t", **keys) == "5\n"
    catalog.load_table("ns.t").append(pa.table({"id": [6]}))
    rows = bucket.command("diff", "main~1", "main", "--rows", "ns.t", **keys)
    assert rows == "added\t\t6\n"


def test_engines_without_keys_use_those_that_the_catalog_hands_out(
    bucket: Lake, s3: ObjectStore, duck: Duck
) -> None:
    storage = {**s3.storage, "access-delegation": "static-credentials"}
    url = f"{bucket.server}/api/v1/warehouses/{bucket.warehouse}"
    assert bucket.http.patch(url, json={"storage": storage}).status_code == 200
    catalog = bucket.pyiceberg()
    catalog.create_table("ns.t", pa.schema([("id", pa.int64())])).append(pa.table({"id": [5]}))
    duck.attach(bucket, "main", "m")
    duck.sql("INSERT INTO m.ns.t VALUES (6)")
    assert duck.sql("FROM m.ns.t ORDER BY id") == [(5,), (6,)]
    assert bucket.command("sql", "SELECT sum(id) FROM ns.t") == "11\n"
    assert bucket.command("diff", "main~1", "main", "--rows", "ns.t") == "added\t\t6\n"
