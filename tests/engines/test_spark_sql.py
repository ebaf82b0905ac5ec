"""Spark's own SQL on tables of the catalog: DDL, every way to write, views, time travel."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from py4j.protocol import Py4JJavaError
from pyspark.errors import AnalysisException

from tests.engines.lake import Lake, Rows, Spark


class Namespace:
    """A namespace on `main` that is the session's current one while a test runs."""

    def __init__(self, lake: Lake, spark: Spark) -> None:
        self.lake = lake
        self.catalog = spark.attach(lake)
        self.sql = spark.sql
        self.sql(f"CREATE NAMESPACE {self.catalog}.ns", f"USE {self.catalog}.ns")

    def rows(self, query: str) -> Rows:
        """Return the rows of a query in order."""
        return sorted(self.sql(query), key=str)

    def location(self, table: str) -> str:
        rows = self.sql(f"DESCRIBE EXTENDED {table}")
        return next(row[1] for row in rows if row[0] == "Location")


@pytest.fixture
def ns(lake: Lake, spark: Spark) -> Iterator[Namespace]:
    yield Namespace(lake, spark)
    spark.sql("USE lake")


def test_schemas_evolve(ns: Namespace) -> None:
    ns.sql("CREATE TABLE t (id INT, name STRING) COMMENT 'slides'", "INSERT INTO t VALUES (1, 'a')")
    ns.sql("ALTER TABLE t ADD COLUMN grade INT FIRST", "ALTER TABLE t RENAME COLUMN name TO label")
    ns.sql(
        "ALTER TABLE t ALTER COLUMN grade TYPE BIGINT", "ALTER TABLE t SET TBLPROPERTIES (a = 'b')"
    )
    ns.sql("INSERT INTO t VALUES (5000000000, 2, 'b')", "ALTER TABLE t DROP COLUMN id")
    assert ns.rows("SELECT grade, label FROM t") == [(5000000000, "b"), (None, "a")]
    assert ("a", "b") in ns.sql("SHOW TBLPROPERTIES t")
    ns.sql("ALTER TABLE ns.t RENAME TO ns.u")
    assert [row[1] for row in ns.sql("SHOW TABLES")] == ["u"]
    ns.sql("DROP TABLE u", f"DROP NAMESPACE {ns.catalog}.ns", f"CREATE NAMESPACE {ns.catalog}.ns")


def test_namespaces_nest_and_have_properties(ns: Namespace) -> None:
    inner = f"{ns.catalog}.ns.inner"
    ns.sql(f"CREATE NAMESPACE {inner} COMMENT 'deep' WITH DBPROPERTIES (team = 'lab')")
    ns.sql(f"CREATE TABLE {inner}.t (id INT)", f"INSERT INTO {inner}.t VALUES (1)")
    assert ns.sql(f"SELECT id FROM {inner}.t") == [(1,)]
    assert ns.sql(f"SHOW NAMESPACES IN {ns.catalog}.ns") == [("ns.inner",)]
    described = dict(ns.sql(f"DESCRIBE NAMESPACE EXTENDED {inner}"))
    assert described["Comment"] == "deep"
    assert "(team,lab)" in described["Properties"]
    with pytest.raises((AnalysisException, Py4JJavaError), match="not empty"):
        ns.sql(f"DROP NAMESPACE {inner}")


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("mode", ["copy-on-write", "merge-on-read"])
def test_rows_are_merged_updated_and_deleted(ns: Namespace, version: int, mode: str) -> None:
    how = ", ".join(f"'write.{verb}.mode' = '{mode}'" for verb in ("delete", "update", "merge"))
    properties = f"'format-version' = '{version}', {how}"
    ns.sql(f"CREATE TABLE t (id INT, v STRING) TBLPROPERTIES ({properties})")
    ns.sql("INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c'), (4, 'd')")
    if version == 3:
        before = ns.sql("SELECT _row_id FROM t WHERE id IN (1, 2) ORDER BY id")
    ns.sql("UPDATE t SET v = 'B' WHERE id = 2", "DELETE FROM t WHERE id = 3")
    ns.sql(
        "MERGE INTO t USING (SELECT 1 AS id, 'A' AS v UNION ALL SELECT 5, 'e') s ON t.id = s.id"
        " WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *"
    )
    assert ns.rows("SELECT * FROM t") == [(1, "A"), (2, "B"), (4, "d"), (5, "e")]
    formats = {row[0] for row in ns.sql("SELECT file_format FROM ns.t.delete_files")}
    written = "PARQUET" if version == 2 else "PUFFIN"
    assert formats == ({written} if mode == "merge-on-read" else set())
    if version == 3:
        assert ns.sql("SELECT _row_id FROM t WHERE id IN (1, 2) ORDER BY id") == before
    ns.sql("INSERT OVERWRITE t VALUES (9, 'z')")
    assert ns.sql("SELECT * FROM t") == [(9, "z")]


