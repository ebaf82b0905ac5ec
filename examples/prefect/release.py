"""The daily release as a Prefect flow: branch, load, build, check, merge, tag, tidy up.

    python release.py 2026-11-23 --load "python ingest.py {day}" --build "dbt build"
    python release.py --serve --load … --build …

What has been done is read from the server, so a flow that failed or was killed anywhere is simply
run again: it goes on with the branch that is there, and never releases a day twice.
"""

import argparse
import os
import shlex
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from prefect import flow, get_run_logger, task
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy

from catalog.client import RequestFailed, Warehouse, connect

# Kept in the merge's metadata; `mainstem release run` writes and reads the same.
RELEASE = "mainstem.release"
SOURCE = "mainstem.release.source"
# How far back a merge is looked for that was made and not named.
RECENT = 1000
CONFLICT = 409


@dataclass(frozen=True)
class Lake:
    """Where the warehouse is; where the server asks for it, MAINSTEM_CREDENTIAL says who we are."""

    server: str = "http://127.0.0.1:8181"
    warehouse: str = "lake"
    author: str = "Prefect"

    def connect(self) -> Warehouse:
        """Connect to it, for the length of a `with`."""
        credential = os.environ.get("MAINSTEM_CREDENTIAL", "")
        return connect(
            self.server, warehouse=self.warehouse, author=self.author, credential=credential
        )

    def environment(self, branch: str) -> dict[str, str]:
        """Return what `mainstem release run` sets for its command, too."""
        return {
            **os.environ,
            "MAINSTEM_SERVER": self.server,
            "MAINSTEM_URI": f"{self.server}/iceberg",
            "MAINSTEM_WAREHOUSE": f"{self.warehouse}@{branch}",
            "MAINSTEM_BRANCH": branch,
            "MAINSTEM_AUTHOR": self.author,
        }


@flow(flow_run_name="release of {day}")
def daily_release(
    day: date | None = None,
    *,
    load: Sequence[str],
    build: Sequence[str],
    folder: Path = Path(),
    lake: Lake = Lake(),
) -> str:
    """Release a day, today if none is given; return the commit. If it fails, main is untouched."""
    day = day or datetime.now(UTC).date()
    release, branch = f"release/{day}", f"ingest/{day}"
    released = commit_of(lake, release)
    if released is None:
        merged = merge_of(lake, release)
        if merged is None:
            begin(lake, branch)
            run.with_options(name="load")(lake, branch, filled(load, day), folder)
            run.with_options(name="build")(lake, branch, filled(build, day), folder)
            merged = merge(lake, branch, release)
        released = name_release(lake, release, merged)
    tidy_up(lake, branch, released)
    return released


@task
def commit_of(lake: Lake, release: str) -> str | None:
    """Return the commit of a release that was made."""
    with lake.connect() as warehouse:
        found = [each for each in warehouse.releases(release) if each.name == release]
        return found[0].commit_id if found else None


@task
def merge_of(lake: Lake, release: str) -> str | None:
    """Return the merge of a release that was killed before it was named."""
    with lake.connect() as warehouse:
        return find_merge(warehouse, release)


@task(retries=3, retry_delay_seconds=10)
def begin(lake: Lake, branch: str) -> None:
    """Create the day's branch, or go on with the one that is there."""
    with lake.connect() as warehouse:
        try:
            warehouse.create_branch(branch)
        except RequestFailed as refused:
            if refused.problem["status"] != CONFLICT:
                raise
            get_run_logger().info("%s is there already: going on with it", branch)


@task
def run(lake: Lake, branch: str, command: Sequence[str], folder: Path) -> None:
    """Run a command on the branch, and report how it ended as a check on the branch's head."""
    ended = subprocess.run(command, cwd=folder, env=lake.environment(branch), check=False)
    program = Path(command[0]).name
    summary = f"{program} ended with exit code {ended.returncode}"
    with lake.connect() as warehouse:
        state = "failure" if ended.returncode else "success"
        warehouse.branch(branch).report_check(program, state, summary)
    if ended.returncode:
        raise RuntimeError(f"{summary}; main is unchanged, look at the branch {branch}")


@task(retries=3, retry_delay_seconds=10)
def merge(lake: Lake, branch: str, release: str) -> str:
    """Merge all tables at once; return the commit."""
    with lake.connect() as warehouse:
        head = warehouse.branch().commit_id
        source = warehouse.branch(branch)
        # Tried again after an answer was lost, it may be there already.
        return (
            find_merge(warehouse, release)
            or source.merge(
                message=f"Release {release}",
                metadata={RELEASE: release, SOURCE: source.commit_id},
                expected_head=head,
            ).commit_id
        )


@task(retries=3, retry_delay_seconds=10)
def name_release(lake: Lake, release: str, commit_id: str) -> str:
    """Name the merge for ever; return its commit."""
    with lake.connect() as warehouse:
        try:
            return warehouse.release(release, at=commit_id).commit_id
        except RequestFailed:
            found = [each for each in warehouse.releases(release) if each.name == release]
            if [each.commit_id for each in found] != [commit_id]:
                raise
            return commit_id


@task
def tidy_up(lake: Lake, branch: str, released: str) -> None:
    """Delete the branch, unless it has moved since it was merged; the release stays."""
    with lake.connect() as warehouse:
        [merged] = warehouse.log(released, limit=1)
        try:
            found = warehouse.branch(branch)
        except RequestFailed:
            return
        if found.commit_id == merged.metadata.get(SOURCE):
            found.delete()


def find_merge(warehouse: Warehouse, release: str) -> str | None:
    """Return the commit of the default branch that merged what the release is to name."""
    for commit in warehouse.log(limit=RECENT):
        if commit.metadata.get(RELEASE) == release:
            return commit.id
    return None


def filled(command: Sequence[str], day: date) -> list[str]:
    """Put the day where a command says {day}."""
    return [part.replace("{day}", day.isoformat()) for part in command]


def main() -> None:
    """Release one day, or stay and release one every morning."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("day", nargs="?", type=date.fromisoformat, help="today if left out")
    parser.add_argument("--load", required=True, type=shlex.split, help="loads {day}")
    parser.add_argument("--build", required=True, type=shlex.split, help="builds and tests")
    parser.add_argument("--folder", type=Path, default=Path(), help="where both are run")
    parser.add_argument("--serve", action="store_true", help="release every day at 4:00 UTC")
    wanted = parser.parse_args()
    chosen = {"load": wanted.load, "build": wanted.build, "folder": wanted.folder}
    if not wanted.serve:
        daily_release(wanted.day, **chosen)
        return
    # One at a time: two runs of one day would load into one branch.
    one = ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.ENQUEUE)
    daily_release.serve("daily", cron="0 4 * * *", parameters=chosen, global_limit=one)


if __name__ == "__main__":
    main()
