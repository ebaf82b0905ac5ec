"""A warehouse of its own for every test, and both interfaces to it."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from catalog.api.app import create_app
from catalog.settings import Settings
from catalog.versioning.revisions import encode_prefix
from tests.services import ObjectStore

Json = dict[str, Any]
_SCHEMA = {
    "type": "struct",
    "fields": [{"id": 1, "name": "id", "type": "long", "required": True}],
}


def view_body(name: str) -> Json:
    """Return what creates a view of one column in `ns`."""
    version = {
        "version-id": 1,
        "timestamp-ms": 1,
        "schema-id": 0,
        "summary": {},
        "default-namespace": ["ns"],
        "representations": [{"type": "sql", "sql": "select 1", "dialect": "spark"}],
    }
    return {"name": name, "schema": _SCHEMA, "view-version": version, "properties": {}}


@dataclass(frozen=True)
class Lake:
    """One warehouse: management calls give (status, document), Iceberg's are for setting up."""

    client: TestClient
    name: str

    def call(self, method: str, path: str, body: Json | None = None, **query: Any) -> Any:
        """Send a request to `/api/v1/warehouses/{this}`; the path is used as it is."""
        return self.client.request(
            method, f"/api/v1/warehouses/{self.name}{path}", json=body, params=query or None
        )

    def get(self, path: str, **query: Any) -> Json:
        """Read a document that must be there."""
        response = self.call("GET", path, **query)
        assert response.status_code == 200, response.text
        document: Json = response.json()
        return document

    def post(self, path: str, status: int = 200, **body: Any) -> Json:
        """Send a document and expect this status."""
        response = self.call("POST", path, body)
        assert response.status_code == status, response.text
        document: Json = response.json()
        return document

    def branch(self, name: str, start: str = "main") -> str:
        """Create a branch and return its head."""
        return str(self.post("/branches", 201, name=name, **{"from": start})["commit_id"])

    def head(self, branch: str = "main") -> str:
        """Return a branch's head."""
        return str(self.get(f"/branches/{quote(branch, safe='')}")["commit_id"])

    def merge(self, source: str, target: str = "main", status: int = 200, **body: Any) -> Json:
        """Merge and expect this status."""
        return self.post("/merges", status, source=source, target=target, **body)

    def iceberg(
        self, method: str, branch: str, path: str, body: Json | None = None, status: int = 200
    ) -> Json:
        """Send a request to the Iceberg interface at a branch."""
        prefix = encode_prefix(self.name, branch=branch)
        response = self.client.request(method, f"/iceberg/v1/{prefix}{path}", json=body)
        assert response.status_code == status, response.text
        document: Json = response.json() if response.content else {}
        return document

    def namespace(self, name: str = "ns", branch: str = "main") -> None:
        """Create a namespace."""
        self.iceberg("POST", branch, "/namespaces", {"namespace": [name]})

    def table(self, name: str, branch: str = "main") -> None:
        """Create the table `ns.name`."""
        body = {"name": name, "schema": _SCHEMA}
        self.iceberg("POST", branch, "/namespaces/ns/tables", body)

    def view(self, name: str, branch: str = "main") -> None:
        """Create the view `ns.name`."""
        self.iceberg("POST", branch, "/namespaces/ns/views", view_body(name))

    def write(self, name: str, branch: str = "main", status: int = 200, **properties: str) -> Json:
        """Change the table `ns.name`, which gives it a new metadata file."""
        updates = [{"action": "set-properties", "updates": properties}]
        body = {"requirements": [], "updates": updates}
        return self.iceberg("POST", branch, f"/namespaces/ns/tables/{name}", body, status)

    def drop(self, name: str, branch: str = "main", status: int = 204) -> None:
        """Drop the table `ns.name`."""
        self.iceberg("DELETE", branch, f"/namespaces/ns/tables/{name}", status=status)

    def rename(self, name: str, to: str, branch: str = "main", status: int = 204) -> None:
        """Rename the table `ns.name`."""
        body = {
            "source": {"namespace": ["ns"], "name": name},
            "destination": {"namespace": ["ns"], "name": to},
        }
        self.iceberg("POST", branch, "/tables/rename", body, status)

    def properties(self, name: str, branch: str = "main") -> Json:
        """Return what was written to the table `ns.name`."""
        loaded = self.iceberg("GET", branch, f"/namespaces/ns/tables/{name}")
        properties: Json = loaded["metadata"]["properties"]
        return {key: value for key, value in properties.items() if "." not in key}

    def tables(self, branch: str = "main") -> list[str]:
        """Return the names of the tables in `ns`."""
        listed = self.iceberg("GET", branch, "/namespaces/ns/tables")
        return sorted(each["name"] for each in listed["identifiers"])

    def protect(self, pattern: str, **rules: Any) -> None:
        """Set a protection."""
        response = self.call("PUT", f"/protections/{quote(pattern, safe='')}", rules)
        assert response.status_code == 200, response.text


@dataclass(frozen=True)
class Backing:
    """What an application stands on: a database, and where warehouses keep their files."""

    settings: Settings
    files: str
    storage: dict[str, str]
    store: ObjectStore | None = None

    @property
    def secrets(self) -> dict[str, str]:
        """What the server's secrets file holds for each warehouse."""
        return {} if self.store is None else self.store.secrets


@pytest.fixture(scope="session", params=["local", pytest.param("services", marks=pytest.mark.slow)])
def backing(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Backing:
    """SQLite and local files, or PostgreSQL and an object store that speaks S3."""
    directory = tmp_path_factory.mktemp("api")
    if request.param == "local":
        return Backing(Settings(data_dir=directory), directory.as_uri(), {})
    url = request.getfixturevalue("new_database")()
    store: ObjectStore = request.getfixturevalue("s3")
    secrets = directory / "secrets.toml"
    secrets.touch()
    settings = Settings(data_dir=directory, database_url=url, secrets_file=str(secrets))
    location = f"s3://{store.bucket}/{directory.name}"
    return Backing(settings, location, store.storage, store)


@pytest.fixture(scope="session")
def client(backing: Backing) -> Iterator[TestClient]:
    """A running application."""
    app = create_app(backing.settings)
    with TestClient(app, raise_server_exceptions=False) as started:
        yield started


@pytest.fixture(scope="session")
def numbers() -> Iterator[int]:
    """Numbers that are never given twice."""
    return count()


@pytest.fixture
def empty(client: TestClient, backing: Backing, numbers: Iterator[int]) -> Lake:
    """A warehouse that holds nothing."""
    lake = Lake(client, f"w{next(numbers)}")
    if backing.store is not None:
        backing.store.reveal(Path(backing.settings.secrets_file), lake.name)
    location = f"{backing.files}/{lake.name}"
    body = {"name": lake.name, "location": location, "storage": backing.storage}
    response = client.post("/api/v1/warehouses", json=body)
    assert response.status_code == 201, response.text
    return lake


@pytest.fixture
def lake(empty: Lake) -> Lake:
    """A warehouse with the tables `ns.a` and `ns.b` on `main`."""
    empty.namespace()
    empty.table("a")
    empty.table("b")
    return empty