def test_a_table_is_created_and_replaced_from_a_query(ns: Namespace) -> None:
    ns.sql(
        "CREATE TABLE t AS SELECT 1 AS id", "CREATE OR REPLACE TABLE t AS SELECT 2 AS id, 'x' AS v"
    )
    assert ns.sql("SELECT * FROM t") == [(2, "x")]
    assert ns.sql("SELECT count(*) FROM ns.t.snapshots") == [(2,)]
    ns.sql("REPLACE TABLE t (other BIGINT) USING iceberg PARTITIONED BY (other)")
    assert ns.sql("SELECT * FROM t") == []
    messages = [commit["message"] for commit in ns.lake.commits()]
    assert len(messages) == 5, messages


def test_partitions_evolve(ns: Namespace) -> None:
    ns.sql("CREATE TABLE t (id INT, at TIMESTAMP, site STRING) PARTITIONED BY (months(at))")
    ns.sql("INSERT INTO t VALUES (1, TIMESTAMP '2026-01-05 00:00:00', 'a')")
    ns.sql("ALTER TABLE t REPLACE PARTITION FIELD at_month WITH days(at)")
    ns.sql("ALTER TABLE t ADD PARTITION FIELD bucket(4, site)", "ALTER TABLE t WRITE ORDERED BY id")
    ns.sql("INSERT INTO t VALUES (2, TIMESTAMP '2026-01-06 00:00:00', 'b')")
    assert ns.rows("SELECT id FROM t WHERE at >= '2026-01-01'") == [(1,), (2,)]
    assert sorted(row[0] for row in ns.sql("SELECT spec_id FROM ns.t.files")) == [0, 2]
    ns.sql("ALTER TABLE t DROP PARTITION FIELD bucket(4, site)")
    ns.sql("INSERT INTO t VALUES (3, TIMESTAMP '2026-01-07 00:00:00', 'c')")
    assert ns.rows("SELECT id FROM t") == [(1,), (2,), (3,)]


def test_a_table_in_no_namespace_is_simply_not_found(ns: Namespace) -> None:
    ns.sql("CREATE TABLE t (id INT)")
    with pytest.raises(AnalysisException, match="TABLE_OR_VIEW_NOT_FOUND"):
        ns.sql("SELECT * FROM t.snapshots")


def test_views_live_on_their_branch(ns: Namespace, spark: Spark) -> None:
    ns.sql("CREATE TABLE t AS SELECT 1 AS id UNION ALL SELECT 2")
    ns.lake.branch("work")
    work = spark.attach(ns.lake, "work")
    ns.sql(f"CREATE VIEW {work}.ns.big AS SELECT id FROM {work}.ns.t WHERE id > 1")
    ns.sql(f"CREATE OR REPLACE VIEW {work}.ns.big COMMENT 'b' AS SELECT id FROM {work}.ns.t")
    assert ns.rows(f"SELECT * FROM {work}.ns.big") == [(1,), (2,)]
    assert [row[1] for row in ns.sql(f"SHOW VIEWS IN {work}.ns")] == ["big"]
    assert ns.sql("SHOW VIEWS") == []
    ns.lake.merge("work")
    assert [row[1] for row in ns.sql("SHOW VIEWS")] == ["big"]
    ns.sql("DROP VIEW big")
    assert ns.sql("SHOW VIEWS") == []


