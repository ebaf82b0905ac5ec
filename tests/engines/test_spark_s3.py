"""Spark on tables in S3, by what the catalog gives it: credentials that run out, or signatures."""

import time
from collections.abc import Callable
from pathlib import Path

import obstore
import pytest
from obstore.exceptions import PermissionDeniedError
from obstore.store import S3Store
from py4j.protocol import Py4JJavaError

from tests.engines.brief_sts import SECONDS, Credentials, brief_sts
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


def test_a_session_outlives_its_credentials(
    make_lake: Callable[..., Lake], s3: ObjectStore, spark: Spark, tmp_path: Path
) -> None:
    """Java asks for new ones where the table's answer says, while the session holds the table."""
    lake = make_lake(f"s3://{s3.bucket}/spark/{tmp_path.name}", s3)
    with brief_sts(s3) as (address, given):
        storage = {"access-delegation": "vended-credentials", "sts.role-arn": s3.role_arn}
        url = f"{lake.server}/api/v1/warehouses/{lake.warehouse}"
        body = {"storage": {**s3.storage, **storage, "sts.endpoint": address}}
        assert lake.http.patch(url, json=body).status_code == 200
        held = {
            "header.X-Iceberg-Access-Delegation": "vended-credentials",
            "cache-enabled": "true",
            "cache.expiration-interval-ms": "-1",
        }
        main = spark.attach(lake, **held)
        spark.sql(f"CREATE NAMESPACE {main}.ns", f"CREATE NAMESPACE {main}.ns.inner")
        spark.sql(f"CREATE TABLE {main}.ns.inner.t (id BIGINT)")
        without = spark.attach(lake, **held, **{"client.refresh-credentials-enabled": "false"})
        spark.sql(f"INSERT INTO {main}.ns.inner.t VALUES (1)")
        # The catalogs' caches let go of a table where memory is short; who reads it does not.
        renewing, holding = (spark.session.table(f"{each}.ns.inner.t") for each in (main, without))
        table = lake.pyiceberg().load_table("ns.inner.t")
        wait_for_the_end(s3, given[-1], table.metadata_location)
        assert renewing.collect() == [(1,)]
        spark.sql(f"INSERT INTO {main}.ns.inner.t VALUES (2)")
        assert spark.sql(f"SELECT id FROM {main}.ns.inner.t ORDER BY id") == [(1,), (2,)]
        with pytest.raises(Py4JJavaError, match="403"):
            holding.collect()


def wait_for_the_end(s3: ObjectStore, credentials: Credentials, location: str) -> None:
    """Wait until the store refuses credentials by which a file could be read until then."""
    bucket = S3Store(
        s3.bucket,
        endpoint=s3.endpoint,
        region=s3.region,
        access_key_id=credentials["AccessKeyId"],
        secret_access_key=credentials["SecretAccessKey"],
        session_token=credentials["SessionToken"],
        client_options={"allow_http": True},
    )
    path = location.removeprefix(f"s3://{s3.bucket}/")
    obstore.head(bucket, path)
    end = time.monotonic() + 10 * SECONDS
    while time.monotonic() < end:
        try:
            obstore.head(bucket, path)
        except PermissionDeniedError:
            return
        time.sleep(0.2)
    pytest.fail("The store still takes credentials that have run out")
