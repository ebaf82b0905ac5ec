"""A warehouse of a running server, and the engines' ways to a revision of it."""

import importlib
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import duckdb
import httpx
from pyiceberg.catalog import load_catalog
from pyiceberg.catalog.rest import RestCatalog

Rows = list[tuple[Any, ...]]


@dataclass(frozen=True)
class Lake:
    """A warehouse with an empty branch `main`."""

    server: str
    warehouse: str
    http: httpx.Client
    opened: list[RestCatalog] = field(default_factory=list)

    def close(self) -> None:
        """Close what was opened with pyiceberg."""
        for catalog in self.opened:
            catalog.close()

    @property
    def uri(self) -> str:
        return f"{self.server}/iceberg"

    def at(self, revision: str) -> str:
        """Return what engines take as `warehouse`."""
        return f"{self.warehouse}@{revision}"

    def call(self, method: str, *segments: str, status: int = 200, **body: Any) -> Any:
        """Send a request to the management interface of this warehouse."""
        path = "/".join(quote(segment, safe="") for segment in segments)
        url = f"{self.server}/api/v1/warehouses/{self.warehouse}/{path}"
        response = self.http.request(method, url, json=body or None)
        assert response.status_code == status, response.text
        return response.json() if response.content else None

    def branch(self, name: str, start: str = "main") -> None:
        self.call("POST", "branches", status=201, name=name, **{"from": start})

    def tag(self, name: str, at: str = "main") -> None:
        self.call("POST", "tags", status=201, name=name, at=at)

    def merge(self, source: str, target: str = "main") -> Any:
        return self.call("POST", "merges", source=source, target=target)

    def head(self, branch: str = "main") -> str:
        return str(self.call("GET", "branches", branch)["commit_id"])

    def commits(self, branch: str = "main") -> list[dict[str, Any]]:
        """Return the commits of a branch, newest first."""
        url = f"{self.server}/api/v1/warehouses/{self.warehouse}/commits"
        found = self.http.get(url, params={"ref": branch}).json()["commits"]
        return list(found)

    def command(self, *arguments: str, **environment: str) -> str:
        """Run the command line as a user does; give what it prints."""
        shared = ["--server", self.server, "--warehouse", self.warehouse]
        command = [sys.executable, "-m", "catalog", *shared, *arguments]
        variables = {**os.environ, **environment}
        done = subprocess.run(command, env=variables, check=True, stdout=subprocess.PIPE, text=True)
        return done.stdout

    def pyiceberg(self, revision: str = "main", **properties: str) -> RestCatalog:
        """Open a revision with pyiceberg."""
        catalog = load_catalog(
            "lake", type="rest", uri=self.uri, warehouse=self.at(revision), **properties
        )
        assert isinstance(catalog, RestCatalog)
        self.opened.append(catalog)
        return catalog


class Duck:
    """A DuckDB connection that has Iceberg's extensions."""

    def __init__(self) -> None:
        self.connection = duckdb.connect()
        for name in ("avro", "httpfs", "iceberg"):
            self.connection.execute(f"INSTALL '{extension(name)}'")
            self.connection.execute(f"LOAD {name}")

    def attach(self, lake: Lake, revision: str, alias: str, options: str = "") -> None:
        self.sql(
            f"ATTACH '{lake.at(revision)}' AS {alias} (TYPE iceberg, ENDPOINT '{lake.uri}',"
            f" AUTHORIZATION_TYPE 'none'{options})"
        )

    def sql(self, *statements: str) -> Rows:
        """Run statements; give the rows of the last."""
        rows: Rows = []
        for statement in statements:
            rows = self.connection.execute(statement).fetchall()
        return rows


def extension(name: str) -> Path:
    """Return the file of a DuckDB extension that a wheel brought."""
    module = importlib.import_module(f"duckdb_extension_{name}")
    assert module.__file__ is not None
    (found,) = Path(module.__file__).parent.glob(f"extensions/*/{name}.duckdb_extension")
    return found


class Spark:
    """The one Spark session, to which each test attaches the catalogs it needs."""

    def __init__(self, session: Any) -> None:
        self.session = session
        self._attached = 0

    def attach(self, lake: Lake, revision: str = "main", *, live: bool = True, **extra: str) -> str:
        """Attach a revision in the running session, and return the catalog's name."""
        self._attached += 1
        name = f"c{self._attached}"
        option = "--branch" if live else "--at"
        conf = lake.command("doctor", "spark-conf", option, revision, "--catalog", name)
        for key, value in settings(conf):
            if key.startswith("spark.sql.catalog."):
                self.session.conf.set(key, value)
        for key, value in extra.items():
            self.session.conf.set(f"spark.sql.catalog.{name}.{key}", value)
        return name

    def sql(self, *statements: str) -> Rows:
        """Run statements; give the rows of the last."""
        rows: Rows = []
        for statement in statements:
            rows = [tuple(row) for row in self.session.sql(statement).collect()]
        return rows


def settings(conf: str) -> list[tuple[str, str]]:
    """Read a `spark-defaults.conf`."""
    lines = [line.split(None, 1) for line in conf.splitlines() if line and line[0] != "#"]
    return [(key, value.strip()) for key, value in lines]