def test_a_table_is_read_as_of_before(ns: Namespace) -> None:
    ns.sql("CREATE TABLE t AS SELECT 1 AS id")
    first, moment = ns.sql("SELECT snapshot_id, committed_at FROM ns.t.snapshots")[0]
    ns.sql(
        "INSERT INTO t VALUES (2)", "ALTER TABLE t CREATE TAG kept", "ALTER TABLE t CREATE BRANCH b"
    )
    ns.sql("INSERT INTO ns.t.branch_b VALUES (3)")
    assert ns.sql(f"SELECT id FROM t VERSION AS OF {first}") == [(1,)]
    assert ns.sql(f"SELECT id FROM t TIMESTAMP AS OF '{moment}'") == [(1,)]
    assert ns.rows("SELECT id FROM t VERSION AS OF 'kept'") == [(1,), (2,)]
    assert ns.rows("SELECT id FROM ns.t.branch_b") == [(1,), (2,), (3,)]
    assert ns.rows("SELECT id FROM t") == [(1,), (2,)]


def test_metadata_tables_tell_of_the_table(ns: Namespace) -> None:
    ns.sql("CREATE TABLE t (id INT) PARTITIONED BY (id)", "INSERT INTO t VALUES (1), (2)")
    ns.sql("DELETE FROM t WHERE id = 1")
    counts = {
        name: ns.sql(f"SELECT count(*) FROM ns.t.{name}")[0][0]
        for name in ("history", "snapshots", "files", "manifests", "partitions", "refs", "entries")
    }
    assert counts == {
        "history": 2,
        "snapshots": 2,
        "files": 1,
        "manifests": 1,
        "partitions": 1,
        "refs": 1,
        "entries": 2,
    }


def test_procedures_that_keep_files_work(ns: Namespace) -> None:
    ns.sql("CREATE TABLE t (id INT)", "INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (2)")
    first = ns.sql("SELECT snapshot_id FROM ns.t.snapshots ORDER BY committed_at")[0][0]
    system = f"{ns.catalog}.system"
    rewritten = ns.sql(
        f"CALL {system}.rewrite_data_files(table => 'ns.t', options => map('rewrite-all', 'true'))"
    )
    assert rewritten[0][:2] == (2, 1)
    assert ns.rows("SELECT id FROM t") == [(1,), (2,)]
    ns.sql(f"CALL {system}.rewrite_manifests('ns.t')")
    ns.sql(f"CALL {system}.rollback_to_snapshot('ns.t', {first})")
    assert ns.sql("SELECT id FROM t") == [(1,)]
    assert ns.sql(f"CALL {system}.ancestors_of('ns.t')")[0][0] == first
    second, moment = ns.sql(
        f"SELECT snapshot_id, committed_at FROM ns.t.snapshots WHERE parent_id = {first}"
    )[0]
    ns.sql(f"CALL {system}.set_current_snapshot('ns.t', {second})")
    assert ns.rows("SELECT id FROM t") == [(1,), (2,)]
    ns.sql(f"CALL {system}.rollback_to_timestamp('ns.t', TIMESTAMP '{moment}')")
    assert ns.sql("SELECT id FROM t") == [(1,)]
    ns.sql("INSERT INTO t VALUES (3)")
    ns.sql(f"CALL {system}.compute_table_stats('ns.t')")
    metadata = ns.sql("SELECT file FROM ns.t.metadata_log_entries ORDER BY timestamp DESC")[0][0]
    ns.sql(f"CALL {system}.register_table('ns.again', '{metadata}')")
    assert ns.rows("SELECT id FROM again") == [(1,), (3,)]


