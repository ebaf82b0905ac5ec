"""A day's work of Spark 4 on a branch; after a line of input it reads what was released.

It has no other packages than those of its environment, and is run by `test_spark4.py`.
"""

import json
import sys
from typing import Any

from pyspark.sql import SparkSession


def main(directory: str) -> None:
    builder = SparkSession.builder.master("local[2]")
    for key, value in {
        "spark.driver.memory": "1g",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.warehouse.dir": f"{directory}/spark-warehouse",
    }.items():
        builder = builder.config(key, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")

    def sql(*statements: str) -> list[list[Any]]:
        rows: list[list[Any]] = []
        for statement in statements:
            rows = [list(row) for row in spark.sql(statement).collect()]
        return rows

    modes = ", ".join(f"'write.{verb}.mode' = 'merge-on-read'" for verb in ("delete", "merge"))
    sql(
        "CREATE NAMESPACE ns",
        f"CREATE TABLE ns.t (id INT, v STRING) TBLPROPERTIES ('format-version' = '3', {modes})",
        "INSERT INTO ns.t VALUES (1, 'a'), (2, 'b'), (3, 'c')",
        "DELETE FROM ns.t WHERE id = 2",
        "ALTER TABLE ns.t ADD COLUMN site STRING",
        "MERGE INTO ns.t USING (SELECT 1 AS id, 'A' AS v, 'lab' AS site UNION ALL"
        " SELECT 4, 'd', 'ward') s ON t.id = s.id"
        " WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *",
        "CREATE VIEW ns.wards AS SELECT id FROM ns.t WHERE site = 'ward'",
    )
    first = sql("SELECT snapshot_id FROM ns.t.snapshots ORDER BY committed_at")[0][0]
    tell(
        {
            "version": spark.version,
            "rows": sql("SELECT id, v, site FROM ns.t ORDER BY id"),
            "deletes": sql("SELECT count(*) FROM ns.t.delete_files")[0][0],
            "view": sql("SELECT id FROM ns.wards"),
            "as of the first snapshot": sql(f"SELECT count(*) FROM ns.t VERSION AS OF {first}")[0][
                0
            ],
        }
    )
    sys.stdin.readline()
    spark.conf.set("spark.sql.iceberg.snapshot-property.mainstem.message", "Take out the third")
    sql("DELETE FROM ns.t WHERE id = 3")
    query = "SELECT id, v, site FROM ns.{} ORDER BY id"
    tell(
        {
            "release": sql(query.format("`t@release/day`")),
            "branch": sql(query.format("t")),
        }
    )
    spark.stop()


def tell(found: dict[str, Any]) -> None:
    print(json.dumps(found), flush=True)


main(sys.argv[1])
