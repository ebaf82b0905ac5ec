"""Branches, tags and the reflog over HTTP."""

from typing import Any
from urllib.parse import quote

import pytest

Lake = Any  # The fixture's type lives in conftest, which importlib mode cannot import.


def test_a_branch_begins_at_any_revision(lake: Lake) -> None:
    older = lake.get("/commits/main~1")["commit_id"]
    lake.post("/tags", 201, name="v1", at=older)
    for number, start in enumerate(("main~1", older, older[:10], "v1", "main^1")):
        created = lake.post("/branches", 201, name=f"b{number}", **{"from": start})
        assert created["commit_id"] == older
    assert lake.branch("now", "main@{now}") == lake.head()


@pytest.mark.parametrize("name", ["ingest/2026-11-23", "größe", "a@b", "x+y", "100%", "a.b", "#1"])
def test_a_name_is_found_percent_encoded(lake: Lake, name: str) -> None:
    lake.branch(name)
    assert lake.get(f"/branches/{quote(name, safe='')}")["name"] == name
    assert name in [branch["name"] for branch in lake.get("/branches")["branches"]]


def test_a_slash_in_a_name_may_be_plain_or_encoded(lake: Lake) -> None:
    lake.branch("ingest/a/b")
    for path in ("ingest/a/b", "ingest%2Fa%2Fb", "ingest/a%2fb"):
        assert lake.get(f"/branches/{path}")["name"] == "ingest/a/b"
        assert lake.get(f"/commits/{path}")["commit_id"] == lake.head()
    lake.post("/branches/ingest/a/b/reset", to="main~1")
    lake.post("/branches/ingest%2Fa%2Fb/reset", to="main~1")
    assert lake.call("DELETE", "/branches/ingest/a/b").status_code == 204


def test_a_branch_called_like_an_endpoint_is_reached_percent_encoded(lake: Lake) -> None:
    for name in ("x/reset", "x/checks", "reset", "checks"):
        lake.branch(name)
        assert lake.get(f"/branches/{quote(name, safe='')}")["name"] == name
        assert lake.get(f"/commits/{quote(name, safe='')}")["commit_id"] == lake.head()
    lake.write("a", by="main")
    assert lake.post("/branches/x%2Freset/reset", to="main")["commit_id"] == lake.head()
    assert lake.call("POST", "/branches/x%2Freset", {"to": "main~1"}).status_code == 405
    assert lake.head("x/reset") == lake.head()


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"name": "main", "from": "main"}, 409, "already-exists"),
        ({"name": "v1", "from": "main"}, 409, "already-exists"),
        ({"name": "x", "from": "nowhere"}, 404, "no-such-revision"),
        ({"name": "x", "from": "main~999"}, 404, "no-such-revision"),
        ({"name": "x", "from": "main^2"}, 404, "no-such-revision"),
        ({"name": "x", "from": "deadbeef01"}, 404, "no-such-revision"),
        ({"name": "x", "from": "main@{1999-01-01}"}, 404, "no-such-revision"),
        ({"name": "x", "from": "main@{never}"}, 400, "invalid-input"),
        ({"name": "x", "from": ""}, 400, "invalid-input"),
        ({"name": "x"}, 400, "invalid-input"),
        ({"from": "main"}, 400, "invalid-input"),
        ({"name": 1, "from": "main"}, 400, "invalid-input"),
        ({"name": None, "from": "main"}, 400, "invalid-input"),
        ({"name": "x", "from": "main", "force": True}, 400, "invalid-input"),
        *(
            ({"name": name, "from": "main"}, 400, "invalid-input")
            for name in (
                "",
                "a b",
                "a..b",
                "a//b",
                "/a",
                "a/",
                "-a",
                "a.",
                "a.lock",
                "a@{b",
                "a~1",
                "a^",
                "a:b",
                "a?",
                "a*",
                "a[",
                "a\\b",
                "HEAD",
                "deadbeef",
                "a\u0000b",
                "a\tb",
                "\ud800".encode("utf-16", "surrogatepass").decode("utf-16", "replace") + " ",
                "ä" * 128,
            )
        ),
    ],
)
def test_a_branch_that_cannot_be_is_refused(
    lake: Lake, body: dict[str, Any], status: int, code: str
) -> None:
    lake.post("/tags", 201, name="v1", at="main")
    before = lake.get("/branches")
    refused = lake.post("/branches", status, **body)
    assert refused["code"] == code
    assert refused["detail"]
    assert lake.get("/branches") == before


