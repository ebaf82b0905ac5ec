"""Loads that are answered from memory say what the ordinary endpoint would say at that moment."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest
from fastapi.testclient import TestClient

from catalog.api.app import create_app
from catalog.api.iceberg import tables, views
from catalog.operations import tables as table_operations
from catalog.settings import Settings

_NAMESPACES = "/iceberg/v1/lake.main/namespaces"
_TABLE = f"{_NAMESPACES}/ns/tables/t"
_SCHEMA = {"type": "struct", "fields": []}


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    """An application with the table `ns.t`, loaded once."""
    with TestClient(create_app(Settings(data_dir=tmp_path))) as client:
        _post(client, _NAMESPACES, {"namespace": ["ns"]})
        _post(client, f"{_NAMESPACES}/ns/tables", {"name": "t", "schema": _SCHEMA})
        _load(client)
        yield client


@pytest.fixture
def memory_only(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    """The application, whose ordinary endpoint for loads fails."""

    def fail(*_: Any) -> NoReturn:
        raise AssertionError("not answered from memory")

    monkeypatch.setattr(tables, "load_result", fail)
    monkeypatch.setattr(views, "load_result", fail)
    monkeypatch.setattr(table_operations, "find_entry", fail)
    return client


def _post(client: TestClient, path: str, body: dict[str, Any]) -> None:
    assert client.post(path, json=body).is_success


def _load(client: TestClient) -> Any:
    response = client.get(_TABLE)
    assert response.status_code == 200, response.text
    return response.json()


def _set(client: TestClient, value: str) -> None:
    update = {"action": "set-properties", "updates": {"p": value}}
    _post(client, _TABLE, {"requirements": [], "updates": [update]})


def test_a_second_load_is_answered_from_memory(memory_only: TestClient) -> None:
    first = memory_only.get(_TABLE)
    assert first.status_code == 200
    assert first.headers["content-type"] == "application/json"
    assert first.headers["x-request-id"]
    assert first.json()["metadata"]["location"]
    known = memory_only.get(_TABLE, headers={"If-None-Match": first.headers["etag"]})
    assert (known.status_code, known.content) == (304, b"")
    assert known.headers["etag"] == first.headers["etag"]


def test_the_first_load_after_a_commit_is_answered_from_memory(memory_only: TestClient) -> None:
    for value in ("1", "2"):
        _set(memory_only, value)
        assert _load(memory_only)["metadata"]["properties"]["p"] == value


def test_a_load_shows_what_was_committed_before_it(client: TestClient) -> None:
    for value in ("1", "2", "3"):
        _set(client, value)
        assert _load(client)["metadata"]["properties"]["p"] == value
        assert _load(client)["metadata"]["properties"]["p"] == value


def test_a_load_shows_a_change_of_another_table_as_none(client: TestClient) -> None:
    before = client.get(_TABLE)
    _post(client, f"{_NAMESPACES}/ns/tables", {"name": "other", "schema": _SCHEMA})
    after = client.get(_TABLE)
    assert (after.headers["etag"], after.content) == (before.headers["etag"], before.content)


def test_a_dropped_table_is_gone(client: TestClient) -> None:
    _load(client)
    assert client.delete(_TABLE).status_code == 204
    assert client.get(_TABLE).status_code == 404


def test_a_tag_that_took_the_name_of_a_branch_is_none(client: TestClient) -> None:
    refs = "/api/v1/warehouses/lake"
    side = _TABLE.replace("lake.main", "lake.side")
    _post(client, f"{refs}/branches", {"name": "side", "from": "main"})
    assert client.get(side).status_code == client.get(side).status_code == 200
    assert client.delete(f"{refs}/branches/side").status_code == 204
    _post(client, f"{refs}/tags", {"name": "side", "at": "main"})
    assert client.get(side).status_code == 404


@pytest.mark.parametrize(
    ("path", "kind"),
    [("ns/tables/absent", "Table"), ("ns/views/absent", "View"), ("ns/views/t", "View")],
)
def test_a_name_that_is_free_is_told_from_memory(
    memory_only: TestClient, path: str, kind: str
) -> None:
    found = memory_only.get(f"{_NAMESPACES}/{path}")
    message = f"{kind} does not exist: ns.{path.rpartition('/')[2]}"
    error = {"message": message, "type": f"NoSuch{kind}Exception", "code": 404}
    assert (found.status_code, found.json()) == (404, {"error": error})
    assert found.headers["content-type"] == "application/json"
    asked = memory_only.head(f"{_NAMESPACES}/{path}")
    assert (asked.status_code, asked.content) == (404, b"")


def test_that_a_table_exists_is_told_from_memory(memory_only: TestClient) -> None:
    found = memory_only.head(_TABLE)
    assert (found.status_code, found.content) == (204, b"")
    assert found.headers["x-request-id"]


def test_a_name_is_free_until_it_is_taken_and_free_again_once_dropped(client: TestClient) -> None:
    path = f"{_NAMESPACES}/ns/tables/new"
    for _ in range(2):
        assert client.get(path).status_code == 404
        assert client.head(path).status_code == 404
        _post(client, f"{_NAMESPACES}/ns/tables", {"name": "new", "schema": _SCHEMA})
        assert client.head(path).status_code == 204
        assert client.get(path).status_code == 200
        assert client.get(path).status_code == 200
        assert client.delete(path).status_code == 204


def test_a_load_shows_the_storage_of_now(client: TestClient) -> None:
    assert _load(client)["config"] == {}
    storage = {"s3.endpoint": "http://127.0.0.1:9000"}
    assert client.patch("/api/v1/warehouses/lake", json={"storage": storage}).is_success
    assert _load(client)["config"] == storage
    assert _load(client)["config"] == storage


def test_what_is_in_memory_opens_to_clients_with_a_token_only(tmp_path: Path) -> None:
    secret = hashlib.sha256(b"secret").hexdigest()
    settings = Settings(data_dir=tmp_path, clients=f"spark:{secret}", token_key="k" * 32)
    with TestClient(create_app(settings)) as client:
        form = {"grant_type": "client_credentials", "client_id": "spark", "client_secret": "secret"}
        token = client.post("/iceberg/v1/oauth/tokens", data=form).json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        _post(client, _NAMESPACES, {"namespace": ["ns"]})
        _post(client, f"{_NAMESPACES}/ns/tables", {"name": "t", "schema": _SCHEMA})
        _load(client)
        etag = client.get(_TABLE).headers["etag"]
        del client.headers["Authorization"]
        assert client.get(_TABLE).status_code == 401
        assert client.get(_TABLE, headers={"If-None-Match": etag}).status_code == 401
