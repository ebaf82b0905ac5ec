"""The log, commits and diffs over HTTP."""

from itertools import pairwise
from typing import Any

import pytest

Lake = Any  # The fixture's type lives in conftest, which importlib mode cannot import.


def ids(document: dict[str, Any]) -> list[str]:
    return [commit["commit_id"] for commit in document["commits"]]


def paged(lake: Lake, limit: int, **query: Any) -> list[str]:
    """Read all pages; once the first is read, the branch moves on."""
    found: list[str] = []
    while True:
        page = lake.get("/commits", limit=limit, **query)
        found += ids(page)
        if page["next_page_token"] is None:
            return found
        if "page_token" not in query:
            lake.write("a", by="meanwhile")
        query["page_token"] = page["next_page_token"]


def test_the_log_tells_commits_newest_first(lake: Lake) -> None:
    lake.write("a", by="me")
    commits = lake.get("/commits")["commits"]
    assert [commit["message"] for commit in commits] == [
        "Alter table ns.a",
        "Create table ns.b",
        "Create table ns.a",
        "Create namespace ns",
        f"Create warehouse {lake.name}",
    ]
    assert commits[0]["commit_id"] == lake.head()
    for child, parent in pairwise(commits):
        assert child["parent_ids"] == [parent["commit_id"]]
        assert child["committed_at"] > parent["committed_at"]
        assert child["changed_count"] == 1
    assert commits[-1]["parent_ids"] == []


def test_the_log_of_a_merge_tells_both_lines_with_no_parent_before_its_child(lake: Lake) -> None:
    lake.branch("day")
    for number in range(3):
        lake.write("a", "day", number=str(number))
        lake.write("b", number=str(number))
    lake.merge("day")
    commits = lake.get("/commits")["commits"]
    assert len(commits) == 4 + 6 + 1
    seen: set[str] = set()
    for commit in commits:
        assert not seen & set(commit["parent_ids"])
        seen.add(commit["commit_id"])
    assert {lake.head("day"), lake.head()} <= seen


@pytest.mark.parametrize("limit", [1, 100])
def test_the_first_parents_leave_out_what_was_merged(lake: Lake, limit: int) -> None:
    """A - B - merge, with the merged line beside B: `main` itself moved by two commits."""
    before = ids(lake.get("/commits"))
    lake.branch("day")
    for number in range(3):
        lake.write("a", "day", number=str(number))
    lake.write("b", number="1")
    own = lake.head()
    lake.merge("day")
    merged = lake.head()
    found = paged(lake, limit, ref=merged, first_parent=True)
    assert found == [merged, own, *before]


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 11])
def test_pages_hold_every_commit_once_although_the_branch_moves_on(lake: Lake, limit: int) -> None:
    lake.branch("day")
    for number in range(3):
        lake.write("a", "day", number=str(number))
        lake.write("b", number=str(number))
    lake.merge("day")
    everything = ids(lake.get("/commits"))
    assert paged(lake, limit) == everything


def test_filters_hold_together(lake: Lake) -> None:
    for name, author in (("a", "Ada"), ("b", "Ada"), ("a", "Bob")):
        lake.client.post(
            f"/iceberg/v1/{lake.name}.main/namespaces/ns/tables/{name}",
            json={
                "requirements": [],
                "updates": [{"action": "set-properties", "updates": {"by": author}}],
            },
            headers={"X-Mainstem-Author": author},
        )
    bob, ada_b, ada_a, *_ = lake.get("/commits")["commits"]
    head, middle, first = (commit["commit_id"] for commit in (bob, ada_b, ada_a))
    assert ids(lake.get("/commits", author="Ada")) == [middle, first]
    assert ids(lake.get("/commits", table="ns.a"))[:2] == [head, first]
    assert len(ids(lake.get("/commits", table="ns.a"))) == 3
    assert ids(lake.get("/commits", table="ns.a", author="Ada")) == [first]
    assert ids(lake.get("/commits", since=ada_b["committed_at"])) == [head, middle]
    until = lake.get("/commits", until=ada_b["committed_at"], since=ada_a["committed_at"])
    assert ids(until) == [middle, first]
    assert ids(lake.get("/commits", ref="main~1", author="Bob")) == []
    assert paged(lake, 1, author="Ada") == [middle, first]
    assert ids(lake.get("/commits", since="2999-01-01")) == []


