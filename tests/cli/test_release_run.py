"""The daily release: its good end, and every way of failing.

main     A───────────M   M is the release: it carries the release's name, and the tag names it
          \\         /
ingest     B───C───D     the command's commits; the check is on D
"""

import re
import sys

import pytest

NAME, BRANCH = "release/2026-11-23", "ingest/2026-11-23"
RUN = ("release", "run", "--name", NAME, "--branch", BRANCH)


def runs(lake) -> int:
    """Count how often the command ran."""
    path = lake.directory / "runs"
    return len(path.read_text().splitlines()) if path.exists() else 0


def releases_on_main(lake) -> list[str]:
    """List the merges on `main` that bear the release's name."""
    return [
        commit["commit_id"]
        for commit in lake.ok("log", "main", "-n", "1000")["commits"]
        if commit["metadata"].get("mainstem.release") == NAME
    ]


def branches(lake) -> list[str]:
    return [branch["name"] for branch in lake.ok("branch", "list")["branches"]]


def check(lake, revision: str, name: str = "release") -> dict[str, str]:
    checks = lake.ok("check", "list", revision)["checks"]
    [found] = [each for each in checks if each["name"] == name]
    return found


def assert_released_once(lake) -> None:
    [merge] = releases_on_main(lake)
    assert lake.ok("tag", "show", NAME)["commit_id"] == merge


def test_a_release_branches_runs_checks_merges_and_tags(lake, ingest_command) -> None:
    lake.ingest("main", "slides", 5)
    before = lake.head("main")
    result = lake.execute(*RUN, "--check-name", "dbt", "--", *ingest_command("slides", 10))
    assert result.exit_code == 0, result.stderr
    assert "ingested slides" in result.stdout
    commit = lake.ok("show", "main")
    assert commit["parent_ids"] == [before, lake.head(BRANCH)]
    assert commit["author"] == "Ada Byron"
    assert lake.ok("tag", "show", NAME)["commit_id"] == commit["commit_id"]
    verdict = check(lake, BRANCH, "dbt")
    assert verdict["state"] == "success"
    assert re.search(r"exit code 0 after [\d.]+ s", verdict["summary"])


def test_a_release_deletes_its_branch_if_asked(lake, ingest_command) -> None:
    result = lake.execute(*RUN, "--delete-branch", "--", *ingest_command())
    assert result.exit_code == 0, result.stderr
    assert branches(lake) == ["main"]
    assert_released_once(lake)


def test_a_protected_target_takes_a_release_with_its_check(lake, ingest_command) -> None:
    lake.ok("protect", "set", "main", "--require-merge", "--require-check", "dbt")
    result = lake.execute(*RUN, "--check-name", "dbt", "--", *ingest_command())
    assert result.exit_code == 0, result.stderr
    assert_released_once(lake)


def test_a_protected_target_refuses_a_release_without_its_check(lake, ingest_command) -> None:
    lake.ok("protect", "set", "main", "--require-merge", "--require-check", "dbt")
    before = lake.head("main")
    result = lake.execute(*RUN, "--", *ingest_command())
    assert result.exit_code == 4
    assert "dbt" in result.stderr
    assert lake.head("main") == before
    assert BRANCH in branches(lake)


def test_with_json_only_the_document_is_on_standard_output(lake, ingest_command) -> None:
    result = lake.execute(*RUN, "--json", "--", *ingest_command())
    assert result.document["released"] is True
    assert result.document["commit_id"] == lake.head("main")
    assert result.document["command"]["exit_code"] == 0
    assert "ingested slides" in result.stderr


@pytest.mark.parametrize(("own", "expected"), [(1, 1), (2, 1), (6, 1), (7, 7), (99, 99)])
def test_a_failed_command_leaves_main_and_keeps_the_branch(
    lake, ingest_command, own: int, expected: int
) -> None:
    before = lake.head("main")
    result = lake.execute(*RUN, "--", *ingest_command("slides", 10, own))
    assert result.exit_code == expected
    assert f"exit code {own}" in result.stderr
    assert f"mainstem diff main {BRANCH}" in result.stderr
    assert lake.head("main") == before
    assert lake.run("tag", "show", NAME).exit_code == 3
    verdict = check(lake, BRANCH)
    assert verdict["state"] == "failure"
    assert f"exit code {own}" in verdict["summary"]


