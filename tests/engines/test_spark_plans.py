"""Spark reads a table whose scans the server plans."""

from tests.engines.lake import Lake, Spark


def test_spark_reads_what_the_server_plans(lake: Lake, spark: Spark) -> None:
    client = spark.attach(lake)
    server = spark.attach(lake, **{"scan-planning-mode": "server"})
    spark.sql(
        f"CREATE NAMESPACE {client}.ns",
        f"CREATE TABLE {client}.ns.t (id BIGINT, site STRING, day DATE)"
        " PARTITIONED BY (site, days(day)) TBLPROPERTIES ('write.delete.mode'='merge-on-read')",
        f"INSERT INTO {client}.ns.t SELECT id, concat('s', id % 3),"
        " date_add(DATE'2026-01-01', CAST(id % 4 AS INT)) FROM range(40)",
        f"INSERT INTO {client}.ns.t VALUES (103, NULL, NULL), (101, 's1', DATE'2026-01-02')",
        f"DELETE FROM {client}.ns.t WHERE id % 5 = 0",
    )
    for condition in (
        "true",
        "id > 20",
        "site = 's1'",
        "site IS NULL",
        "day >= DATE'2026-01-03' AND site <> 's2'",
        "day = DATE'2026-01-02' OR id < 3",
        "site LIKE 's%' AND id IN (1, 2, 101)",
    ):
        rows = [
            spark.sql(f"SELECT * FROM {name}.ns.t WHERE {condition} ORDER BY id")
            for name in (client, server)
        ]
        assert rows[0], condition
        assert rows[0] == rows[1], condition
    assert spark.sql(f"SELECT count(*) FROM {server}.ns.t") == [(34,)]
