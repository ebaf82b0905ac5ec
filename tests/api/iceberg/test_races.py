"""Clients that really run at once: every acknowledged commit counts, and no other."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from catalog.versioning.revisions import encode_prefix
from tests.api.conftest import view_body

CLIENTS = 8
SCHEMA = {"type": "struct", "fields": [{"id": 1, "name": "id", "type": "long", "required": True}]}


def at_once(lake, requests):
    """Send requests (method, path, body) at one moment and return their answers in order."""
    barrier = threading.Barrier(len(requests))
    prefix = encode_prefix(lake.name, branch="main")

    def send(request):
        method, path, body = request
        barrier.wait()
        return lake.client.request(method, f"/iceberg/v1/{prefix}{path}", json=body)

    with ThreadPoolExecutor(len(requests)) as pool:
        return list(pool.map(send, requests))


def statuses(answers):
    return sorted(answer.status_code for answer in answers)


def commits(lake):
    return len(lake.get("/commits", ref="main", limit=500)["commits"])


def test_a_race_to_create_has_one_winner(lake):
    before = commits(lake)
    body = {"name": "new", "schema": SCHEMA}
    answers = at_once(lake, [("POST", "/namespaces/ns/tables", body)] * CLIENTS)
    assert statuses(answers) == [200] + [409] * (CLIENTS - 1)
    winner = next(answer.json() for answer in answers if answer.status_code == 200)
    loaded = lake.iceberg("GET", "main", "/namespaces/ns/tables/new")
    assert loaded["metadata"]["table-uuid"] == winner["metadata"]["table-uuid"]
    losers = [answer.json()["error"] for answer in answers if answer.status_code == 409]
    assert {error["type"] for error in losers} == {"AlreadyExistsException"}
    assert commits(lake) == before + 1


def test_a_race_to_create_a_table_and_a_view_has_one_winner(lake):
    table = ("POST", "/namespaces/ns/tables", {"name": "new", "schema": SCHEMA})
    answers = at_once(lake, [table, ("POST", "/namespaces/ns/views", view_body("new"))] * 4)
    assert statuses(answers) == [200] + [409] * 7


def test_commits_without_requirements_all_take_place(lake):
    before = commits(lake)
    requests = [
        (
            "POST",
            "/namespaces/ns/tables/a",
            {
                "requirements": [],
                "updates": [{"action": "set-properties", "updates": {f"k{number}": "x"}}],
            },
        )
        for number in range(CLIENTS)
    ]
    assert statuses(at_once(lake, requests)) == [200] * CLIENTS
    assert lake.properties("a") == {f"k{number}": "x" for number in range(CLIENTS)}
    assert commits(lake) == before + CLIENTS


def test_of_commits_that_require_the_same_schema_one_takes_place(lake):
    def add_column(number):
        column = {"id": 2, "name": f"c{number}", "type": "int", "required": False}
        schema = {**SCHEMA, "schema-id": 1, "fields": [*SCHEMA["fields"], column]}
        body = {
            "requirements": [
                {"type": "assert-current-schema-id", "current-schema-id": 0},
                {"type": "assert-last-assigned-field-id", "last-assigned-field-id": 1},
            ],
            "updates": [
                {"action": "add-schema", "schema": schema, "last-column-id": 2},
                {"action": "set-current-schema", "schema-id": -1},
            ],
        }
        return ("POST", "/namespaces/ns/tables/a", body)

    answers = at_once(lake, [add_column(number) for number in range(CLIENTS)])
    assert statuses(answers) == [200] + [409] * (CLIENTS - 1)
    for answer in answers:
        if answer.status_code == 409:
            assert answer.json()["error"]["type"] == "CommitFailedException"
    winner = next(number for number, each in enumerate(answers) if each.status_code == 200)
    metadata = lake.iceberg("GET", "main", "/namespaces/ns/tables/a")["metadata"]
    assert len(metadata["schemas"]) == 2
    assert metadata["schemas"][1]["fields"][1]["name"] == f"c{winner}"


@pytest.mark.parametrize("shared", [True, False], ids=["one table in common", "nothing in common"])
def test_transactions_are_all_or_nothing_in_a_race(lake, shared):
    names = [f"t{number}" for number in range(CLIENTS)]
    for name in names:
        lake.table(name)

    def update(name, value, requirements=()):
        return {
            "identifier": {"namespace": ["ns"], "name": name},
            "requirements": list(requirements),
            "updates": [{"action": "set-properties", "updates": {"by": value}}],
        }

    # Whoever comes first gives the table another schema, so that nobody else's requirement holds.
    once = {"type": "assert-current-schema-id", "current-schema-id": 0}
    schema = {**SCHEMA, "schema-id": 1, "fields": [*SCHEMA["fields"]]}
    schema["fields"] = [*schema["fields"], {"id": 2, "name": "x", "type": "int", "required": False}]
    taken = [
        {"action": "add-schema", "schema": schema, "last-column-id": 2},
        {"action": "set-current-schema", "schema-id": -1},
    ]

    def transaction(name):
        changes = [update(name, name)]
        if shared:
            change = update("a", name, [once])
            changes.append({**change, "updates": [*change["updates"], *taken]})
        return ("POST", "/transactions/commit", {"table-changes": changes})

    before = commits(lake)
    answers = at_once(lake, [transaction(name) for name in names])
    won = [name for name, each in zip(names, answers, strict=True) if each.status_code == 204]
    lost = [each.status_code for each in answers if each.status_code != 204]
    assert (len(won), lost) == ((1, [409] * (CLIENTS - 1)) if shared else (CLIENTS, []))
    assert [name for name in names if lake.properties(name)] == won
    if shared:
        assert lake.properties("a") == {"by": won[0]}
    assert commits(lake) == before + len(won)


def test_a_drop_in_a_race_happens_once(lake):
    answers = at_once(lake, [("DELETE", "/namespaces/ns/tables/a", None)] * CLIENTS)
    assert statuses(answers) == [204] + [404] * (CLIENTS - 1)


def test_a_namespace_is_dropped_or_filled_but_never_both(lake):
    lake.iceberg("POST", "main", "/namespaces", {"namespace": ["empty"]})
    body = {"name": "t", "schema": SCHEMA}
    answers = at_once(
        lake,
        [("DELETE", "/namespaces/empty", None), ("POST", "/namespaces/empty/tables", body)] * 3,
    )
    drops, creations = answers[::2], answers[1::2]
    dropped = 204 in {each.status_code for each in drops}
    created = 200 in {each.status_code for each in creations}
    assert dropped != created
    expected = 404 if dropped else 204
    lake.iceberg("HEAD", "main", "/namespaces/empty", status=expected)
