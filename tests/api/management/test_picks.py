"""Cherry-picks and reverts over HTTP."""

from typing import Any

import pytest

Lake = Any  # The fixture's type lives in conftest, which importlib mode cannot import.


def test_a_cherry_pick_takes_what_one_commit_changed_and_no_more(lake: Lake) -> None:
    lake.branch("day")
    lake.write("a", "day", by="day")
    lake.write("b", "day", by="day")
    before = lake.head()
    picked = lake.post("/cherry-picks", commit_ids=[lake.head("day")], target="main")
    assert [change["key"] for change in picked["changes"]] == [["ns", "b"]]
    assert lake.properties("a") == {}
    assert lake.properties("b") == {"by": "day"}
    commit = lake.get("/commits/main")
    assert commit["commit_id"] == picked["commit_id"]
    assert commit["parent_ids"] == [before]
    assert commit["message"] == lake.get("/commits/day")["message"]
    assert commit["metadata"]["mainstem.cherry-pick.commits"] == lake.head("day")


def test_several_commits_are_picked_in_order_as_one_commit(lake: Lake) -> None:
    lake.branch("day")
    lake.write("a", "day", first="1")
    lake.write("b", "day", other="1")
    lake.write("a", "day", second="2")
    before = lake.head()
    lake.post("/cherry-picks", commit_ids=["day~2", "day"], target="main")
    assert lake.properties("a") == {"first": "1", "second": "2"}
    assert lake.properties("b") == {}
    assert lake.get("/commits/main")["parent_ids"] == [before]


def test_a_later_commit_is_picked_without_the_one_before_it(lake: Lake) -> None:
    # Its state is a successor of the target's, and taken as it is would bring the other along.
    lake.branch("day")
    lake.write("a", "day", first="1")
    lake.write("a", "day", second="2")
    picked = lake.post("/cherry-picks", commit_ids=["day"], target="main")
    assert [each["rule"] for each in picked["outcomes"]] == ["inside-table"]
    assert lake.properties("a") == {"second": "2"}


def test_a_later_commit_that_changes_the_one_before_it_is_not_picked_alone(lake: Lake) -> None:
    lake.branch("day")
    lake.write("a", "day", by="first")
    lake.write("a", "day", by="second")
    before = lake.head()
    refused = lake.post("/cherry-picks", 409, commit_ids=["day"], target="main")
    assert [conflict["reason"] for conflict in refused["conflicts"]] == ["both-changed"]
    assert lake.head() == before


def test_if_one_of_several_commits_conflicts_none_is_picked(lake: Lake) -> None:
    lake.branch("day")
    lake.write("a", "day", by="day")
    lake.write("b", "day", by="day")
    lake.write("b", by="main")
    before = lake.head()
    refused = lake.post("/cherry-picks", 409, commit_ids=["day~1", "day"], target="main")
    assert lake.head("day") in refused["detail"]
    assert lake.head() == before
    assert lake.properties("a") == {}


def test_picking_what_is_there_already_makes_no_commit(lake: Lake) -> None:
    lake.branch("day")
    lake.write("a", "day", by="day")
    first = lake.post("/cherry-picks", commit_ids=["day"], target="main")
    again = lake.post("/cherry-picks", commit_ids=["day"], target="main")
    assert again["commit_id"] == first["commit_id"] == lake.head()
    assert again["changes"] == []


def test_a_picked_commit_keeps_its_author_unless_another_is_named(lake: Lake) -> None:
    lake.branch("day")
    prefix = f"/iceberg/v1/{lake.name}.day/namespaces"
    headers = {"X-Mainstem-Author": "Ada"}
    lake.client.post(prefix, json={"namespace": ["x"]}, headers=headers)
    lake.post("/cherry-picks", commit_ids=["day"], target="main")
    assert lake.get("/commits/main")["author"] == "Ada"
    lake.post("/reverts", commit_id="main", target="main")
    lake.post("/cherry-picks", commit_ids=["day"], target="main", author="Bob", message="again")
    assert lake.get("/commits/main")["author"] == "Bob"
    assert lake.get("/commits/main")["message"] == "again"


def test_a_revert_takes_back_a_commit_and_keeps_what_came_after(lake: Lake) -> None:
    lake.write("a", by="first")
    lake.write("b", by="second")
    reverted = lake.post("/reverts", commit_id="main~1", target="main")
    assert [change["key"] for change in reverted["changes"]] == [["ns", "a"]]
    assert lake.properties("a") == {}
    assert lake.properties("b") == {"by": "second"}
    commit = lake.get("/commits/main")
    assert commit["message"].startswith('Revert "')
    assert len(commit["parent_ids"]) == 1


