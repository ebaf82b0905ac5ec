"""What a dry run tells, plans carried out as they were, and tables that must not have moved."""

from typing import Any

import pytest

Lake = Any  # The fixture's type lives in conftest, which importlib mode cannot import.


def outcomes(document: dict[str, Any]) -> dict[str, tuple[str, str]]:
    return {".".join(each["key"]): (each["action"], each["rule"]) for each in document["outcomes"]}


def test_a_dry_run_tells_what_becomes_of_each_table_and_why(lake: Lake) -> None:
    #   main  o -- a renamed, b changed, c changed, e changed ---- m
    #          \                                                  /
    #   day     a changed, b changed, c alike?, d created, e dropped
    for name in "ce":
        lake.table(name)
    lake.branch("day")
    lake.rename("a", "renamed")
    lake.write("b", by="main")
    lake.drop("e")
    lake.write("a", "day", by="day")
    lake.write("b", "day", by="day")
    lake.write("c", "day", by="day")
    lake.table("d", "day")
    lake.drop("e", "day")

    strategy = {"tables": {"ns.b": "theirs"}}
    told = lake.merge("day", dry_run=True, strategy=strategy)

    assert outcomes(told) == {
        "ns.b": ("theirs", "strategy"),
        "ns.c": ("theirs", "changed-on-source"),
        "ns.d": ("theirs", "changed-on-source"),
        "ns.e": ("both", "same-on-both"),
        "ns.renamed": ("merged", "rename-and-change"),
    }
    by_key = {each["key"][-1]: each for each in told["outcomes"]}
    assert by_key["b"]["result"] == by_key["b"]["theirs"] != by_key["b"]["ours"]
    assert by_key["d"]["base"] is by_key["d"]["ours"] is None
    assert by_key["e"]["result"] is None
    assert told["commit_id"] is None
    done = lake.merge("day", strategy=strategy)
    assert done["outcomes"] == told["outcomes"]
    assert done["plan_id"] == told["plan_id"]


def test_a_table_that_went_on_after_a_squashed_merge_is_a_successor(lake: Lake) -> None:
    lake.branch("day")
    lake.write("a", "day", first="1")
    lake.merge("day", squash=True)
    lake.write("a", "day", second="2")
    told = lake.merge("day")
    assert outcomes(told) == {"ns.a": ("merged", "successor")}
    assert lake.properties("a") == {"first": "1", "second": "2"}


def test_properties_of_a_namespace_are_merged_by_that_rule(lake: Lake) -> None:
    lake.branch("day")
    for branch in ("day", "main"):
        body = {"updates": {branch: "1"}}
        lake.iceberg("POST", branch, "/namespaces/ns/properties", body)
    assert outcomes(lake.merge("day")) == {"ns": ("merged", "properties")}
    loaded = lake.iceberg("GET", "main", "/namespaces/ns")
    assert loaded["properties"].items() >= {"day": "1", "main": "1"}.items()


def test_a_conflict_tells_also_what_would_go_together(lake: Lake) -> None:
    lake.branch("day")
    lake.write("a", by="main")
    lake.write("a", "day", by="day")
    lake.write("b", "day", by="day")
    refused = lake.merge("day", status=409, dry_run=True)
    assert [each["key"] for each in refused["conflicts"]] == [["ns", "a"]]
    assert outcomes(refused) == {"ns.b": ("theirs", "changed-on-source")}


def test_a_plan_is_carried_out_as_it_was(lake: Lake) -> None:
    lake.branch("day")
    lake.write("a", "day", by="day")
    told = lake.merge("day", dry_run=True)
    assert lake.merge("day", dry_run=True)["plan_id"] == told["plan_id"]
    done = lake.merge("day", plan_id=told["plan_id"])
    assert done["changes"] == told["changes"]
    assert lake.properties("a") == {"by": "day"}


