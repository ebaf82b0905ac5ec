"""Merges over HTTP: what they take, what they refuse, and what stays unchanged then."""

from typing import Any

import pytest

Lake = Any  # The fixture's type lives in conftest, which importlib mode cannot import.


def keys(document: dict[str, Any]) -> list[str]:
    return [".".join(change["key"]) for change in document["changes"]]


def test_a_merge_moves_every_changed_table_in_one_commit(lake: Lake) -> None:
    #   main    o ------ m
    #            \      /
    #   day       a -- b
    base = lake.branch("day")
    lake.write("a", "day", run="1")
    lake.write("b", "day", run="1")
    assert lake.properties("a") == {}

    merged = lake.merge("day")

    assert merged["base_commit_id"] == base
    assert merged["previous_commit_id"] == base
    assert merged["source_commit_id"] == lake.head("day")
    assert merged["commit_id"] == lake.head()
    assert merged["conflicts"] == []
    assert keys(merged) == ["ns.a", "ns.b"]
    assert lake.properties("a") == lake.properties("b") == {"run": "1"}


def test_a_merge_is_a_commit_with_two_parents_even_where_the_target_has_not_moved(
    lake: Lake,
) -> None:
    main = lake.branch("day")
    lake.write("a", "day", run="1")
    merged = lake.merge("day")
    commit = lake.get(f"/commits/{merged['commit_id']}")
    assert commit["parent_ids"] == [main, lake.head("day")]
    assert commit["message"] == "Merge day into main"
    assert commit["metadata"]["mainstem.merge.base"] == main
    assert commit["metadata"]["mainstem.merge.source"] == lake.head("day")


@pytest.mark.parametrize(
    "name", ["mainstem.merge.resolutions", "mainstem.cherry-pick.commits", "mainstem.revert.commit"]
)
def test_what_the_server_says_of_a_commit_cannot_be_claimed(lake: Lake, name: str) -> None:
    main = lake.branch("day")
    lake.write("a", "day", run="1")
    body = {"source": "day", "target": "main", "metadata": {name: "x"}}
    refused = lake.post("/merges", 400, **body)
    assert name in refused["detail"]
    assert lake.head() == main


def test_a_squashed_merge_has_one_parent(lake: Lake) -> None:
    main = lake.branch("day")
    lake.write("a", "day", run="1")
    merged = lake.merge("day", squash=True)
    assert lake.get(f"/commits/{merged['commit_id']}")["parent_ids"] == [main]
    assert lake.properties("a") == {"run": "1"}


def test_merging_what_is_merged_already_answers_the_head_and_makes_no_commit(lake: Lake) -> None:
    lake.branch("day")
    lake.write("a", "day", run="1")
    head = lake.merge("day")["commit_id"]
    again = lake.merge("day")
    assert again["commit_id"] == again["previous_commit_id"] == head == lake.head()
    assert again["changes"] == []
    assert lake.merge("main~1")["commit_id"] == head
    assert lake.merge("main")["commit_id"] == head


def test_changes_of_both_sides_to_different_tables_go_together(lake: Lake) -> None:
    lake.branch("day")
    lake.write("a", "day", by="day")
    lake.write("b", by="main")
    assert keys(lake.merge("day")) == ["ns.a"]
    assert lake.properties("a") == {"by": "day"}
    assert lake.properties("b") == {"by": "main"}


def test_all_conflicts_are_told_at_once_and_nothing_is_changed(lake: Lake) -> None:
    lake.table("c")
    lake.branch("day")
    for name in ("a", "b"):
        lake.write(name, "day", by="day")
        lake.write(name, by="main")
    lake.write("c", "day", by="day")
    before = lake.head()

    refused = lake.merge("day", status=409)

    assert refused["code"] == "merge-conflicts"
    assert [conflict["key"] for conflict in refused["conflicts"]] == [["ns", "a"], ["ns", "b"]]
    for conflict in refused["conflicts"]:
        assert conflict["reason"] == "both-changed"
        assert "changed on the target" in conflict["detail"]
        locations = {conflict[side]["metadata_location"] for side in ("base", "ours", "theirs")}
        assert len(locations) == 3
    assert lake.head() == before
    assert lake.properties("c") == {}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("drop", "write"), "changed-and-dropped"),
        (("write", "drop"), "changed-and-dropped"),
        (("rename", "drop"), "renamed-and-dropped"),
        (("create", "create"), "both-created"),
    ],
)
def test_changes_that_do_not_go_together_conflict_by_name(
    lake: Lake, change: tuple[str, str], reason: str
) -> None:
    lake.branch("day")
    for side, branch in zip(change, ("day", "main"), strict=True):
        match side:
            case "drop":
                lake.drop("a", branch)
            case "write":
                lake.write("a", branch, by=branch)
            case "rename":
                lake.rename("a", f"a_{branch}", branch)
            case "create":
                lake.table("new", branch)
    refused = lake.merge("day", status=409)
    assert [conflict["reason"] for conflict in refused["conflicts"]] == [reason]


