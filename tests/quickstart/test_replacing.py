"""The dbt-duckdb plugin: one commit replaces a table's columns and rows, and it stays itself."""

from hashlib import sha256
from types import SimpleNamespace

import duckdb
import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from dbt_common.invocation import get_invocation_id
from pyiceberg.exceptions import ForbiddenError

from catalog.client import connect
from examples.dbt_mainstem.plugins.mainstem_tables import Plugin
from tests.servers import serve

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def plugin(server):
    server.catalog().create_namespace_if_not_exists("features")
    return Plugin("mainstem_tables", {"uri": server.uri, "warehouse": "lake@main"})


@pytest.fixture
def replace(plugin, tmp_path, request):
    """Give what stores rows as dbt does, in a table named after the test."""

    def store(rows: pa.Table, *, exists: bool = True) -> None:
        path = tmp_path / "rows.parquet"
        pq.write_table(rows, path)
        relation = SimpleNamespace(schema="features", identifier=request.node.name)
        location = SimpleNamespace(path=str(path), format="parquet")
        known = {"exists": exists}
        plugin.store(SimpleNamespace(relation=relation, location=location, config=known))

    return store


@pytest.fixture
def table(server, request):
    """Give what loads the test's table anew."""
    return lambda: server.catalog().load_table(("features", request.node.name))


def commits(server) -> int:
    return len(server.get("commits", ref="main", limit="1000")["commits"])


def test_a_new_table_is_created_with_its_rows_in_one_commit(replace, table, server):
    before = commits(server)
    replace(pa.table({"id": [1, 2], "value": [0.5, None]}))
    assert commits(server) == before + 1
    assert table().scan().to_arrow().to_pydict() == {"id": [1, 2], "value": [0.5, None]}


@pytest.mark.parametrize("exists", [True, False])
def test_a_table_is_put_right_whatever_dbt_took_for_known(replace, table, exists):
    replace(pa.table({"id": [1]}), exists=exists)
    uuid = table().metadata.table_uuid
    replace(pa.table({"id": [2]}), exists=not exists)
    replace(pa.table({"id": [3]}), exists=exists)
    assert table().metadata.table_uuid == uuid
    assert table().scan().to_arrow()["id"].to_pylist() == [3]


def test_rows_are_replaced_in_one_commit_and_no_old_file_stays(replace, table, server):
    replace(pa.table({"id": [1, 2, 3]}))
    first = table()
    before = commits(server)
    replace(pa.table({"id": [4, 5]}))
    assert commits(server) == before + 1
    second = table()
    assert second.metadata.table_uuid == first.metadata.table_uuid
    assert second.location() == first.location()
    assert second.scan().to_arrow()["id"].to_pylist() == [4, 5]
    (file,) = second.inspect.files().to_pylist()
    assert file["record_count"] == 2
    assert second.metadata.current_snapshot().summary["total-records"] == "2"
    older = first.metadata.current_snapshot_id
    assert second.scan(snapshot_id=older).to_arrow()["id"].to_pylist() == [1, 2, 3]


def test_columns_come_and_go_in_the_commit_of_the_rows(replace, table, server):
    replace(pa.table({"id": [1], "old": ["x"]}))
    first = table()
    before = commits(server)
    replace(pa.table({"id": [1], "new": [2.5]}))
    assert commits(server) == before + 1
    assert table().metadata.table_uuid == first.metadata.table_uuid
    assert table().scan().to_arrow().to_pydict() == {"id": [1], "new": [2.5]}


def test_a_wider_type_keeps_the_column(replace, table):
    replace(pa.table({"id": pa.array([1], pa.int32())}))
    before = table().schema().find_field("id").field_id
    replace(pa.table({"id": pa.array([2**40], pa.int64())}))
    assert table().schema().find_field("id").field_id == before
    assert table().scan().to_arrow()["id"].to_pylist() == [2**40]


