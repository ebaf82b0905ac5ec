"""A folder of Parquet files, imported as a table, then read, changed and compacted by engines."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow.fs import FileSystem, LocalFileSystem, S3FileSystem

from tests.engines.lake import Duck, Lake, Rows, Spark
from tests.services import ObjectStore

DAYS = {"2026-11-23": [1, 2, 3], "2026-11-24": [4, 5]}


def write(files: FileSystem, folder: str) -> None:
    """Write files without the columns that their folders tell, as Hive does."""
    for day, ids in DAYS.items():
        place = f"{folder}/as_of_date={day}/site=K%C3%B6ln"
        files.create_dir(place)
        pq.write_table(pa.table({"id": ids}), f"{place}/part-0.parquet", filesystem=files)


def rows(*ids: int, site: str = "Köln") -> Rows:
    days = {number: date.fromisoformat(day) for day, found in DAYS.items() for number in found}
    return [(number, days[number], site) for number in ids]


@pytest.mark.parametrize("store", ["files", "s3"])
def test_engines_read_and_change_a_folder_that_was_imported(
    make_lake: Callable[..., Lake],
    s3: ObjectStore,
    spark: Spark,
    duck: Duck,
    tmp_path: Path,
    store: str,
) -> None:
    if store == "s3":
        location, reach = f"s3://{s3.bucket}/{tmp_path.name}", {**s3.storage, **s3.secrets}
        lake = make_lake(location, s3)
        delegation = {"access-delegation": "vended-credentials", "sts.role-arn": s3.role_arn}
        url = f"{lake.server}/api/v1/warehouses/{lake.warehouse}"
        storage = {**s3.storage, **delegation}
        assert lake.http.patch(url, json={"storage": storage}).status_code == 200
        files: FileSystem = S3FileSystem(
            access_key=s3.access_key, secret_key=s3.secret_key, endpoint_override=s3.endpoint
        )
        write(files, location.removeprefix("s3://") + "/scans")
    else:
        location, reach = (tmp_path / "lake").as_uri(), {}
        lake = make_lake(location)
        write(LocalFileSystem(), f"{tmp_path}/lake/scans")
    options = [f"--property={name}={value}" for name, value in reach.items()]
    lake.command("import", "files", f"{location}/scans", "--table", "lab.scans", *options)
    header = {"header.X-Iceberg-Access-Delegation": "vended-credentials"}
    main = spark.attach(lake, **header)
    table, query = f"{main}.lab.scans", "SELECT id, as_of_date, site FROM {} ORDER BY id"
    assert spark.sql(query.format(table)) == rows(1, 2, 3, 4, 5)
    assert spark.sql(f"SELECT count(*) FROM {table} WHERE as_of_date = DATE '2026-11-24'") == [(2,)]
    lake.tag("v1")
    spark.sql(
        f"ALTER TABLE {table} SET TBLPROPERTIES ('write.delete.mode' = 'merge-on-read')",
        f"DELETE FROM {table} WHERE id = 2",
        f"UPDATE {table} SET id = 6 WHERE id = 5",
        f"CALL {main}.system.rewrite_data_files(table => 'lab.scans',"
        " options => map('rewrite-all', 'true'))",
    )
    expected = [*rows(1, 3, 4), (6, date(2026, 11, 24), "Köln")]
    assert spark.sql(query.format(table)) == expected
    duck.attach(lake, "main", "d")
    assert duck.sql(query.format("d.lab.scans")) == expected
    duck.attach(lake, "v1", "v")
    assert duck.sql(query.format("v.lab.scans")) == rows(1, 2, 3, 4, 5)
    read = lake.pyiceberg("v1").load_table("lab.scans").scan("site = 'Köln'").to_arrow()
    assert sorted(read["id"].to_pylist()) == [1, 2, 3, 4, 5]