def test_half_of_a_surrogate_pair_is_refused(lake: Lake) -> None:
    response = lake.client.post(
        f"/api/v1/warehouses/{lake.name}/branches",
        content=b'{"name": "a\\ud800", "from": "main"}',
        headers={"content-type": "application/json"},
    )
    assert response.status_code == 400


def test_branches_are_listed_by_name_in_pages(empty: Lake) -> None:
    names = ["Z", "a", "a/b", "a/c", "b", "main", "é"]
    for name in names:
        if name != "main":
            empty.branch(name)
    listed = []
    token = None
    while True:
        query = {"limit": 2} if token is None else {"limit": 2, "page_token": token}
        page = empty.get("/branches", **query)
        assert len(page["branches"]) <= 2
        listed += [branch["name"] for branch in page["branches"]]
        token = page["next_page_token"]
        if token is None:
            break
    assert listed == names


def test_a_prefix_minds_case_and_wildcards_and_fills_its_pages(empty: Lake) -> None:
    for name in ("A1", "A2", "A3", "a1", "a_1", "a%1"):
        empty.branch(name)
    page = empty.get("/branches", prefix="a", limit=1)
    assert [branch["name"] for branch in page["branches"]] == ["a%1"]
    rest = empty.get("/branches", prefix="a", limit=9, page_token=page["next_page_token"])
    assert [branch["name"] for branch in rest["branches"]] == ["a1", "a_1"]
    assert [each["name"] for each in empty.get("/branches", prefix="a_")["branches"]] == ["a_1"]


@pytest.mark.parametrize(
    "query",
    [
        {"limit": 0},
        {"limit": 1001},
        {"limit": -1},
        {"limit": "x"},
        {"limit": 1.5},
        {"prefix": "\x00"},
        {"page_token": "\x00"},
        {"order": "name"},
    ],
)
@pytest.mark.parametrize("path", ["/branches", "/tags"])
def test_a_malformed_listing_is_refused(lake: Lake, path: str, query: dict[str, Any]) -> None:
    response = lake.call("GET", path, **query)
    assert response.status_code == 400
    assert response.json()["detail"]


def test_a_deleted_branch_is_gone_and_its_name_is_free(lake: Lake) -> None:
    lake.branch("day")
    lake.write("a", "day", by="day")
    head = lake.head("day")
    assert lake.call("DELETE", "/branches/day").status_code == 204
    assert lake.call("GET", "/branches/day").status_code == 404
    assert lake.call("DELETE", "/branches/day").status_code == 404
    assert lake.get(f"/commits/{head}")["commit_id"] == head
    assert lake.branch("day") == lake.head()


def test_the_default_branch_cannot_be_deleted(lake: Lake) -> None:
    refused = lake.call("DELETE", "/branches/main")
    assert refused.status_code == 400
    assert "default branch" in refused.json()["detail"]
    assert lake.head()


def test_a_reset_moves_a_branch_there_and_back(lake: Lake) -> None:
    lake.write("a", by="me")
    head = lake.head()
    assert lake.post("/branches/main/reset", to="main~1")["name"] == "main"
    assert lake.properties("a") == {}
    assert lake.post("/branches/main/reset", to=head, expected_head=lake.head()) == {
        **lake.get("/branches/main"),
        "commit_id": head,
    }
    assert lake.properties("a") == {"by": "me"}


@pytest.mark.parametrize(
    ("name", "body", "status"),
    [
        ("main", {"to": "main~1", "expected_head": "0" * 64}, 409),
        ("main", {"to": "main~1", "expected_head": "xyz"}, 400),
        ("main", {"to": "nowhere"}, 404),
        ("nowhere", {"to": "main"}, 404),
        ("v1", {"to": "main"}, 404),
        ("main", {}, 400),
        ("main", {"to": 1}, 400),
        ("main", {"to": "main~1", "hard": True}, 400),
        ("a%00b", {"to": "main"}, 400),
    ],
)
def test_a_reset_that_cannot_be_is_refused_and_moves_nothing(
    lake: Lake, name: str, body: dict[str, Any], status: int
) -> None:
    lake.post("/tags", 201, name="v1", at="main~1")
    before = lake.get("/branches"), lake.get("/tags")
    assert lake.post(f"/branches/{name}/reset", status, **body)["detail"]
    assert (lake.get("/branches"), lake.get("/tags")) == before


