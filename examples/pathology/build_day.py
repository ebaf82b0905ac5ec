"""What a release runs: load a day's data onto the branch, then `dbt build`, showing its progress.

`build_day.py DAY [options of ingest.py]`. It ends with 1 if a model or a test fails. The same by
hand: `python ingest.py DAY && dbt build`.
"""

import os
import subprocess
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path
from typing import Any

from dbt.cli.main import dbtRunner
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

PROJECT = Path(__file__).parent
# What dbt would print goes to logs/dbt.log.
_BUILD = ("build", "--log-level", "none", "--log-level-file", "info", "--no-use-colors-file")
_GOOD = {"success", "pass", "warn", "no-op"}
_SHOWN_FAILURES = 5


class Watch:
    """Turn dbt's events into a progress bar at a terminal, and into a few lines elsewhere."""

    def __init__(self, console: Console, progress: Progress) -> None:
        self._console = console
        self._progress = progress
        self._task = progress.add_task("dbt parses the project", total=None)

    def see(self, event: Any) -> None:
        """Take an event of dbt, as its runner calls back."""
        match event.info.name:
            case "ConcurrencyLine":
                self._progress.update(self._task, total=event.data.node_count)
                self._console.print(f"dbt builds and tests {event.data.node_count} nodes")
            case "NodeStart":
                node = event.data.node_info
                self._progress.update(self._task, description=node.node_name[:40])
            case "NodeFinished":
                self._progress.advance(self._task)


def main() -> int:
    """Load, build and test; return the exit code."""
    ingest = [sys.executable, str(PROJECT / "ingest.py"), *sys.argv[1:]]
    if subprocess.run(ingest, check=False).returncode:
        return 1
    if os.environ.get("DBT_TARGET") != "spark":
        return _build()
    # Only who asks for Spark has it.
    settings = import_module("spark_settings")
    with tempfile.TemporaryDirectory() as folder:
        settings.use_java(Path(folder))
        settings.use_branch(Path(folder))
        # Ivy tells of every jar that it looks for.
        with settings.errors_in(PROJECT / "logs" / "spark.log"):
            return _build()


def _build() -> int:
    begun = time.monotonic()
    # dbt resolves the paths in its profile from here.
    os.chdir(PROJECT)
    console = Console(highlight=False)
    with _progress(console) as progress:
        runner = dbtRunner(callbacks=[Watch(console, progress).see])
        built = runner.invoke([*_BUILD])
    if built.exception is not None:
        console.print(f"dbt stopped: {escape(repr(built.exception))}")
        return 1
    _summarise(console, list(built.result), time.monotonic() - begun)
    return 0 if built.success else 1


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description:<40}"),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def _summarise(console: Console, results: list[Any], seconds: float) -> None:
    counts = {
        what: sum(1 for each in results if each.node.resource_type == what and _good(each))
        for what in ("model", "test")
    }
    skipped = sum(1 for each in results if str(each.status) == "skipped")
    failed = [each for each in results if not _good(each) and str(each.status) != "skipped"]
    console.print(
        f"dbt built {counts['model']} tables and passed {counts['test']} tests "
        f"in {seconds:.0f} s; {len(failed)} failed, {skipped} skipped"
    )
    for each in failed[:_SHOWN_FAILURES]:
        reason = " ".join((each.message or "").split())
        console.print(f"[red]✗[/red] {escape(each.node.name)}: {escape(reason)}")


def _good(result: Any) -> bool:
    return str(result.status) in _GOOD


if __name__ == "__main__":
    sys.exit(main())
