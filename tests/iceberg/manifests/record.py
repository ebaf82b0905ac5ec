"""Records `golden.tar.xz`: manifests that Spark wrote, and what Iceberg says of their entries.

Run it by hand, `python -m tests.iceberg.manifests.record`, where Spark's jars can be had; the tests
read only the archive.
"""

import io
import json
import os
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.java import spark_environment

ICEBERG = "org.apache.iceberg:iceberg-spark-runtime-3.5_2.12:1.12.0"
GOLDEN = Path(__file__).parent / "golden.tar.xz"

COLUMNS = (
    "id bigint, site string, at timestamp, day date, size double, price decimal(12,3), note binary"
)
FIRST = """VALUES
  (1L, 'a', TIMESTAMP '1969-12-31 23:00:00', date_add(DATE '9999-12-31', 400), double('NaN'),
   CAST(-1.500 AS DECIMAL(12,3)), X'00ff'),
  (2L, CAST(NULL AS STRING), CAST(NULL AS TIMESTAMP), DATE '2026-11-25', 0.1D,
   CAST(12345.678 AS DECIMAL(12,3)), X''),
  (3L, 'é', TIMESTAMP '2026-11-25 02:00:00', CAST(NULL AS DATE), -0.0D,
   CAST(NULL AS DECIMAL(12,3)), CAST(NULL AS BINARY))"""
SECOND = """VALUES
  (4L, 'b', TIMESTAMP '2026-11-25 02:00:00', DATE '2026-11-25', 2.5D, 7.000BD, X'01'),
  (5L, 'b', TIMESTAMP '2026-11-25 02:00:00', DATE '2026-11-25', 2.5D, 7.000BD, X'01')"""
SHAPES = {
    "v1": (1, "site, bucket(4, id), days(at)", "copy-on-write"),
    "v2": (2, "day, size, price, note", "merge-on-read"),
    "v3": (3, "site", "merge-on-read"),
    "merged": (3, "", "copy-on-write"),
}


def record(name: str, spark: Any, archive: tarfile.TarFile) -> None:
    version, fields, mode = SHAPES[name]
    partitioned = f"PARTITIONED BY ({fields})" if fields else ""
    merging = 2 if name == "merged" else 100
    spark.sql(
        f"CREATE TABLE golden.{name} ({COLUMNS}) USING iceberg {partitioned} TBLPROPERTIES ("
        f"'format-version'='{version}', 'write.delete.mode'='{mode}', "
        f"'commit.manifest.min-count-to-merge'='{merging}', 'write.distribution-mode'='none')"
    )
    for rows in (FIRST, SECOND):
        spark.sql(f"INSERT INTO golden.{name} SELECT /*+ COALESCE(1) */ * FROM {rows}")
    spark.sql(f"INSERT INTO golden.{name} SELECT /*+ COALESCE(1) */ * FROM {FIRST} WHERE col1 > 1")
    # A whole file goes, and one row of another.
    for row in (2, 5):
        spark.sql(f"DELETE FROM golden.{name} WHERE id = {row}")
    location = spark.sql(f"SELECT file FROM golden.{name}.metadata_log_entries").collect()[-1][0]
    metadata = json.loads(Path(urlsplit(location).path).read_text())
    row_id = "data_file.first_row_id" if version > 2 else "CAST(NULL AS BIGINT)"
    entries = spark.sql(
        "SELECT status, snapshot_id, sequence_number, file_sequence_number, data_file.file_path,"
        f" data_file.content, data_file.record_count, {row_id} AS first_row_id"
        f" FROM golden.{name}.all_entries"
    )
    said = {"metadata": metadata, "entries": [row.asDict() for row in entries.collect()]}
    _add(archive, f"{name}.json", json.dumps(said).encode())
    manifests = [each.path for each in spark.table(f"golden.{name}.all_manifests").collect()]
    lists = [each["manifest-list"] for each in metadata["snapshots"]]
    for path in sorted({urlsplit(each).path for each in (*manifests, *lists)}):
        _add(archive, f"{name}/{Path(path).name}", Path(path).read_bytes())


def _add(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(data)
    archive.addfile(member, io.BytesIO(data))


def main() -> None:
    from pyspark.sql import SparkSession

    with tempfile.TemporaryDirectory() as folder, tarfile.open(GOLDEN, "w:xz") as archive:
        os.environ |= spark_environment(Path(folder)) | {"PYSPARK_PYTHON": sys.executable}
        spark = (
            SparkSession.builder.master("local[1]")
            .config("spark.jars.packages", ICEBERG)
            .config("spark.sql.catalog.golden", "org.apache.iceberg.spark.SparkCatalog")
            .config("spark.sql.catalog.golden.type", "hadoop")
            .config("spark.sql.catalog.golden.warehouse", f"{folder}/lake")
            .config("spark.sql.session.timeZone", "UTC")
            .config("spark.ui.enabled", "false")
            .getOrCreate()
        )
        for name in SHAPES:
            record(name, spark, archive)
        spark.stop()


if __name__ == "__main__":
    main()
