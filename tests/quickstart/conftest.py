"""A server on a data directory, and the quickstart run once for all tests of what it leaves."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from pyiceberg.catalog import Catalog, load_catalog

ROOT = Path(__file__).parents[2]
QUICKSTART_SECONDS = 500
TABLES = 12


@dataclass(frozen=True, slots=True)
class Server:
    """A running server, and what clients need to know of it."""

    address: str

    @property
    def uri(self) -> str:
        return f"{self.address}/iceberg"

    def catalog(self, revision: str = "main") -> Catalog:
        """Open the warehouse at a revision with pyiceberg."""
        return load_catalog("lake", type="rest", uri=self.uri, warehouse=f"lake@{revision}")

    def get(self, path: str, **query: str) -> dict:
        """Read a document of the warehouse over the management interface."""
        answer = httpx.get(f"{self.address}/api/v1/warehouses/lake/{path}", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()


@dataclass(frozen=True, slots=True)
class Shown:
    """What the quickstart printed, and the server on what it left."""

    text: str
    server: Server
    data_dir: Path

    @property
    def releases(self) -> list[str]:
        tags = self.server.get("tags")["tags"]
        return [tag["name"] for tag in tags if tag["name"].startswith("release/")]


@contextmanager
def serving(data_dir: Path) -> Iterator[Server]:
    """Run `mainstem serve` on a data directory until it is not needed any more."""
    command = [sys.executable, "-m", "catalog", "serve", "--port", "0", "--data-dir", data_dir]
    with (data_dir / "log").open("w") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        assert process.stdout is not None
        with process.stdout:
            line = process.stdout.readline()
            assert line, (data_dir / "log").read_text()
            yield Server(line.split()[-1])
            process.terminate()
            assert process.wait(timeout=30) == 0


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("served")) as running:
        yield running


@pytest.fixture(scope="session")
def run_quickstart() -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """Give what runs the quickstart in this environment."""

    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, str(ROOT / "examples" / "quickstart"), *arguments],
            # What the shell of whoever tests has set must not lead it to another server.
            env={**os.environ, "MAINSTEM_URI": "http://127.0.0.1:9/iceberg", "COLUMNS": "100"},
            capture_output=True,
            text=True,
            timeout=QUICKSTART_SECONDS,
            check=False,
        )

    return run


@pytest.fixture(scope="session")
def shown(
    run_quickstart: Callable[..., "subprocess.CompletedProcess[str]"],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Shown]:
    """Run the quickstart with few tables, then serve what it left."""
    data_dir = tmp_path_factory.mktemp("quickstart") / "lake"
    ended = run_quickstart("--tables", str(TABLES), "--data-dir", str(data_dir))
    assert ended.returncode == 0, ended.stdout + ended.stderr
    with serving(data_dir) as server:
        yield Shown(ended.stdout, server, data_dir)
