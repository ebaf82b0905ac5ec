"""Parts that fail: requests end with 503, nothing changes, and all is well when they are back."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from catalog.api.app import create_app
from catalog.settings import Settings
from catalog.versioning.revisions import encode_prefix
from tests.api.conftest import Lake
from tests.services import Service, object_store, postgres_server

SCHEMA = {"type": "struct", "fields": [{"id": 1, "name": "id", "type": "long", "required": True}]}
SET = {"requirements": [], "updates": [{"action": "set-properties", "updates": {"n": "1"}}]}
BOTH = [{"identifier": {"namespace": ["ns"], "name": name}, **SET} for name in ("a", "b")]
WRITES: dict[str, tuple[str, dict[str, Any]]] = {
    "create": ("/namespaces/ns/tables", {"name": "new", "schema": SCHEMA}),
    "commit": ("/namespaces/ns/tables/a", SET),
    "transaction": ("/transactions/commit", {"table-changes": BOTH}),
}


def send(lake: Lake, write: str) -> Any:
    path, body = WRITES[write]
    prefix = encode_prefix(lake.name, branch="main")
    return lake.client.post(f"/iceberg/v1/{prefix}{path}", json=body)


def load(lake: Lake, table: str = "a") -> Any:
    prefix = encode_prefix(lake.name, branch="main")
    return lake.client.get(f"/iceberg/v1/{prefix}/namespaces/ns/tables/{table}")


def unavailable(response: Any) -> None:
    assert response.status_code == 503, response.text
    assert response.headers["retry-after"] == "1"
    body = response.json()
    if "error" in body:
        error = body["error"]
        assert (error["code"], error["type"]) == (503, "ServiceUnavailableException")
        assert error["message"]
    else:
        assert body["code"] in ("unavailable", "storage-unavailable")


def filled(client: TestClient, location: str, **more: Any) -> Lake:
    """A warehouse with the tables `ns.a` and `ns.b` in it."""
    lake = Lake(client, "own")
    body = {"name": lake.name, "location": location, **more}
    assert client.post("/api/v1/warehouses", json=body).status_code == 201
    lake.namespace()
    for name in ("a", "b"):
        lake.table(name)
    return lake


def files(directory: Path) -> set[Path]:
    return {path for path in directory.rglob("*") if path.is_file()}


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("fault", [errno.ENOSPC, errno.EIO, errno.EACCES])
@pytest.mark.parametrize("backing", ["local"], indirect=True, scope="session")
def test_a_disk_that_fails_during_a_write_changes_nothing(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, write: str, fault: int
) -> None:
    def fail(descriptor: int) -> None:
        raise OSError(fault, os.strerror(fault))

    folder = Path(lake.get("")["location"].removeprefix("file://"))
    before = lake.head(), lake.get("/reflog"), files(folder)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        response = send(lake, write)
    unavailable(response)
    assert os.strerror(fault) in response.json()["error"]["message"]
    assert (lake.head(), lake.get("/reflog"), files(folder)) == before
    assert send(lake, write).is_success
    assert lake.head() != before[0]


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Lake, Service]]:
    """A lake in an object store of its own, and that store's server."""
    directory = tmp_path_factory.mktemp("stored")
    secrets = directory / "secrets.toml"
    secrets.touch()
    app = create_app(Settings(data_dir=directory, secrets_file=str(secrets)))
    with (
        object_store(directory) as store,
        TestClient(app, raise_server_exceptions=False) as client,
    ):
        store.reveal(secrets, "own")
        yield filled(client, f"s3://{store.bucket}/own", storage=store.storage), store.service


@pytest.mark.slow
def test_an_object_store_that_goes_away_and_comes_back(stored: tuple[Lake, Service]) -> None:
    lake, service = stored
    head = lake.head()
    service.stop()
    try:
        for write in WRITES:
            unavailable(send(lake, write))
        # What is stored in the database alone goes on.
        lake.branch("meanwhile")
        assert lake.head() == head
    finally:
        service.start()
    for write in WRITES:
        assert send(lake, write).is_success
    assert load(lake, "new").is_success
    assert lake.get("/commits", ref="main", limit=10)["commits"][-1]["parent_ids"] == []


@pytest.fixture(scope="module")
def based(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Lake, Service]]:
    """A lake on a PostgreSQL server of its own, and that server."""
    directory = tmp_path_factory.mktemp("based")
    with postgres_server(directory) as server:
        app = create_app(Settings(data_dir=directory, database_url=server.url))
        with TestClient(app, raise_server_exceptions=False) as client:
            yield filled(client, (directory / "own").as_uri()), server.service


@pytest.mark.slow
def test_a_database_that_goes_away_and_comes_back(based: tuple[Lake, Service]) -> None:
    lake, service = based
    # So that there is an answer in memory, which must not be given without the database.
    assert load(lake).is_success
    head, log = lake.head(), lake.get("/reflog")
    service.stop()
    try:
        for write in WRITES:
            unavailable(send(lake, write))
        unavailable(load(lake))
        unavailable(load(lake, "absent"))
        unavailable(lake.call("GET", "/branches"))
        unavailable(lake.call("POST", "/branches", {"name": "new", "from": "main"}))
        unavailable(lake.call("POST", "/merges", {"source": "main", "target": "main"}))
        unavailable(lake.client.get("/api/v1/health"))
        assert lake.client.get("/api/v1/server").is_success
    finally:
        service.start()
    assert lake.client.get("/api/v1/health").json() == {"status": "ok"}
    assert (lake.head(), lake.get("/reflog")) == (head, log)
    for write in WRITES:
        assert send(lake, write).is_success
    assert load(lake).json()["metadata"]["properties"]["n"] == "1"
    assert load(lake, "absent").status_code == 404


def test_a_server_is_healthy_while_its_database_answers(client: TestClient) -> None:
    response = client.get("/api/v1/health")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})
