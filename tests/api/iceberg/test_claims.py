"""What engines say of a commit: by headers for a session, by a snapshot for one write."""

from typing import Any

import pytest

Json = dict[str, Any]


def add(lake, name: str, number: int, **summary: str) -> Json:
    """The change of a table that adds a snapshot with this in its summary."""
    path = f"/namespaces/ns/tables/{name}"
    metadata = lake.iceberg("GET", "main", path)["metadata"]
    snapshot = {
        "snapshot-id": number,
        "sequence-number": metadata["last-sequence-number"] + 1,
        "timestamp-ms": metadata["last-updated-ms"],
        "manifest-list": f"{metadata['location']}/metadata/snap-{number}.avro",
        "summary": {"operation": "append", **summary},
        "schema-id": 0,
    }
    return {
        "identifier": {"namespace": ["ns"], "name": name},
        "requirements": [],
        "updates": [{"action": "add-snapshot", "snapshot": snapshot}],
    }


def commit(lake, change: Json, status: int = 200, **headers: str) -> Json:
    """Commit the change of one table, and give what the log says of the head."""
    path = f"/namespaces/ns/tables/{change['identifier']['name']}"
    lake.client.headers.update(headers)
    try:
        answer = lake.iceberg("POST", "main", path, change, status)
    finally:
        for name in headers:
            del lake.client.headers[name]
    return answer if status != 200 else lake.get("/commits/main")


def test_a_snapshot_says_author_message_and_metadata(lake) -> None:
    lake.table("t")
    said = {
        "mainstem.author": "Ada Byron",
        "mainstem.message": "Grade slide 3",
        "mainstem.metadata.dbt-model": "features.slides",
    }
    made = commit(lake, add(lake, "t", 1, **said))
    assert (made["author"], made["message"]) == ("Ada Byron", "Grade slide 3")
    assert made["metadata"] == {"dbt-model": "features.slides"}
    loaded = lake.iceberg("GET", "main", "/namespaces/ns/tables/t")["metadata"]
    assert loaded["snapshots"][0]["summary"] == {"operation": "append", **said}


def test_a_statement_says_it_over_its_session(lake) -> None:
    lake.table("t")
    change = add(lake, "t", 1, **{"mainstem.message": "one", "mainstem.metadata.run": "2"})
    headers = {
        "X-Mainstem-Author": "Ada Byron",
        "X-Mainstem-Message": "all",
        "X-Mainstem-Metadata-Run": "1",
        "X-Mainstem-Metadata-Job": "nightly",
    }
    made = commit(lake, change, **headers)
    assert (made["author"], made["message"]) == ("Ada Byron", "one")
    assert made["metadata"] == {"run": "2", "job": "nightly"}


def test_several_tables_say_it_together(lake) -> None:
    changes = [
        add(lake, "a", 1, **{"mainstem.message": "one", "mainstem.metadata.run": "1"}),
        add(lake, "b", 2, **{"mainstem.message": "two", "mainstem.metadata.run": "1"}),
    ]
    lake.iceberg("POST", "main", "/transactions/commit", {"table-changes": changes}, 204)
    made = lake.get("/commits/main")
    assert (made["message"], made["metadata"]) == ("one\ntwo", {"run": "1"})


@pytest.mark.parametrize("name", ["mainstem.merge.source", "mainstem.revert.commit", ""])
def test_nobody_says_what_is_the_servers_to_say(lake, name: str) -> None:
    lake.table("t")
    change = add(lake, "t", 1, **{f"mainstem.metadata.{name}": "x"})
    assert "may not hold" in commit(lake, change, 400)["error"]["message"]
    headers = {f"X-Mainstem-Metadata-{name}": "x"}
    assert "may not hold" in commit(lake, add(lake, "t", 1), 400, **headers)["error"]["message"]


def test_control_characters_are_refused(lake) -> None:
    lake.table("t")
    change = add(lake, "t", 1, **{"mainstem.message": "a\u0000b"})
    assert "control character" in commit(lake, change, 400)["error"]["message"]


@pytest.mark.parametrize(
    ("operations", "message"),
    [
        (["append"], "Append to table ns.t"),
        (["append", "append"], "Append to table ns.t"),
        (["delete"], "Delete from table ns.t"),
        (["replace"], "Compact table ns.t"),
        (["delete", "append"], "Overwrite in table ns.t"),
        (["overwrite", "append"], "Overwrite in table ns.t"),
    ],
)
def test_the_message_says_what_happened_to_rows_where_nobody_does(
    lake, operations: list[str], message: str
) -> None:
    lake.table("t")
    change = add(lake, "t", 1, operation=operations[0])
    if len(operations) > 1:
        [update] = change["updates"]
        snapshot = {
            **update["snapshot"],
            "snapshot-id": 2,
            "parent-snapshot-id": 1,
            "sequence-number": update["snapshot"]["sequence-number"] + 1,
            "summary": {"operation": operations[1]},
        }
        change["updates"].append({"action": "add-snapshot", "snapshot": snapshot})
    assert commit(lake, change)["message"] == message
