"""Say what happens, show the commands that do it, and keep the time of each step."""

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table
from rich.text import Text

# The commands of this environment, whatever the PATH says.
_PROGRAMS = {
    "mainstem": (sys.executable, "-m", "catalog"),
    "dbt": (str(Path(sys.executable).parent / "dbt"),),
}


@dataclass(slots=True)
class Steps:
    """The steps so far, and where they are told."""

    console: Console
    environment: Mapping[str, str]
    taken: list[tuple[str, float]] = field(default_factory=list)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Head what follows with a name, and keep how long it took."""
        self.console.rule(Text(name, style="bold"), align="left")
        begun = time.monotonic()
        yield
        self.taken.append((name, time.monotonic() - begun))

    def say(self, text: str) -> None:
        """Explain, in a sentence or two."""
        self.console.print(Text(text))

    def run(self, *command: str) -> None:
        """Show a command and run it; it must succeed."""
        if self._run(command):
            raise SystemExit(f"{command[0]} failed, see above.")

    def mainstem(self, *arguments: str) -> None:
        """Show a command of the command line and run it; it must succeed."""
        self.run("mainstem", *arguments)

    def try_mainstem(self, *arguments: str) -> int:
        """Show a command of the command line and run it; return its exit code."""
        return self._run(("mainstem", *arguments))

    def _run(self, command: Sequence[str]) -> int:
        self.console.print(Text(f"$ {shortened(command)}", style="cyan"), soft_wrap=True)
        sys.stdout.flush()
        program = [*_PROGRAMS[command[0]], *command[1:]]
        return _wait(subprocess.Popen(program, env=self.environment))

    def ask(self, *arguments: str) -> Any:
        """Run a command of the command line unseen, and return its JSON."""
        answer = subprocess.run(
            [*_PROGRAMS["mainstem"], *arguments, "--json"],
            env=self.environment,
            check=True,
            stdout=subprocess.PIPE,
        )
        return orjson.loads(answer.stdout)

    def show_times(self) -> None:
        """Print how long each step took."""
        times = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
        times.add_column("Step")
        times.add_column("Seconds", justify="right")
        for name, seconds in self.taken:
            times.add_row(Text(name), f"{seconds:.1f}")
        times.add_row("All", f"{sum(seconds for _, seconds in self.taken):.1f}", style="bold")
        self.console.print(times)


def _wait(process: "subprocess.Popen[bytes]") -> int:
    """Wait for a command that is to end in its own way, also when we are to stop."""
    interrupted = False
    while process.returncode is None:
        try:
            process.wait()
        except KeyboardInterrupt:
            # Ctrl-C has reached the command as well, which still has its check to report.
            interrupted = True
        except SystemExit:
            process.terminate()
            process.wait()
            raise
    if interrupted:
        raise KeyboardInterrupt
    return process.returncode


def shortened(arguments: Sequence[str]) -> str:
    """Write a command line as a person would type it in this folder."""
    here = f"{Path.cwd()}{os.sep}"
    plain = ["python" if each == sys.executable else each.removeprefix(here) for each in arguments]
    return shlex.join(plain)
