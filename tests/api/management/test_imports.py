"""Imports over HTTP: what is asked and answered, and requests sent again."""

from typing import Any
from uuid import uuid4

import pytest

Lake = Any  # The fixture's type lives in conftest, which importlib mode cannot import.


@pytest.fixture
def location(lake: Lake) -> str:
    """The metadata file of a table that was dropped again."""
    found = lake.iceberg("GET", "main", "/namespaces/ns/tables/a")["metadata-location"]
    lake.drop("a")
    return str(found)


def test_a_table_is_registered_under_the_callers_words(lake: Lake, location: str) -> None:
    answer = lake.post(
        "/imports",
        tables=[{"key": ["new", "a"], "metadata_location": location}],
        message="Take over",
        author="Ada",
        metadata={"mainstem.import.catalog": "hive"},
    )
    assert [(name["key"], name["outcome"], name["reason"]) for name in answer["names"]] == [
        (["new"], "added", None),
        (["new", "a"], "added", None),
    ]
    commit = lake.get("/commits/main")
    assert commit["commit_id"] == answer["commit_id"]
    assert (commit["message"], commit["author"]) == ("Take over", "Ada")
    assert commit["metadata"]["mainstem.import.catalog"] == "hive"
    assert lake.get("/reflog", branch="main")["entries"][0]["operation"] == "import-tables"


def test_a_request_with_a_key_takes_place_once(lake: Lake, location: str) -> None:
    body = {"tables": [{"key": ["ns", "a"], "metadata_location": location}]}
    headers = {"Idempotency-Key": str(uuid4())}
    url = f"/api/v1/warehouses/{lake.name}/imports"
    first = lake.client.post(url, json=body, headers=headers)
    assert first.json()["names"][0]["outcome"] == "added"
    lake.drop("a")
    again = lake.client.post(url, json=body, headers=headers)
    assert (again.status_code, again.content) == (200, first.content)
    assert "a" not in lake.tables()


def test_nothing_goes_to_a_revision_that_is_no_branch(lake: Lake, location: str) -> None:
    tables = [{"key": ["ns", "a"], "metadata_location": location}]
    answer = lake.post("/imports", 403, branch="main~1", tables=tables)
    assert answer["code"] == "read-only-revision"
    assert lake.post("/imports", 404, branch="nowhere", tables=tables)["code"] == "no-such-revision"


@pytest.mark.parametrize(
    "table",
    [
        {"key": ["t"], "metadata_location": "file:///x"},
        {"key": ["ns", "t"]},
        {"key": ["ns", "t"], "metadata_location": ""},
        {"key": ["ns", "t"], "metadata_location": "file:///x", "kind": "function"},
        {"key": "ns.t", "metadata_location": "file:///x"},
    ],
)
def test_what_is_malformed_is_refused(lake: Lake, table: dict[str, Any]) -> None:
    head = lake.head()
    assert lake.post("/imports", 400, tables=[table])["code"] == "invalid-input"
    assert lake.head() == head
