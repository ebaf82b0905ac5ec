"""dbt-duckdb with a model of each kind: day after day, from what changed, and on two branches."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from dbt.config.renderer import ProfileRenderer
from dbt_common.context import set_invocation_context
from dbt_common.invocation import get_invocation_id

from tests.engines.lake import Lake
from tests.engines.pages import Page

EXAMPLES = Path(__file__).parents[2] / "examples"
DBT = str(Path(sys.executable).parent / "dbt")
KEPT_BY_KEY = ("analytics.kept_by_merge", "analytics.kept_by_delete_insert")
Build = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Copy the project, with all that it has of the example, and the package beside it."""
    folder = shutil.copytree(Path(__file__).with_name("dbt_scanners"), tmp_path / "scanners")
    leave = shutil.ignore_patterns("__pycache__")
    shutil.copytree(EXAMPLES / "dbt_mainstem", tmp_path / "dbt_mainstem", ignore=leave)
    for name in ("profiles.yml", "packages.yml"):
        shutil.copy(EXAMPLES / "pathology" / name, folder)
    (folder / "macros").mkdir()
    for name in ("materializations.sql", "generate_schema_name.sql"):
        shutil.copy(EXAMPLES / "pathology" / "macros" / name, folder / "macros")
    return folder


@pytest.fixture
def dbt(lake: Lake, project: Path) -> Build:
    """Give what runs dbt on the branch `main`."""

    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [DBT, *arguments],
            cwd=project,
            env=os.environ
            | {"MAINSTEM_URI": lake.uri, "MAINSTEM_WAREHOUSE": lake.at("main")}
            | {"MAINSTEM_AUTHOR": "Ada Byron"},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def rows(lake: Lake, name: str, revision: str = "main") -> list[tuple[Any, ...]]:
    """Read a table's rows in order, without what tells when dbt saw them."""
    table = lake.pyiceberg(revision).load_table(name).scan().to_arrow()
    return sorted(tuple(str(value) for value in row.values()) for row in table.to_pylist())


def identities(lake: Lake) -> dict[str, str]:
    """Return the uuid of each table of `main`."""
    catalog = lake.pyiceberg()
    names = [name for space in catalog.list_namespaces() for name in catalog.list_tables(space)]
    return {".".join(name): str(catalog.load_table(name).metadata.table_uuid) for name in names}


def new_commits(lake: Lake, since: str, branch: str = "main") -> list[dict[str, Any]]:
    """Return the commits since a head, newest first."""
    commits = lake.commits(branch)
    heads = [commit["commit_id"] for commit in commits]
    return commits[: heads.index(since)]


def test_each_kind_keeps_its_table_and_takes_one_commit_a_build(
    lake: Lake, project: Path, dbt: Build
) -> None:
    assert dbt("deps").returncode == 0
    built = dbt("build")
    assert built.returncode == 0, built.stdout
    tables = identities(lake)
    assert len(tables) == 8
    first = [("1", "2026-11-23", "0.5"), ("2", "2026-11-23", "0.25")]
    assert {name: rows(lake, name) for name in KEPT_BY_KEY} == dict.fromkeys(KEPT_BY_KEY, first)

    # A reading of a known scanner and one of a new one, a scanner that moved, a column more.
    with (project / "seeds" / "readings.csv").open("a") as readings:
        readings.write("2,2026-11-24,0.75\n3,2026-11-24,0.125\n")
    (project / "seeds" / "scanners.csv").write_text(
        'scanner,site,installed,note\n1,north,2024-01-31,"Ada\'s, ""old"""\n2,west,2025-06-01,\n'
    )
    head = lake.head()
    built = dbt("build")
    assert built.returncode == 0, built.stdout
    second = [("2", "2026-11-24", "0.75"), ("3", "2026-11-24", "0.125")]
    assert rows(lake, "analytics.kept_by_append") == sorted([*first, *second])
    for name in KEPT_BY_KEY:
        assert rows(lake, name) == [first[0], *second], name
    assert rows(lake, "analytics.brightest") == [("0.875",)]
    assert rows(lake, "analytics.scanners")[0] == ("1", "north", "2024-01-31", 'Ada\'s, "old"')
    moves = lake.pyiceberg().load_table("history.moves").scan().to_arrow().to_pylist()
    seen = sorted((row["scanner"], row["site"], row["dbt_valid_to"] is None) for row in moves)
    assert seen == [(1, "north", True), (2, "south", False), (2, "west", True)]
    assert identities(lake) == tables
    commits = new_commits(lake, head)
    assert len(commits) == len(tables)
    assert {commit["author"] for commit in commits} == {"Ada Byron"}
    (invocation,) = {commit["metadata"]["dbt-invocation-id"] for commit in commits}
    models = [commit["metadata"].get("dbt-model") for commit in commits]
    assert {name for name in models if name} == {
        f"analytics.{name}" for name in ("scanners", "readings", "daily", "brightest")
    }

    head = lake.head()
    built = dbt("build", "--full-refresh")
    assert built.returncode == 0, built.stdout
    assert identities(lake) == tables
    assert rows(lake, "analytics.kept_by_append") == rows(lake, "analytics.readings")
    # The snapshot is refreshed by nothing, and found no change.
    assert len(new_commits(lake, head)) == len(tables) - 1
    assert invocation not in {each["metadata"]["dbt-invocation-id"] for each in lake.commits()[:7]}

    model = project / "models" / "daily.sql"
    model.write_text(model.read_text().replace("count(*)", "'many'"))
    head = lake.head()
    refused = dbt("run", "--select", "daily")
    assert refused.returncode == 1
    assert "contract" in refused.stdout
    assert lake.head() == head


