"""Daft, in the environment that its extra makes, by the block of its page."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.engines.lake import Lake
from tests.engines.pages import Page
from tests.environments import installed

# What a reader of the page might do next: write more rows, and read both revisions again.
_AFTER = """
import json

from pyiceberg.exceptions import ForbiddenError

table = lake.branch("main").iceberg().load_table("features.slides")
daft.from_pydict({"slide": [3], "grade": ["benign"]}).write_iceberg(table, mode="append")
try:
    rows.write_iceberg(released, mode="append")
except ForbiddenError:
    refused = True
else:
    refused = False
again = lake.at("release/2026-11-23").iceberg().load_table("features.slides")
counts = [daft.read_iceberg(each).count_rows() for each in (again, table)]
print(json.dumps([benign, refused, counts]))
"""


@pytest.fixture(scope="module")
def python() -> str:
    """Install the environment; give its interpreter."""
    return installed("daft")


def test_the_page_on_daft(python: str, lake: Lake, tmp_path: Path) -> None:
    script = Page("engines/daft.md", lake, tmp_path).block("python") + _AFTER
    environment = {**os.environ, "PYTHONPATH": "", "DO_NOT_TRACK": "true"}
    done = subprocess.run(
        [python, "-c", script], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    benign, refused, counts = json.loads(done.stdout.splitlines()[-1])
    assert benign == {"slide": [1], "grade": ["benign"]}
    assert refused
    assert counts == [2, 3]
