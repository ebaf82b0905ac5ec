"""The project by dbt-spark: what a release of `--engine spark` runs."""

import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import httpx
import pytest

from examples.quickstart.size import SMALLEST, copy_project

ROOT = Path(__file__).parents[2]
DAYS = {date(2026, 11, 23), date(2026, 11, 24)}
DBT = str(Path(sys.executable).parent / "dbt")


@pytest.mark.slow
def test_two_days_by_spark_keep_the_tables_and_add_to_them(server, tmp_path: Path) -> None:
    project = copy_project(ROOT / "examples", tmp_path / "project", SMALLEST)
    conf = tmp_path / "conf"
    conf.mkdir()
    environment = os.environ | {
        "MAINSTEM_SERVER": server.address,
        "MAINSTEM_URI": server.uri,
        "MAINSTEM_WAREHOUSE": "lake@work",
        # What spark-defaults.conf names; the profile's branch stands above it.
        "MAINSTEM_BRANCH": "main",
        "MAINSTEM_AUTHOR": "Ada Byron",
        "DBT_TARGET": "spark",
    }
    branches = f"{server.address}/api/v1/warehouses/lake/branches"
    httpx.post(branches, json={"name": "work", "from": "main"}).raise_for_status()
    main = server.get("branches/main")["commit_id"]
    subprocess.run([DBT, "deps", "--quiet"], cwd=project, check=True)
    built = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("two_days.py")), str(project), str(conf)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert built.returncode == 0, built.stdout + built.stderr[-4000:]

    assert server.get("branches/main")["commit_id"] == main
    catalog = server.catalog("work")
    slides = catalog.load_table("measurements.radius_mean")
    assert len(slides.metadata.snapshots) == 2
    assert set(slides.scan().to_arrow()["loaded_on"].to_pylist()) == DAYS
    labels = catalog.load_table("labels.labels_v2").scan().to_arrow()
    training = catalog.load_table("training.training_v2_7d")
    assert training.scan().to_arrow().num_rows == labels.num_rows == 569 + 31 * 850
    # `create or replace table` of dbt-spark: the same table, with the day before in its history.
    assert len(training.metadata.snapshots) == 2
    commits = server.get("commits", ref="work", table="training.training_v2_7d")["commits"]
    assert len(commits) == 2
    assert {commit["author"] for commit in commits} == {"Ada Byron"}
    assert all(commit["metadata"]["dbt-invocation-id"] for commit in commits)
