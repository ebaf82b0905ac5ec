"""Spark on tables in S3, by what the catalog gives it: credentials that run out, or signatures."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.engines.lake import Lake, Spark
from tests.services import ObjectStore


@pytest.mark.parametrize("delegation", ["vended-credentials", "remote-signing"])
def test_spark_writes_and_reads_with_what_it_is_given(
    make_lake: Callable[..., Lake], s3: ObjectStore, spark: Spark, tmp_path: Path, delegation: str
) -> None:
    lake = make_lake(f"s3://{s3.bucket}/spark/{tmp_path.name}", s3)
    storage = {**s3.storage, "access-delegation": delegation, "sts.role-arn": s3.role_arn}
    url = f"{lake.server}/api/v1/warehouses/{lake.warehouse}"
    assert lake.http.patch(url, json={"storage": storage}).status_code == 200
    header = {"header.X-Iceberg-Access-Delegation": delegation}
    main = spark.attach(lake, **header)
    spark.sql(
        f"CREATE NAMESPACE {main}.ns",
        f"CREATE TABLE {main}.ns.t (id BIGINT)",
        f"INSERT INTO {main}.ns.t VALUES (1), (2), (3)",
    )
    lake.tag("v1")
    spark.sql(f"DELETE FROM {main}.ns.t WHERE id = 2")
    assert spark.sql(f"SELECT id FROM {main}.ns.t ORDER BY id") == [(1,), (3,)]
    tagged = spark.attach(lake, "v1", live=False, **header)
    assert spark.sql(f"SELECT count(*) FROM {tagged}.ns.t") == [(3,)]
