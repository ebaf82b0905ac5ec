"""The measurement runs to its end and leaves nothing out; its figures are no test's business."""

import os
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import orjson
import pytest

from scripts.benchmarks.relay import busy_seconds, relay

_ROOT = Path(__file__).parents[1]
_OPERATIONS = {
    "commit 200 tables in turn, 1 client",
    "commit one table",
    "commit one table, 1 client",
    "commit own tables, 8 clients",
    "commits given up",
    "create branch",
    "diff of 200",
    "loadTable 100 snapshots, 1 client",
    "loadTable 100 snapshots, 16 clients",
    "loadTable cold, 1 client",
    "loadTable unchanged (304), 1 client",
    "loadTable unchanged (304), 16 clients",
    "loadTable warm, 1 client",
    "loadTable warm, 16 clients",
    "log of 100",
    "memory after loads",
    "memory at the end",
    "memory when started",
    "merge 200 neighbours, target moved",
    "merge 200 neighbours, target unmoved",
    "merge 200 scattered, target moved",
    "merge 200 scattered, target unmoved",
    "merge of 200 commits",
    "of a commit: its statements",
    "of a commit: reading and changing metadata",
    "of a commit: the database's durable write",
    "of a commit: the metadata file, made durable",
    "of a commit: the tree",
    "of a commit: whole, without HTTP",
    "of a load: the head's read",
    "of a load: whole, without HTTP",
    "store per commit",
    "transaction over 200 tables",
}
_OPERATIONS |= {
    f"merge 200 changed on both sides, {kind}, {files} files each{what}"
    for kind in ("append", "rewrite")
    for files in (2, 50)
    for what in ("", ": files a table", ": memory for it")
}
_REPLICAS = {
    "commit own branches, 8 clients, 1 server",
    "commit own branches, 8 clients, 2 servers",
    "loadTable warm, 16 clients, 1 server",
    "loadTable warm, 16 clients, 2 servers",
}


def _bench(*arguments: str) -> str:
    environment = {**os.environ, "PYTHONPATH": f"{_ROOT / 'scripts'}:{_ROOT}"}
    command = [sys.executable, "-m", "benchmarks", "--quick", "--sizes", "200", *arguments]
    return subprocess.run(
        command, env=environment, check=True, stdout=subprocess.PIPE, text=True, timeout=300
    ).stdout


@pytest.mark.slow
def test_quick_run_measures_every_operation_on_both_databases() -> None:
    figures: list[dict[str, Any]] = orjson.loads(_bench("--json"))["figures"]
    for database in ("sqlite", "postgresql"):
        ours = {
            each["operation"]: each["best"]
            for each in figures
            if each["server"] == "mainstem" and each["database"] == database
        }
        replicas = _REPLICAS if database == "postgresql" else set()
        assert ours.keys() == _OPERATIONS | replicas
        assert ours.pop("commits given up") == 0
        assert all(best > 0 for best in ours.values())
    of_files = {each["operation"] for each in figures if each["database"] == "entries"}
    assert of_files == {"manifests written again", "memory for it"}


def test_a_relay_notes_each_answer_that_clients_wait_for() -> None:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            """Keep quiet."""

    begun = time.perf_counter()
    body = b"x" * 1_000_000
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        with relay(server.server_address[1]) as between:
            for _ in range(2):
                with httpx.Client(base_url=f"http://127.0.0.1:{between.port}") as client:
                    answers = [client.post("/", content=body).content for _ in range(3)]
                    assert answers == [body] * 3
        server.shutdown()
        thread.join()
    assert len(between.waits) == 6
    assert begun < min(between.waits)[0]
    assert 0 < busy_seconds(between.waits) < time.perf_counter() - begun


def test_waits_that_overlap_count_once() -> None:
    assert busy_seconds([(5, 6), (0, 2), (1, 3), (1.5, 2)]) == 4


@pytest.mark.slow
def test_the_catalogs_share_of_dbts_time_is_measured() -> None:
    (build,) = orjson.loads(_bench("engines", "--engine", "duckdb", "--json"))["builds"]
    # Each model is created and committed at least.
    assert build["requests"] > 2 * build["models"]
    assert 0 < build["catalog_seconds"] < build["seconds"]
    assert build["cpu_seconds"] > 0


@pytest.mark.slow
def test_libraries_for_object_storage_are_measured_alike() -> None:
    found: dict[str, dict[str, str]] = orjson.loads(_bench("--stores", "--json"))
    assert found["obstore"].keys() == found["pyarrow"].keys()
    refused = {name: each["a second write of a file is refused"] for name, each in found.items()}
    assert refused == {"obstore": "True", "pyarrow": "False"}