def test_a_plan_is_carried_out_once(lake: Lake) -> None:
    # Where there is nothing to do any more, that is not what the plan said.
    lake.branch("day")
    lake.write("a", "day", by="day")
    told = lake.merge("day", dry_run=True)
    done = lake.merge("day", plan_id=told["plan_id"])
    refused = lake.merge("day", status=409, plan_id=told["plan_id"])
    assert refused["code"] == "stale-plan"
    assert refused["plan_id"] is None
    assert lake.head() == done["commit_id"]


@pytest.mark.parametrize("moved", ["target", "source", "request"])
def test_a_plan_that_no_longer_holds_is_refused(lake: Lake, moved: str) -> None:
    lake.branch("day")
    lake.write("a", "day", by="day")
    plan = lake.merge("day", dry_run=True)["plan_id"]
    body = {}
    if moved == "request":
        body = {"squash": True}
    else:
        lake.write("b", "day" if moved == "source" else "main", by="me")
    before = lake.head()
    refused = lake.merge("day", status=409, plan_id=plan, **body)
    assert refused["code"] == "stale-plan"
    assert refused["expected"] == plan
    assert refused["plan_id"] == lake.merge("day", dry_run=True, **body)["plan_id"]
    assert lake.head() == before


def test_plans_of_picks_and_reverts_are_carried_out_as_they_were(lake: Lake) -> None:
    lake.branch("day")
    lake.write("a", "day", by="day")
    lake.write("b", by="main")
    for path, body in (
        ("/cherry-picks", {"commit_ids": ["day"], "target": "main"}),
        ("/reverts", {"commit_id": "main", "target": "main"}),
    ):
        told = lake.post(path, dry_run=True, **body)
        assert len(told["outcomes"]) == 1
        refused = lake.post(path, 409, **body, plan_id="0" * 64)
        assert refused["code"] == "stale-plan"
        assert lake.post(path, **body, plan_id=told["plan_id"])["changes"] == told["changes"]


def test_a_plan_id_that_is_none_is_refused(lake: Lake) -> None:
    assert "plan_id" in lake.merge("main", status=400, plan_id="main")["detail"]


def test_a_merge_may_ask_that_what_its_source_read_has_not_moved(lake: Lake) -> None:
    #   main  o --------- b changed
    #          \
    #   day     a written from b
    lake.branch("day")
    lake.write("a", "day", source="b")
    lake.write("b", by="main")
    before = lake.head()
    refused = lake.merge("day", status=409, unchanged=["ns.b"])
    (conflict,) = refused["conflicts"]
    assert conflict["key"] == ["ns", "b"]
    assert conflict["reason"] == "read-changed"
    assert conflict["base"] == conflict["theirs"] != conflict["ours"]
    assert lake.head() == before
    lake.merge("day", status=409, unchanged=["ns.b"], strategy={"default": "theirs"})
    lake.merge("day", unchanged=["ns.a", "ns"])
    assert lake.properties("a") == {"source": "b"}


@pytest.mark.parametrize("how", ["drop", "rename", "create"])
def test_a_table_that_was_dropped_renamed_or_created_has_moved(lake: Lake, how: str) -> None:
    if how == "create":
        lake.drop("b")
    lake.branch("day")
    lake.write("a", "day", source="b")
    match how:
        case "drop":
            lake.drop("b")
        case "rename":
            lake.rename("b", "c")
        case "create":
            lake.table("b")
    refused = lake.merge("day", status=409, unchanged=["ns.b"])
    assert [each["reason"] for each in refused["conflicts"]] == ["read-changed"]


def test_what_moved_is_told_together_with_all_other_conflicts(lake: Lake) -> None:
    lake.branch("day")
    for name in "ab":
        lake.write(name, by="main")
    lake.write("a", "day", by="day")
    refused = lake.merge("day", status=409, unchanged=["ns.a", "ns.b"])
    assert [(each["key"][-1], each["reason"]) for each in refused["conflicts"]] == [
        ("a", "both-changed"),
        ("b", "read-changed"),
    ]


