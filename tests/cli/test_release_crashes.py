"""A release that is killed, interrupted or cut off anywhere, and run again, ends as one release."""

import os
import pty
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

import httpx
import pytest

pytestmark = pytest.mark.slow

NAME, BRANCH = "release/2026-11-23", "ingest/2026-11-23"
RUN = ("release", "run", "--name", NAME, "--branch", BRANCH, "--delete-branch")


class Proxy:
    """Stands before the server, notes each request, and may act before one or after it."""

    def __init__(self, server: str) -> None:
        self.seen: list[str] = []
        self.before: Callable[[str], None] = lambda request: None
        self.after: Callable[[str], None] = lambda request: None
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def forward(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                request = f"{self.command} {unquote(self.path)}"
                proxy.seen.append(request)
                try:
                    proxy.before(request)
                    headers = {
                        name: value
                        for name, value in self.headers.items()
                        if name.lower() not in ("host", "connection", "accept-encoding")
                    }
                    answer = httpx.request(
                        self.command,
                        server + self.path,
                        content=body,
                        headers=headers,
                        timeout=None,
                    )
                    proxy.after(request)
                except ConnectionAbortedError:
                    self.close_connection = True
                    return
                self.send_response(answer.status_code)
                self.send_header("Content-Type", answer.headers.get("content-type", ""))
                self.send_header("Content-Length", str(len(answer.content)))
                self.end_headers()
                self.wfile.write(answer.content)

            do_GET = do_POST = do_PUT = do_DELETE = forward  # noqa: N815

            def log_message(self, *arguments: object) -> None:
                """Keep quiet."""

        self._listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._listener.daemon_threads = True
        self._listener.handle_error = lambda *arguments: None  # type: ignore[method-assign]
        self.url = f"http://127.0.0.1:{self._listener.server_address[1]}"
        self._thread = threading.Thread(target=self._listener.serve_forever)
        self._thread.start()

    def close(self) -> None:
        self._listener.shutdown()
        self._listener.server_close()
        self._thread.join()


@pytest.fixture
def proxy(served: str) -> Iterator[Proxy]:
    proxy = Proxy(served)
    yield proxy
    proxy.close()


def matching(pattern: str, act: Callable[[], None]) -> Callable[[str], None]:
    """Act at the first request that begins with the pattern's method and ends as it does."""
    method, _, end = pattern.partition(" ")
    done = threading.Event()

    def hook(request: str) -> None:
        if request.startswith(method + " ") and request.endswith(end) and not done.is_set():
            done.set()
            act()

    return hook


def runs(lake) -> int:
    path = lake.directory / "runs"
    return len(path.read_text().splitlines()) if path.exists() else 0


def releases_on_main(lake) -> list[str]:
    return [
        commit["commit_id"]
        for commit in lake.ok("log", "main", "-n", "1000")["commits"]
        if commit["metadata"].get("mainstem.release") == NAME
    ]


def branches(lake) -> list[str]:
    return [branch["name"] for branch in lake.ok("branch", "list")["branches"]]


def assert_released_once(lake) -> None:
    [merge] = releases_on_main(lake)
    assert lake.ok("tag", "show", NAME)["commit_id"] == merge
    assert branches(lake) == ["main"]
    changes = lake.ok("show", merge)["changes"]
    assert ["day", "slides"] in [change["key"] for change in changes]


def killed_at(lake, proxy: Proxy, pattern: str, when: str, command: tuple[str, ...]) -> None:
    """Run the release behind the proxy, and kill it with SIGKILL before or after a request."""
    process = lake.spawn(*RUN, "--server", proxy.url, "--", *command)

    def kill() -> None:
        process.kill()
        process.wait()
        raise ConnectionAbortedError

    setattr(proxy, when, matching(pattern, kill))
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL, proxy.seen


@pytest.mark.parametrize(
    ("pattern", "when", "merged", "runs_in_all"),
    [
        ("POST /branches", "before", False, 1),
        ("POST /branches", "after", False, 1),
        ("POST /checks", "before", False, 2),
        ("POST /checks", "after", False, 2),
        ("POST /merges", "before", False, 2),
        ("POST /merges", "after", True, 1),
        ("POST /tags", "before", True, 1),
        ("POST /tags", "after", True, 1),
        (f"DELETE {BRANCH}", "before", True, 1),
        (f"DELETE {BRANCH}", "after", True, 1),
    ],
)
def test_killed_anywhere_and_run_again_it_is_released_once(
    lake, proxy: Proxy, ingest_command, pattern: str, when: str, merged: bool, runs_in_all: int
) -> None:
    before = lake.head("main")
    killed_at(lake, proxy, pattern, when, ingest_command())
    assert (lake.head("main") != before) is merged
    result = lake.execute(*RUN, "--", *ingest_command())
    assert result.exit_code == 0, result.stderr
    assert_released_once(lake)
    assert runs(lake) == runs_in_all


def test_commits_after_the_crash_are_not_taken_into_the_release(
    lake, proxy: Proxy, ingest_command
) -> None:
    killed_at(lake, proxy, "POST /tags", "before", ingest_command())
    merge = lake.head("main")
    lake.ingest("main", "other", 1)
    lake.ok("branch", "delete", BRANCH)
    result = lake.execute(*RUN, "--", *ingest_command())
    assert result.exit_code == 0, result.stderr
    assert lake.ok("tag", "show", NAME)["commit_id"] == merge != lake.head("main")
    assert_released_once(lake)


@pytest.mark.parametrize("pattern", ["POST /checks", "POST /merges", "POST /tags"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_connection_cut_after_the_command_is_survived(
    lake, proxy: Proxy, ingest_command, pattern: str, when: str
) -> None:
    def cut() -> None:
        raise ConnectionAbortedError

    setattr(proxy, when, matching(pattern, cut))
    result = lake.execute(*RUN, "--server", proxy.url, "--", *ingest_command())
    assert result.exit_code == 0, result.stderr
    assert_released_once(lake)
    assert runs(lake) == 1


def test_a_target_that_moves_just_before_the_merge_is_looked_at_again(
    lake, proxy: Proxy, ingest_command
) -> None:
    # The namespace is there on both sides: made on each, it would be a conflict.
    lake.ingest("main", "other", 1)
    proxy.before = matching("POST /merges", lambda: lake.ingest("main", "other", 2))
    result = lake.execute(*RUN, "--server", proxy.url, "--", *ingest_command())
    assert result.exit_code == 0, result.stderr
    assert proxy.seen.count(f"POST /api/v1/warehouses/{lake.warehouse}/merges") == 2
    assert_released_once(lake)


def test_another_run_that_merges_first_is_joined(lake, proxy: Proxy, ingest_command) -> None:
    def other_run() -> None:
        # Without --delete-branch: the first run is still to merge it.
        arguments = [each for each in RUN if each != "--delete-branch"]
        assert lake.execute(*arguments, "--", *ingest_command("scans")).exit_code == 0

    proxy.before = matching("POST /merges", other_run)
    result = lake.execute(*RUN, "--server", proxy.url, "--", *ingest_command())
    assert result.exit_code == 0, result.stderr
    [merge] = releases_on_main(lake)
    assert lake.ok("tag", "show", NAME)["commit_id"] == merge


@pytest.mark.parametrize(
    ("number", "expected"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_reaches_the_command_and_nothing_is_released(
    lake, number: signal.Signals, expected: int
) -> None:
    before = lake.head("main")
    process = lake.spawn(*RUN, "--", "sh", "-c", "echo begun; exec tail -f /dev/null")
    assert process.stdout is not None
    while process.stdout.readline().strip() != "begun":
        assert process.poll() is None
    process.send_signal(number)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == expected
    assert number.name in stderr
    [check] = lake.ok("check", "list", BRANCH)["checks"]
    assert (check["state"], number.name in check["summary"]) == ("failure", True)
    assert lake.head("main") == before
    assert lake.run("tag", "show", NAME).exit_code == 3


def test_a_command_that_ends_well_on_a_signal_is_a_failure_still(lake) -> None:
    script = "trap 'exit 0' INT; echo begun; while :; do sleep 0.05; done"
    process = lake.spawn(*RUN, "--", "sh", "-c", script)
    assert process.stdout is not None
    while process.stdout.readline().strip() != "begun":
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert lake.ok("check", "list", BRANCH)["checks"][0]["state"] == "failure"


def test_ctrl_c_at_a_terminal_reaches_the_command_once(lake) -> None:
    # Blocked before it says so, the signal cannot come between two statements and be waited for
    # for ever.
    script = (
        "import signal\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGALRM})\n"
        "print('begun', flush=True)\n"
        "while signal.sigwait({signal.SIGINT, signal.SIGALRM}) == signal.SIGINT:\n"
        "    print('caught', flush=True)\n"
        "    signal.alarm(1)\n"
    )
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "catalog", *RUN, "--", sys.executable, "-c", script],
        env=lake.environment,
        cwd=lake.directory,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=lambda: os.close(os.open(os.ttyname(theirs), os.O_RDWR)),
    )
    os.close(theirs)
    seen = b""
    while b"begun" not in seen:
        seen += os.read(ours, 1000)
    os.write(ours, b"\x03")
    try:
        while chunk := os.read(ours, 1000):
            seen += chunk
    except OSError:
        # Linux says so when the last process has closed the terminal.
        pass
    os.close(ours)
    assert process.wait(timeout=60) == 130
    assert seen.count(b"caught") == 1
    assert b"SIGINT" in seen
