"""A real server for the contracts, with something of everything in its warehouse."""

from collections.abc import Iterator

import httpx
import pytest

from catalog.versioning.revisions import encode_prefix
from tests.servers import serve

PREFIX = encode_prefix("lake", branch="main")
SCHEMA = {
    "type": "struct",
    "schema-id": 0,
    "fields": [{"id": 1, "name": "id", "type": "long", "required": True}],
}
VIEW_VERSION = {
    "version-id": 1,
    "timestamp-ms": 1,
    "schema-id": 0,
    "summary": {"engine": "spark"},
    "default-namespace": ["ns"],
    "representations": [{"type": "sql", "sql": "select 1", "dialect": "spark"}],
}
FUNCTION = {
    "parameters": [],
    "return-type": "int",
    "function-type": "udf",
    "current-version-id": 1,
    "versions": [
        {
            "version-id": 1,
            "representations": [{"type": "sql", "dialect": "spark", "sql": "1"}],
        }
    ],
}


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run a server; its warehouse is `lake`."""
    with serve(tmp_path_factory.mktemp("contract")) as address:
        yield address


@pytest.fixture
def filled(server: str) -> str:
    """See that the warehouse holds `ns.t`, `ns.v`, `ns.f`, a tag and a branch `work`."""
    iceberg, lake = f"/iceberg/v1/{PREFIX}/namespaces", "/api/v1/warehouses/lake"
    view = {"name": "v", "schema": SCHEMA, "view-version": VIEW_VERSION, "properties": {}}
    function = f"{lake}/functions/f?namespace=ns&branch=main"
    with httpx.Client(base_url=server) as client:
        for method, path, body in (
            ("POST", "/api/v1/warehouses", {"name": "lake", "location": "file:///nowhere"}),
            ("POST", iceberg, {"namespace": ["ns"]}),
            ("POST", f"{iceberg}/ns/tables", {"name": "t", "schema": SCHEMA}),
            ("POST", f"{iceberg}/ns/views", view),
            ("PUT", function, {"definitions": [FUNCTION]}),
            ("POST", f"{lake}/tags", {"name": "v1", "at": "main"}),
            ("POST", f"{lake}/branches", {"name": "work", "from": "main"}),
        ):
            response = client.request(method, path, json=body)
            assert response.is_success or response.status_code == 409, response.text
    return server