def test_the_page_on_dbt(lake: Lake, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A release; then what changed since, on a branch; then two branches at once."""
    monkeypatch.setenv("MAINSTEM_AUTHOR", "Ada Byron")
    page = Page("engines/dbt.md", lake, project)
    page.shell(0)
    released = lake.head()
    assert len(identities(lake)) == 8

    model = project / "models" / "brightest.sql"
    model.write_text(model.read_text().replace("max(total)", "min(total)"))
    page.shell(1)
    commits = new_commits(lake, released, "dev/ada")
    assert [each["metadata"]["dbt-model"] for each in commits] == ["analytics.brightest"]

    for site in ("north", "south"):
        text = "{{ config(schema='sites') }} select scanner from {{ ref('scanners') }}"
        (project / "models" / f"{site}.sql").write_text(f"{text} where site = '{site}'\n")
    page.shell(2)
    assert rows(lake, "sites.north") == [("1",)]
    assert rows(lake, "sites.south") == [("2",)]
    invocations = {
        each["metadata"].get("dbt-invocation-id") for each in new_commits(lake, released)
    }
    assert len(invocations - {None}) == 2


def test_the_profile_has_spark_send_who_builds_and_in_which_run() -> None:
    """That Spark's session takes headers is the page on Spark's to show."""
    environment = {"MAINSTEM_AUTHOR": "Ada Byron", "MAINSTEM_WAREHOUSE": "lake@work"}
    set_invocation_context(environment)
    profile = yaml.safe_load((EXAMPLES / "pathology" / "profiles.yml").read_text())
    outputs = ProfileRenderer({}).render_data(profile)["pathology"]["outputs"]
    header = "spark.sql.catalog.lake.header.X-Mainstem"
    assert outputs["spark"]["server_side_parameters"] == {
        "spark.sql.catalog.lake.uri": "http://127.0.0.1:8181/iceberg",
        "spark.sql.catalog.lake.warehouse": "lake@work",
        f"{header}-Author": "Ada Byron",
        f"{header}-Metadata-dbt-invocation-id": get_invocation_id(),
    }


def test_an_incremental_model_follows_its_columns(lake: Lake, project: Path, dbt: Build) -> None:
    policies = ("append_new_columns", "sync_all_columns")

    def write_models(columns: str) -> None:
        for policy in policies:
            config = f"materialized='incremental', on_schema_change='{policy}'"
            text = f"{{{{ config({config}) }}}} select {columns} from {{{{ ref('readings') }}}}\n"
            (project / "models" / f"{policy}.sql").write_text(text)

    assert dbt("deps").returncode == 0
    write_models("scanner::int as scanner, day, value")
    assert dbt("build", "--select", "readings", *policies).returncode == 0
    before = identities(lake)
    head = lake.head()
    write_models("scanner::bigint as scanner, value, 2 * value as doubled")
    built = dbt("build", "--select", *policies)
    assert built.returncode == 0, built.stdout
    assert identities(lake) == before
    assert len(new_commits(lake, head)) == len(policies)
    columns = {
        policy: lake.pyiceberg().load_table(f"analytics.{policy}").schema().column_names
        for policy in policies
    }
    assert columns == {
        "append_new_columns": ["scanner", "day", "value", "doubled"],
        "sync_all_columns": ["scanner", "value", "doubled"],
    }
    old, new = (
        [("1", "0.5", "None"), ("2", "0.25", "None")],
        [("1", "0.5", "1.0"), ("2", "0.25", "0.5")],
    )
    assert rows(lake, "analytics.sync_all_columns") == sorted([*old, *new])
