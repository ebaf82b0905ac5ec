"""The dbt project: how large it is, at every size that `--tables` asks for."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from examples.quickstart.size import LARGEST, SMALLEST, Size, copy_project, size_for

ROOT = Path(__file__).parents[2]


def models(project: Path) -> list[dict]:
    """Let dbt parse a project; give its models."""
    dbt = str(Path(sys.executable).parent / "dbt")
    for command in (["deps", "--quiet"], ["parse", "--quiet"]):
        subprocess.run([dbt, *command], cwd=project, check=True)
    manifest = json.loads((project / "target" / "manifest.json").read_text())
    nodes = manifest["nodes"].values()
    return [node for node in nodes if node["resource_type"] == "model"]


def test_size_for_gives_the_smallest_that_is_enough() -> None:
    for tables in range(SMALLEST.tables, LARGEST.tables):
        size = size_for(tables)
        assert tables <= size.tables <= tables + 40
    assert size_for(1) == SMALLEST
    assert size_for(Size().tables) == Size()
    assert size_for(100_000) == LARGEST


@pytest.mark.slow
def test_the_project_has_200_models_and_20_incremental_ones(tmp_path: Path) -> None:
    found = models(copy_project(ROOT / "examples", tmp_path, Size()))
    assert len(found) == Size().tables >= 200
    kinds = [model["config"]["materialized"] for model in found]
    assert kinds.count("incremental") >= 20
    schemas = {model["schema"] for model in found}
    assert schemas == {"staging", "measurements", "features", "labels", "training", "analytics"}


@pytest.mark.slow
@pytest.mark.parametrize("tables", [1, 260])
def test_dbt_finds_as_many_models_as_the_size_says(tables: int, tmp_path: Path) -> None:
    size = size_for(tables)
    assert len(models(copy_project(ROOT / "examples", tmp_path, size))) == size.tables
