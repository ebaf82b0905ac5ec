"""dbt's build of the quickstart's models by each engine: what share of its time is the catalog's.

Catalogs take turns, so that what else the machine does falls on all alike. How long clients wait
for a catalog's server is measured by a relay before it, the same for every server; what the clients
take to make a request and to read the answer is the engines'. dbt is a process of its own, as a
user starts it.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path
from statistics import median

import yaml
from rich.console import Console
from rich.table import Table

from benchmarks.engine_catalogs import (
    EngineCatalog,
    mainstem_on_disk,
    mainstem_on_s3,
    nessie_on_s3,
    sql_on_disk,
)
from benchmarks.relay import busy_seconds
from examples.quickstart.size import copy_project, size_for

_EXAMPLES = Path(__file__).parents[2] / "examples"
_DAY = "2026-11-23"
_ON_DUCKDB = "{{% if target.type == 'duckdb' %}}{}{{% endif %}}"

Start = Callable[[Path], AbstractContextManager[EngineCatalog]]


@dataclass(frozen=True, slots=True)
class Contender:
    """A catalog, where its tables lie, how it is started, and which engines know it."""

    catalog: str
    tables: str
    start: Start
    engines: tuple[str, ...] = ("duckdb", "spark")


_OURS = Contender("mainstem", "local files", mainstem_on_disk)
_PEERS = {
    # DuckDB knows no SQL catalog.
    "sql": (Contender("sql", "local files", sql_on_disk, ("spark",)),),
    "nessie": (
        Contender("mainstem", "S3", mainstem_on_s3),
        # dbt-duckdb has pyiceberg add schemas, which Nessie 0.99 does not understand.
        Contender("nessie", "S3", nessie_on_s3, ("spark",)),
    ),
}


@dataclass(frozen=True, slots=True)
class Build:
    """One build: dbt's models, its wall time, and what the catalog was asked meanwhile.

    `catalog_seconds` is how long at least one client waited for the catalog, `cpu_seconds` how long
    its server computed. A catalog without a server is asked nothing that could be told apart.
    """

    engine: str
    catalog: str
    tables: str
    models: int
    seconds: float
    requests: int | None
    catalog_seconds: float | None
    cpu_seconds: float | None

    @property
    def share(self) -> float | None:
        """The catalog's share of the time."""
        return None if self.catalog_seconds is None else self.catalog_seconds / self.seconds


def show_engines(
    engines: Sequence[str], peers: Sequence[str], models: int, rounds: int, *, as_json: bool
) -> None:
    """Build by each engine on catalogs of its own, and print what was measured."""
    contenders = [_OURS, *(each for peer in peers for each in _PEERS[peer])]
    builds = [
        _measure(engine, contender, models)
        for _ in range(rounds)
        for engine in engines
        for contender in contenders
        if engine in contender.engines
    ]
    if as_json:
        found = [{**asdict(each), "share": each.share} for each in builds]
        sys.stdout.write(json.dumps({"builds": found}, indent=2) + "\n")
    else:
        Console().print(_table(builds, rounds))


def _table(builds: Sequence[Build], rounds: int) -> Table:
    table = Table(title=f"dbt build, day {_DAY}; medians of rounds: {rounds}")
    names = ("models", "dbt, s", "requests", "catalog, s", "its CPU, s", "catalog's share")
    for name in ("engine", "catalog", "tables"):
        table.add_column(name)
    for name in names:
        table.add_column(name, justify="right")

    def alike(build: Build) -> tuple[str, str, str]:
        return build.engine, build.catalog, build.tables

    for what, group in groupby(sorted(builds, key=alike), alike):
        same = list(group)
        table.add_row(
            *what,
            str(same[0].models),
            _middle("{:.1f}", [each.seconds for each in same]),
            _middle("{:,.0f}", [each.requests for each in same]),
            _middle("{:.2f}", [each.catalog_seconds for each in same]),
            _middle("{:.2f}", [each.cpu_seconds for each in same]),
            _middle("{:.1%}", [each.share for each in same]),
        )
    return table


def _middle(pattern: str, values: Sequence[float | None]) -> str:
    known = [each for each in values if each is not None]
    return pattern.format(median(known)) if known else "–"


def _measure(engine: str, contender: Contender, models: int) -> Build:
    where = f"{contender.catalog}, {contender.tables}"
    sys.stderr.write(f"dbt by {engine} on {where}, {models} models\n")
    with tempfile.TemporaryDirectory(prefix="mainstem-bench-") as name:
        directory = Path(name)
        with contender.start(directory) as catalog:
            build = _build(engine, contender, models, directory, catalog)
    sys.stderr.write(f"{build}\n")
    return build


def _build(
    engine: str, contender: Contender, models: int, directory: Path, catalog: EngineCatalog
) -> Build:
    size = size_for(models)
    project = copy_project(_EXAMPLES, directory / "project", size)
    conf = directory / "conf"
    conf.mkdir()
    (conf / "told").write_text("\n".join(catalog.settings))
    if catalog.secret is not None:
        _tell_duckdb(project, catalog.secret)
    environment = {
        **os.environ,
        "MAINSTEM_AUTHOR": "bench",
        "DBT_TARGET": engine,
        **catalog.environment,
    }

    def run(*command: str) -> None:
        # What dbt prints would be taken for a part of the answer.
        done = subprocess.run(
            command, cwd=project, env=environment, text=True, capture_output=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{command} failed:\n{done.stdout}{done.stderr}")

    run(str(Path(sys.executable).parent / "dbt"), "deps", "--quiet")
    properties = json.dumps(dict(catalog.properties))
    run(sys.executable, "-m", "benchmarks.day_ingest", _DAY, properties)
    before = 0.0 if catalog.server is None else catalog.server.cpu_seconds()
    begun = time.perf_counter()
    run(sys.executable, "-m", "benchmarks.dbt_build", str(conf))
    seconds = time.perf_counter() - begun
    what = (engine, contender.catalog, contender.tables, size.tables, seconds)
    if catalog.server is None or catalog.relay is None:
        return Build(*what, None, None, None)
    waits = [each for each in catalog.relay.waits if each[0] >= begun]
    cpu_seconds = catalog.server.cpu_seconds() - before
    return Build(*what, len(waits), busy_seconds(waits), cpu_seconds)


def _tell_duckdb(project: Path, secret: str) -> None:
    """Have DuckDB use these keys of an object store, and ask the catalog for none."""
    settings = project / "dbt_project.yml"
    found = yaml.safe_load(settings.read_text())
    settings.write_text(yaml.safe_dump({**found, "on-run-start": [_ON_DUCKDB.format(secret)]}))
    profile = project / "profiles.yml"
    profiles = yaml.safe_load(profile.read_text())
    (attached,) = profiles["pathology"]["outputs"]["duckdb"]["attach"]
    attached["options"]["access_delegation_mode"] = "none"
    profile.write_text(yaml.safe_dump(profiles))