def test_a_rename_on_one_side_and_a_write_on_the_other_go_together(lake: Lake) -> None:
    lake.branch("day")
    lake.rename("a", "renamed", "day")
    lake.write("a", by="main")
    merged = lake.merge("day")
    assert [change["change"] for change in merged["changes"]] == ["renamed"]
    assert lake.tables() == ["b", "renamed"]
    assert lake.properties("renamed") == {"by": "main"}


@pytest.mark.parametrize(
    ("strategy", "winner"),
    [
        ({"default": "theirs"}, "day"),
        ({"default": "ours"}, "main"),
        ({"tables": {"ns.a": "theirs"}}, "day"),
        ({"default": "theirs", "tables": {"ns.a": "ours"}}, "main"),
        ({"default": "fail", "tables": {"ns.a": "ours"}}, "main"),
    ],
)
def test_a_strategy_settles_what_both_sides_changed(
    lake: Lake, strategy: dict[str, Any], winner: str
) -> None:
    lake.branch("day")
    lake.write("a", "day", by="day")
    lake.write("a", by="main")
    merged = lake.merge("day", strategy=strategy)
    assert lake.properties("a") == {"by": winner}
    action = "theirs" if winner == "day" else "ours"
    assert merged["resolutions"] == [{"key": ["ns", "a"], "action": action}]
    commit = lake.get(f"/commits/{merged['commit_id']}")
    assert commit["metadata"]["mainstem.merge.resolutions"] == (
        f'[{{"key":["ns","a"],"action":"{action}","rule":"strategy"}}]'
    )


def test_what_was_resolved_for_the_target_does_not_come_back(lake: Lake) -> None:
    lake.branch("day")
    lake.write("a", "day", by="day")
    lake.write("a", by="main")
    merged = lake.merge("day", strategy={"default": "ours"})
    assert merged["changes"] == []
    assert len(lake.get(f"/commits/{merged['commit_id']}")["parent_ids"]) == 2
    assert lake.merge("day")["commit_id"] == merged["commit_id"]


def test_a_strategy_holds_for_what_one_side_alone_changed_in_no_way(lake: Lake) -> None:
    lake.branch("day")
    lake.write("a", "day", by="day")
    lake.write("b", by="main")
    lake.merge("day", strategy={"default": "ours"})
    assert lake.properties("a") == {"by": "day"}
    assert lake.properties("b") == {"by": "main"}


def test_a_strategy_that_names_no_table_is_refused(lake: Lake) -> None:
    lake.branch("day")
    lake.write("a", "day", by="day")
    refused = lake.merge("day", status=400, strategy={"tables": {"ns.aa": "ours"}})
    assert "'ns.aa'" in refused["detail"]
    assert lake.properties("a") == {}


def test_a_strategy_finds_a_renamed_table_by_either_name(lake: Lake) -> None:
    lake.branch("day")
    lake.rename("a", "new", "day")
    lake.write("new", "day", by="day")
    lake.write("a", by="main")
    strategy = {"default": "theirs", "tables": {"ns.a": "ours"}}
    lake.merge("day", strategy=strategy)
    assert lake.tables() == ["a", "b"]
    assert lake.properties("a") == {"by": "main"}


