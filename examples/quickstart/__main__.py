"""The daily release, twice, and once with a fault: `scripts/quickstart`."""

import argparse
import os
import shutil
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from comparing import show_diff, show_side_by_side
from rich.console import Console
from server import served
from size import LARGEST, SMALLEST, Size, copy_project, size_for
from steps import Steps, shortened

ROOT = Path(__file__).resolve().parents[2]
_DEFAULT_PORT = 8181
_MARK = "made-by-quickstart"


def main() -> None:
    """Make two releases and show them; then a third that fails its tests."""
    wanted = _arguments()
    data_dir: Path = wanted.data_dir.absolute()
    _start_afresh(data_dir)
    size = size_for(wanted.tables)
    project = copy_project(ROOT / "examples", data_dir / "project", size)
    steps = Steps(Console(highlight=False), _environment(wanted.engine))
    today = datetime.now(UTC).date()
    days = [today - timedelta(days=2), today - timedelta(days=1), today]
    with served(data_dir) as address:
        steps.environment = {**steps.environment, "MAINSTEM_SERVER": address}
        _introduce(steps, size, wanted.engine, address, data_dir)
        _prepare(steps, project)
        _release_three_days(steps, project, days)
        _show(steps, address, days)
    _say_goodbye(steps, data_dir, days)
    if wanted.keep_serving:
        _keep_serving(steps, data_dir)


def _prepare(steps: Steps, project: Path) -> None:
    with steps.step("Protect main, and let dbt find its package"):
        steps.say("From now on only a merge whose check `dbt` is green can change main.")
        steps.mainstem("protect", "set", "main", "--require-merge", "--require-check", "dbt")
        steps.run("dbt", "deps", "--quiet", "--project-dir", str(project))


def _release_three_days(steps: Steps, project: Path, days: Sequence[date]) -> None:
    first, second, third = days
    with steps.step(f"Release {first}: the first load"):
        steps.mainstem(*_release(project, first))
    with steps.step(f"Release {second}: the day's increment"):
        steps.mainstem(*_release(project, second, "--since", first.isoformat()))
    with steps.step(f"Release {third}: a scanner sends nonsense"):
        _release_with_a_fault(steps, project, third, first)


def _release(project: Path, day: date, *options: str) -> tuple[str, ...]:
    names = ("--name", f"release/{day}", "--branch", f"ingest/{day}", "--check-name", "dbt")
    build = (sys.executable, str(project / "build_day.py"), day.isoformat(), *options)
    return ("release", "run", *names, "--", *build)


def _release_with_a_fault(steps: Steps, project: Path, day: date, first: date) -> None:
    before = steps.ask("branch", "show", "main")["commit_id"]
    command = _release(project, day, "--since", first.isoformat(), "--fault")
    code = steps.try_mainstem(*command)
    after = steps.ask("branch", "show", "main")["commit_id"]
    if code == 0 or before != after:
        raise SystemExit("A release whose tests failed was made: please report this.")
    steps.say(f"The release ended with exit code {code}. main is where it was: {before[:10]}.")
    steps.mainstem("check", "list", f"ingest/{day}")
    steps.say("Whoever tries to merge the branch all the same is refused:")
    if steps.try_mainstem("merge", f"ingest/{day}") == 0:
        raise SystemExit("main took a merge without a green check: please report this.")


def _show(steps: Steps, address: str, days: Sequence[date]) -> None:
    older, newer = (f"release/{day}" for day in days[:2])
    with steps.step("The log and the releases"):
        steps.mainstem("log", "--oneline", "-n", "6")
        steps.mainstem("log", "--first-parent", "-n", "2")
        steps.mainstem("release", "list")
    with steps.step(f"What {newer} changed"):
        changes = steps.ask("diff", older, newer)["changes"]
        steps.say(f"mainstem diff {older} {newer} lists {len(changes)} changes; in short:")
        show_diff(steps.console, changes)
        steps.mainstem("log", "--oneline", "-n", "3", "--table", "labels.labels_v2", newer)
    with steps.step("Both releases beside each other, read by DuckDB"):
        uri = f"{address}/iceberg"
        show_side_by_side(steps.console, uri, older=older, newer=newer)


