"""Merging inside tables over HTTP: what is asked, told and forbidden."""

from typing import Any

import pytest

Lake = Any  # The fixture's type lives in conftest, which importlib mode cannot import.


@pytest.fixture
def parted(lake: Lake) -> Lake:
    """The table `a` with another property set on each side."""
    lake.branch("day")
    lake.write("a", by_main="1")
    lake.write("a", "day", by_day="1")
    return lake


def test_a_dry_run_tells_which_parts_come(parted: Lake) -> None:
    told = parted.merge("day", dry_run=True)
    (outcome,) = told["outcomes"]
    assert (outcome["action"], outcome["rule"]) == ("merged", "inside-table")
    assert outcome["inside"] == {
        "isolation": "serializable",
        "parts": [{"part": "property", "name": "by_day", "change": "added", "to": "1"}],
        "snapshots": [],
        "left_out": [],
        "notes": [],
    }
    assert outcome["result"]["metadata_location"] is None
    assert parted.properties("a") == {"by_main": "1"}
    done = parted.merge("day", plan_id=told["plan_id"])
    assert done["outcomes"][0]["inside"] == outcome["inside"]
    assert parted.properties("a") == {"by_main": "1", "by_day": "1"}


def test_what_is_merged_inside_goes_on_from_the_target(parted: Lake) -> None:
    before = parted.iceberg("GET", "main", "/namespaces/ns/tables/a")
    done = parted.merge("day")
    after = parted.iceberg("GET", "main", "/namespaces/ns/tables/a")
    assert done["outcomes"][0]["result"]["metadata_location"] == after["metadata-location"]
    assert after["metadata"]["location"] == before["metadata"]["location"]
    log = [each["metadata-file"] for each in after["metadata"]["metadata-log"]]
    assert log[-1] == before["metadata-location"]
    assert after["metadata"]["properties"]["gc.enabled"] == "false"


@pytest.mark.parametrize("isolation", ["serializable", "snapshot"])
@pytest.mark.parametrize(
    ("path", "asked"), [("merges", {"source": "day"}), ("cherry-picks", {"commit_ids": ["day"]})]
)
def test_an_isolation_may_be_asked_for(
    parted: Lake, path: str, asked: dict[str, Any], isolation: str
) -> None:
    done = parted.post(f"/{path}", target="main", isolation=isolation, **asked)
    assert done["outcomes"][0]["inside"]["isolation"] == isolation


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("merges", {"source": "day", "isolation": "strict"}),
        ("cherry-picks", {"commit_ids": ["day"], "isolation": ""}),
        ("reverts", {"commit_id": "day", "isolation": "snapshot"}),
    ],
)
def test_an_isolation_that_does_not_exist_is_refused_by_name(
    parted: Lake, path: str, asked: dict[str, Any]
) -> None:
    before = parted.head()
    assert "isolation" in parted.post(f"/{path}", 400, target="main", **asked)["detail"]
    assert parted.head() == before


def test_every_cause_of_a_conflict_has_a_code_and_a_sentence(parted: Lake) -> None:
    parted.write("a", both="main", other="main")
    parted.write("a", "day", both="day", other="day")
    (conflict,) = parted.merge("day", status=409)["conflicts"]
    assert [cause["code"] for cause in conflict["causes"]] == ["property-conflict"] * 2
    assert all(name in conflict["detail"] for name in ("both", "other"))


def test_where_a_protection_forbids_it_ours_and_theirs_still_settle_it(parted: Lake) -> None:
    parted.protect("m*", merge_inside_tables=False)
    (conflict,) = parted.merge("day", status=409)["conflicts"]
    assert [cause["code"] for cause in conflict["causes"]] == ["merging-inside-forbidden"]
    assert "'m*'" in conflict["detail"]
    parted.merge("day", strategy={"tables": {"ns.a": "theirs"}})
    assert parted.properties("a") == {"by_day": "1"}


def test_a_strategy_to_fail_is_not_asked_to_merge_inside(parted: Lake) -> None:
    (conflict,) = parted.merge("day", status=409, strategy={"default": "fail"})["conflicts"]
    assert (conflict["reason"], conflict["causes"]) == ("both-changed", [])


def test_a_table_registered_on_both_sides_has_no_base_to_merge_from(lake: Lake) -> None:
    location = lake.iceberg("GET", "main", "/namespaces/ns/tables/a")["metadata-location"]
    lake.drop("a")
    lake.branch("day")
    for branch in ("main", "day"):
        body = {"name": "a", "metadata-location": location}
        lake.iceberg("POST", branch, "/namespaces/ns/register", body)
        lake.write("a", branch, **{branch: "1"})
    (conflict,) = lake.merge("day", status=409)["conflicts"]
    assert [cause["code"] for cause in conflict["causes"]] == ["no-base"]