def test_two_strategies_for_the_two_names_of_one_table_are_refused(lake: Lake) -> None:
    lake.branch("day")
    lake.rename("a", "new", "day")
    lake.write("new", "day", by="day")
    lake.write("a", by="main")
    strategy = {"tables": {"ns.a": "ours", "ns.new": "theirs"}}
    assert "one and the same" in lake.merge("day", status=400, strategy=strategy)["detail"]


def test_a_successor_is_taken_without_a_conflict(lake: Lake) -> None:
    # The first write reaches main by a squash, which leaves the base behind.
    lake.branch("day")
    lake.write("a", "day", first="1")
    lake.merge("day", squash=True)
    lake.write("a", "day", second="2")
    lake.merge("day")
    assert lake.properties("a") == {"first": "1", "second": "2"}


def test_the_target_stays_where_it_is_the_successor(lake: Lake) -> None:
    lake.branch("day")
    lake.write("a", "day", first="1")
    lake.merge("day", squash=True)
    lake.write("a", third="3")
    lake.merge("day")
    assert lake.properties("a") == {"first": "1", "third": "3"}


def test_fail_conflicts_even_on_a_successor(lake: Lake) -> None:
    lake.branch("day")
    lake.write("a", "day", first="1")
    lake.merge("day", squash=True)
    lake.write("a", "day", second="2")
    lake.merge("day", status=409, strategy={"default": "fail"})
    assert lake.properties("a") == {"first": "1"}


def test_a_table_rolled_back_below_the_base_does_not_come_back(lake: Lake) -> None:
    # The state that main went back to stands in the log of the branch's, yet is no step towards it.
    lake.write("a", step="1")
    bad = lake.write("a", step="2")["metadata-location"]
    lake.branch("day")
    lake.write("a", "day", step="3")
    lake.post("/reverts", commit_id="main", target="main")
    assert lake.properties("a") == {"step": "1"}
    refused = lake.merge("day", status=409)
    assert [conflict["reason"] for conflict in refused["conflicts"]] == ["both-changed"]
    assert refused["conflicts"][0]["base"]["metadata_location"] == bad
    assert lake.properties("a") == {"step": "1"}


def test_a_dry_run_answers_as_the_merge_would_and_changes_nothing(lake: Lake) -> None:
    base = lake.branch("day")
    lake.write("a", "day", by="day")
    tried = lake.merge("day", dry_run=True)
    assert tried["commit_id"] is None
    assert tried["base_commit_id"] == base
    assert lake.head() == base
    done = lake.merge("day")
    assert tried["changes"] == done["changes"]
    assert lake.merge("day", dry_run=True)["commit_id"] == done["commit_id"]


def test_a_dry_run_tells_conflicts(lake: Lake) -> None:
    lake.branch("day")
    lake.write("a", "day", by="day")
    lake.write("a", by="main")
    assert len(lake.merge("day", status=409, dry_run=True)["conflicts"]) == 1


def test_a_merge_onto_another_head_than_expected_is_refused(lake: Lake) -> None:
    expected = lake.branch("day")
    lake.write("a", "day", by="day")
    lake.write("b", by="main")
    head = lake.head()
    refused = lake.merge("day", status=409, expected_target_head=expected)
    assert refused["code"] == "stale-head"
    assert refused["head"] == head == lake.head()
    assert lake.merge("day", expected_target_head=head[:12])["previous_commit_id"] == head


def test_the_body_says_author_message_and_metadata_before_the_headers_do(lake: Lake) -> None:
    lake.branch("day")
    lake.write("a", "day", by="day")
    response = lake.client.post(
        f"/api/v1/warehouses/{lake.name}/merges",
        json={
            "source": "day",
            "target": "main",
            "author": "Zoë",
            "message": "Release",
            "metadata": {"run": "7"},
        },
        headers={"X-Mainstem-Author": "etl", "X-Mainstem-Message": "x"},
    )
    commit = lake.get(f"/commits/{response.json()['commit_id']}")
    assert (commit["author"], commit["message"]) == ("Zoë", "Release")
    assert commit["metadata"]["run"] == "7"