def test_run_again_after_a_failure_it_goes_on_with_the_branch(lake, ingest_command) -> None:
    lake.execute(*RUN, "--", *ingest_command("slides", 10, 1))
    failed = lake.head(BRANCH)
    result = lake.execute(*RUN, "--", *ingest_command("scans", 3))
    assert result.exit_code == 0, result.stderr
    assert "going on" in result.stdout
    assert failed in [commit["commit_id"] for commit in lake.ok("log", "main")["commits"]]
    assert check(lake, failed)["state"] == "pending"
    assert check(lake, BRANCH)["state"] == "success"
    assert_released_once(lake)


def test_a_released_name_is_left_as_it_is(lake, ingest_command) -> None:
    lake.execute(*RUN, "--", *ingest_command())
    before = lake.head("main")
    result = lake.execute(*RUN, "--", *ingest_command())
    assert result.exit_code == 0
    assert "released already" in result.stdout
    assert before in result.stdout
    assert runs(lake) == 1
    assert lake.head("main") == before


def test_conflicts_leave_main_and_end_with_1(lake, ingest_command) -> None:
    lake.ingest("main", "slides", 5)
    lake.ok("branch", "create", BRANCH)
    lake.drop("main", "slides")
    before = lake.head("main")
    result = lake.execute(*RUN, "--", *ingest_command("slides", 10))
    assert result.exit_code == 1
    assert "day.slides" in result.stdout
    assert "conflict" in result.stderr
    assert lake.head("main") == before
    assert BRANCH in branches(lake)


def test_a_missing_command_ends_with_127_and_begins_nothing(lake) -> None:
    result = lake.execute(*RUN, "--", "no-such-command-at-all")
    assert result.exit_code == 127
    assert branches(lake) == ["main"]


def test_an_unknown_target_ends_with_3_and_begins_nothing(lake, ingest_command) -> None:
    result = lake.execute(*RUN, "--into", "nowhere", "--", *ingest_command())
    assert result.exit_code == 3
    assert (branches(lake), runs(lake)) == (["main"], 0)


def test_a_name_that_cannot_be_a_tag_is_told_before_the_command_runs(lake, ingest_command) -> None:
    bad = ("release", "run", "--name", "a..b", "--branch", BRANCH, "--", *ingest_command())
    assert lake.execute(*bad).exit_code == 2
    taken = ("release", "run", "--name", "main", "--branch", BRANCH, "--", *ingest_command())
    assert lake.execute(*taken).exit_code == 6
    assert (branches(lake), runs(lake)) == (["main"], 0)


def test_a_command_that_changes_nothing_releases_the_target_as_it_is(lake) -> None:
    before = lake.head("main")
    result = lake.execute(*RUN, "--", "true")
    assert result.exit_code == 0, result.stderr
    assert lake.head("main") == before
    assert lake.ok("tag", "show", NAME)["commit_id"] == before


def test_a_branch_that_moved_after_its_merge_is_kept(lake, ingest_command) -> None:
    lake.execute(*RUN, "--", *ingest_command())
    lake.ingest(BRANCH, "late", 1)
    result = lake.execute(*RUN, "--delete-branch", "--", *ingest_command())
    assert result.exit_code == 0
    assert "kept" in result.stderr
    assert BRANCH in branches(lake)


def test_the_command_knows_where_to_write(lake) -> None:
    expected = {
        "URI": f"{lake.server}/iceberg",
        "WAREHOUSE": f"{lake.warehouse}@{BRANCH}",
        "BRANCH": BRANCH,
        "SERVER": lake.server,
        "AUTHOR": "Ada Byron",
    }
    script = "; ".join(f'echo "$MAINSTEM_{name}"' for name in expected)
    result = lake.execute(*RUN, "--", "sh", "-c", script)
    assert "\n".join(expected.values()) in result.stdout


def test_the_command_line_works_inside_the_command(lake) -> None:
    lake.ingest("main", "slides", 5)
    inner = (sys.executable, "-m", "catalog", "log", "--oneline")
    result = lake.execute(*RUN, "--", *inner)
    assert result.exit_code == 0, result.stderr
    assert lake.head("main") in result.stdout
