"""A Spark Thrift Server: a BI tool's way to a branch, and dbt-spark's with a model of each kind."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyspark
import pytest
import yaml
from pyhive import hive

from tests.engines.lake import Lake
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


@pytest.fixture
def port(lake: Lake, tmp_path: Path) -> Iterator[int]:
    """Run a Thrift Server on `main`, by the doctor's settings; give its port."""
    # Clients begin with `USE default`.
    lake.pyiceberg().create_namespace("default")
    (port,) = free_ports(1)
    conf = tmp_path / "conf"
    conf.mkdir()
    settings = lake.command("doctor", "spark-conf", "--for", "thrift-server")
    (conf / "spark-defaults.conf").write_text(settings)
    (tmp_path / "jars").mkdir()
    for jar in resolve_jars(Path(__file__).with_name("thrift-ivy.xml"), "run", tmp_path).split(":"):
        (tmp_path / "jars" / Path(jar).name).symlink_to(jar)
    command = [str(SPARK / "bin" / "spark-submit"), *SUBMITTED, "--hiveconf"]
    environment = {**spark_environment(tmp_path), "SPARK_CONF_DIR": str(conf)}
    server = [*command, f"{SETTING}.port={port}"]
    with listening(server, port, tmp_path / "thrift.log", environment):
        yield port


def query(port: int, text: str) -> list[tuple[Any, ...]]:
    """Ask as a BI tool does: over HiveServer2's protocol."""
    with hive.connect("127.0.0.1", port) as connection, connection.cursor() as cursor:
        cursor.execute(text)
        return list(cursor.fetchall())


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
        "dbt_mainstem/macros/spark_seeds.sql",
    ):
        shutil.copy(EXAMPLES / macro, folder / "macros")
    return folder


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
    assert len(tables) == 7
    assert query(port, "SELECT total FROM analytics.brightest") == [(0.75,)]

    with (project / "seeds" / "readings.csv").open("a") as readings:
        readings.write("2,2026-11-24,0.75\n3,2026-11-24,0.125\n")
    (project / "seeds" / "scanners.csv").write_text("scanner,site\n1,north\n2,west\n")
    head = lake.head()
    built = dbt("build")
    assert built.returncode == 0, built.stdout
    first = [("1", "2026-11-23", "0.5"), ("2", "2026-11-23", "0.25")]
    second = [("2", "2026-11-24", "0.75"), ("3", "2026-11-24", "0.125")]
    assert rows(lake, "analytics.kept_by_append") == sorted([*first, *second])
    assert rows(lake, "analytics.kept_by_merge") == [first[0], *second]
    assert query(port, "SELECT total FROM analytics.brightest") == [(0.875,)]
    overwritten = "SELECT scanner, value FROM analytics.kept_by_overwrite ORDER BY day, scanner"
    assert query(port, overwritten) == [(1, 0.5), (2, 0.25), (2, 0.75), (3, 0.125)]
    moves = lake.pyiceberg().load_table("history.moves").scan().to_arrow().to_pylist()
    seen = sorted((row["scanner"], row["site"], row["dbt_valid_to"] is None) for row in moves)
    assert seen == [(1, "north", True), (2, "south", False), (2, "west", True)]
    assert identities(lake) == tables
    commits = new_commits(lake, head)
    assert {commit["author"] for commit in commits} == {"Ada Byron"}
    assert len({commit["metadata"]["dbt-invocation-id"] for commit in commits}) == 1

    built = dbt("build", "--full-refresh")
    assert built.returncode == 0, built.stdout
    # dbt-spark drops an incremental model's table then, and makes it anew.
    after = identities(lake)
    assert {name for name in tables if after[name] != tables[name]} == {
        f"analytics.kept_by_{strategy}" for strategy in ("append", "merge", "overwrite")
    }
    assert rows(lake, "analytics.kept_by_append") == rows(lake, "analytics.readings")