def test_the_header_says_the_author_where_the_body_does_not(lake: Lake) -> None:
    lake.branch("day")
    lake.write("a", "day", by="day")
    lake.client.post(
        f"/api/v1/warehouses/{lake.name}/merges",
        json={"source": "day", "target": "main"},
        headers={"X-Mainstem-Author": "etl"},
    )
    assert lake.get("/commits/main")["author"] == "etl"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"source": "nowhere", "target": "main"}, 404),
        ({"source": "main", "target": "nowhere"}, 404),
        ({"source": "main", "target": "main~1"}, 403),
        ({"source": "main", "target": "v1"}, 403),
        ({"target": "main"}, 400),
        ({"source": "main"}, 400),
        ({"source": 1, "target": "main"}, 400),
        ({"source": "ma in", "target": "main"}, 400),
        ({"source": "main", "target": "main", "squash": "yes"}, 400),
        ({"source": "main", "target": "main", "strategy": "ours"}, 400),
        ({"source": "main", "target": "main", "strategy": {"default": "mine"}}, 400),
        ({"source": "main", "target": "main", "strategy": {"tables": {"ns.a": "no"}}}, 400),
        ({"source": "main", "target": "main", "metadata": {"a": 1}}, 400),
        ({"source": "main", "target": "main", "metadata": {"a\u0000": "b"}}, 400),
        ({"source": "main", "target": "main", "message": "\u0000"}, 400),
        ({"source": "main", "target": "main", "expected_target_head": "main"}, 400),
        ({"source": "main", "target": "main", "dryrun": True}, 400),
        ([], 400),
        (None, 400),
        ("text", 400),
    ],
)
def test_a_malformed_merge_is_refused_with_words_and_changes_nothing(
    lake: Lake, body: Any, status: int
) -> None:
    lake.post("/tags", 201, name="v1", at="main")
    before = lake.head()
    response = lake.call("POST", "/merges", body)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["detail"]
    assert lake.head() == before


def test_criss_cross_lines_merge_against_their_merged_bases(lake: Lake) -> None:
    #   main   o - x - m1 - y
    #           \   \ /     |        m1 takes d1, d2 takes x: two best common ancestors
    #            \   X      |
    #   day       d1 - d2 --+
    lake.branch("day")
    lake.write("a", by="main")
    lake.write("b", "day", by="day")
    main, day = lake.head(), lake.head("day")
    lake.merge(day, "main")
    lake.merge(main, "day")
    lake.write("a", "day", more="day")
    lake.write("b", more="main")
    lake.merge("day")
    metadata = lake.get("/commits/main")["metadata"]
    assert sorted(metadata["mainstem.merge.base"].split()) == sorted([main, day])
    assert lake.properties("a") == {"by": "main", "more": "day"}
    assert lake.properties("b") == {"by": "day", "more": "main"}


def test_what_two_lines_settled_differently_in_a_criss_cross_conflicts(lake: Lake) -> None:
    # Each line keeps its own `a`: with either of the two as the base, the other would win unseen.
    lake.branch("day")
    lake.write("a", by="main")
    lake.write("a", "day", by="day")
    main, day = lake.head(), lake.head("day")
    lake.merge(day, "main", strategy={"default": "ours"})
    lake.merge(main, "day", strategy={"default": "ours"})
    for source, target in (("day", "main"), ("main", "day")):
        refused = lake.merge(source, target, status=409)
        assert [conflict["key"] for conflict in refused["conflicts"]] == [["ns", "a"]]
    assert lake.properties("a") == {"by": "main"}
    assert lake.properties("a", "day") == {"by": "day"}


def test_a_namespace_that_two_branches_created_is_one(lake: Lake) -> None:
    lake.branch("day")
    for branch, properties in (("main", {"owner": "o"}), ("day", {"comment": "c"})):
        body = {"namespace": ["dbt"], "properties": properties}
        lake.iceberg("POST", branch, "/namespaces", body)
    merged = lake.merge("day")
    (outcome,) = merged["outcomes"]
    assert (outcome["key"], outcome["rule"]) == (["dbt"], "properties")
    loaded = lake.iceberg("GET", "main", "/namespaces/dbt")
    assert loaded["properties"] == {"owner": "o", "comment": "c"}

    lake.iceberg("POST", "day", "/namespaces/dbt/properties", {"updates": {"owner": "t"}})
    refused = lake.merge("day", status=409)
    assert [each["reason"] for each in refused["conflicts"]] == ["property-conflict"]