def test_the_log_of_a_table_follows_it_through_renames_and_merges(lake: Lake) -> None:
    lake.branch("day")
    lake.write("a", "day", by="day")
    on_branch = lake.head("day")
    lake.write("b", by="main")
    lake.merge("day")
    merge = lake.head()
    lake.rename("a", "z")
    renamed = lake.head()
    lake.write("z", by="main")
    created = ids(lake.get("/commits", ref="main", author="anonymous", table="ns.z"))[-1]
    assert lake.get(f"/commits/{created}")["message"] == "Create table ns.a"
    expected = [lake.head(), renamed, on_branch, created]
    assert ids(lake.get("/commits", table="ns.z")) == expected
    assert ids(lake.get("/commits", table="ns.a")) == expected[1:]
    assert ids(lake.get("/commits", table="ns.z", first_parent=True)) == [
        *expected[:2],
        merge,
        created,
    ]


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_pages_of_a_tables_log_know_its_name_where_they_begin(lake: Lake, limit: int) -> None:
    lake.branch("day")
    lake.rename("a", "y", "day")
    lake.write("a", by="main")
    lake.merge("day")
    lake.write("y", by="both")
    everything = ids(lake.get("/commits", table="ns.y"))
    assert len(everything) == 5
    found, token = [], None
    while True:
        more = {} if token is None else {"page_token": token}
        page = lake.get("/commits", table="ns.y", limit=limit, **more)
        found += ids(page)
        token = page["next_page_token"]
        if token is None:
            break
    assert found == everything


def test_a_page_token_of_another_log_is_refused(lake: Lake) -> None:
    lake.write("a", by="me")
    whole = lake.get("/commits", limit=1)["next_page_token"]
    table = lake.get("/commits", table="ns.a", limit=1)["next_page_token"]
    assert lake.call("GET", "/commits", table="ns.a", page_token=whole).status_code == 400
    assert lake.call("GET", "/commits", page_token=table).status_code == 400
    for broken in (f"{whole}-", f"{whole}-0", f"{whole}-ff"):
        answer = lake.call("GET", "/commits", table="ns.a", page_token=broken)
        assert answer.status_code == 400, broken


def test_a_table_whose_namespace_has_a_dot_in_its_name_has_a_log(lake: Lake) -> None:
    lake.namespace("a.b")
    body = {"name": "c.d", "schema": {"type": "struct", "fields": []}}
    lake.iceberg("POST", "main", "/namespaces/a.b/tables", body)
    assert ids(lake.get("/commits", table="a.b.c.d")) == [lake.head()]


def test_the_log_begins_at_any_revision(lake: Lake) -> None:
    everything = ids(lake.get("/commits"))
    lake.post("/tags", 201, name="v/1", at="main~2")
    for ref in ("v/1", "main~2", everything[2], everything[2][:9]):
        assert ids(lake.get("/commits", ref=ref)) == everything[2:]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"ref": "nowhere"}, 404),
        ({"ref": "a b"}, 400),
        ({"since": "yesterday"}, 400),
        ({"until": "2026-13-01"}, 400),
        ({"limit": 0}, 400),
        ({"limit": 1001}, 400),
        ({"page_token": "x"}, 400),
        ({"page_token": "0" * 64}, 400),
        ({"page_token": "."}, 400),
        ({"tabel": "ns.a"}, 400),
        ({"author": ""}, 400),
        ({"ref": "main\x00"}, 400),
    ],
)
def test_a_malformed_log_query_is_refused_with_words(
    lake: Lake, query: dict[str, Any], status: int
) -> None:
    response = lake.call("GET", "/commits", **query)
    assert response.status_code == status
    assert response.json()["detail"]


