"""DuckDB on branches, tags and commits: reads, writes, transactions, races."""

import duckdb
import pytest

from tests.engines.lake import Duck, Lake


@pytest.fixture
def filled(lake: Lake, duck: Duck) -> Lake:
    """Give a warehouse whose `main`, attached as `m`, has `ns.t` with one row."""
    duck.attach(lake, "main", "m")
    duck.sql("CREATE SCHEMA m.ns", "CREATE TABLE m.ns.t (id INTEGER, v VARCHAR)")
    duck.sql("INSERT INTO m.ns.t VALUES (1, 'a')")
    return lake


def test_every_statement_that_writes_works(filled: Lake, duck: Duck) -> None:
    duck.sql(
        "INSERT INTO m.ns.t VALUES (2, 'b'), (3, 'c')", "UPDATE m.ns.t SET v = 'B' WHERE id = 2"
    )
    duck.sql("DELETE FROM m.ns.t WHERE id = 3")
    duck.sql(
        "MERGE INTO m.ns.t USING (VALUES (1, 'A'), (4, 'd')) s(id, v) ON t.id = s.id"
        " WHEN MATCHED THEN UPDATE SET v = s.v WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.v)"
    )
    assert duck.sql("FROM m.ns.t ORDER BY id") == [(1, "A"), (2, "B"), (4, "d")]
    duck.sql("ALTER TABLE m.ns.t ADD COLUMN n BIGINT", "ALTER TABLE m.ns.t RENAME COLUMN v TO w")
    assert duck.sql("SELECT id, w, n FROM m.ns.t ORDER BY id")[0] == (1, "A", None)
    duck.sql("ALTER TABLE m.ns.t RENAME TO u")
    assert duck.sql("SELECT count(*) FROM m.ns.u") == [(3,)]
    duck.sql("TRUNCATE m.ns.u")
    assert duck.sql("SELECT count(*) FROM m.ns.u") == [(0,)]
    duck.sql("DROP TABLE m.ns.u", "DROP SCHEMA m.ns")
    assert duck.sql("SELECT table_name FROM duckdb_tables() WHERE database_name = 'm'") == []


def test_a_staged_create_finds_its_folders(filled: Lake, duck: Duck) -> None:
    """DuckDB stages a table made from a query, and opens files below it without making folders."""
    duck.sql("CREATE TABLE m.ns.made AS SELECT range AS id FROM range(3)")
    assert duck.sql("SELECT sum(id) FROM m.ns.made") == [(3,)]
    duck.sql("CREATE TABLE m.ns.parted (id INTEGER, site VARCHAR) PARTITIONED BY (site)")
    duck.sql("INSERT INTO m.ns.parted VALUES (1, 'a'), (2, 'b')")
    assert duck.sql("SELECT count(*) FROM iceberg_snapshots(m.ns.parted)") == [(1,)]


@pytest.mark.parametrize("name", ["work", "ingest/2026-11-23"])
def test_a_branch_is_apart_until_it_is_merged(filled: Lake, duck: Duck, name: str) -> None:
    filled.branch(name)
    duck.attach(filled, name, "w")
    duck.sql("INSERT INTO w.ns.t VALUES (2, 'b')", "CREATE TABLE w.ns.new AS SELECT 1 AS id")
    joined = "SELECT w.id FROM w.ns.t w ANTI JOIN m.ns.t m ON w.id = m.id"
    assert duck.sql(joined) == [(2,)]
    filled.merge(name)
    assert duck.sql(joined) == []
    assert duck.sql("SELECT id FROM m.ns.new") == [(1,)]


