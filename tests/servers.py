"""`mainstem serve` as a process of its own, for tests that need a real server."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def serve(directory: Path, name: str = "server", **environment: str) -> Iterator[str]:
    """Run a server on a free port for a while; give its address. Its log is `name.log`."""
    command = [sys.executable, "-m", "catalog", "serve", "--port", "0"]
    log_path = directory / f"{name}.log"
    variables: Mapping[str, str] = {**os.environ, **environment}
    with log_path.open("w") as log:
        process = subprocess.Popen(
            [*command, "--data-dir", str(directory / "data")],
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(log_path.read_text())
        yield line.split()[-1]
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)
        process.stdout.close()