def test_a_page_token_of_another_warehouse_is_refused(lake: Lake, client: Any) -> None:
    other = client.get("/api/v1/warehouses/lake/commits").json()["commits"][0]["commit_id"]
    assert lake.call("GET", "/commits", page_token=other).status_code == 400


def test_a_commit_of_another_warehouse_is_not_found(lake: Lake, client: Any) -> None:
    other = client.get("/api/v1/warehouses/lake/commits").json()["commits"][0]["commit_id"]
    assert lake.call("GET", f"/commits/{other}").status_code == 404
    assert lake.call("GET", "/diff", **{"from": other, "to": "main"}).status_code == 404


def test_a_commit_tells_its_changes_against_its_first_parent(lake: Lake) -> None:
    lake.branch("day")
    lake.write("a", "day", by="day")
    lake.write("b", by="main")
    lake.merge("day")
    commit = lake.get("/commits/main")
    assert [change["key"] for change in commit["changes"]] == [["ns", "a"]]
    assert commit["generation"] == 1 + max(
        lake.get(f"/commits/{parent}")["generation"] for parent in commit["parent_ids"]
    )
    root = lake.get("/commits/main~5")
    assert (root["parent_ids"], root["changes"], root["generation"]) == ([], [], 0)


def test_equal_content_has_an_equal_tree_id(lake: Lake) -> None:
    lake.write("a", by="me")
    lake.post("/reverts", commit_id="main", target="main")
    assert lake.get("/commits/main")["tree_id"] == lake.get("/commits/main~2")["tree_id"]


def test_a_diff_tells_each_kind_of_change(lake: Lake) -> None:
    lake.branch("day")
    lake.write("a", "day", by="day")
    lake.rename("b", "renamed", "day")
    lake.table("new", "day")
    lake.namespace("more", "day")
    document = lake.get("/diff", **{"from": "main", "to": "day"})
    assert (document["from_commit_id"], document["to_commit_id"]) == (lake.head(), lake.head("day"))
    changes = {".".join(change["key"]): change for change in document["changes"]}
    assert list(changes) == sorted(changes)
    assert {key: (each["kind"], each["change"]) for key, each in changes.items()} == {
        "more": ("namespace", "added"),
        "ns.a": ("table", "modified"),
        "ns.new": ("table", "added"),
        "ns.renamed": ("table", "renamed"),
    }
    modified = changes["ns.a"]
    assert modified["from"]["metadata_location"] != modified["to"]["metadata_location"]
    assert modified["from"]["uuid"] == modified["to"]["uuid"]
    assert changes["ns.renamed"]["from"]["key"] == ["ns", "b"]
    assert "from" not in changes["ns.new"]
    back = lake.get("/diff", **{"from": "day", "to": "main"})["changes"]
    removed = {".".join(change["key"]): change["change"] for change in back}
    assert removed == {
        "more": "removed",
        "ns.a": "modified",
        "ns.b": "renamed",
        "ns.new": "removed",
    }


def test_a_diff_of_a_revision_with_itself_is_empty(lake: Lake) -> None:
    assert lake.get("/diff", **{"from": "main", "to": lake.head()})["changes"] == []


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"from": "main"}, 400),
        ({"to": "main"}, 400),
        ({"from": "main", "to": "nowhere"}, 404),
        ({"from": "", "to": "main"}, 400),
        ({"from": "main", "to": "main", "limit": 1}, 400),
    ],
)
def test_a_malformed_diff_query_is_refused(lake: Lake, query: dict[str, Any], status: int) -> None:
    assert lake.call("GET", "/diff", **query).status_code == status


def test_a_prefix_shorter_than_8_digits_names_no_commit(lake: Lake) -> None:
    assert lake.call("GET", f"/commits/{lake.head()[:7]}").status_code == 404
    assert lake.get(f"/commits/{lake.head()[:8].upper()}")["commit_id"] == lake.head()