def test_position_deletes_are_rewritten_and_a_tag_keeps_those_before(ns: Namespace) -> None:
    ns.sql("CREATE TABLE t (id INT) TBLPROPERTIES ('write.delete.mode' = 'merge-on-read')")
    ns.sql("INSERT INTO t SELECT /*+ COALESCE(1) */ id FROM range(4)")
    ns.sql("DELETE FROM t WHERE id = 1", "DELETE FROM t WHERE id = 2")
    ns.lake.tag("before")
    call = "rewrite_position_delete_files(table => 'ns.t', options => map('rewrite-all', 'true'))"
    assert ns.sql(f"CALL {ns.catalog}.system.{call}")[0][:2] == (1, 1)
    assert ns.sql("SELECT count(*) FROM ns.t.delete_files") == [(1,)]
    assert ns.rows("SELECT id FROM t") == ns.rows("SELECT id FROM `t@before`") == [(0,), (3,)]


def test_what_a_merge_brought_is_in_the_changelog(ns: Namespace, spark: Spark) -> None:
    ns.sql("CREATE TABLE t (id INT)", "INSERT INTO t VALUES (1)")
    first = ns.sql("SELECT snapshot_id FROM ns.t.snapshots")[0][0]
    ns.lake.branch("work")
    ns.sql(f"INSERT INTO {spark.attach(ns.lake, 'work')}.ns.t VALUES (2)")
    ns.sql("INSERT INTO t VALUES (3)")
    ns.lake.merge("work")
    since = f"map('start-snapshot-id', '{first}')"
    view = f"table => 'ns.t', changelog_view => 'changes', options => {since}"
    ns.sql(f"CALL {ns.catalog}.system.create_changelog_view({view})")
    changes = ns.sql("SELECT id, _change_type, _change_ordinal FROM changes ORDER BY 3")
    assert changes == [(3, "INSERT", 0), (2, "INSERT", 1)]


def test_plain_files_and_tables_become_tables_of_the_catalog(
    ns: Namespace, spark: Spark, tmp_path: Path
) -> None:
    spark.session.range(3).write.parquet(str(tmp_path / "plain"))
    system = f"{ns.catalog}.system"
    ns.sql("CREATE TABLE t (id BIGINT)")
    ns.sql(f"CALL {system}.add_files('ns.t', '`parquet`.`{tmp_path / 'plain'}`')")
    assert ns.rows("SELECT id FROM t") == [(0,), (1,), (2,)]
    ns.sql("CREATE TABLE spark_catalog.default.plain USING parquet AS SELECT 7 AS id")
    try:
        ns.sql(f"CALL {system}.snapshot('spark_catalog.default.plain', '{ns.catalog}.ns.taken')")
        assert ns.sql("SELECT id FROM taken") == [(7,)]
        with pytest.raises(Exception, match="Cannot migrate a table from a non-Iceberg"):
            ns.sql(f"CALL {system}.migrate('spark_catalog.default.plain')")
    finally:
        ns.sql("DROP TABLE spark_catalog.default.plain")


def test_what_was_staged_or_on_a_tables_own_branch_is_published(
    ns: Namespace, spark: Spark
) -> None:
    ns.sql("CREATE TABLE t (id INT) TBLPROPERTIES ('write.wap.enabled' = 'true')")
    ns.sql("INSERT INTO t VALUES (1)")
    spark.session.conf.set("spark.wap.id", "audit")
    try:
        ns.sql("INSERT INTO t VALUES (2)")
    finally:
        spark.session.conf.unset("spark.wap.id")
    ns.sql("INSERT INTO t VALUES (3)")
    assert ns.rows("SELECT id FROM t") == [(1,), (3,)]
    staged = ns.sql("SELECT snapshot_id FROM ns.t.snapshots WHERE summary['wap.id'] = 'audit'")
    system = f"{ns.catalog}.system"
    ns.sql(f"CALL {system}.cherrypick_snapshot('ns.t', {staged[0][0]})")
    assert ns.rows("SELECT id FROM t") == [(1,), (2,), (3,)]
    with pytest.raises(Py4JJavaError, match="DuplicateWAPCommit"):
        ns.sql(f"CALL {system}.publish_changes('ns.t', 'audit')")
    ns.sql("ALTER TABLE t CREATE BRANCH b", "INSERT INTO ns.t.branch_b VALUES (4)")
    ns.sql(f"CALL {system}.fast_forward('ns.t', 'main', 'b')")
    assert ns.rows("SELECT id FROM t") == [(1,), (2,), (3,), (4,)]


