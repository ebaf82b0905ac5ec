"""A server that is killed while it commits: whoever sends a request again finds it done once."""

import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

WRITERS = 4
COMMITS = 15
# So many answers come before each kill.
KILL_AFTER = (7, 11, 13)


@contextmanager
def serving(directory: Path, port: int) -> Iterator[tuple["subprocess.Popen[str]", int]]:
    command = [sys.executable, "-m", "catalog", "serve", "--port", str(port)]
    process = subprocess.Popen(
        [*command, "--data-dir", str(directory)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        found = re.search(r"http://127\.0\.0\.1:(\d+)", process.stdout.readline())
        assert found is not None
        yield process, int(found[1])
    finally:
        process.kill()
        process.communicate()


class Writers:
    """Clients that each make a row of commits, and send one again until it is answered."""

    def __init__(self, port: int) -> None:
        self.base = f"http://127.0.0.1:{port}/iceberg/v1/lake.main/namespaces"
        self.up = threading.Event()
        self.answered = threading.Semaphore(0)
        self.again = 0
        self.threads = [threading.Thread(target=self._write, args=(n,)) for n in range(WRITERS)]

    def _write(self, writer: int) -> None:
        with httpx.Client() as http:
            for number in range(COMMITS):
                key, body = str(uuid4()), {"namespace": [f"w{writer}-{number}"]}
                while True:
                    self.up.wait()
                    try:
                        answer = http.post(self.base, json=body, headers={"Idempotency-Key": key})
                    except httpx.TransportError:
                        self.again += 1
                        continue
                    # Sent again after it took place, it would be refused without the key.
                    assert answer.status_code == 200, answer.text
                    self.answered.release()
                    break


@pytest.mark.slow
def test_what_a_killed_server_did_is_not_done_again(tmp_path: Path) -> None:
    with serving(tmp_path, 0) as (process, port):
        writers = Writers(port)
        for thread in writers.threads:
            thread.start()
        kill_when(writers, process, KILL_AFTER[0])
    for answers in KILL_AFTER[1:]:
        with serving(tmp_path, port) as (process, _):
            kill_when(writers, process, answers)
    with serving(tmp_path, port):
        writers.up.set()
        for thread in writers.threads:
            thread.join()
        url = f"http://127.0.0.1:{port}/api/v1/warehouses/lake/commits?limit=1000"
        messages = [each["message"] for each in httpx.get(url).json()["commits"]]
    assert writers.again > 0
    wanted = {f"Create namespace w{w}-{n}" for w in range(WRITERS) for n in range(COMMITS)}
    assert sorted(messages) == sorted([*wanted, "Create warehouse lake"])


def kill_when(writers: Writers, process: "subprocess.Popen[str]", answers: int) -> None:
    """Kill the server in the midst of requests, once so many have been answered."""
    writers.up.set()
    for _ in range(answers):
        writers.answered.acquire()
    writers.up.clear()
    process.kill()
    process.wait()