def test_another_type_makes_another_column_of_the_same_table(replace, table):
    replace(pa.table({"id": ["one"]}))
    first = table()
    replace(pa.table({"id": [1]}))
    second = table()
    assert second.metadata.table_uuid == first.metadata.table_uuid
    assert second.schema().find_field("id").field_id != first.schema().find_field("id").field_id
    assert second.scan().to_arrow()["id"].to_pylist() == [1]


def test_nested_columns_survive_a_replacement(replace, table):
    rows = pa.table({"id": [1], "tags": [["a", "b"]], "box": [{"x": 1, "y": 2}]})
    replace(rows)
    field = table().schema().find_field("tags").field_id
    replace(rows)
    assert table().schema().find_field("tags").field_id == field
    assert table().scan().to_arrow().to_pylist() == rows.to_pylist()


@pytest.mark.filterwarnings("ignore:Delete operation did not match")
def test_no_rows_make_an_empty_table_and_fill_again(replace, table):
    replace(pa.table({"id": [1]}))
    replace(pa.table({"id": pa.array([], pa.int64())}))
    assert table().scan().to_arrow().num_rows == 0
    replace(pa.table({"id": [7]}))
    assert table().scan().to_arrow()["id"].to_pylist() == [7]


def test_a_commit_that_is_refused_changes_nothing(replace, table, server):
    replace(pa.table({"id": [1]}))
    head = server.get("branches/main")["commit_id"]
    rules = f"{server.address}/api/v1/warehouses/lake/protections/main"
    assert httpx.put(rules, json={"require_merge": True}).is_success
    try:
        with pytest.raises(ForbiddenError, match="merge"):
            replace(pa.table({"id": [2], "more": ["x"]}))
    finally:
        httpx.delete(rules)
    assert server.get("branches/main")["commit_id"] == head
    assert table().scan().to_arrow().to_pydict() == {"id": [1]}


def test_a_commit_says_which_model_of_which_run_it_is(replace, server, request):
    replace(pa.table({"id": [1]}))
    replace(pa.table({"id": [2]}))
    name = f"features.{request.node.name}"
    for commit in server.get("commits", ref="main", limit="2")["commits"]:
        assert commit["message"] == f"dbt builds {name}"
        said = {"dbt-model": name, "dbt-invocation-id": get_invocation_id()}
        assert commit["metadata"] == said


def test_both_of_its_clients_say_who_they_are_where_the_server_asks(tmp_path):
    secret = "correct horse battery staple"
    clients = f"dbt:{sha256(secret.encode()).hexdigest()}"
    with serve(tmp_path, MAINSTEM_CLIENTS=clients, MAINSTEM_TOKEN_KEY="k" * 32) as address:
        lake = connect(address, credential=f"dbt:{secret}")
        lake.branch().iceberg().create_namespace("features")
        config = {
            "uri": f"{address}/iceberg",
            "warehouse": "lake@main",
            "author": "Ada O'Byron",
            "credential": f"dbt:{secret}",
        }
        plugin = Plugin("mainstem_tables", config)
        rows = tmp_path / "rows.parquet"
        pq.write_table(pa.table({"id": [1]}), rows)
        plugin.store(
            SimpleNamespace(
                relation=SimpleNamespace(schema="features", identifier="t"),
                location=SimpleNamespace(path=str(rows), format="parquet"),
                config={},
            )
        )
        with duckdb.connect() as connection:
            plugin.configure_connection(connection)
            connection.execute(
                f"ATTACH 'lake@main' AS lake (TYPE iceberg, ENDPOINT '{address}/iceberg',"
                " SECRET mainstem)"
            )
            connection.execute("INSERT INTO lake.features.t VALUES (2)")
        assert sorted(lake.branch().to_arrow("features.t")["id"].to_pylist()) == [1, 2]
        inserted, stored = lake.log(limit=2)
        lake.close()
    assert (inserted.author, stored.author) == ("Ada O'Byron", "Ada O'Byron")
    assert inserted.metadata == {"dbt-invocation-id": get_invocation_id()}
    assert stored.metadata["dbt-model"] == "features.t"
