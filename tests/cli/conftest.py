"""A real server, a warehouse of its own for every test, and the command line run against it."""

import itertools
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from typer.testing import CliRunner

from catalog.cli.main import app
from tests.cli import ingest

COMMAND = (sys.executable, "-m", "catalog")


@dataclass(frozen=True, slots=True)
class Result:
    """How a command ended and what it printed."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def document(self) -> Any:
        return json.loads(self.stdout)


@dataclass(frozen=True, slots=True)
class Lake:
    """A warehouse of the running server, for one test."""

    server: str
    warehouse: str
    directory: Path
    http: httpx.Client

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "MAINSTEM_SERVER": self.server,
            "MAINSTEM_WAREHOUSE": self.warehouse,
            "MAINSTEM_AUTHOR": "Ada Byron",
        }

    def run(self, *arguments: str) -> Result:
        """Run the command line in this process."""
        environment = {
            name: value for name, value in self.environment.items() if name.startswith("MAINSTEM_")
        }
        result = CliRunner().invoke(app, list(arguments), env=environment)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Result(result.exit_code, result.stdout, result.stderr)

    def ok(self, *arguments: str) -> Any:
        """Run a command that must succeed, and return its JSON."""
        result = self.run(*arguments, "--json")
        assert result.exit_code == 0, result.stderr
        return result.document

    def spawn(self, *arguments: str, **settings: Any) -> "subprocess.Popen[str]":
        """Start the command line as a process of its own."""
        settings = {"env": self.environment, "cwd": self.directory, **settings}
        return subprocess.Popen(
            [*COMMAND, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **settings,
        )

    def execute(self, *arguments: str, **settings: Any) -> Result:
        """Run the command line as a process of its own, to its end."""
        process = self.spawn(*arguments, **settings)
        stdout, stderr = process.communicate(timeout=60)
        return Result(process.returncode, stdout, stderr)

    def ingest(self, branch: str, table: str, rows: int) -> None:
        """Write a table on a branch as an engine does."""
        ingest.write(f"{self.server}/iceberg", f"{self.warehouse}@{branch}", table, rows)

    def drop(self, branch: str, table: str) -> None:
        """Drop a table on a branch as an engine does."""
        iceberg = f"{self.server}/iceberg/v1"
        config = self.http.get(
            f"{iceberg}/config", params={"warehouse": f"{self.warehouse}@{branch}"}
        ).json()
        prefix = config["overrides"]["prefix"]
        response = self.http.delete(f"{iceberg}/{prefix}/namespaces/day/tables/{table}")
        assert response.is_success, response.text

    def head(self, branch: str) -> str:
        """Return the head of a branch, as the server tells it."""
        response = self.http.get(self.url("branches", branch))
        assert response.status_code == 200, response.text
        return str(response.json()["commit_id"])

    def url(self, *segments: str) -> str:
        """Return a management path of this warehouse."""
        path = "/".join(quote(segment, safe="") for segment in segments)
        return f"{self.server}/api/v1/warehouses/{self.warehouse}/{path}"


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run `mainstem serve` on a free port; give its address."""
    directory = tmp_path_factory.mktemp("served")
    log = (directory / "log").open("w")
    process = subprocess.Popen(
        [*COMMAND, "serve", "--port", "0", "--data-dir", str(directory)],
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        pytest.fail((directory / "log").read_text())
    yield line.split()[-1]
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == 0
    process.stdout.close()
    log.close()


@pytest.fixture(scope="session")
def http() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=60) as client:
        yield client


@pytest.fixture(scope="session")
def numbers() -> Iterator[int]:
    return itertools.count(1)


@pytest.fixture(scope="session")
def new_lake(served: str, http: httpx.Client, numbers: Iterator[int]) -> Callable[[Path], Lake]:
    """Give what creates a warehouse, with an empty branch `main`, in a folder."""

    def make(directory: Path) -> Lake:
        name = f"lake{next(numbers)}"
        body = {"name": name, "location": (directory / "warehouse").as_uri()}
        response = http.post(f"{served}/api/v1/warehouses", json=body)
        assert response.status_code == 201, response.text
        return Lake(served, name, directory, http)

    return make


@pytest.fixture
def lake(new_lake: Callable[[Path], Lake], tmp_path: Path) -> Lake:
    """Give a new warehouse with an empty branch `main`."""
    return new_lake(tmp_path)


def branch_off(lake: Lake) -> Lake:
    """Give `main` the table day.slides; `work` changes it and adds day.scans."""
    lake.ingest("main", "slides", 100)
    lake.ok("branch", "create", "work")
    lake.ingest("work", "slides", 1350)
    lake.ingest("work", "scans", 7)
    return lake


@pytest.fixture
def branched(lake: Lake) -> Lake:
    """Give a warehouse where `main` has day.slides, and `work` changes it and adds day.scans."""
    return branch_off(lake)


@pytest.fixture
def ingest_command() -> Callable[..., tuple[str, ...]]:
    """Give the command line of a release's command that writes a table."""

    def command(table: str = "slides", rows: int = 10, exit_code: int = 0) -> tuple[str, ...]:
        return (sys.executable, ingest.__file__, table, str(rows), str(exit_code))

    return command
