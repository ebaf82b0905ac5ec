"""Warehouses over HTTP, and what holds for the whole interface."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

Lake = Any  # The fixtures' types live in conftest, which importlib mode cannot import.
Client = Any


def test_a_warehouse_is_created_with_an_empty_default_branch(
    client: Client, tmp_path: Path, numbers: Iterator[int]
) -> None:
    name = f"w{next(numbers)}"
    body = {
        "name": name,
        "location": tmp_path.as_uri(),
        "default_branch": "trunk",
        "storage": {"s3.endpoint": "http://minio:9000"},
    }
    response = client.post("/api/v1/warehouses", json=body)
    assert response.status_code == 201
    shown = client.get(f"/api/v1/warehouses/{name}").json()
    assert shown == response.json()
    assert shown["storage"] == {"s3.endpoint": "http://minio:9000"}
    assert shown["default_branch"] == "trunk"
    assert shown in client.get("/api/v1/warehouses").json()["warehouses"]
    branches = client.get(f"/api/v1/warehouses/{name}/branches").json()["branches"]
    assert [branch["name"] for branch in branches] == ["trunk"]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"name": "lake"}, 409),
        ({"name": "a b"}, 400),
        ({"name": ""}, 400),
        ({"name": "a/b"}, 400),
        ({"name": None}, 400),
        ({"location": ""}, 400),
        ({"location": None}, 400),
        ({"location": 1}, 400),
        ({"location": "gopher://host/x"}, 400),
        ({"location": "http://host/x"}, 400),
        ({"location": "hdfs://namenode/x"}, 400),
        ({"location": "abfss://container@/x"}, 400),
        ({"location": "s3://a bucket/x"}, 400),
        ({"default_branch": "a b"}, 400),
        ({"storage": {"a": 1}}, 400),
        ({"storage": {"s3.secret-access-key": "hush"}}, 400),
        ({"storage": {"adls.sas-token.account": "hush"}}, 400),
        ({"storage": {"access-delegation": "everything"}}, 400),
        ({"storage": {"access-delegation": "vended-credentials"}}, 400),
        ({"storage": {"access-delegation": "remote-signing"}}, 400),
        ({"storage": {"access-delegation": "remote-signing", "s3.region": "x"}}, 400),
        ({"storage": {"adls.connection-string": "AccountKey=hush"}}, 400),
        ({"storage": {"sts.duration-seconds": "1"}}, 400),
        ({"storage": []}, 400),
        ({"colour": "red"}, 400),
    ],
)
def test_a_warehouse_that_cannot_be_is_refused(
    client: Client,
    tmp_path: Path,
    numbers: Iterator[int],
    change: dict[str, Any],
    status: int,
) -> None:
    before = client.get("/api/v1/warehouses").json()
    body = {"name": f"w{next(numbers)}", "location": tmp_path.as_uri(), **change}
    response = client.post("/api/v1/warehouses", json=body)
    assert response.status_code == status
    assert response.json()["detail"]
    assert client.get("/api/v1/warehouses").json() == before


def test_the_default_branch_and_the_storage_can_be_changed(lake: Lake) -> None:
    lake.branch("trunk")
    changed = lake.call("PATCH", "", {"default_branch": "trunk", "storage": {"s3.region": "x"}})
    assert changed.status_code == 200
    assert changed.json() == lake.get("")
    assert lake.get("")["default_branch"] == "trunk"
    assert lake.get("")["storage"] == {"s3.region": "x"}
    assert lake.call("PATCH", "", {}).json() == lake.get("")
    assert lake.call("DELETE", "/branches/main").status_code == 204


@pytest.mark.parametrize(
    "body", [{"default_branch": "nowhere"}, {"location": "file:///x"}, {"storage": "x"}, []]
)
def test_a_change_of_a_warehouse_that_cannot_be_is_refused(lake: Lake, body: Any) -> None:
    before = lake.get("")
    assert lake.call("PATCH", "", body).status_code == 400
    assert lake.get("") == before


def test_a_deleted_warehouse_is_gone(lake: Lake) -> None:
    assert lake.call("DELETE", "").status_code == 204
    for path in ("", "/branches", "/commits", "/diff?from=main&to=main", "/protections"):
        assert lake.call("GET", path).status_code == 404


@pytest.mark.parametrize(
    ("pattern", "rules"),
    [
        ("main", {"require_merge": True}),
        ("day", {"required_checks": ["dbt"]}),
        ("release/*", {"forbid_delete": True}),
    ],
)
def test_what_is_protected_is_not_deleted_with_its_warehouse(
    lake: Lake, pattern: str, rules: dict[str, Any]
) -> None:
    lake.branch("day")
    lake.post("/tags", 201, name="release/1", at="main")
    lake.protect(pattern, **rules)
    refused = lake.call("DELETE", "")
    assert refused.status_code == 403
    assert (refused.json()["pattern"], refused.json()["rule"]) == (pattern, next(iter(rules)))
    assert [branch["name"] for branch in lake.get("/branches")["branches"]] == ["day", "main"]
    assert lake.call("DELETE", f"/protections/{pattern}").status_code == 204
    assert lake.call("DELETE", "").status_code == 204


def test_every_resource_of_an_unknown_warehouse_is_not_found(client: Client) -> None:
    for name in ("nowhere", "a%20b", "a%00b", "%ff"):
        for path in ("", "/branches", "/tags", "/commits", "/reflog", "/protections"):
            response = client.get(f"/api/v1/warehouses/{name}{path}")
            assert response.status_code in (400, 404)
            assert response.json()["detail"]


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"{", "application/json"),
        (b"", "application/json"),
        (b'{"name": NaN}', "application/json"),
        (b'{"name": "\xff"}', "application/json"),
        (b"[" * 100_000, "application/json"),
        (b'{"name": ' + b"9" * 5000 + b"}", "application/json"),
        (b'{"name": "x", "from": "main"}', "text/plain"),
        (b'{"name": "x", "from": "main"}', "application/x-www-form-urlencoded"),
        (b'{"name": "x", "from": "main"}', ""),
    ],
)
def test_a_body_that_is_no_json_is_refused_with_words(
    lake: Lake, content: bytes, kind: str
) -> None:
    response = lake.client.post(
        f"/api/v1/warehouses/{lake.name}/branches",
        content=content,
        headers={"content-type": kind} if kind else {},
    )
    assert response.status_code == 400
    assert response.json()["detail"]
    assert len(lake.get("/branches")["branches"]) == 1


def test_a_body_may_name_its_charset(lake: Lake) -> None:
    response = lake.client.post(
        f"/api/v1/warehouses/{lake.name}/branches",
        content='{"name": "größe", "from": "main"}'.encode(),
        headers={"content-type": "application/json; charset=utf-8"},
    )
    assert response.status_code == 201


def test_what_is_no_endpoint_is_a_problem_document(lake: Lake) -> None:
    for method, path, status in (
        ("GET", "/nothing", 404),
        ("PUT", "/branches", 405),
        ("DELETE", "/merges", 405),
        ("POST", "/diff", 405),
    ):
        response = lake.call(method, path)
        assert response.status_code == status
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json()["status"] == status


def test_the_openapi_document_describes_every_operation(client: Client) -> None:
    document = client.get("/api/v1/openapi.json").json()
    operations = [
        (path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    assert len(operations) >= 26
    for path, method, operation in operations:
        assert operation["summary"], (path, method)
        assert operation["tags"], (path, method)
        answers = operation["responses"]
        assert "422" not in answers, (path, method)
        success = next(answers[status] for status in answers if status.startswith("2"))
        if method != "delete":
            schema = success["content"]["application/json"]["schema"]
            assert schema["$ref"].startswith("#/components/schemas/"), (path, method)


def test_answers_have_the_members_that_the_openapi_document_names(lake: Lake) -> None:
    document = lake.client.get("/api/v1/openapi.json").json()
    lake.post("/tags", 201, name="v1", at="main", message="m", metadata={"a": "b"})
    lake.post("/commits/main/checks", 201, name="dbt", state="success")
    lake.protect("x", forbid_delete=True)
    lake.branch("day")
    lake.write("a", "day", by="day")
    for path, template in (
        ("", ""),
        ("/branches", "/branches"),
        ("/branches/main", "/branches/{name}"),
        ("/tags", "/tags"),
        ("/tags/v1", "/tags/{name}"),
        ("/commits", "/commits"),
        ("/commits/day", "/commits/{revision}"),
        ("/commits/main/checks", "/commits/{revision}/checks"),
        ("/diff?from=main&to=day", "/diff"),
        ("/reflog", "/reflog"),
        ("/protections", "/protections"),
        ("/protections/x", "/protections/{pattern}"),
    ):
        operation = document["paths"][f"/api/v1/warehouses/{{warehouse}}{template}"]["get"]
        schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
        answer = lake.client.get(f"/api/v1/warehouses/{lake.name}{path}").json()
        assert_described(answer, schema, document)
    merge = document["paths"]["/api/v1/warehouses/{warehouse}/merges"]["post"]
    schema = merge["responses"]["200"]["content"]["application/json"]["schema"]
    assert_described(lake.merge("day"), schema, document)


def assert_described(value: Any, schema: Any, document: Any) -> None:
    """Check that objects have the members that their schema names, all of them if required."""
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if "anyOf" in schema:
        if value is None:
            return
        schema = next(each for each in schema["anyOf"] if each.get("type") != "null")
        assert_described(value, schema, document)
    elif isinstance(value, list):
        for each in value:
            assert_described(each, schema["items"], document)
    elif isinstance(value, dict) and "properties" in schema:
        assert set(value) <= set(schema["properties"])
        assert set(schema.get("required", ())) <= set(value)
        for name, member in value.items():
            assert_described(member, schema["properties"][name], document)
