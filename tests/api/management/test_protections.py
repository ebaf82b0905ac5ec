"""Protections over HTTP: every way in which a ref can move meets them."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

Lake = Any  # The fixture's type lives in conftest, which importlib mode cannot import.
Move = Callable[[Lake], Any]


def iceberg(method: str, path: str, body: Any = None) -> Move:
    return lambda lake: lake.client.request(
        method, f"/iceberg/v1/{lake.name}.main{path}", json=body
    )


def management(method: str, path: str, body: Any = None) -> Move:
    return lambda lake: lake.call(method, path, body)


def register(lake: Lake) -> Any:
    location = lake.iceberg("GET", "main", "/namespaces/ns/tables/a")["metadata-location"]
    body = {"name": "copy", "metadata-location": location}
    return iceberg("POST", "/namespaces/ns/register", body)(lake)


def change(name: str) -> dict[str, Any]:
    return {
        "identifier": {"namespace": ["ns"], "name": name},
        "requirements": [],
        "updates": [{"action": "set-properties", "updates": {"by": "me"}}],
    }


SCHEMA = {"type": "struct", "fields": [{"id": 1, "name": "id", "type": "long", "required": False}]}
VIEW = {
    "name": "v",
    "schema": SCHEMA,
    "properties": {},
    "view-version": {
        "version-id": 1,
        "timestamp-ms": 1,
        "schema-id": 0,
        "summary": {},
        "default-namespace": ["ns"],
        "representations": [{"type": "sql", "sql": "select 1 as id", "dialect": "duckdb"}],
    },
}
RENAME = {
    "source": {"namespace": ["ns"], "name": "a"},
    "destination": {"namespace": ["ns"], "name": "c"},
}
DIRECT: dict[str, Move] = {
    "create a table": iceberg("POST", "/namespaces/ns/tables", {"name": "t", "schema": SCHEMA}),
    "commit to a table": iceberg("POST", "/namespaces/ns/tables/a", change("a")),
    "commit to several tables": iceberg(
        "POST", "/transactions/commit", {"table-changes": [change("a"), change("b")]}
    ),
    "register a table": register,
    "rename a table": iceberg("POST", "/tables/rename", RENAME),
    "drop a table": iceberg("DELETE", "/namespaces/ns/tables/a"),
    "create a namespace": iceberg("POST", "/namespaces", {"namespace": ["x"]}),
    "change a namespace": iceberg(
        "POST", "/namespaces/ns/properties", {"updates": {"a": "b"}, "removals": []}
    ),
    "drop a namespace": iceberg("DELETE", "/namespaces/hollow"),
    "create a view": iceberg("POST", "/namespaces/ns/views", VIEW),
    "write from another branch": lambda lake: lake.client.post(
        f"/iceberg/v1/{lake.name}.day/namespaces/ns/tables/a%40main", json=change("a@main")
    ),
    "cherry-pick": management("POST", "/cherry-picks", {"commit_ids": ["day"], "target": "main"}),
    "revert": management("POST", "/reverts", {"commit_id": "main", "target": "main"}),
}
RESET = management("POST", "/branches/main/reset", {"to": "main~1"})
MERGE = management("POST", "/merges", {"source": "day", "target": "main"})
SQUASH = management("POST", "/merges", {"source": "day", "target": "main", "squash": True})


@pytest.fixture
def busy(lake: Lake) -> Lake:
    """A lake whose branch `day` is ahead of `main`, which has a namespace that holds nothing."""
    lake.namespace("hollow")
    lake.branch("day")
    lake.write("a", "day", by="day")
    lake.write("b", by="main")
    return lake


@pytest.mark.parametrize("move", DIRECT.values(), ids=DIRECT.keys())
def test_direct_changes_pass_without_a_protection(busy: Lake, move: Move) -> None:
    before = busy.head()
    assert move(busy).status_code in (200, 204)
    assert busy.head() != before


@pytest.mark.parametrize(
    "rules", [{"require_merge": True}, {"required_checks": ["dbt"]}], ids=lambda rules: min(rules)
)
@pytest.mark.parametrize("move", [*DIRECT.values(), RESET], ids=[*DIRECT.keys(), "reset"])
def test_a_guarded_branch_refuses_every_direct_change(
    busy: Lake, move: Move, rules: dict[str, Any]
) -> None:
    busy.protect("main", **rules)
    busy.post("/commits/main/checks", 201, name="dbt", state="success")
    before = busy.head(), busy.get("/reflog"), busy.tables()
    refused = move(busy)
    assert refused.status_code == 403
    document = refused.json()
    detail = document["error"]["message"] if "error" in document else document["detail"]
    assert f"rule {min(rules)}" in detail
    assert (busy.head(), busy.get("/reflog"), busy.tables()) == before


@pytest.mark.parametrize("move", [MERGE, SQUASH], ids=["merge", "squash"])
def test_a_guarded_branch_takes_merges(busy: Lake, move: Move) -> None:
    busy.protect("main", require_merge=True, forbid_reset=True, forbid_delete=True)
    assert move(busy).status_code == 200
    assert busy.properties("a") == {"by": "day"}


@pytest.mark.parametrize("state", ["pending", "failure", None])
@pytest.mark.parametrize("move", [MERGE, SQUASH], ids=["merge", "squash"])
def test_a_merge_waits_for_the_required_checks_of_the_source(
    busy: Lake, move: Move, state: str | None
) -> None:
    busy.protect("main", required_checks=["dbt", "soda"])
    busy.post("/commits/day/checks", 201, name="soda", state="success")
    busy.post("/commits/main/checks", 201, name="dbt", state="success")
    if state is not None:
        busy.post("/commits/day/checks", 201, name="dbt", state="success")
        busy.post("/commits/day/checks", 201, name="dbt", state=state)
    before = busy.head()
    refused = move(busy)
    assert refused.status_code == 403
    document = refused.json()
    assert (document["rule"], document["pattern"]) == ("required_checks", "main")
    assert f"dbt is {state or 'missing'}" in document["detail"]
    assert "soda" not in document["detail"]
    assert busy.head() == before

    busy.post("/commits/day/checks", 201, name="dbt", state="success")
    assert move(busy).status_code == 200


def test_a_check_of_an_older_head_does_not_let_a_newer_one_in(busy: Lake) -> None:
    busy.protect("main", required_checks=["dbt"])
    busy.post("/commits/day/checks", 201, name="dbt", state="success")
    busy.write("a", "day", more="day")
    assert MERGE(busy).status_code == 403
    assert busy.merge("day~1")["changes"]


def test_a_reset_to_a_checked_commit_passes_required_checks(busy: Lake) -> None:
    busy.protect("main", required_checks=["dbt"])
    busy.post("/commits/main~1/checks", 201, name="dbt", state="success")
    assert RESET(busy).status_code == 200


def test_a_branch_that_must_not_be_reset_is_not(busy: Lake) -> None:
    busy.protect("main", forbid_reset=True)
    before = busy.head()
    refused = RESET(busy)
    assert refused.status_code == 403
    assert refused.json()["rule"] == "forbid_reset"
    assert busy.head() == before
    busy.write("a", by="main")


@pytest.mark.parametrize(
    ("rules", "status"),
    [
        ({"forbid_delete": True}, 403),
        ({"require_merge": True}, 403),
        ({"required_checks": ["dbt"]}, 403),
        ({"forbid_reset": True}, 204),
        ({}, 204),
    ],
)
def test_a_branch_that_must_not_be_deleted_is_not(
    busy: Lake, rules: dict[str, Any], status: int
) -> None:
    busy.protect("d*", **rules)
    response = busy.call("DELETE", "/branches/day")
    assert response.status_code == status
    assert busy.call("GET", "/branches/day").status_code == (200 if status == 403 else 404)
    if status == 403:
        assert response.json()["rule"] == min(rules)


def test_a_protected_release_tag_is_not_deleted(busy: Lake) -> None:
    busy.post("/tags", 201, name="release/1", at="main")
    busy.protect("release/*", forbid_delete=True)
    assert busy.call("DELETE", "/tags/release%2F1").status_code == 403
    assert busy.get("/tags/release/1")
    busy.post("/tags", 201, name="release/2", at="main")


def test_other_branches_and_warehouses_are_not_concerned(busy: Lake) -> None:
    busy.protect("main", require_merge=True, forbid_reset=True)
    busy.write("a", "day", more="day")
    busy.post("/branches/day/reset", to="main")
    busy.branch("more")


def test_a_protection_is_set_shown_listed_and_removed(lake: Lake) -> None:
    given = {"require_merge": True, "required_checks": ["dbt"], "forbid_reset": True}
    defaults = {"required_approvals": 0, "forbid_delete": False, "merge_inside_tables": True}
    shown = {**defaults, **given}
    for pattern in ("release/*", "main", "**"):
        path = f"/protections/{quote(pattern, safe='')}"
        response = lake.call("PUT", path, given)
        assert (response.status_code, response.json()) == (200, {"pattern": pattern, **shown})
        assert lake.get(path) == {"pattern": pattern, **shown}
    listed = [each["pattern"] for each in lake.get("/protections")["protections"]]
    assert listed == sorted(["release/*", "main", "**"])
    lake.call("PUT", "/protections/main", {})
    assert lake.get("/protections/main")["require_merge"] is False
    assert lake.call("DELETE", "/protections/release/*").status_code == 204
    assert lake.call("DELETE", "/protections/release/*").status_code == 404
    assert lake.call("GET", "/protections/release%2F*").status_code == 404


@pytest.mark.parametrize(
    ("pattern", "body", "words"),
    [
        ("main", {"required_approvals": 1}, "required_approvals must be 0"),
        ("main", {"required_approvals": -1}, "required_approvals"),
        ("main", {"required_approvals": True}, "required_approvals"),
        ("main", {"require_merge": "true"}, "require_merge"),
        ("main", {"require_merge": None}, "require_merge"),
        ("main", {"required_checks": "dbt"}, "required_checks"),
        ("main", {"required_checks": [1]}, "required_checks"),
        ("main", {"required_checks": ["a", "a"]}, "twice"),
        ("main", {"required_checks": [""]}, "name"),
        ("main", {"required_checks": ["a\u0000"]}, "control"),
        ("main", {"forbid": True}, "forbid"),
        ("main", [], "body"),
        ("a**", {}, "**"),
        ("a%20b", {}, "pattern"),
        ("a//b", {}, "empty"),
        ("%00", {}, "pattern"),
    ],
)
def test_a_protection_that_cannot_be_is_refused(
    lake: Lake, pattern: str, body: Any, words: str
) -> None:
    response = lake.call("PUT", f"/protections/{pattern}", body)
    assert response.status_code == 400
    assert words in response.json()["detail"]
    assert lake.get("/protections")["protections"] == []


def test_a_commits_checks_are_listed_with_the_latest_verdict_of_each(lake: Lake) -> None:
    url = "https://ci.example/1"
    lake.post("/commits/main/checks", 201, name="soda", state="success")
    lake.post("/commits/main/checks", 201, name="dbt", state="pending")
    reported = lake.post(
        "/commits/main/checks", 201, name="dbt", state="failure", summary="2 of 9", details_url=url
    )
    assert reported["commit_id"] == lake.head()
    assert (reported["summary"], reported["details_url"]) == ("2 of 9", url)
    checks = lake.get(f"/commits/{lake.head()[:12]}/checks")["checks"]
    assert [(check["name"], check["state"]) for check in checks] == [
        ("dbt", "failure"),
        ("soda", "success"),
    ]
    assert checks[0] == reported
    assert lake.get("/commits/main~1/checks")["checks"] == []


def test_a_check_tells_who_reported_it(lake: Lake) -> None:
    response = lake.client.post(
        f"/api/v1/warehouses/{lake.name}/commits/main/checks",
        json={"name": "dbt", "state": "success"},
        headers={"X-Mainstem-Author": "prefect"},
    )
    assert response.json()["by"] == "prefect"


@pytest.mark.parametrize(
    ("revision", "body", "status"),
    [
        ("main", {"name": "dbt", "state": "green"}, 400),
        ("main", {"name": "", "state": "success"}, 400),
        ("main", {"name": " ", "state": "success"}, 400),
        ("main", {"name": "dbt"}, 400),
        ("main", {"state": "success"}, 400),
        ("main", {"name": "ä" * 200, "state": "success"}, 400),
        ("main", {"name": "dbt", "state": "success", "details_url": "javascript:alert(1)"}, 400),
        ("main", {"name": "dbt", "state": "success", "details_url": "https://a b"}, 400),
        ("main", {"name": "dbt", "state": "success", "summary": "a\u0000b"}, 400),
        ("main", {"name": "dbt", "state": "success", "by": "me"}, 400),
        ("nowhere", {"name": "dbt", "state": "success"}, 404),
        ("ma%20in", {"name": "dbt", "state": "success"}, 400),
    ],
)
def test_a_check_that_cannot_be_is_refused(
    lake: Lake, revision: str, body: dict[str, Any], status: int
) -> None:
    assert lake.post(f"/commits/{revision}/checks", status, **body)["detail"]
    assert lake.get("/commits/main/checks")["checks"] == []