@pytest.mark.parametrize("form", ["release/1", "{commit}", "main@{{now}}", "main~1"])
def test_a_revision_stays_and_refuses_writes(filled: Lake, duck: Duck, form: str) -> None:
    filled.tag("release/1")
    if form == "main~1":
        duck.sql("CREATE TABLE m.ns.later (id INTEGER)")
    duck.attach(filled, form.format(commit=filled.head()[:12]), "r")
    duck.sql("INSERT INTO m.ns.t VALUES (2, 'b')", "CREATE TABLE m.ns.u (id INTEGER)")
    assert duck.sql("FROM r.ns.t") == [(1, "a")]
    assert duck.sql("SELECT count(*) FROM m.ns.t") == [(2,)]
    with pytest.raises(duckdb.Error):
        duck.sql("FROM r.ns.u")
    before = filled.head()
    with pytest.raises(duckdb.Error, match="read-only"):
        duck.sql("INSERT INTO r.ns.t VALUES (3, 'c')")
    assert filled.head() == before
    assert duck.sql("FROM r.ns.t") == [(1, "a")]


def test_a_table_at_a_revision_is_read_and_a_branch_written(filled: Lake, duck: Duck) -> None:
    filled.tag("release/1")
    filled.branch("fix/a")
    duck.sql("INSERT INTO m.ns.t VALUES (2, 'b')")
    assert duck.sql('SELECT id FROM m.ns.t EXCEPT SELECT id FROM m.ns."t@release/1"') == [(2,)]
    duck.sql("""INSERT INTO m.ns."t@fix/a" VALUES (9, 'z')""")
    assert duck.sql('SELECT id FROM m.ns."t@fix/a" ORDER BY id') == [(1,), (9,)]
    assert duck.sql("SELECT id FROM m.ns.t ORDER BY id") == [(1,), (2,)]


def test_a_transaction_over_tables_is_one_commit(filled: Lake, duck: Duck) -> None:
    duck.sql("CREATE TABLE m.ns.u (id INTEGER)")
    before = filled.commits()
    duck.sql("BEGIN", "INSERT INTO m.ns.t VALUES (2, 'b')", "INSERT INTO m.ns.u VALUES (2)")
    duck.sql("DELETE FROM m.ns.t WHERE id = 1", "COMMIT")
    after = filled.commits()
    assert after[1:] == before
    assert duck.sql("FROM m.ns.t") == [(2, "b")]
    assert duck.sql("FROM m.ns.u") == [(2,)]


def test_a_rolled_back_transaction_leaves_nothing(filled: Lake, duck: Duck) -> None:
    before = filled.head()
    duck.sql("BEGIN", "INSERT INTO m.ns.t VALUES (2, 'b')")
    duck.sql("CREATE TABLE m.ns.made AS SELECT 1 AS id", "ROLLBACK")
    assert filled.head() == before
    assert duck.sql("FROM m.ns.t") == [(1, "a")]


def test_who_loses_a_race_for_a_table_is_told(filled: Lake, duck: Duck) -> None:
    other = Duck()
    other.attach(filled, "main", "m")
    for engine in (duck, other):
        engine.sql("BEGIN", "DELETE FROM m.ns.t WHERE id = 1")
    duck.sql("COMMIT")
    head = filled.head()
    with pytest.raises(duckdb.TransactionException, match="409"):
        other.sql("COMMIT")
    other.connection.close()
    assert filled.head() == head
    assert duck.sql("FROM m.ns.t") == []


def test_commits_carry_the_message_and_author_of_the_secret(lake: Lake, duck: Duck) -> None:
    duck.sql(
        "CREATE SECRET named (TYPE iceberg, TOKEN 'none', EXTRA_HTTP_HEADERS MAP {"
        "'X-Mainstem-Author': 'Ada Byron', 'X-Mainstem-Message': 'Load the slides'})"
    )
    address = f"'{lake.at('main')}' AS m (TYPE iceberg, ENDPOINT '{lake.uri}', SECRET named)"
    duck.sql(f"ATTACH {address}", "CREATE SCHEMA m.ns")
    commit = lake.commits()[0]
    assert (commit["author"], commit["message"]) == ("Ada Byron", "Load the slides")
