"""Runs the flow of examples/prefect as its users would, good and bad: prints what came of each.

`prefect_runs.py ADDRESS FOLDER PYTHON`: PYTHON runs the commands, as dbt has its own environment.
"""

import json
import subprocess
import sys
from datetime import date
from pathlib import Path

import release
from prefect.testing.utilities import prefect_test_harness

from catalog.client import Warehouse

DAY = date(2026, 11, 23)


def main(address: str, folder: Path, python: str) -> list[str]:
    lake = release.Lake(address, author="Ada Byron")

    def command(rows: int, code: int = 0) -> list[str]:
        script = str(Path(__file__).parents[1] / "cli" / "ingest.py")
        return [python, script, "slides", str(rows), str(code)]

    def run(build: list[str]) -> str:
        try:
            return release.daily_release(
                DAY, load=command(5), build=build, folder=folder, lake=lake
            )
        except (RuntimeError, KeyboardInterrupt) as error:
            return type(error).__name__

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    failed = run(command(7, code=3))
    name, Warehouse.release = Warehouse.release, killed
    cut = run(command(7))
    Warehouse.release = name
    # What comes to main meanwhile is not of this release.
    subprocess.run(command(1), cwd=folder, env=lake.environment("main"), check=True)
    return [failed, cut, run(command(7)), run(command(7))]


if __name__ == "__main__":
    with prefect_test_harness(server_startup_timeout=120):
        print(json.dumps(main(sys.argv[1], Path(sys.argv[2]), sys.argv[3])))