def test_a_table_that_nobody_has_cannot_be_asked_for(lake: Lake) -> None:
    lake.branch("day")
    lake.write("a", "day", by="day")
    refused = lake.merge("day", status=400, unchanged=["ns.a", "ns.typo", "..", "ns"])
    assert refused["unchanged"] == ["..", "ns.typo"]


# What git users expect of reverts of merges


def test_a_reverted_merge_brings_only_newer_commits_when_it_is_repeated(lake: Lake) -> None:
    #   main  o -- m -- r -- m2      r reverts m; b is newer than m, a is not.
    #          \  /        /
    #   day     a ------- b
    lake.branch("day")
    lake.write("a", "day", by="day")
    lake.merge("day")
    lake.post("/reverts", commit_id="main", target="main")
    assert lake.properties("a") == {}
    lake.write("b", "day", by="day")
    told = lake.merge("day")
    assert outcomes(told) == {"ns.b": ("theirs", "changed-on-source")}
    assert lake.properties("a") == {}
    assert lake.properties("b") == {"by": "day"}


def test_a_reverted_merge_comes_back_by_reverting_the_revert(lake: Lake) -> None:
    lake.branch("day")
    lake.write("a", "day", by="day")
    lake.merge("day")
    revert = lake.post("/reverts", commit_id="main", target="main")["commit_id"]
    lake.write("b", "day", by="day")
    lake.post("/reverts", commit_id=revert, target="main")
    lake.merge("day")
    assert lake.properties("a") == lake.properties("b") == {"by": "day"}


def test_of_a_table_changed_again_after_its_reverted_merge_only_the_newer_change_comes(
    lake: Lake,
) -> None:
    # Its new state grew out of the one that was taken back, and as it is would bring that along.
    lake.branch("day")
    lake.write("a", "day", first="1")
    lake.merge("day")
    lake.post("/reverts", commit_id="main", target="main")
    lake.write("a", "day", second="2")
    assert outcomes(lake.merge("day")) == {"ns.a": ("merged", "inside-table")}
    assert lake.properties("a") == {"second": "2"}


def test_a_change_of_what_a_revert_took_back_conflicts(lake: Lake) -> None:
    lake.branch("day")
    lake.write("a", "day", by="first")
    lake.merge("day")
    lake.post("/reverts", commit_id="main", target="main")
    lake.write("a", "day", by="second")
    refused = lake.merge("day", status=409)
    assert [each["reason"] for each in refused["conflicts"]] == ["both-changed"]


def test_a_conflict_over_an_undecided_base_shows_none(lake: Lake) -> None:
    #   o --- m --- m2      m and x both changed a; m2 merged x for ours, x2 merged m for ours.
    #     \     X
    #      x --- x2
    lake.branch("x")
    lake.write("a", by="main")
    lake.write("a", "x", by="x")
    lake.iceberg("POST", "main", "/namespaces/ns/properties", {"updates": {"p": "main"}})
    lake.iceberg("POST", "x", "/namespaces/ns/properties", {"updates": {"p": "x"}})
    m, x = lake.head("main"), lake.head("x")
    lake.merge(x, "main", strategy={"default": "ours"})
    lake.merge(m, "x", strategy={"default": "ours"})
    refused = lake.merge("x", status=409)
    reasons = {".".join(each["key"]): each["reason"] for each in refused["conflicts"]}
    assert reasons == {"ns": "property-conflict", "ns.a": "both-changed"}
    assert [each["base"] for each in refused["conflicts"]] == [None, None]
    causes = {".".join(each["key"]): each["causes"] for each in refused["conflicts"]}
    assert [cause["code"] for cause in causes["ns.a"]] == ["undecided-base"]
    settled = lake.merge("x", dry_run=True, strategy={"default": "theirs"})
    assert [each["base"] for each in settled["outcomes"]] == [None, None]
