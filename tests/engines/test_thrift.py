"""A Spark Thrift Server: a BI tool's way to a branch, and dbt-spark's with a model of each kind."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyspark
import pytest
import yaml
from pyhive import hive
from pyhive.exc import OperationalError
from TCLIService import ttypes

from tests.engines.conftest import NewLakes
from tests.engines.lake import Lake
from tests.engines.pages import Page
from tests.engines.test_dbt import EXAMPLES, identities, new_commits, rows
from tests.java import resolve_jars, spark_environment
from tests.services import free_ports, listening

DBT = str(Path(sys.executable).parent / "dbt")
SPARK = Path(pyspark.__file__).parent
SETTING = "hive.server2.thrift"
SUBMITTED = (
    *("--master", "local[2]", "--driver-memory", "1g"),
    *("--class", "org.apache.spark.sql.hive.thriftserver.HiveThriftServer2"),
    *("--conf", "spark.ui.enabled=false", "--conf", "spark.sql.shuffle.partitions=2"),
    *("--conf", "spark.driver.bindAddress=127.0.0.1", "spark-internal"),
    *("--hiveconf", f"{SETTING}.bind.host=127.0.0.1"),
)


@pytest.fixture(scope="module")
def lake(new_lakes: NewLakes, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    """Give a warehouse with the table `default.graded`, which grew since `release/first`."""
    with new_lakes() as make:
        lake: Lake = make((tmp_path_factory.mktemp("thrift") / "warehouse").as_uri())
        # Clients begin with `USE default`.
        catalog = lake.pyiceberg()
        catalog.create_namespace("default")
        rows = pa.table({"slide": [1, 2], "grade": ["benign", None]})
        table = catalog.create_table("default.graded", rows.schema)
        table.append(rows)
        lake.tag("release/first")
        table.append(rows)
        yield lake


@pytest.fixture(scope="module")
def port(lake: Lake, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Run a Thrift Server by the doctor's settings; give its port.

    Its catalogs are `lake`, which is `main`, and `released`.
    """
    folder = tmp_path_factory.mktemp("server")
    (port,) = free_ports(1)
    conf = folder / "conf"
    conf.mkdir()
    doctor = ("doctor", "spark-conf", "--for", "thrift-server")
    released = lake.command(*doctor, "--at", "release/first", "--catalog", "released")
    (conf / "spark-defaults.conf").write_text(released + lake.command(*doctor))
    (folder / "jars").mkdir()
    for jar in resolve_jars(Path(__file__).with_name("thrift-ivy.xml"), "run", folder).split(":"):
        (folder / "jars" / Path(jar).name).symlink_to(jar)
    command = [str(SPARK / "bin" / "spark-submit"), *SUBMITTED, "--hiveconf"]
    environment = {**spark_environment(folder), "SPARK_CONF_DIR": str(conf)}
    server = [*command, f"{SETTING}.port={port}"]
    with listening(server, port, folder / "thrift.log", environment):
        yield port


def query(port: int, text: str) -> list[tuple[Any, ...]]:
    """Ask as a BI tool does: over HiveServer2's protocol."""
    with hive.connect("127.0.0.1", port) as connection, connection.cursor() as cursor:
        cursor.execute(text)
        return list(cursor.fetchall())


def browse(port: int, call: str, **names: str) -> list[tuple[Any, ...]]:
    """Ask for metadata as a JDBC driver does, by a call of the protocol; give what it answers."""
    with hive.connect("127.0.0.1", port) as connection:
        ask: Callable[[Any], Any] = getattr(connection._client, call)
        asked = ask(getattr(ttypes, f"T{call}Req")(connection._sessionHandle, **names))
        fetch = ttypes.TFetchResultsReq(asked.operationHandle, maxRows=1000)
        columns = connection._client.FetchResults(fetch).results.columns
        values = [next(filter(None, vars(column).values())).values for column in columns]
        return list(zip(*values, strict=True))


def test_a_schema_browser_lists_what_the_page_gives_views(lake: Lake, port: int) -> None:
    block = Page("engines/bi.md", lake, Path()).block("python").replace("10000", str(port))
    exec(compile(block, "page", "exec"), {})
    assert ("default", "") in browse(port, "GetSchemas")
    shown = browse(port, "GetTables", schemaName="default", tableName="%")
    assert [row[1:4] for row in shown] == [("default", "graded", "VIEW")]
    columns = browse(port, "GetColumns", schemaName="default", tableName="graded", columnName="%")
    assert [(row[3], row[5]) for row in columns] == [("slide", "BIGINT"), ("grade", "STRING")]
    for name in ("default.graded", "spark_catalog.default.graded"):
        assert query(port, f"SELECT count(*), count(grade) FROM {name}") == [(4, 2)]


