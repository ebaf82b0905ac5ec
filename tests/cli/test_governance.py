"""Checks, protections and warehouses, against a real server."""

import pytest


def test_the_newest_verdict_of_a_check_holds(lake) -> None:
    lake.ok("check", "report", "main", "dbt", "pending")
    lake.ok("check", "report", "main", "dbt", "success", "--summary", "206 of 206")
    checks = lake.ok("check", "list", "main")["checks"]
    assert [(each["name"], each["state"], each["summary"]) for each in checks] == [
        ("dbt", "success", "206 of 206")
    ]


def test_verify_says_yes_when_all_are_green(lake) -> None:
    lake.ok("check", "report", "main", "dbt", "success")
    lake.ok("check", "report", "main", "rows", "success")
    assert lake.run("check", "verify", "main").exit_code == 0
    assert lake.run("check", "verify", "main", "--name", "rows").exit_code == 0


@pytest.mark.parametrize("state", ["pending", "failure"])
def test_verify_says_no_when_one_is_not_green(lake, state: str) -> None:
    lake.ok("check", "report", "main", "dbt", "success")
    lake.ok("check", "report", "main", "rows", state)
    result = lake.run("check", "verify", "main")
    assert result.exit_code == 1
    assert "rows" in result.stderr
    assert lake.run("check", "verify", "main", "--name", "dbt").exit_code == 0


def test_verify_says_no_when_one_is_missing(lake) -> None:
    lake.ok("check", "report", "main", "dbt", "success")
    result = lake.run("check", "verify", "main", "--name", "dbt", "--name", "rows")
    assert result.exit_code == 1
    assert "rows" in result.stderr


def test_verify_says_no_when_nothing_was_reported(lake) -> None:
    result = lake.run("check", "verify", "main", "--json")
    assert result.exit_code == 1
    assert result.document["verified"] is False


def test_a_protection_refuses_with_4_until_the_check_is_green(branched) -> None:
    branched.ok("protect", "set", "main", "--require-merge", "--require-check", "dbt")
    before = branched.head("main")
    result = branched.run("merge", "work")
    assert result.exit_code == 4
    assert "dbt" in result.stderr
    assert branched.head("main") == before
    branched.ok("check", "report", "work", "dbt", "success")
    assert branched.run("merge", "work").exit_code == 0


def test_forbidden_resets_and_deletes_are_refused_with_4(branched) -> None:
    branched.ok("protect", "set", "wor*", "--forbid-delete", "--forbid-reset")
    assert branched.run("reset", "work", "--to", "main").exit_code == 4
    assert branched.run("branch", "delete", "work").exit_code == 4


def test_protections_are_listed_shown_replaced_and_deleted(lake) -> None:
    lake.ok("protect", "set", "release/**", "--forbid-delete")
    lake.ok("protect", "set", "release/**", "--require-check", "dbt", "--require-check", "rows")
    rules = lake.ok("protect", "show", "release/**")
    assert rules["required_checks"] == ["dbt", "rows"]
    assert rules["forbid_delete"] is False
    assert lake.run("protect").stdout == "release/**\tchecks: dbt, rows\n"
    lake.ok("protect", "delete", "release/**")
    assert lake.ok("protect", "list")["protections"] == []
    assert lake.run("protect", "show", "release/**").exit_code == 3


def test_a_warehouse_is_created_shown_changed_and_deleted(lake, tmp_path) -> None:
    name = f"{lake.warehouse}-other"
    location = (tmp_path / "other").as_uri()
    lake.ok("warehouse", "create", name, location, "--default-branch", "trunk")
    assert lake.ok("warehouse", "show", name)["default_branch"] == "trunk"
    assert lake.ok("branch", "list", "-w", name)["branches"][0]["name"] == "trunk"
    lake.ok("branch", "create", "main", "--from", "trunk", "-w", name)
    changed = lake.ok(
        "warehouse", "set", name, "--default-branch", "main", "--storage", "s3.region=eu-west-1"
    )
    assert changed["default_branch"] == "main"
    assert changed["storage"] == {"s3.region": "eu-west-1"}
    archive = (tmp_path / "archive").as_uri()
    added = lake.ok("warehouse", "add-location", name, archive, "--storage", "s3.region=x")
    assert added["locations"] == [{"location": archive, "storage": {"s3.region": "x"}}]
    assert f"further location\t{archive}" in lake.run("warehouse", "show", name).stdout
    assert name in [each["name"] for each in lake.ok("warehouse")["warehouses"]]
    lake.ok("warehouse", "delete", name)
    assert lake.run("warehouse", "show", name).exit_code == 3


def test_an_existing_warehouse_ends_with_6(lake, tmp_path) -> None:
    location = (tmp_path / "other").as_uri()
    assert lake.run("warehouse", "create", lake.warehouse, location).exit_code == 6


def test_without_a_name_the_servers_default_warehouse_is_meant(lake) -> None:
    branches = lake.ok("branch", "list", "-w", "")["branches"]
    assert [branch["name"] for branch in branches] == ["main"]