def test_a_reverted_drop_brings_the_table_back(lake: Lake) -> None:
    lake.write("a", by="me")
    lake.drop("a")
    lake.post("/reverts", commit_id="main", target="main")
    assert lake.properties("a") == {"by": "me"}


def test_a_reverted_creation_drops_the_table(lake: Lake) -> None:
    lake.table("new")
    lake.post("/reverts", commit_id="main", target="main")
    assert lake.tables() == ["a", "b"]


def test_a_revert_of_what_was_changed_again_conflicts(lake: Lake) -> None:
    lake.write("a", by="first")
    lake.write("a", by="second")
    before = lake.head()
    refused = lake.post("/reverts", 409, commit_id="main~1", target="main")
    assert [conflict["key"] for conflict in refused["conflicts"]] == [["ns", "a"]]
    assert lake.head() == before


def test_a_merge_is_reverted_against_its_first_parent(lake: Lake) -> None:
    lake.branch("day")
    lake.write("a", "day", by="day")
    lake.write("b", by="main")
    lake.merge("day")
    lake.post("/reverts", commit_id="main", target="main")
    assert lake.properties("a") == {}
    assert lake.properties("b") == {"by": "main"}


def test_a_revert_of_a_revert_brings_the_change_back(lake: Lake) -> None:
    lake.write("a", by="me")
    for _ in range(2):
        lake.post("/reverts", commit_id="main", target="main")
    assert lake.properties("a") == {"by": "me"}


def test_dry_runs_change_nothing(lake: Lake) -> None:
    lake.branch("day")
    lake.write("a", "day", by="day")
    lake.write("b", by="main")
    before = lake.head()
    picked = lake.post("/cherry-picks", commit_ids=["day"], target="main", dry_run=True)
    reverted = lake.post("/reverts", commit_id="main", target="main", dry_run=True)
    assert picked["commit_id"] is reverted["commit_id"] is None
    assert len(picked["changes"]) == len(reverted["changes"]) == 1
    assert lake.head() == before


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/cherry-picks", {"commit_ids": [], "target": "main"}, 400),
        ("/cherry-picks", {"commit_ids": "main", "target": "main"}, 400),
        ("/cherry-picks", {"commit_ids": [1], "target": "main"}, 400),
        ("/cherry-picks", {"commit_ids": ["main"]}, 400),
        ("/cherry-picks", {"commit_ids": ["nowhere"], "target": "main"}, 404),
        ("/cherry-picks", {"commit_ids": ["main"], "target": "nowhere"}, 404),
        ("/cherry-picks", {"commit_ids": ["main"], "target": "main~1"}, 403),
        ("/cherry-picks", {"commit_ids": ["0123456789"], "target": "main"}, 404),
        ("/reverts", {"commit_id": "", "target": "main"}, 400),
        ("/reverts", {"commit_id": "main~999", "target": "main"}, 404),
        ("/reverts", {"commit_id": "main", "target": "main", "x": 1}, 400),
        ("/reverts", {"commit_id": "main", "target": "main", "expected_target_head": "a"}, 400),
    ],
)
def test_a_malformed_request_is_refused_with_words(
    lake: Lake, path: str, body: Any, status: int
) -> None:
    before = lake.head()
    assert lake.post(path, status, **body)["detail"]
    assert lake.head() == before


def test_picks_and_reverts_onto_another_head_than_expected_are_refused(lake: Lake) -> None:
    stale = lake.branch("day")
    lake.write("a", "day", by="day")
    lake.write("b", by="main")
    for path, body in (
        ("/cherry-picks", {"commit_ids": ["day"]}),
        ("/reverts", {"commit_id": "main"}),
    ):
        refused = lake.post(path, 409, target="main", expected_target_head=stale, **body)
        assert refused["code"] == "stale-head"


def test_the_first_commit_of_all_can_be_picked_and_reverted(lake: Lake) -> None:
    root = lake.get("/commits", limit=1000)["commits"][-1]["commit_id"]
    head = lake.head()
    assert lake.post("/cherry-picks", commit_ids=[root], target="main")["commit_id"] == head
    assert lake.post("/reverts", commit_id=root, target="main")["commit_id"] == head
