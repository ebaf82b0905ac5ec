"""Diffs and commits with details over HTTP."""

from typing import Any

import pytest

from catalog.clock import now, to_millis
from catalog.errors import NoSuchFile
from catalog.operations import details
from catalog.operations.metadata import read_metadata

Lake = Any  # The fixture's type lives in conftest, which importlib mode cannot import.


def update(lake: Lake, name: str, *updates: dict[str, Any], branch: str = "main") -> None:
    body = {"requirements": [], "updates": list(updates)}
    lake.iceberg("POST", branch, f"/namespaces/ns/tables/{name}", body)


def snapshot(number: int, parent: int | None, added: int, total: int) -> list[dict[str, Any]]:
    summary = {
        "operation": "append",
        "added-records": str(added),
        "added-data-files": "1",
        "total-records": str(total),
        "total-data-files": str(number),
    }
    made = {
        "snapshot-id": number,
        "sequence-number": number,
        "timestamp-ms": to_millis(now()),
        "manifest-list": f"file:///nowhere/{number}.avro",
        "summary": summary,
        "schema-id": 0,
        **({} if parent is None else {"parent-snapshot-id": parent}),
    }
    head = {"ref-name": "main", "type": "branch", "snapshot-id": number}
    return [
        {"action": "add-snapshot", "snapshot": made},
        {"action": "set-snapshot-ref", **head},
    ]


@pytest.fixture
def changed(lake: Lake) -> Lake:
    """Give a lake whose branch `day` has changed ns.a in every way, renamed ns.b, and more."""
    lake.branch("day")
    schema = {
        "type": "struct",
        "fields": [
            {"id": 1, "name": "slide", "type": "long", "required": True},
            {"id": 2, "name": "grade", "type": "string", "required": False},
        ],
    }
    update(
        lake,
        "a",
        {"action": "add-schema", "schema": schema},
        {"action": "set-current-schema", "schema-id": -1},
        {"action": "set-properties", "updates": {"team": "pathology"}},
        branch="day",
    )
    table = lake.iceberg("GET", "day", "/namespaces/ns/tables/a")["metadata"]["location"]
    for number, parent, added, total in ((1, None, 10, 10), (2, 1, 5, 15)):
        updates = snapshot(number, parent, added, total)
        updates[0]["snapshot"]["manifest-list"] = f"{table}/metadata/{number}.avro"
        update(lake, "a", *updates, branch="day")
    lake.rename("b", "renamed", "day")
    lake.namespace("more", "day")
    return lake


def detailed(lake: Lake, **query: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    document = lake.get("/diff", **{"from": "main", "to": "day", "detail": True, **query})
    return {".".join(each["key"]): each["detail"] for each in document["changes"]}, document


def test_a_diff_with_details_tells_what_changed_within(changed: Lake) -> None:
    found, document = detailed(changed)
    parts = [(each["part"], each["name"], each["change"]) for each in found["ns.a"]["parts"]]
    assert parts == [
        ("column", "slide", "modified"),
        ("column", "grade", "added"),
        ("property", "team", "added"),
        ("snapshot", "snapshot", "added"),
    ]
    assert found["ns.a"]["parts"][0]["aspects"] == ["renamed"]
    data = found["ns.a"]["data"]
    assert (data["basis"], data["rows_added"], data["files_added"]) == ("snapshots", 15, 2)
    assert [each["snapshot_id"] for each in data["snapshots"]] == [2, 1]
    assert found["ns.renamed"]["parts"] == []
    assert found["more"] == {"parts": [], "data": None}
    totals = document["totals"]
    assert (totals["tables"], totals["rows_added"], totals["left_out"]) == (2, 15, 0)
    assert totals["by_difference"]["tables"] == 0


def test_a_plain_diff_and_commit_read_no_metadata(changed: Lake, monkeypatch) -> None:
    def fail(*_: Any) -> None:
        raise AssertionError("metadata was read")

    monkeypatch.setattr(details, "read_metadata", fail)
    plain = changed.get("/diff", **{"from": "main", "to": "day"})
    assert "totals" not in plain
    assert not any("detail" in each for each in plain["changes"])
    assert "totals" not in changed.get("/commits/day~2")


def test_a_commit_tells_details_on_request(changed: Lake) -> None:
    commit = changed.get("/commits/day~2", detail=True)
    (change,) = commit["changes"]
    assert change["detail"]["data"]["rows_added"] == commit["totals"]["rows_added"] == 5


def test_properties_of_a_namespace_are_told(lake: Lake) -> None:
    body = {"removals": [], "updates": {"owner": "Ada"}}
    lake.iceberg("POST", "main", "/namespaces/ns/properties", body)
    (change,) = lake.get("/commits/main", detail=True)["changes"]
    assert change["detail"]["parts"] == [
        {"part": "property", "name": "owner", "change": "added", "to": "Ada"}
    ]


def test_metadata_that_is_gone_does_not_hide_the_rest(lake: Lake, monkeypatch) -> None:
    lake.branch("day")
    for name in ("a", "b"):
        lake.write(name, "day", by="day")
    changes = lake.get("/diff", **{"from": "main", "to": "day"})["changes"]
    gone = changes[0]["to"]["metadata_location"]

    def read(warehouse: Any, location: str) -> Any:
        if location == gone:
            raise NoSuchFile(f"Failed to open {location}")
        return read_metadata(warehouse, location)

    monkeypatch.setattr(details, "read_metadata", read)
    found, document = detailed(lake)
    assert found["ns.a"] == {"unreadable": f"Failed to open {gone}"}
    assert found["ns.b"]["parts"][0]["name"] == "by"
    assert document["totals"]["unreadable"] == 1


def test_details_are_told_of_so_many_changes_only(changed: Lake, monkeypatch) -> None:
    monkeypatch.setattr(details, "_MAX_DETAILED", 2)
    document = changed.get("/diff", **{"from": "main", "to": "day", "detail": True})
    assert ["detail" in each for each in document["changes"]] == [True, True, False]
    assert document["totals"]["left_out"] == 1