def test_a_tag_keeps_its_commit_message_and_metadata(lake: Lake) -> None:
    body = {"name": "release/1", "at": "main", "message": "first\nline", "metadata": {"run": "7"}}
    tag = lake.post("/tags", 201, **body)
    lake.write("a", by="me")
    assert lake.get("/tags/release%2F1") == lake.get("/tags/release/1") == tag
    assert tag["commit_id"] == lake.get("/commits/main~1")["commit_id"]
    assert (tag["message"], tag["metadata"]) == ("first\nline", {"run": "7"})
    assert lake.get("/tags")["tags"] == [tag]


def test_a_tag_never_moves(lake: Lake) -> None:
    tag = lake.post("/tags", 201, name="v1", at="main~1")
    assert lake.post("/tags", 409, name="v1", at="main")["code"] == "already-exists"
    assert lake.post("/branches/v1/reset", 404, to="main")
    assert lake.post("/merges", 403, source="main", target="v1")
    lake.write("a", "v1", status=404, by="me")
    assert lake.get("/tags/v1") == tag


def test_a_tag_and_a_branch_are_told_apart(lake: Lake) -> None:
    lake.post("/tags", 201, name="v1", at="main")
    lake.branch("day")
    lake.post("/tags", 409, name="day", at="main")
    for path in ("/branches/v1", "/tags/day", "/tags/main"):
        for method in ("GET", "DELETE"):
            assert lake.call(method, path).status_code in (400, 404)
    assert lake.head("day")
    assert lake.get("/tags/v1")


def test_a_deleted_tag_is_gone(lake: Lake) -> None:
    lake.post("/tags", 201, name="v1", at="main")
    assert lake.call("DELETE", "/tags/v1").status_code == 204
    assert lake.call("GET", "/tags/v1").status_code == 404


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"name": "v1"}, 400),
        ({"name": "v 1", "at": "main"}, 400),
        ({"name": "v1", "at": "nowhere"}, 404),
        ({"name": "v1", "at": "main", "metadata": {"a": None}}, 400),
        ({"name": "v1", "at": "main", "metadata": {"": "x"}}, 400),
        ({"name": "v1", "at": "main", "message": "a\u0000b"}, 400),
        ({"name": "v1", "at": "main", "message": "x" * 70_000}, 400),
        ({"name": "v1", "at": "main", "force": True}, 400),
    ],
)
def test_a_tag_that_cannot_be_is_refused(lake: Lake, body: dict[str, Any], status: int) -> None:
    assert lake.post("/tags", status, **body)["detail"]
    assert lake.get("/tags")["tags"] == []


def test_the_reflog_tells_every_move_newest_first(lake: Lake) -> None:
    start = lake.branch("day")
    lake.write("a", "day", by="day")
    written = lake.head("day")
    lake.post("/branches/day/reset", to=start)
    lake.call("DELETE", "/branches/day")
    entries = lake.get("/reflog", branch="day")["entries"]
    moves = [
        (entry["previous_commit_id"], entry["commit_id"], entry["operation"]) for entry in entries
    ]
    assert moves == [
        (start, None, "delete-branch"),
        (written, start, "reset"),
        (start, written, "update-table"),
        (None, start, "create-branch"),
    ]
    assert all(entry["by"] == "anonymous" for entry in entries)
    assert [entry["at"] for entry in entries] == sorted(
        (entry["at"] for entry in entries), reverse=True
    )


def test_the_reflog_is_read_in_pages(lake: Lake) -> None:
    everything = lake.get("/reflog")["entries"]
    paged = []
    query: dict[str, Any] = {"branch": "main", "limit": 1}
    while True:
        page = lake.get("/reflog", **query)
        paged += page["entries"]
        if page["next_page_token"] is None:
            break
        query["page_token"] = page["next_page_token"]
        lake.write("a", number=str(len(paged)))
    assert paged == everything


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"branch": "nowhere"}, 404),
        ({"branch": "a b"}, 400),
        ({"limit": 0}, 400),
        ({"page_token": "x"}, 400),
        ({"page_token": "9" * 30}, 400),
        ({"branch": "main", "before": 1}, 400),
    ],
)
def test_a_malformed_reflog_query_is_refused(
    lake: Lake, query: dict[str, Any], status: int
) -> None:
    assert lake.call("GET", "/reflog", **query).status_code == status


def test_a_moment_of_a_branch_is_where_it_stood_then(lake: Lake) -> None:
    moment = lake.get("/commits/main")["committed_at"]
    head = lake.head()
    lake.write("a", by="me")
    at = lake.get("/reflog")["entries"][1]["at"]
    assert at >= moment
    assert lake.get(f"/commits/main@{{{at}}}")["commit_id"] == head
