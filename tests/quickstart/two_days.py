"""Load and build two days by Spark in one process: `two_days.py PROJECT CONF`."""

import os
import subprocess
import sys
from pathlib import Path

from dbt.cli.main import dbtRunner

project, conf = map(Path, sys.argv[1:])
sys.path.insert(0, str(project))
from spark_settings import use_branch, use_java  # noqa: E402

use_java(conf)
use_branch(conf)
os.chdir(project)
for day in (["2026-11-23"], ["2026-11-24", "--since", "2026-11-23"]):
    subprocess.run([sys.executable, "ingest.py", *day], check=True)
    built = dbtRunner().invoke(
        [
            "build",
            "--select",
            "+training_v2_7d",
            "--indirect-selection",
            "buildable",
            "--log-level",
            "error",
        ]
    )
    if not built.success:
        sys.exit(f"dbt: {built.exception or [each.message for each in built.result]}")
