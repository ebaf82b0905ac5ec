"""The same request under the same key is answered as before, and does nothing again."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from starlette.testclient import TestClient
from structlog.testing import capture_logs

from catalog.api import idempotency
from catalog.api.app import create_app
from catalog.operations import commit as door
from catalog.operations.idempotency import drop_expired
from catalog.settings import Settings
from catalog.versioning.revisions import encode_prefix
from tests.api.conftest import view_body

SCHEMA = {"type": "struct", "fields": [{"id": 1, "name": "id", "type": "long", "required": True}]}


def set_properties(**properties):
    return {"requirements": [], "updates": [{"action": "set-properties", "updates": properties}]}


def identifier(name):
    return {"namespace": ["ns"], "name": name}


def send(lake, method, path, body=None, *, key, branch="main"):
    prefix = encode_prefix(lake.name, branch=branch)
    return lake.client.request(
        method, f"/iceberg/v1/{prefix}{path}", json=body, headers={"Idempotency-Key": key}
    )


def commits(lake, branch="main"):
    return len(lake.get("/commits", ref=branch)["commits"])


@pytest.fixture
def key():
    return str(uuid4())


MUTATIONS = [
    ("POST", "/namespaces", {"namespace": ["new"], "properties": {"owner": "ada"}}),
    ("POST", "/namespaces/ns/properties", {"updates": {"a": "1"}, "removals": ["b"]}),
    ("DELETE", "/namespaces/spare", None),
    ("POST", "/namespaces/ns/tables", {"name": "new", "schema": SCHEMA}),
    ("POST", "/namespaces/ns/tables/a", set_properties(x="1")),
    ("DELETE", "/namespaces/ns/tables/a", None),
    ("POST", "/tables/rename", {"source": identifier("a"), "destination": identifier("c")}),
    (
        "POST",
        "/transactions/commit",
        {
            "table-changes": [
                {"identifier": identifier(name), **set_properties(x="1")} for name in "ab"
            ]
        },
    ),
    ("POST", "/namespaces/ns/views", view_body("w")),
    ("POST", "/namespaces/ns/views/v", set_properties(x="1")),
    ("DELETE", "/namespaces/ns/views/v", None),
    ("POST", "/views/rename", {"source": identifier("v"), "destination": identifier("w")}),
]


@pytest.mark.parametrize(
    ("method", "path", "body"), MUTATIONS, ids=[f"{each[0]} {each[1]}" for each in MUTATIONS]
)
def test_a_mutation_sent_twice_takes_place_once(lake, key, method, path, body):
    lake.namespace("spare")
    lake.view("v")
    before = commits(lake)
    first = send(lake, method, path, body, key=key)
    assert first.status_code < 300, first.text
    second = send(lake, method, path, body, key=key)
    assert (second.status_code, second.content) == (first.status_code, first.content)
    assert second.headers.get("etag") == first.headers.get("etag")
    assert second.headers.get("content-type") == first.headers.get("content-type")
    assert commits(lake) == before + 1


def test_a_registration_sent_twice_takes_place_once(lake, key):
    loaded = lake.iceberg("GET", "main", "/namespaces/ns/tables/a")
    body = {"name": "r", "metadata-location": loaded["metadata-location"]}
    first = send(lake, "POST", "/namespaces/ns/register", body, key=key)
    second = send(lake, "POST", "/namespaces/ns/register", body, key=key)
    assert first.status_code == 200
    assert first.content == second.content


def test_a_staged_table_sent_twice_is_the_same_table(lake, key):
    body = {"name": "staged", "schema": SCHEMA, "stage-create": True}
    first = send(lake, "POST", "/namespaces/ns/tables", body, key=key)
    second = send(lake, "POST", "/namespaces/ns/tables", body, key=key)
    assert first.status_code == 200
    assert first.json()["metadata"]["table-uuid"] == second.json()["metadata"]["table-uuid"]


def test_the_answer_stays_when_the_table_goes_on(lake, key):
    first = send(lake, "POST", "/namespaces/ns/tables/a", set_properties(x="1"), key=key)
    lake.write("a", x="2")
    second = send(lake, "POST", "/namespaces/ns/tables/a", set_properties(x="1"), key=key)
    assert second.content == first.content
    assert lake.properties("a") == {"x": "2"}


def test_the_answer_stays_when_the_branch_is_gone(lake, key):
    lake.branch("side")
    first = send(lake, "DELETE", "/namespaces/ns/tables/a", key=key, branch="side")
    assert lake.call("DELETE", "/branches/side").status_code == 204
    second = send(lake, "DELETE", "/namespaces/ns/tables/a", key=key, branch="side")
    assert (first.status_code, second.status_code) == (204, 204)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/namespaces/ns/tables/a", set_properties(x="2")),
        ("POST", "/namespaces/ns/tables/b", set_properties(x="1")),
        ("DELETE", "/namespaces/ns/tables/a", None),
    ],
    ids=["another body", "another path", "another method"],
)
def test_a_key_is_for_one_request(lake, key, method, path, body):
    first = send(lake, "POST", "/namespaces/ns/tables/a", set_properties(x="1"), key=key)
    assert first.status_code == 200
    before = commits(lake)
    other = send(lake, method, path, body, key=key)
    assert other.status_code == 400
    assert other.json()["error"]["type"] == "IllegalArgumentException"
    assert key in other.json()["error"]["message"]
    assert commits(lake) == before


def test_an_upper_case_key_is_the_same_key(lake, key):
    for text in (key, key.upper()):
        response = send(lake, "DELETE", "/namespaces/ns/tables/a", key=text)
        assert response.status_code == 204


@pytest.mark.parametrize("bad", ["", "7", "not-a-uuid" * 3 + "------", "{" + "0" * 34 + "}"])
def test_a_malformed_key_is_refused(lake, bad):
    response = send(lake, "DELETE", "/namespaces/ns/tables/a", key=bad)
    assert response.status_code == 400
    assert "Idempotency-Key" in response.json()["error"]["message"]
    assert lake.tables() == ["a", "b"]


def test_a_final_error_is_answered_again(lake, key):
    body = {"name": "a", "schema": SCHEMA}
    first = send(lake, "POST", "/namespaces/ns/tables", body, key=key)
    assert first.status_code == 409
    lake.drop("a")
    second = send(lake, "POST", "/namespaces/ns/tables", body, key=key)
    assert second.content == first.content
    assert lake.tables() == ["b"]


def test_a_refusal_by_a_protection_is_not_final(lake, key):
    lake.protect("main", require_merge=True)
    assert send(lake, "DELETE", "/namespaces/ns/tables/a", key=key).status_code == 403
    lake.call("DELETE", "/protections/main")
    assert send(lake, "DELETE", "/namespaces/ns/tables/a", key=key).status_code == 204


def test_a_fault_before_the_commit_leaves_nothing(lake, key, monkeypatch):
    with monkeypatch.context() as patch, capture_logs():
        patch.setattr(door, "_move", raise_fault)
        first = send(lake, "POST", "/namespaces/ns/tables/a", set_properties(x="1"), key=key)
    assert first.status_code == 500
    assert lake.properties("a") == {}
    second = send(lake, "POST", "/namespaces/ns/tables/a", set_properties(x="1"), key=key)
    assert second.status_code == 200
    assert lake.properties("a") == {"x": "1"}


def test_a_fault_after_the_commit_is_answered_by_the_commit(lake, key, monkeypatch):
    move = door._move

    def move_and_fail(*arguments):
        assert move(*arguments)
        raise_fault()

    with monkeypatch.context() as patch, capture_logs():
        patch.setattr(door, "_move", move_and_fail)
        body = {"name": "new", "schema": SCHEMA}
        first = send(lake, "POST", "/namespaces/ns/tables", body, key=key)
    assert first.status_code == 500
    before = commits(lake)
    second = send(lake, "POST", "/namespaces/ns/tables", body, key=key)
    assert second.status_code == 200
    loaded = lake.iceberg("GET", "main", "/namespaces/ns/tables/new")
    assert second.json()["metadata-location"] == loaded["metadata-location"]
    assert second.json()["metadata"] == loaded["metadata"]
    assert commits(lake) == before


def raise_fault(*arguments):
    raise RuntimeError("the server dies here")


def test_concurrent_duplicates_are_answered_once(lake, key):
    before = commits(lake)
    answers = []
    start = threading.Barrier(8)

    def run():
        start.wait()
        body = {"namespace": ["once"], "properties": {"a": "1"}}
        answers.append(send(lake, "POST", "/namespaces", body, key=key))

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {(each.status_code, each.content) for each in answers} == {(200, answers[0].content)}
    assert commits(lake) == before + 1


def test_duplicates_on_two_replicas_are_answered_once(lake, backing, key):
    before = commits(lake)
    with TestClient(create_app(backing.settings)) as other:
        replicas = [lake, replace(lake, client=other)]
        path, body = "/namespaces/ns/tables/a", set_properties(x="1")
        with ThreadPoolExecutor(max_workers=8) as pool:
            waiting = [
                pool.submit(send, replica, "POST", path, body, key=key) for replica in replicas * 4
            ]
            answers = [each.result() for each in waiting]
    assert {(each.status_code, each.content) for each in answers} == {(200, answers[0].content)}
    assert commits(lake) == before + 1


def test_a_duplicate_that_reaches_the_commit_is_answered_as_the_first(lake, key, monkeypatch):
    path, body = "/namespaces/ns/tables/a", set_properties(x="1")
    first = send(lake, "POST", path, body, key=key)
    before = commits(lake)
    # Both had looked for the key before either committed.
    monkeypatch.setattr(idempotency, "find_answer", lambda *arguments: None)
    second = send(lake, "POST", path, set_properties(x="1"), key=key)
    assert second.status_code == 200, second.text
    assert second.content == first.content
    assert commits(lake) == before


def test_a_change_that_is_none_has_its_answer_kept(lake, key):
    lake.write("a", x="1")
    first = send(lake, "POST", "/namespaces/ns/properties", {"removals": ["b"]}, key=key)
    before = commits(lake)
    lake.iceberg("POST", "main", "/namespaces/ns/properties", {"updates": {"b": "1"}})
    second = send(lake, "POST", "/namespaces/ns/properties", {"removals": ["b"]}, key=key)
    assert second.json() == first.json() == {"updated": [], "removed": [], "missing": ["b"]}
    assert commits(lake) == before + 1


def test_a_long_body_is_refused_as_without_a_key(tmp_path, key):
    settings = Settings(data_dir=tmp_path, max_body_bytes=1000)
    with TestClient(create_app(settings)) as client:
        response = client.post(
            f"/iceberg/v1/{encode_prefix('lake', branch='main')}/namespaces",
            json={"namespace": ["x" * 2000]},
            headers={"Idempotency-Key": key},
        )
    assert response.status_code == 413


class Time:
    """A clock that stands still until it is moved."""

    def __init__(self):
        self.now = datetime(2026, 11, 24, tzinfo=UTC)

    def __call__(self):
        return self.now


def test_keys_expire_and_are_dropped(tmp_path, key):
    app = create_app(Settings(data_dir=tmp_path, idempotency_key_lifetime_seconds=60))
    with TestClient(app) as client:
        time = Time()
        catalog = app.state.catalog = replace(app.state.catalog, clock=time)

        def create(name):
            return client.post(
                f"/iceberg/v1/{encode_prefix('lake', branch='main')}/namespaces",
                json={"namespace": [name]},
                headers={"Idempotency-Key": key},
            ).status_code

        assert (create("a"), create("a"), create("b")) == (200, 200, 400)
        time.now += timedelta(seconds=59)
        assert create("b") == 400
        time.now += timedelta(seconds=2)
        assert create("b") == 200
        assert drop_expired(catalog.engine, time.now) == 0
        assert drop_expired(catalog.engine, time.now + timedelta(seconds=1)) == 1


def test_config_tells_how_long_keys_live(client):
    config = client.get("/iceberg/v1/config").json()
    assert config["idempotency-key-lifetime"] == "PT86400S"


def test_management_mutations_take_place_once(lake, key):
    def call(method, path, body=None, status=None):
        used = str(uuid4())
        answers = [
            lake.client.request(
                method,
                f"/api/v1/warehouses/{lake.name}{path}",
                json=body,
                headers={"Idempotency-Key": used},
            )
            for _ in range(2)
        ]
        assert [each.status_code for each in answers] == [status, status], answers[1].text
        assert answers[0].content == answers[1].content
        return answers[0].json() if answers[0].content else None

    call("POST", "/branches", {"name": "side", "from": "main"}, 201)
    lake.write("a", "side", x="1")
    merged = call("POST", "/merges", {"source": "side", "target": "main"}, 200)
    assert lake.head() == merged["commit_id"]
    assert lake.get("/commits/main")["parent_ids"][0] == merged["previous_commit_id"]
    call("POST", "/tags", {"name": "v1", "at": "main"}, 201)
    call("POST", "/reverts", {"commit_id": "main", "target": "main"}, 200)
    call("POST", "/branches/side/reset", {"to": "main~1"}, 200)
    call("POST", "/cherry-picks", {"commit_ids": [merged["commit_id"]], "target": "main"}, 200)
    call("POST", "/commits/main/checks", {"name": "dbt", "state": "success"}, 201)
    call("PUT", "/protections/x", {"forbid_delete": True}, 200)
    call("DELETE", "/protections/x", None, 204)
    call("PATCH", "", {"default_branch": "side"}, 200)
    call("PATCH", "", {"default_branch": "main"}, 200)
    call("DELETE", "/tags/v1", None, 204)
    call("DELETE", "/branches/side", None, 204)
    operations = [each["operation"] for each in lake.get("/reflog", branch="main")["entries"]]
    assert operations[:3] == ["cherry-pick", "revert", "merge"]
    call("DELETE", "", None, 204)


def test_a_warehouse_is_created_once(client, key, tmp_path):
    body = {"name": "twice", "location": f"{tmp_path.as_uri()}/twice"}
    answers = [
        client.post("/api/v1/warehouses", json=body, headers={"Idempotency-Key": key})
        for _ in range(2)
    ]
    assert [each.status_code for each in answers] == [201, 201]
    assert answers[0].content == answers[1].content


def test_a_reused_key_is_a_problem_for_the_management_interface(lake, key):
    for name, status in (("one", 201), ("two", 400)):
        response = lake.client.post(
            f"/api/v1/warehouses/{lake.name}/branches",
            json={"name": name, "from": "main"},
            headers={"Idempotency-Key": key},
        )
        assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["code"] == "idempotency-key-reused"


def test_the_interfaces_document_names_the_key_for_every_mutation(client):
    paths = client.get("/api/v1/openapi.json").json()["paths"]
    for path, operations in paths.items():
        for method, operation in operations.items():
            named = [each["name"] for each in operation.get("parameters", [])]
            assert method == "get" or "idempotency-key" in named, (method, path)
