"""A lake under heavy writing, what was acknowledged of it, and what must be true of it."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from catalog.versioning.revisions import encode_prefix

Json = dict[str, Any]
_SCHEMA = {"type": "struct", "fields": [{"id": 1, "name": "id", "type": "long", "required": False}]}
# A busy machine takes its time.
_SECONDS = 120


class Server:
    """`mainstem serve` as a process of its own, which may be killed and started again."""

    def __init__(self, directory: Path, name: str, database_url: str) -> None:
        self._log = directory / f"{name}.log"
        self._command = [sys.executable, "-m", "catalog", "serve", "--port", "0"]
        self._command += ["--data-dir", str(directory / "data")]
        self._environment = {**os.environ, "MAINSTEM_DATABASE_URL": database_url}
        self._process: subprocess.Popen[str] | None = None
        self.address = ""

    def start(self) -> None:
        """Start the server, and learn its address."""
        with self._log.open("a") as log:
            self._process = subprocess.Popen(
                self._command,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, self._log.read_text()[-4000:]
        self.address = line.split()[-1]

    def kill(self) -> None:
        """End the server without letting it do anything more."""
        if self._process is not None:
            self._end(self._process, signal.SIGKILL)

    def stop(self) -> None:
        """Let the server answer what it was asked, and end in good order."""
        assert self._process is not None
        assert self._end(self._process, signal.SIGTERM) == 0

    def _end(self, process: "subprocess.Popen[str]", number: signal.Signals) -> int:
        process.send_signal(number)
        process.communicate(timeout=_SECONDS)
        self._process = None
        return process.returncode


class Lost(Exception):
    """The server did not answer, or said that it cannot: what was asked for may have happened."""


@dataclass
class Client:
    """Requests to one server, as engines and people send them."""

    server: Server
    http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=_SECONDS))

    def call(self, method: str, path: str, body: Json | None = None, **headers: str) -> Json:
        """Send a request that a server that lives must grant."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        url = self.server.address + path
        try:
            response = self.http.request(method, url, json=body, headers=sent)
        except httpx.TransportError as error:
            raise Lost from error
        assert response.is_success, response.text
        return response.json() if response.content else {}

    def manage(self, method: str, path: str, body: Json | None = None) -> Json:
        """Send a request to the management interface of the warehouse."""
        return self.call(method, f"/api/v1/warehouses/lake{path}", body)

    def iceberg(
        self, method: str, branch: str, path: str, body: Json | None = None, **headers: str
    ) -> Json:
        """Send a request to the Iceberg interface at a branch."""
        prefix = encode_prefix("lake", branch=branch)
        return self.call(method, f"/iceberg/v1/{prefix}{path}", body, **headers)

    def write(self, branch: str, number: int, *tables: str, **headers: str) -> None:
        """Set `n` of these tables, in one transaction if they are several."""
        updates = [{"action": "set-properties", "updates": {"n": str(number)}}]
        changes = [
            {
                "identifier": {"namespace": ["ns"], "name": name},
                "requirements": [],
                "updates": updates,
            }
            for name in tables
        ]
        if len(changes) == 1:
            body = {"requirements": [], "updates": updates}
            path = f"/namespaces/ns/tables/{tables[0]}"
            self.iceberg("POST", branch, path, body, **headers)
        else:
            body = {"table-changes": changes}
            self.iceberg("POST", branch, "/transactions/commit", body)

    def numbers(self, *tables: str) -> list[int]:
        """Return `n` of these tables on `main`, out of their metadata files."""
        loaded = (self.iceberg("GET", "main", f"/namespaces/ns/tables/{name}") for name in tables)
        return [int(each["metadata"]["properties"]["n"]) for each in loaded]


TRANSACTION = ("x", "y", "z")
MERGE = ("p", "q", "r")
COMMITS = 3


