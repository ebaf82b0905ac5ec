"""A server of its own for the quickstart, on a free port."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_STOP_SECONDS = 30


@contextmanager
def served(data_dir: Path, port: int = 0) -> Iterator[str]:
    """Run `mainstem serve` on a data directory; give its address, and stop it at the end."""
    log = data_dir / "server.log"
    command = [sys.executable, "-m", "catalog", "serve", "--data-dir", str(data_dir)]
    with log.open("a") as errors:
        process = subprocess.Popen(
            [*command, "--port", str(port)],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            # Ctrl-C is for the release that runs; the server is stopped below, when that has ended.
            start_new_session=True,
        )
    assert process.stdout is not None
    try:
        first = process.stdout.readline().split()
        if not first:
            raise SystemExit(f"The server did not start; {log} says why.")
        yield first[-1]
    finally:
        process.terminate()
        process.wait(timeout=_STOP_SECONDS)
        process.stdout.close()
