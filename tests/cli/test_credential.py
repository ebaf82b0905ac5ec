"""A server with clients configured: the command line and an engine's client work with it."""

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from pyiceberg.catalog import Catalog, load_catalog
from pyiceberg.schema import Schema
from pyiceberg.types import LongType, NestedField
from typer.testing import CliRunner

from catalog.cli.main import app
from tests.engines.lake import Duck

SECRET = "a long + random: one"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server with one client."""
    directory: Path = tmp_path_factory.mktemp("credential")
    secret_hash = hashlib.sha256(SECRET.encode()).hexdigest()
    process = subprocess.Popen(
        [sys.executable, "-m", "catalog", "serve", "--port", "0", "--data-dir", str(directory)],
        env={
            **os.environ,
            "MAINSTEM_CLIENTS": f"etl:{secret_hash}",
            "MAINSTEM_TOKEN_KEY": "0123456789abcdef0123456789abcdef",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    address = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())
    assert address is not None
    yield address[0]
    process.kill()
    process.communicate()


def run(server: str, credential: str, *arguments: str) -> tuple[int, str]:
    environment = {"MAINSTEM_SERVER": server, "MAINSTEM_CREDENTIAL": credential}
    result = CliRunner().invoke(app, list(arguments), env=environment)
    return result.exit_code, result.output


def test_commands_work_with_a_credential(server: str) -> None:
    credential = f"etl:{SECRET}"
    assert run(server, credential, "branch", "create", "side")[0] == 0
    code, output = run(server, credential, "branch", "list")
    assert code == 0
    assert "side" in output


def test_commands_are_refused_without_one(server: str) -> None:
    for credential in ("", "etl:wrong", "etl"):
        code, output = run(server, credential, "branch", "list")
        assert code == 4
        assert "token" in output


def open_lake(server: str) -> Catalog:
    """Open the warehouse with pyiceberg, as the client."""
    uri = f"{server}/iceberg"
    settings = {"uri": uri, "oauth2-server-uri": f"{uri}/v1/oauth/tokens"}
    return load_catalog("lake", type="rest", credential=f"etl:{SECRET}", **settings)


def test_pyiceberg_works_with_a_credential(server: str) -> None:
    lake = open_lake(server)
    lake.create_namespace("ns")
    lake.create_namespace(("ns", "deep.er"))
    assert lake.list_namespaces("ns") == [("ns", "deep.er")]


def test_an_export_works_with_a_credential(server: str, tmp_path: Path) -> None:
    with closing(open_lake(server)) as lake:
        lake.create_namespace("out")
        lake.create_table("out.t", Schema(NestedField(1, "id", LongType(), required=False)))
    settings = {"type": "sql", "uri": f"sqlite:///{tmp_path}/x.db", "warehouse": tmp_path.as_uri()}
    options = [f"--property={key}={value}" for key, value in settings.items()]
    code, output = run(server, f"etl:{SECRET}", "export", "x", "--table", "out.*", *options)
    assert code == 0, output
    with closing(load_catalog("x", **settings)) as target:
        assert target.list_tables("out") == [("out", "t")]


@pytest.mark.slow
def test_duckdb_works_with_a_credential(server: str) -> None:
    open_lake(server).create_namespace("duck")
    uri = f"{server}/iceberg"
    rows = Duck().sql(
        f"ATTACH 'lake' AS lake (TYPE iceberg, ENDPOINT '{uri}', AUTHORIZATION_TYPE 'oauth2',"
        f" OAUTH2_SERVER_URI '{uri}/v1/oauth/tokens', CLIENT_ID 'etl', CLIENT_SECRET '{SECRET}')",
        "CREATE TABLE lake.duck.t AS SELECT 1 AS a",
        "FROM lake.duck.t",
    )
    assert rows == [(1,)]


def test_settings_that_cannot_be_end_serve_in_one_sentence(tmp_path: Path) -> None:
    result = CliRunner().invoke(
        app,
        ["serve", "--port", "0", "--data-dir", str(tmp_path)],
        env={"MAINSTEM_CLIENTS": "etl:secret"},
    )
    assert result.exit_code == 2
    assert "MAINSTEM_CLIENTS must hold ID:HASH" in " ".join(result.output.split())
