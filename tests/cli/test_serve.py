"""`mainstem serve` as a process: it begins, says where it is, and ends as it is told."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

pytestmark = pytest.mark.slow

SERVE = (sys.executable, "-m", "catalog", "serve")
# A busy machine takes its time.
SECONDS = 60


@pytest.fixture
def serve() -> Iterator:
    """Start servers; whatever still runs at the end is killed."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str, **environment: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [*SERVE, *arguments],
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def rest(process: "subprocess.Popen[str]") -> str:
    """Wait for the end, and return what was printed after the first line."""
    assert process.stdout is not None
    # Not by communicate(), which forgets what readline() has read ahead.
    printed = process.stdout.read()
    process.wait(timeout=SECONDS)
    return printed


def first_line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_from_nothing_and_stops_with_0(
    serve, tmp_path: Path, number: signal.Signals
) -> None:
    process = serve("--port", "0", "--data-dir", str(tmp_path / "data"))
    address = first_line(process).split()[-1]
    warehouses = httpx.get(f"{address}/api/v1/warehouses", timeout=SECONDS).json()["warehouses"]
    assert [(each["name"], each["default_branch"]) for each in warehouses] == [("lake", "main")]
    location = (tmp_path / "data" / "warehouse").as_uri().replace("file:///", "/")
    assert warehouses[0]["location"].replace("file://", "") == location
    process.send_signal(number)
    stdout = rest(process)
    assert process.returncode == 0
    for client in ("pyiceberg", "DuckDB", "Spark"):
        assert client in stdout
    assert f"{address}/iceberg" in stdout


def test_a_stop_as_soon_as_the_address_is_told_is_heeded(tmp_path: Path) -> None:
    script = (
        "import os, pathlib, signal, sys\n"
        "from catalog.cli import serving\n"
        "announce = serving._announce\n"
        "def told(*known):\n"
        "    announce(*known)\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "serving._announce = told\n"
        "directory = pathlib.Path(sys.argv[1])\n"
        "sys.exit(serving.run('127.0.0.1', 0, data_dir=directory, database_url=None))\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Mainstem" in done.stdout


def test_what_was_written_is_there_after_a_restart(serve, tmp_path: Path) -> None:
    arguments = ("--port", "0", "--data-dir", str(tmp_path))
    first = serve(*arguments)
    address = first_line(first).split()[-1]
    body = {"name": "work", "from": "main"}
    path = "/api/v1/warehouses/lake/branches"
    created = httpx.post(address + path, json=body, timeout=SECONDS).json()
    first.send_signal(signal.SIGTERM)
    first.communicate(timeout=SECONDS)
    second = serve(*arguments)
    address = first_line(second).split()[-1]
    found = httpx.get(f"{address}{path}/work", timeout=SECONDS).json()
    assert found["commit_id"] == created["commit_id"]


def test_a_taken_port_is_one_line_and_1(serve, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        process = serve("--port", port, "--data-dir", str(tmp_path / "data"))
        stdout, stderr = process.communicate(timeout=SECONDS)
    assert process.returncode == 1
    assert (stdout, len(stderr.splitlines())) == ("", 1)
    assert port in stderr
    assert not (tmp_path / "data").exists()


def test_a_setting_that_cannot_be_is_one_line_and_2(serve, tmp_path: Path) -> None:
    process = serve("--port", "0", "--data-dir", str(tmp_path), MAINSTEM_THREADS="many")
    _, stderr = process.communicate(timeout=SECONDS)
    assert process.returncode == 2
    assert "MAINSTEM_THREADS" in stderr
    assert len(stderr.splitlines()) == 1


def test_a_database_that_does_not_answer_is_one_line_and_5(serve, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    url = f"postgresql+psycopg://nobody@127.0.0.1:{port}/none"
    process = serve("--port", "0", "--data-dir", str(tmp_path), "--database-url", url)
    stdout, stderr = process.communicate(timeout=SECONDS)
    assert process.returncode == 5
    assert stdout == ""
    assert stderr.startswith("mainstem: Cannot start")
    assert len(stderr.splitlines()) == 1


def test_a_host_that_cannot_be_found_is_one_line_and_1(serve, tmp_path: Path) -> None:
    process = serve("--host", "no-such-host.invalid", "--port", "0", "--data-dir", str(tmp_path))
    _, stderr = process.communicate(timeout=SECONDS)
    assert process.returncode == 1
    assert "no-such-host.invalid" in stderr
    assert len(stderr.splitlines()) == 1