@dataclass
class Lake:
    """What writers tried and what was acknowledged, over any number of servers and crashes."""

    tried: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    acknowledged: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    merges: list[str] = field(default_factory=list)
    unanswered: dict[int, str] = field(default_factory=dict)
    faults: list[BaseException] = field(default_factory=list)
    answers: int = 0
    _answered: threading.Condition = field(default_factory=threading.Condition)

    def fill(self, client: Client) -> None:
        """Create the tables."""
        client.iceberg("POST", "main", "/namespaces", {"namespace": ["ns"]})
        singles = [f"c{number}" for number in range(COMMITS)]
        for name in (*singles, "once", *TRANSACTION, *MERGE):
            body = {"name": name, "schema": _SCHEMA, "properties": {"n": "0"}}
            client.iceberg("POST", "main", "/namespaces/ns/tables", body)

    def writers(self, *servers: Server) -> list[threading.Thread]:
        """Start writers of all kinds, each on one of the servers, until their server is lost."""
        kinds = [self._commit(f"c{number}") for number in range(COMMITS)]
        kinds += [self._transact, self._merge, self._once]
        threads = [
            threading.Thread(target=self._run, args=(write, servers[number % len(servers)]))
            for number, write in enumerate(kinds)
        ]
        for each in threads:
            each.start()
        return threads

    def wait_for(self, answers: int) -> None:
        """Wait until so many more requests were answered, or a writer failed."""
        with self._answered:
            goal = self.answers + answers
            self._answered.wait_for(lambda: self.answers >= goal or self.faults, _SECONDS)

    def check(self, client: Client) -> None:
        """Check that nothing acknowledged is lost, and nothing is there in part."""
        assert not self.faults, self.faults
        for number in range(COMMITS):
            name = f"c{number}"
            assert self.acknowledged[name] <= client.numbers(name)[0] <= self.tried[name]
        for kind, tables in (("transaction", TRANSACTION), ("merge", MERGE)):
            found = client.numbers(*tables)
            assert len(set(found)) == 1, (kind, found)
            assert self.acknowledged[kind] <= found[0] <= self.tried[kind], kind
        self._check_history(client)

    def _check_history(self, client: Client) -> None:
        head = client.manage("GET", "/branches/main")["commit_id"]
        reflog = client.manage("GET", "/reflog?branch=main&limit=1000")["entries"]
        assert reflog[0]["commit_id"] == head
        for newer, older in pairwise(reflog):
            assert newer["previous_commit_id"] == older["commit_id"]
        commits = client.manage("GET", "/commits?ref=main&limit=1000")["commits"]
        assert {each["commit_id"] for each in commits} >= set(self.merges)
        messages = [each["message"] for each in commits]
        once = Counter(message for message in messages if message.startswith("once "))
        done = [once[f"once {number}"] for number in range(1, self.acknowledged["once"] + 1)]
        assert done == [1] * len(done)
        assert sum(once.values()) <= self.tried["once"]
        merges = [each["commit_id"] for each in commits if len(each["parent_ids"]) == 2]
        for commit_id in merges[:3]:
            changes = client.manage("GET", f"/commits/{commit_id}")["changes"]
            assert {each["key"][-1] for each in changes} == set(MERGE)

    def _commit(self, name: str) -> Any:
        def write(client: Client) -> None:
            number = self._try(name)
            client.write("main", number, name)
            self._acknowledge(name, number)

        return write

    def _transact(self, client: Client) -> None:
        number = self._try("transaction")
        client.write("main", number, *TRANSACTION)
        self._acknowledge("transaction", number)

    def _once(self, client: Client) -> None:
        """Send each request under one key until it is answered, as engines do."""
        if not self.unanswered:
            self.unanswered[self._try("once")] = str(uuid4())
        [(number, key)] = self.unanswered.items()
        headers = {"Idempotency_Key": key, "X_Mainstem_Message": f"once {number}"}
        client.write("main", number, "once", **headers)
        self.unanswered.clear()
        self._acknowledge("once", number)

    def _merge(self, client: Client) -> None:
        number = self._try("merge")
        branch = f"work/{number}"
        client.manage("POST", "/branches", {"name": branch, "from": "main"})
        for name in MERGE:
            client.write(branch, number, name)
        done = client.manage("POST", "/merges", {"source": branch, "target": "main"})
        self.merges.append(done["commit_id"])
        self._acknowledge("merge", number)

    def _run(self, write: Any, server: Server) -> None:
        client = Client(server)
        try:
            while True:
                write(client)
        except Lost:
            pass
        except BaseException as fault:
            with self._answered:
                self.faults.append(fault)
                self._answered.notify_all()
        finally:
            client.http.close()

    def _try(self, kind: str) -> int:
        self.tried[kind] += 1
        return self.tried[kind]

    def _acknowledge(self, kind: str, number: int) -> None:
        with self._answered:
            self.acknowledged[kind] = number
            self.answers += 1
            self._answered.notify_all()


def check_files(warehouse: Path) -> None:
    """Check that every metadata file that can be seen is whole, whether in use or not."""
    files = list(warehouse.rglob("*.metadata.json"))
    assert files
    for path in files:
        json.loads(path.read_bytes())
