"""The flow of examples/prefect, run by Prefect itself in the environment that its page has."""

import json
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.environments import ROOT, installed
from tests.servers import serve

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def python() -> str:
    """Install the environment; give its interpreter."""
    return installed("prefect")


def test_a_day_is_released_once_however_often_it_fails(python: str, tmp_path: Path) -> None:
    settings = {
        **os.environ,
        "PREFECT_HOME": str(tmp_path / "prefect"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PYTHONPATH": str(ROOT / "examples" / "prefect"),
    }
    runs = Path(__file__).with_name("prefect_runs.py")
    with serve(tmp_path) as address:
        done = subprocess.run(
            [python, runs, address, str(tmp_path), sys.executable],
            env=settings,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        failed, cut, released, again = json.loads(done.stdout.splitlines()[-1])
        lake = f"{address}/api/v1/warehouses/lake"
        tags = httpx.get(f"{lake}/tags").json()["tags"]
        branches = httpx.get(f"{lake}/branches").json()["branches"]
        log = httpx.get(f"{lake}/commits", params={"ref": "main"}).json()["commits"]
        source = next(each for each in log if each["commit_id"] == released)["parent_ids"][1]
        checks = httpx.get(f"{lake}/commits/{source}/checks").json()["checks"]
    assert failed == "RuntimeError"
    assert cut == "KeyboardInterrupt"
    assert again == released
    assert [(tag["name"], tag["commit_id"]) for tag in tags] == [("release/2026-11-23", released)]
    assert [branch["name"] for branch in branches] == ["main"]
    merges = [each for each in log if "mainstem.release" in each["metadata"]]
    assert [each["commit_id"] for each in merges] == [released]
    assert log[0]["commit_id"] != released
    assert {each["author"] for each in merges} == {"Ada Byron"}
    assert {check["state"] for check in checks} == {"success"}
