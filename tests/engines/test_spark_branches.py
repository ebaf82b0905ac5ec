"""Spark on branches, tags and commits: what is written where, and who sees it when."""

import pytest
from py4j.protocol import Py4JJavaError
from pyspark.errors import AnalysisException

from tests.engines.lake import Lake, Spark


def test_the_session_itself_runs_on_the_doctors_settings(spark: Spark) -> None:
    assert spark.session.conf.get("spark.sql.catalog.lake.warehouse") == "lake@main"
    spark.sql("CREATE NAMESPACE first", "CREATE TABLE first.t (id INT)")
    spark.sql("INSERT INTO first.t VALUES (1)")
    assert spark.sql("SELECT id FROM lake.first.t") == [(1,)]


def test_what_is_written_on_a_branch_reaches_main_by_a_merge(lake: Lake, spark: Spark) -> None:
    main = spark.attach(lake)
    spark.sql(f"CREATE NAMESPACE {main}.ns", f"CREATE TABLE {main}.ns.t (id INT)")
    lake.branch("ingest/2026-11-23")
    work = spark.attach(lake, "ingest/2026-11-23")
    spark.sql(f"INSERT INTO {work}.ns.t VALUES (1), (2)")
    spark.sql(f"CREATE TABLE {work}.ns.new AS SELECT 7 AS id")
    assert spark.sql(f"SELECT * FROM {main}.ns.t") == []
    with pytest.raises(AnalysisException, match="TABLE_OR_VIEW_NOT_FOUND"):
        spark.sql(f"SELECT * FROM {main}.ns.new")
    merged = lake.merge("ingest/2026-11-23")
    assert lake.head() == merged["commit_id"]
    assert sorted(spark.sql(f"SELECT id FROM {main}.ns.t")) == [(1,), (2,)]
    assert spark.sql(f"SELECT id FROM {main}.ns.new") == [(7,)]


def test_two_branches_in_one_session_do_not_mix(lake: Lake, spark: Spark) -> None:
    main = spark.attach(lake)
    spark.sql(f"CREATE NAMESPACE {main}.ns", f"CREATE TABLE {main}.ns.t (id INT)")
    lake.branch("left")
    lake.branch("right")
    left, right = spark.attach(lake, "left"), spark.attach(lake, "right")
    spark.sql(f"INSERT INTO {left}.ns.t VALUES (1)")
    spark.sql(f"INSERT INTO {right}.ns.t VALUES (2)")
    joined = spark.sql(
        f"SELECT l.id, r.id FROM {left}.ns.t l FULL OUTER JOIN {right}.ns.t r USING (id)"
    )
    assert sorted(joined, key=str) == [(1, None), (None, 2)]


def test_a_release_stands_beside_the_branch_in_one_query(lake: Lake, spark: Spark) -> None:
    main = spark.attach(lake)
    spark.sql(f"CREATE NAMESPACE {main}.ns", f"CREATE TABLE {main}.ns.t AS SELECT 1 AS id")
    lake.tag("release/1")
    spark.sql(f"INSERT INTO {main}.ns.t VALUES (2)")
    added = spark.sql(f"SELECT id FROM {main}.ns.t EXCEPT SELECT id FROM {main}.ns.`t@release/1`")
    assert added == [(2,)]


def test_a_table_is_written_on_the_branch_that_its_name_says(lake: Lake, spark: Spark) -> None:
    main = spark.attach(lake)
    spark.sql(f"CREATE NAMESPACE {main}.ns", f"CREATE TABLE {main}.ns.t (id INT)")
    lake.branch("fix/a")
    spark.sql(f"INSERT INTO {main}.ns.`t@fix/a` VALUES (5)")
    assert spark.sql(f"SELECT * FROM {main}.ns.t") == []
    assert spark.sql(f"SELECT * FROM {spark.attach(lake, 'fix/a')}.ns.t") == [(5,)]


@pytest.mark.parametrize("revision", ["release/1", "main@{now}", "main~1"])
def test_a_revision_stays_and_refuses_writes(lake: Lake, spark: Spark, revision: str) -> None:
    main = spark.attach(lake)
    spark.sql(f"CREATE NAMESPACE {main}.ns", f"CREATE TABLE {main}.ns.t AS SELECT 1 AS id")
    spark.sql(f"ALTER TABLE {main}.ns.t SET TBLPROPERTIES ('a' = 'b')")
    lake.tag("release/1")
    pinned = spark.attach(lake, revision, live=False)
    assert spark.sql(f"SELECT id FROM {pinned}.ns.t") == [(1,)]
    spark.sql(f"INSERT INTO {main}.ns.t VALUES (2)", f"CREATE TABLE {main}.ns.u (id INT)")
    assert spark.sql(f"SELECT id FROM {pinned}.ns.t") == [(1,)]
    assert [row[1] for row in spark.sql(f"SHOW TABLES IN {pinned}.ns")] == ["t"]
    before = lake.head()
    with pytest.raises(Py4JJavaError, match="read-only"):
        spark.sql(f"INSERT INTO {pinned}.ns.t VALUES (3)")
    with pytest.raises(Py4JJavaError, match="read-only"):
        spark.sql(f"DROP TABLE {pinned}.ns.t")
    assert lake.head() == before


def test_commits_carry_the_message_and_author_of_the_headers(lake: Lake, spark: Spark) -> None:
    named = {
        "header.X-Mainstem-Author": "Ada Byron",
        "header.X-Mainstem-Message": "Load the slides",
        "header.X-Mainstem-Metadata-Job": "nightly",
    }
    main = spark.attach(lake, **named)
    spark.sql(f"CREATE NAMESPACE {main}.ns", f"CREATE TABLE {main}.ns.t (id INT)")
    commit = lake.commits()[0]
    assert (commit["author"], commit["message"]) == ("Ada Byron", "Load the slides")
    assert commit["metadata"]["job"] == "nightly"


def test_a_write_names_its_message_author_and_metadata(lake: Lake, spark: Spark) -> None:
    main = spark.attach(lake)
    spark.sql(f"CREATE NAMESPACE {main}.ns", f"CREATE TABLE {main}.ns.t (id BIGINT)")
    said = {"author": "Ada Byron", "message": "Grade slide 3", "metadata.dbt-model": "ns.t"}
    write = spark.session.range(3).writeTo(f"{main}.ns.t")
    for name, value in said.items():
        write = write.option(f"snapshot-property.mainstem.{name}", value)
    write.append()
    spark.sql(f"INSERT INTO {main}.ns.t VALUES (3)")
    after, commit = lake.commits()[:2]
    assert (commit["author"], commit["message"]) == ("Ada Byron", "Grade slide 3")
    assert commit["metadata"] == {"dbt-model": "ns.t"}
    assert after["message"] == "Append to table ns.t"


def test_purge_deletes_no_file_that_another_branch_reads(lake: Lake, spark: Spark) -> None:
    main = spark.attach(lake)
    spark.sql(f"CREATE NAMESPACE {main}.ns", f"CREATE TABLE {main}.ns.t AS SELECT 1 AS id")
    lake.branch("keeps")
    with pytest.raises(Py4JJavaError, match="GC is disabled"):
        spark.sql(f"DROP TABLE {main}.ns.t PURGE")
    spark.sql(f"DROP TABLE {main}.ns.t")
    assert spark.sql(f"SHOW TABLES IN {main}.ns") == []
    assert spark.sql(f"SELECT id FROM {spark.attach(lake, 'keeps')}.ns.t") == [(1,)]
