"""The quickstart, end to end, and what a user relies on after it."""

import getpass
import re

import duckdb
import httpx
import pytest

from examples.quickstart.comparing import load_iceberg

pytestmark = pytest.mark.slow


def test_two_days_are_released_and_the_third_is_not(shown):
    assert len(shown.releases) == 2
    (second,) = shown.releases[1:]
    main = shown.server.get("branches/main")["commit_id"]
    assert main == shown.server.get(f"tags/{second}")["commit_id"]


def test_main_takes_only_merges_whose_check_is_green(shown):
    rules = shown.server.get("protections/main")
    assert rules["require_merge"]
    assert rules["required_checks"] == ["dbt"]


def test_the_third_day_failed_a_test_and_is_kept_for_a_look(shown):
    assert "✗ at_least_stg_measurements_area_mean__0" in shown.text
    assert "The release ended with exit code 1. main is where it was" in shown.text
    branches = [branch["name"] for branch in shown.server.get("branches")["branches"]]
    third = max(name for name in branches if name.startswith("ingest/"))
    assert third.removeprefix("ingest/") > shown.releases[1].removeprefix("release/")
    (check,) = shown.server.get(f"commits/{third}/checks")["checks"]
    assert (check["name"], check["state"]) == ("dbt", "failure")
    direct = {"source": third, "target": "main"}
    refused = httpx.post(f"{shown.server.address}/api/v1/warehouses/lake/merges", json=direct)
    assert refused.status_code == 403


def test_the_log_says_who_ingested_built_and_merged(shown):
    commits = shown.server.get("commits", ref=shown.releases[1], limit="1000")["commits"]
    assert len(commits) > 80
    by_us = [each for each in commits if each["message"] != "Create warehouse lake"]
    assert {each["author"] for each in by_us} == {getpass.getuser()}


def test_tables_keep_their_identity_from_release_to_release(shown):
    older, newer = shown.releases
    changes = shown.server.get("diff", **{"from": older, "to": newer})["changes"]
    tables = [change for change in changes if change["kind"] == "table"]
    assert len(tables) > 20
    assert {change["change"] for change in tables} == {"modified"}
    assert all(change["from"]["uuid"] == change["to"]["uuid"] for change in tables)


def test_the_older_release_reads_as_it_was_in_pyiceberg_and_duckdb(shown):
    name = "training.training_v2_7d"
    counts = []
    with duckdb.connect() as connection:
        load_iceberg(connection)
        for alias, release in zip(("older", "newer"), shown.releases, strict=True):
            rows = shown.server.catalog(release).load_table(name).scan().to_arrow()
            connection.execute(
                f"ATTACH 'lake@{release}' AS {alias} "
                f"(TYPE iceberg, ENDPOINT '{shown.server.uri}', AUTHORIZATION_TYPE 'none')"
            )
            connection.register("theirs", rows)
            (missing,) = connection.execute(
                f"SELECT count(*) FROM (FROM theirs EXCEPT ALL FROM {alias}.{name})"
            ).fetchone()
            (found,) = connection.execute(f"SELECT count(*) FROM {alias}.{name}").fetchone()
            assert (missing, found) == (0, rows.num_rows)
            connection.unregister("theirs")
            counts.append(rows.num_rows)
    assert counts[0] < counts[1]


def test_merged_rows_of_a_review_replace_the_first_reading(shown):
    """labels_v2 is merged by DuckDB, which deletes by position: both readers must see that."""
    older, newer = (
        shown.server.catalog(release).load_table("labels.labels_v2").scan().to_arrow()
        for release in shown.releases
    )
    assert len(set(newer["biopsy_id"].to_pylist())) == newer.num_rows
    before, after = (
        dict(zip(rows["biopsy_id"].to_pylist(), rows["readings"].to_pylist(), strict=True))
        for rows in (older, newer)
    )
    assert any(before[biopsy] < after[biopsy] for biopsy in before)


def test_every_step_has_its_time_and_the_server_is_stopped(shown):
    times = shown.text.partition("How long it took")[2]
    assert len(re.findall(r"^.* +\d+\.\d$", times, flags=re.MULTILINE)) >= 7
    (address,) = set(re.findall(r"Mainstem serves (http://[0-9.:]+)", shown.text))
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{address}/api/v1/server")


def test_a_folder_of_somebody_else_is_left_alone(run_quickstart, tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    ended = run_quickstart("--data-dir", str(tmp_path))
    assert ended.returncode == 1
    assert "holds something else" in ended.stderr
    assert (tmp_path / "thesis.txt").read_text() == "years of work"
