"""What a merge of tables that one side alone changed does not do: touch object storage."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest
from fastapi.testclient import TestClient

from catalog.api.app import create_app
from catalog.files.file_io import StoredFiles
from catalog.settings import Settings

_TABLES = [f"t{number}" for number in range(20)]
_SCHEMA = {"type": "struct", "fields": []}


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    """An application that remembers no file, with tables on `main` of which `work` changed all."""
    with TestClient(create_app(Settings(data_dir=tmp_path, file_cache_bytes=0))) as client:
        _post(client, "/iceberg/v1/lake.main/namespaces", {"namespace": ["ns"]})
        for name in [*_TABLES, "other"]:
            body = {"name": name, "schema": _SCHEMA}
            _post(client, "/iceberg/v1/lake.main/namespaces/ns/tables", body)
        _post(client, "/api/v1/warehouses/lake/branches", {"name": "work", "from": "main"})
        _set(client, "work", _TABLES)
        yield client


def _post(client: TestClient, path: str, body: dict[str, Any]) -> Any:
    response = client.post(path, json=body)
    assert response.is_success, response.text
    return response.json() if response.content else None


def _set(client: TestClient, branch: str, names: list[str]) -> None:
    update = {"action": "set-properties", "updates": {"p": branch}}
    changes = [
        {
            "identifier": {"namespace": ["ns"], "name": name},
            "requirements": [],
            "updates": [update],
        }
        for name in names
    ]
    body = {"table-changes": changes}
    _post(client, f"/iceberg/v1/lake.{branch}/transactions/commit", body)


def _touched(*_: Any) -> NoReturn:
    raise AssertionError("object storage was touched")


@pytest.mark.parametrize("moved", [False, True], ids=["target unmoved", "target moved"])
def test_tables_changed_on_one_side_are_merged_without_their_files(
    client: TestClient, moved: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if moved:
        _set(client, "main", ["other"])
    with monkeypatch.context() as patched:
        patched.setattr(StoredFiles, "read", _touched)
        patched.setattr(StoredFiles, "write_all", _touched)
        with pytest.raises(AssertionError, match="touched"):
            client.get("/iceberg/v1/lake.work/namespaces/ns/tables/t0")
        body = {"source": "work", "target": "main"}
        merged = _post(client, "/api/v1/warehouses/lake/merges", body)
    assert sorted(change["key"][-1] for change in merged["changes"]) == sorted(_TABLES)
    loaded = client.get("/iceberg/v1/lake.main/namespaces/ns/tables/t0").json()
    assert loaded["metadata"]["properties"]["p"] == "work"