@pytest.mark.parametrize("table", ["t", "registered"])
@pytest.mark.parametrize(
    "statement",
    [
        "CALL {catalog}.system.expire_snapshots(table => 'ns.{table}', older_than => TIMESTAMP"
        " '2100-01-01', retain_last => 1)",
        "CALL {catalog}.system.remove_orphan_files(table => 'ns.{table}')",
        "DROP TABLE {table} PURGE",
    ],
)
def test_what_deletes_files_is_refused(ns: Namespace, statement: str, table: str) -> None:
    ns.sql("CREATE TABLE t (id INT)", "INSERT INTO t VALUES (1)", "INSERT OVERWRITE t VALUES (2)")
    folder = Path(ns.location("t").removeprefix("file:"))
    if table == "registered":
        # As another catalog wrote it, which leaves it to engines to delete.
        newest = max((folder / "metadata").glob("*.metadata.json"))
        metadata = json.loads(newest.read_text())
        del metadata["properties"]["gc.enabled"]
        other = newest.with_name("00009-other.metadata.json")
        other.write_text(json.dumps(metadata))
        ns.sql(f"CALL {ns.catalog}.system.register_table('ns.registered', '{other}')")
    before = sorted(path for path in folder.rglob("*") if path.is_file())
    assert len(before) > 4
    with pytest.raises(Py4JJavaError, match="GC is disabled"):
        ns.sql(statement.format(catalog=ns.catalog, table=table))
    assert sorted(path for path in folder.rglob("*") if path.is_file()) == before


def test_a_stream_writes_to_a_branch_and_goes_on_after_a_restart(
    ns: Namespace, spark: Spark, tmp_path: Path
) -> None:
    ns.sql("CREATE TABLE t (id BIGINT)")
    ns.lake.branch("stream")
    source = tmp_path / "in"
    source.mkdir()

    def run() -> list[tuple[int]]:
        """Start the query on the branch, attached anew, take in what is new, and stop."""
        work = spark.attach(ns.lake, "stream")
        lines = spark.session.readStream.schema("id BIGINT").json(str(source))
        writer = lines.writeStream.format("iceberg").trigger(availableNow=True)
        writer = writer.option("checkpointLocation", str(tmp_path / "checkpoint"))
        writer.toTable(f"{work}.ns.t").awaitTermination()
        return ns.rows(f"SELECT id FROM {work}.ns.t")

    (source / "a.json").write_text('{"id": 1}\n{"id": 2}\n')
    assert run() == [(1,), (2,)]
    # As if it had been killed after the table's commit and before the checkpoint's.
    for path in (tmp_path / "checkpoint" / "commits").iterdir():
        path.unlink()
    assert run() == [(1,), (2,)]
    assert ns.sql("SELECT * FROM t") == []
    ns.lake.merge("stream")
    head = ns.lake.head("stream")
    assert run() == [(1,), (2,)]
    assert ns.lake.head("stream") == head, "nothing was new"
    (source / "b.json").write_text('{"id": 3}\n')
    assert run() == [(1,), (2,), (3,)]
    ns.lake.merge("stream")
    assert ns.rows("SELECT id FROM t") == [(1,), (2,), (3,)]
