"""Server processes, each on a free port and stopped afterwards."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.client import Address

_KIBIBYTE = 1024


@dataclass(frozen=True, slots=True)
class Server:
    """A server process and where it listens."""

    address: Address
    pid: int

    def cpu_seconds(self) -> float:
        """Return how long the process has computed so far, on Linux; elsewhere 0."""
        stat = Path(f"/proc/{self.pid}/stat")
        if not stat.exists():
            return 0.0
        # The name, in parentheses, may hold spaces; user and system time are 12th and 13th after.
        fields = stat.read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_bytes(self) -> int:
        """Return how much memory the process holds."""
        return resident_bytes(self.pid)

    def peak_bytes(self) -> int:
        """Return how much memory the process has held at most, where the system tells that."""
        found = status_bytes(self.pid, "VmHWM")
        return self.resident_bytes() if found is None else found


def resident_bytes(pid: int) -> int:
    """Return how much memory a process holds."""
    found = status_bytes(pid, "VmRSS")
    if found is not None:
        return found
    shown = subprocess.check_output(["ps", "-o", "rss=", "-p", str(pid)])
    return int(shown) * _KIBIBYTE


def status_bytes(pid: int, field: str) -> int | None:
    """Return what Linux tells of a process's memory; None on other systems."""
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        return None
    fields = dict(line.split(":", 1) for line in status.read_text().splitlines())
    return int(fields[field].split()[0]) * _KIBIBYTE


@contextmanager
def mainstem(
    directory: Path, database_url: str | None = None, environment: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """Run `mainstem serve`, as a user does, for as long as the context lasts.

    Without a URL its database is a SQLite file in the directory.
    """
    directory.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "catalog", "serve", "--port", "0"]
    command += ["--data-dir", str(directory)]
    command += ["--database-url", database_url] if database_url else []
    with running(command, directory / "server.log", environment) as server:
        yield server


@contextmanager
def bare(directory: Path, bodies: Mapping[str, bytes]) -> Iterator[Server]:
    """Run a server that does nothing but answer `/NAME` with these bytes."""
    folder = directory / "bodies"
    folder.mkdir(exist_ok=True)
    for name, body in bodies.items():
        (folder / name).write_bytes(body)
    command = [sys.executable, "-m", "benchmarks.bare", str(folder)]
    with running(command, directory / "bare.log") as server:
        yield server


@contextmanager
def running(
    command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """Run a server whose first line of output ends in its address."""
    with log.open("w") as stream:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stream,
            text=True,
            env={**os.environ, **(environment or {})},
        )
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line:
                raise RuntimeError(f"{command[0]} did not start:\n{log.read_text()}")
            port = urlsplit(line.split()[-1]).port
            assert port is not None
            yield Server(Address(port), process.pid)
        finally:
            process.terminate()
            process.wait(timeout=30)
            if process.stdout is not None:
                process.stdout.close()
