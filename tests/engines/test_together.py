"""Spark, DuckDB and pyiceberg on the same tables: each reads what the others wrote."""

import datetime
from decimal import Decimal

import pyarrow as pa
import pytest

from tests.engines.lake import Duck, Lake, Rows, Spark


class Readers:
    """The three engines at one revision."""

    def __init__(self, lake: Lake, spark: Spark, duck: Duck, revision: str, *, live: bool) -> None:
        self.spark, self.duck = spark, duck
        self.catalog = spark.attach(lake, revision, live=live)
        self.alias = f"r{self.catalog}"
        duck.attach(lake, revision, self.alias)
        self.iceberg = lake.pyiceberg(revision)

    def rows(self, table: str) -> dict[str, Rows]:
        """Return the rows that each engine sees, in order."""
        columns = self.iceberg.load_table(table).scan().to_arrow().to_pydict()
        seen = {
            "spark": self.spark.sql(f"SELECT * FROM {self.catalog}.{table}"),
            "duckdb": self.duck.sql(f"SELECT * FROM {self.alias}.{table}"),
            "pyiceberg": list(zip(*columns.values(), strict=True)),
        }
        return {engine: sorted(rows, key=str) for engine, rows in seen.items()}


def agreed(rows: dict[str, Rows]) -> Rows:
    """Return what all engines see."""
    assert rows["spark"] == rows["duckdb"] == rows["pyiceberg"]
    return rows["spark"]


@pytest.fixture
def three(lake: Lake, spark: Spark, duck: Duck) -> Readers:
    """Give the three engines on `main`, which has a namespace `ns`."""
    lake.pyiceberg().create_namespace("ns")
    return Readers(lake, spark, duck, "main", live=True)


def test_each_reads_and_writes_what_another_created(three: Readers) -> None:
    c, m = three.catalog, three.alias
    three.spark.sql(f"CREATE TABLE {c}.ns.a (id INT, v STRING)")
    three.duck.sql(f"CREATE TABLE {m}.ns.b (id INTEGER, v VARCHAR)")
    schema = pa.schema([("id", pa.int32()), ("v", pa.string())])
    three.iceberg.create_table("ns.c", schema)
    for name in ("a", "b", "c"):
        three.spark.sql(f"INSERT INTO {c}.ns.{name} VALUES (1, 'spark')")
        three.duck.sql(f"INSERT INTO {m}.ns.{name} VALUES (2, 'duckdb')")
        rows = pa.table({"id": [3], "v": ["pyiceberg"]}, schema=schema)
        three.iceberg.load_table(f"ns.{name}").append(rows)
        seen = agreed(three.rows(f"ns.{name}"))
        assert seen == [(1, "spark"), (2, "duckdb"), (3, "pyiceberg")]


def test_all_see_rows_that_one_deleted_by_position(three: Readers) -> None:
    c, m = three.catalog, three.alias
    properties = "'format-version' = '2', 'write.delete.mode' = 'merge-on-read'"
    three.spark.sql(f"CREATE TABLE {c}.ns.t (id INT) TBLPROPERTIES ({properties})")
    three.spark.sql(f"INSERT INTO {c}.ns.t VALUES (1), (2), (3), (4)")
    three.spark.sql(f"DELETE FROM {c}.ns.t WHERE id = 1")
    assert agreed(three.rows("ns.t")) == [(2,), (3,), (4,)]
    three.duck.sql(f"DELETE FROM {m}.ns.t WHERE id = 2")
    assert agreed(three.rows("ns.t")) == [(3,), (4,)]
    with pytest.warns(UserWarning, match="falling back to copy-on-write"):
        three.iceberg.load_table("ns.t").delete("id = 3")
    assert agreed(three.rows("ns.t")) == [(4,)]


def test_all_follow_an_evolved_schema(three: Readers) -> None:
    c, m = three.catalog, three.alias
    three.spark.sql(f"CREATE TABLE {c}.ns.t (id INT, old STRING)")
    three.spark.sql(f"INSERT INTO {c}.ns.t VALUES (1, 'a')")
    three.spark.sql(f"ALTER TABLE {c}.ns.t RENAME COLUMN old TO new")
    three.duck.sql(f"ALTER TABLE {m}.ns.t ADD COLUMN more BIGINT")
    with three.iceberg.load_table("ns.t").update_schema() as update:
        update.move_first("more")
    three.spark.sql(f"INSERT INTO {c}.ns.t VALUES (7, 2, 'b')")
    assert agreed(three.rows("ns.t")) == [(7, 2, "b"), (None, 1, "a")]


def test_all_read_every_ordinary_type_alike(three: Readers) -> None:
    c = three.catalog
    three.spark.sql(
        f"CREATE TABLE {c}.ns.t AS SELECT 1 AS i, 9000000000 AS l, true AS b, 'ä' AS s,"
        " CAST(1.5 AS DOUBLE) AS d, CAST(12.34 AS DECIMAL(9, 2)) AS m, DATE '2026-11-23' AS day,"
        " TIMESTAMP_NTZ '2026-11-23 10:00:00' AS at, array(1, 2) AS xs, named_struct('k', 1) AS n"
    )
    day, at = datetime.date(2026, 11, 23), datetime.datetime(2026, 11, 23, 10)  # noqa: DTZ001
    fixed = (1, 9000000000, True, "ä", 1.5, Decimal("12.34"), day, at, [1, 2])
    for engine, ((*values, struct),) in three.rows("ns.t").items():
        assert tuple(values) == fixed, engine
        assert (struct["k"] if isinstance(struct, dict) else struct.k) == 1, engine


@pytest.mark.parametrize("revision", ["release/1", "main@{now}"])
def test_a_pinned_reader_sees_one_moment_whatever_others_write(
    three: Readers, lake: Lake, spark: Spark, duck: Duck, revision: str
) -> None:
    c, m = three.catalog, three.alias
    three.spark.sql(
        f"CREATE TABLE {c}.ns.t AS SELECT 1 AS id", f"CREATE TABLE {c}.ns.u AS SELECT 1 AS id"
    )
    lake.tag("release/1")
    pinned = Readers(lake, spark, duck, revision, live=False)
    assert agreed(pinned.rows("ns.t")) == [(1,)]
    three.spark.sql(f"INSERT INTO {c}.ns.t VALUES (2)")
    three.duck.sql(f"DELETE FROM {m}.ns.u")
    three.iceberg.drop_table("ns.t")
    # `u` is read for the first time only now, and still as of the moment of `t`.
    assert agreed(pinned.rows("ns.u")) == [(1,)]
    assert agreed(pinned.rows("ns.t")) == [(1,)]
    assert agreed(three.rows("ns.u")) == []