def test_a_release_is_read_and_not_written(lake: Lake, port: int) -> None:
    head = lake.head()
    assert query(port, "SELECT count(*) FROM released.default.graded") == [(2,)]
    for statement in (
        "INSERT INTO released.default.graded VALUES (3, 'benign')",
        "CREATE TABLE released.default.more (slide BIGINT)",
        "DROP TABLE released.default.graded",
    ):
        with pytest.raises(OperationalError, match="read-only: only a branch can be written to"):
            query(port, statement)
    assert lake.head() == head


@pytest.fixture
def project(tmp_path: Path, port: int) -> Path:
    """Give a project, with the example's profile for a Thrift Server."""
    beside = Path(__file__).parent
    # What dbt-spark has besides lies over what both adapters have, in place of dbt-duckdb's own.
    folder = shutil.copytree(beside / "dbt_scanners", tmp_path / "wards")
    (folder / "models" / "kept_by_delete_insert.sql").unlink()
    shutil.copytree(beside / "dbt_wards", folder, dirs_exist_ok=True)
    profiles = yaml.safe_load((EXAMPLES / "pathology" / "profiles.yml").read_text())
    output = profiles["pathology"]["outputs"]["thrift"]
    (folder / "profiles.yml").write_text(
        yaml.safe_dump({"wards": {"target": "thrift", "outputs": {"thrift": output}}})
    )
    (folder / "macros").mkdir()
    for macro in (
        "pathology/macros/generate_schema_name.sql",
        "dbt_mainstem/macros/spark_models.sql",
        "dbt_mainstem/macros/spark_seeds.sql",
    ):
        shutil.copy(EXAMPLES / macro, folder / "macros")
    return folder


def edit(project: Path, model: str, old: str, new: str) -> None:
    path = project / "models" / f"{model}.sql"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_dbt_keeps_each_kinds_table_over_thrift(lake: Lake, project: Path, port: int) -> None:
    def dbt(*arguments: str) -> "subprocess.CompletedProcess[str]":
        variables = {"SPARK_THRIFT_HOST": "127.0.0.1", "SPARK_THRIFT_PORT": str(port)}
        return subprocess.run(
            [DBT, *arguments],
            cwd=project,
            env=os.environ | variables | {"MAINSTEM_AUTHOR": "Ada Byron"},
            capture_output=True,
            text=True,
            check=False,
        )

    built = dbt("build")
    assert built.returncode == 0, built.stdout
    tables = identities(lake)
    assert len(tables) == 8
    assert query(port, "SELECT total FROM analytics.brightest") == [(0.75,)]

    with (project / "seeds" / "readings.csv").open("a") as readings:
        readings.write("2,2026-11-24,0.75\n3,2026-11-24,0.125\n")
    (project / "seeds" / "scanners.csv").write_text("scanner,site\n1,north\n2,west\n")
    edit(project, "kept_by_append", "day, value", "day, value, value * 2 as doubled")
    columns = "cast(scanner as int) as scanner, day, value"
    edit(project, "kept_by_merge", columns, "scanner, day, value as reading")
    edit(project, "brightest", "materialized='view'", "materialized='table'")
    head = lake.head()
    built = dbt("build")
    assert built.returncode == 0, built.stdout
    first = [("1", "2026-11-23", "0.5"), ("2", "2026-11-23", "0.25")]
    second = [("2", "2026-11-24", "0.75"), ("3", "2026-11-24", "0.125")]
    grown = [(*row, "None") for row in first] + [(*second[0], "1.5"), (*second[1], "0.25")]
    assert rows(lake, "analytics.kept_by_append") == sorted(grown)
    assert rows(lake, "analytics.kept_by_merge") == [("1", "2026-11-23", "None"), *second]
    assert query(port, "SELECT total FROM analytics.brightest") == [(0.875,)]
    overwritten = "SELECT scanner, value FROM analytics.kept_by_overwrite ORDER BY day, scanner"
    assert query(port, overwritten) == [(1, 0.5), (2, 0.25), (2, 0.75), (3, 0.125)]
    moves = lake.pyiceberg().load_table("history.moves").scan().to_arrow().to_pylist()
    seen = sorted((row["scanner"], row["site"], row["dbt_valid_to"] is None) for row in moves)
    assert seen == [(1, "north", True), (2, "south", False), (2, "west", True)]
    now = identities(lake)
    assert now.pop("analytics.brightest")
    assert now == tables
    commits = new_commits(lake, head)
    assert {commit["author"] for commit in commits} == {"Ada Byron"}
    assert len({commit["metadata"]["dbt-invocation-id"] for commit in commits}) == 1

    edit(project, "brightest", "materialized='table'", "materialized='view'")
    built = dbt("build", "--full-refresh")
    assert built.returncode == 0, built.stdout
    assert identities(lake) == tables
    assert query(port, "SELECT total FROM analytics.brightest") == [(0.875,)]
    refreshed = [row[:3] for row in rows(lake, "analytics.kept_by_append")]
    assert refreshed == rows(lake, "analytics.readings")
