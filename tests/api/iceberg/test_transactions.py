"""Commits to several tables at once: one commit of the branch, or nothing."""

import pytest


def change(name, *, requirements=(), namespace="ns", **properties):
    return {
        "identifier": {"namespace": [namespace], "name": name},
        "requirements": list(requirements),
        "updates": [{"action": "set-properties", "updates": properties}],
    }


def commit(lake, *changes, status=204, branch="main"):
    body = {"table-changes": list(changes)}
    return lake.iceberg("POST", branch, "/transactions/commit", body, status)


NEVER = {"type": "assert-table-uuid", "uuid": "00000000-0000-0000-0000-000000000000"}
ABSENT = {"type": "assert-create"}


def creation(lake, name):
    """Stage a table, and return the change that creates it."""
    column = {"id": 1, "name": "id", "type": "long", "required": True}
    schema = {"type": "struct", "fields": [column]}
    request = {"name": name, "schema": schema, "stage-create": True}
    staged = lake.iceberg("POST", "main", "/namespaces/ns/tables", request)["metadata"]
    return {
        "identifier": {"namespace": ["ns"], "name": name},
        "requirements": [ABSENT],
        "updates": [
            {"action": "assign-uuid", "uuid": staged["table-uuid"]},
            {"action": "upgrade-format-version", "format-version": 2},
            {"action": "set-location", "location": staged["location"]},
            {"action": "add-schema", "schema": staged["schemas"][0], "last-column-id": 1},
            {"action": "set-current-schema", "schema-id": -1},
            {"action": "add-spec", "spec": {"spec-id": 0, "fields": []}},
            {"action": "set-default-spec", "spec-id": -1},
            {"action": "add-sort-order", "sort-order": {"order-id": 0, "fields": []}},
            {"action": "set-default-sort-order", "sort-order-id": -1},
        ],
    }


def test_all_tables_change_in_one_commit(lake):
    before = lake.head()
    commit(lake, change("a", x="1"), change("b", x="2"))
    made = lake.get("/commits/main")
    assert made["parent_ids"] == [before]
    assert [each["key"] for each in made["changes"]] == [["ns", "a"], ["ns", "b"]]
    assert (lake.properties("a"), lake.properties("b")) == ({"x": "1"}, {"x": "2"})


@pytest.mark.parametrize("position", [0, 1, 2])
def test_one_failed_requirement_changes_no_table(lake, position):
    lake.table("c")
    before = lake.head()
    changes = [change(name, x="1") for name in "abc"]
    changes[position] = change("abc"[position], requirements=[NEVER], x="1")
    document = commit(lake, *changes, status=409)["error"]
    assert document["type"] == "CommitFailedException"
    assert "Requirement failed: UUID does not match" in document["message"]
    assert lake.head() == before
    assert [lake.properties(name) for name in "abc"] == [{}, {}, {}]


@pytest.mark.parametrize(
    ("spoiled", "status"),
    [
        (change("missing", x="1"), 404),
        (change("b", namespace="nowhere", x="1"), 404),
        ({**change("b"), "updates": [{"action": "fly"}]}, 400),
        ({**change("b"), "updates": [{"action": "set-current-schema", "schema-id": 7}]}, 400),
        ({**change("b"), "identifier": None}, 400),
        (change("a", y="2"), 400),
    ],
    ids=["no table", "no namespace", "unknown update", "no schema", "nameless", "named twice"],
)
def test_one_bad_change_changes_no_table(lake, spoiled, status):
    before = lake.head()
    commit(lake, change("a", x="1"), spoiled, status=status)
    assert lake.head() == before
    assert lake.properties("a") == {}


def test_a_table_is_created_beside_a_change(lake):
    created = creation(lake, "new")
    assert lake.tables() == ["a", "b"]
    commit(lake, change("a", x="1"), created)
    assert lake.tables() == ["a", "b", "new"]
    loaded = lake.iceberg("GET", "main", "/namespaces/ns/tables/new")
    assert loaded["metadata"]["table-uuid"] == created["updates"][0]["uuid"]


def test_a_transaction_that_took_place_may_come_again(lake):
    created = creation(lake, "c")
    (location,) = (each["location"] for each in created["updates"] if "location" in each)
    snapshot = {
        "snapshot-id": 7,
        "sequence-number": 1,
        "timestamp-ms": 1,
        "manifest-list": f"{location}/metadata/snap-7.avro",
        "summary": {"operation": "append"},
        "schema-id": 0,
    }
    ref = {"action": "set-snapshot-ref", "ref-name": "main", "type": "branch", "snapshot-id": 7}
    created["updates"] += [{"action": "add-snapshot", "snapshot": snapshot}, ref]
    field = {"type": "assert-last-assigned-field-id", "last-assigned-field-id": 1}
    commit(lake, created, change("a", requirements=[field], x="1"))
    lake.write("a", x="2")
    head = lake.head()
    commit(lake, created, change("a", requirements=[field], x="1"))
    assert lake.head() == head
    # Another transaction that holds the same creation is another one.
    commit(lake, created, creation(lake, "d"), status=409)
    assert lake.tables() == ["a", "b", "c"]


def test_a_creation_that_comes_too_late_changes_nothing(lake):
    late = creation(lake, "new")
    lake.table("new")
    before = lake.head()
    document = commit(lake, change("a", x="1"), late, status=409)["error"]
    assert document["message"].startswith("Requirement failed: table already exists")
    assert lake.head() == before


def test_an_empty_transaction_is_refused(lake):
    assert "empty" in commit(lake, status=400)["error"]["message"]


def test_a_transaction_commits_to_another_branch_by_name(lake):
    lake.branch("work")
    commit(lake, change("a@work", x="1"), change("b@work", x="2"))
    assert (lake.properties("a"), lake.properties("b")) == ({}, {})
    assert (lake.properties("a", "work"), lake.properties("b", "work")) == ({"x": "1"}, {"x": "2"})


def test_a_transaction_is_of_one_branch(lake):
    lake.branch("work")
    commit(lake, change("a@work", x="1"), change("b", x="2"), status=400)
    assert lake.properties("b") == {}
    assert lake.properties("a", "work") == {}


def test_a_transaction_on_a_tag_is_refused(lake):
    lake.post("/tags", 201, name="v1", at="main")
    document = commit(lake, change("a@v1", x="1"), status=403)["error"]
    assert "v1" in document["message"]
