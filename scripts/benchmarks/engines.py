"""dbt's build of the quickstart's models by each engine: what share of its time is the catalog's.

The share is the time that the server took to answer, by its own log. What the clients take to send
a request and to read the answer is the engines'. dbt is a process of its own, as a user starts it.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.processes import Server, mainstem
from examples.quickstart.size import copy_project, size_for

_EXAMPLES = Path(__file__).parents[2] / "examples"
_DAY = "2026-11-23"


@dataclass(frozen=True, slots=True)
class Build:
    """One build: dbt's models, its wall time, and what the catalog was asked meanwhile."""

    engine: str
    models: int
    seconds: float
    requests: int
    catalog_seconds: float

    @property
    def share(self) -> float:
        """The catalog's share of the time."""
        return self.catalog_seconds / self.seconds


def show_engines(engines: Sequence[str], models: int, *, as_json: bool) -> None:
    """Build by each engine on a catalog of its own, and print what was measured."""
    builds = [_measure(engine, models) for engine in engines]
    if as_json:
        found = [{**asdict(each), "share": each.share} for each in builds]
        sys.stdout.write(json.dumps({"builds": found}, indent=2) + "\n")
        return
    table = Table(title=f"dbt build, day {_DAY}, SQLite and local files")
    for name in ("engine", "models", "dbt, s", "requests", "catalog, s", "catalog's share"):
        table.add_column(name, justify="right")
    for each in builds:
        cells = (f"{each.seconds:.1f}", f"{each.requests:,}", f"{each.catalog_seconds:.2f}")
        table.add_row(each.engine, f"{each.models}", *cells, f"{each.share:.1%}")
    Console().print(table)


def _measure(engine: str, models: int) -> Build:
    sys.stderr.write(f"dbt by {engine}, {models} models\n")
    with tempfile.TemporaryDirectory(prefix="mainstem-bench-") as name:
        directory = Path(name)
        data = directory / "data"
        with mainstem(data, environment={"MAINSTEM_LOG_LEVEL": "debug"}) as server:
            return _build(engine, models, directory, server, data / "server.log")


def _build(engine: str, models: int, directory: Path, server: Server, log: Path) -> Build:
    size = size_for(models)
    project = copy_project(_EXAMPLES, directory / "project", size)
    address = f"http://127.0.0.1:{server.address.port}"
    environment = {
        **os.environ,
        "MAINSTEM_SERVER": address,
        "MAINSTEM_URI": f"{address}/iceberg",
        "MAINSTEM_WAREHOUSE": "lake@main",
        "MAINSTEM_BRANCH": "main",
        "MAINSTEM_AUTHOR": "bench",
        "DBT_TARGET": engine,
    }

    def run(*command: str) -> None:
        # What dbt prints would be taken for a part of the answer.
        done = subprocess.run(
            command, cwd=project, env=environment, text=True, capture_output=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{command} failed:\n{done.stdout}{done.stderr}")

    run(str(Path(sys.executable).parent / "dbt"), "deps", "--quiet")
    run(sys.executable, "ingest.py", _DAY)
    before = log.stat().st_size
    begun = time.perf_counter()
    run(sys.executable, "-m", "benchmarks.dbt_build", str(directory))
    seconds = time.perf_counter() - begun
    waits = list(_milliseconds(log, before))
    return Build(engine, size.tables, seconds, len(waits), sum(waits) / 1000)


def _milliseconds(log: Path, start: int) -> Iterator[float]:
    """Yield how long each request took that a log tells of from a byte on."""
    with log.open() as lines:
        lines.seek(start)
        for line in lines:
            told = json.loads(line)
            if told["event"] == "request":
                yield float(told["ms"])