def _introduce(steps: Steps, size: Size, engine: str, address: str, data_dir: Path) -> None:
    steps.console.rule(style="dim")
    steps.say(
        f"Mainstem serves {address} from {shortened([str(data_dir)])}, made afresh.\n"
        f"A dbt project of {size.tables} tables is built by {engine}, three days of it."
    )


def _say_goodbye(steps: Steps, data_dir: Path, days: Sequence[date]) -> None:
    steps.console.rule("How long it took", align="left")
    steps.show_times()
    steps.console.rule("What to look at next", align="left")
    folder = Path(sys.executable).parent
    older, newer = (f"release/{day}" for day in days[:2])
    commands = (
        f". {shortened([str(folder / 'activate')])}",
        f"mainstem serve --data-dir {shortened([str(data_dir)])} &",
        f"mainstem diff {older} {newer}",
        "mainstem log --table labels.labels_v2",
        f"mainstem diff main ingest/{days[2]}",
        "mainstem doctor spark-conf --branch main",
    )
    for command in commands:
        steps.console.print(command, style="cyan", markup=False, soft_wrap=True)
    steps.say(
        f"Its interface is described at http://127.0.0.1:{_DEFAULT_PORT}/api/v1/docs then, and "
        "`mainstem serve` has printed how pyiceberg, DuckDB and Spark connect; "
        f"lake@{older} reads that release, for ever.\n"
        f"The dbt project of this run is {shortened([str(data_dir / 'project' / 'pathology')])}."
    )


def _keep_serving(steps: Steps, data_dir: Path) -> None:
    with served(data_dir, _DEFAULT_PORT) as address:
        steps.say(f"Serving {address} until Ctrl-C.")
        signal.pause()


def _start_afresh(data_dir: Path) -> None:
    """Empty the folder that an earlier run made; leave anybody else's alone."""
    if data_dir.exists() and any(data_dir.iterdir()) and not (data_dir / _MARK).exists():
        raise SystemExit(f"{data_dir} holds something else; name an empty one with --data-dir.")
    shutil.rmtree(data_dir, ignore_errors=True)
    data_dir.mkdir(parents=True)
    (data_dir / _MARK).write_text("scripts/quickstart empties this folder when it runs again.\n")


def _environment(engine: str) -> dict[str, str]:
    # What the shell has set is for another server.
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith("MAINSTEM_")
    }
    path = f"{Path(sys.executable).parent}{os.pathsep}{inherited.get('PATH', '')}"
    return {**inherited, "PATH": path, "DBT_TARGET": engine, "PYTHONUNBUFFERED": "1"}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/quickstart", description=__doc__)
    parser.add_argument(
        "--tables",
        type=int,
        default=Size().tables,
        metavar="N",
        help="about how many tables dbt builds, from "
        f"{SMALLEST.tables} to {LARGEST.tables} (default: %(default)s)",
    )
    parser.add_argument("--engine", choices=("duckdb", "spark"), default="duckdb")
    parser.add_argument(
        "--data-dir",
        type=Path,
        default=ROOT / ".mainstem" / "quickstart",
        metavar="DIR",
        help="made afresh by every run (default: .mainstem/quickstart)",
    )
    parser.add_argument(
        "--keep-serving", action="store_true", help="serve what was made until Ctrl-C"
    )
    wanted = parser.parse_args()
    if wanted.tables > LARGEST.tables:
        parser.error(f"--tables goes up to {LARGEST.tables}")
    return wanted


def _stop(number: int, frame: object) -> None:
    # As an exception, so that the server is stopped on the way out.
    raise SystemExit(128 + number)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _stop)
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
