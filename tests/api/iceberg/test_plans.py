"""Scan planning over HTTP: plans and tasks hold on every server, on every revision."""

import base64
import json
import zlib
from itertools import count
from urllib.parse import quote

import pytest

from catalog.files.file_io import open_files
from catalog.versioning.revisions import encode_prefix
from tests.manifests import entry, file, listed, manifest, manifest_list

TABLE = "/namespaces/ns/tables/a"
ALL = [f"f{number:02}" for number in range(12)]
numbers = count(1)
# The tests write manifests into the folder of the table themselves.
pytestmark = pytest.mark.parametrize("backing", ["local"], indirect=True, scope="session")


@pytest.fixture(autouse=True)
def small_pages(monkeypatch):
    monkeypatch.setattr("catalog.iceberg.scans.planning.FILES_PER_PAGE", 5)


@pytest.fixture
def files(backing):
    """The files of the warehouse."""
    return open_files({**backing.storage, **backing.secrets})


def append(lake, files, paths, *, branch="main", manifests=(), **summary):
    """Replace the files of the table by these, in two manifests; give the snapshot's id."""
    metadata = lake.iceberg("GET", branch, TABLE)["metadata"]
    number = next(numbers)
    folder = f"{metadata['location']}/metadata"
    rows = list(manifests)
    for part, group in enumerate((paths[: len(paths) // 2], paths[len(paths) // 2 :])):
        location = f"{folder}/m{number}-{part}.avro"
        files.write_all({location: manifest(*(entry(file(each)) for each in group))})
        rows.append(listed(location, 1, snapshot=number, added_files_count=len(group)))
    files.write_all({f"{folder}/l{number}.avro": manifest_list(*rows)})
    snapshot = {
        "snapshot-id": number,
        "sequence-number": metadata["last-sequence-number"] + 1,
        "timestamp-ms": metadata["last-updated-ms"] + 1,
        "manifest-list": f"{folder}/l{number}.avro",
        "summary": {"operation": "append", **summary},
        "schema-id": 0,
    }
    current = metadata.get("current-snapshot-id")
    if current not in (None, -1):
        snapshot["parent-snapshot-id"] = current
    ref = {"action": "set-snapshot-ref", "ref-name": "main", "type": "branch"}
    updates = [{"action": "add-snapshot", "snapshot": snapshot}, ref | {"snapshot-id": number}]
    lake.iceberg("POST", branch, TABLE, {"requirements": [], "updates": updates})
    return number


@pytest.fixture
def first(lake, files):
    return append(lake, files, ALL)


@pytest.fixture
def filled(lake, first):
    return lake


def plan(lake, branch="main", table=TABLE, status=200, **request):
    return lake.iceberg("POST", branch, f"{table}/plan", request, status)


def tasks(lake, task, branch="main", status=200, table=TABLE):
    return lake.iceberg("POST", branch, f"{table}/tasks", {"plan-task": task}, status)


def paths(lake, planned, **where):
    """Fetch all tasks of a plan; give the files in order."""
    found, waiting = [], [planned]
    while waiting:
        part = waiting.pop(0)
        if isinstance(part, str):
            part = tasks(lake, part, **where)
        found += [task["data-file"]["file-path"] for task in part["file-scan-tasks"]]
        waiting += part["plan-tasks"]
    return sorted(found)


def error(answer):
    return answer["error"]["type"], answer["error"]["code"]


def test_table_without_snapshot_has_no_tasks(lake):
    planned = plan(lake)
    assert planned["status"] == "completed"
    assert planned["file-scan-tasks"] == planned["plan-tasks"] == planned["delete-files"] == []
    assert planned["plan-id"]


def test_small_table_is_planned_at_once_page_by_page(filled):
    planned = plan(filled)
    assert planned["status"] == "completed"
    assert len(planned["file-scan-tasks"]) == 5
    assert paths(filled, planned) == ALL


def test_tasks_outlive_what_is_committed_meanwhile(filled, files):
    planned = plan(filled)
    append(filled, files, ["other"])
    filled.write("a", x="1")
    assert paths(filled, planned) == ALL
    assert paths(filled, plan(filled)) == ["other"]


def test_every_revision_has_its_own_files(filled, files):
    commit = filled.head()
    filled.post("/tags", 201, name="v1", at="main")
    filled.branch("dev")
    append(filled, files, ["of-dev"], branch="dev")
    assert paths(filled, plan(filled)) == ALL
    assert paths(filled, plan(filled, branch="dev"), branch="dev") == ["of-dev"]
    for revision in ("dev", "v1", commit):
        table = f"/namespaces/ns/tables/{quote(f'a@{revision}', safe='')}"
        expected = ["of-dev"] if revision == "dev" else ALL
        assert paths(filled, plan(filled, table=table), table=table) == expected
    prefix = encode_prefix(filled.name, commit=bytes.fromhex(commit))
    answer = filled.client.post(f"/iceberg/v1/{prefix}{TABLE}/plan", json={})
    assert paths(filled, answer.json()) == ALL


def test_snapshots_and_ranges(filled, files, first):
    second = append(filled, files, ["new"])
    assert paths(filled, plan(filled, **{"snapshot-id": first})) == ALL
    between = {"start-snapshot-id": first, "end-snapshot-id": second}
    assert paths(filled, plan(filled, **between)) == ["new"]
    assert error(plan(filled, status=400, **{"snapshot-id": 10**12})) == (
        "IllegalArgumentException",
        400,
    )


def test_very_large_table_is_planned_when_it_is_asked_for(lake, files):
    append(lake, files, ALL, **{"total-data-files": "2000000"})
    planned = plan(lake)
    assert planned["status"] == "submitted"
    assert planned.keys() == {"status", "plan-id"}
    fetched = lake.iceberg("GET", "main", f"{TABLE}/plan/{planned['plan-id']}")
    assert fetched["status"] == "completed"
    assert paths(lake, fetched) == ALL


def test_cancelled_plan(filled):
    first, second = plan(filled), plan(filled)
    path = f"{TABLE}/plan/{first['plan-id']}"
    filled.iceberg("DELETE", "main", path, status=204)
    filled.iceberg("DELETE", "main", path, status=204)
    assert filled.iceberg("GET", "main", path) == {"status": "cancelled"}
    other = filled.iceberg("GET", "main", f"{TABLE}/plan/{second['plan-id']}")
    assert paths(filled, other) == ALL


def test_plans_and_tasks_of_another_table_do_not_exist(filled):
    planned = plan(filled)
    other = "/namespaces/ns/tables/b"
    found = tasks(filled, planned["plan-tasks"][0], table=other, status=404)
    assert error(found) == ("NoSuchPlanTaskException", 404)
    path = f"{other}/plan/{planned['plan-id']}"
    for method in ("GET", "DELETE"):
        found = filled.iceberg(method, "main", path, status=404)
        assert error(found) == ("NoSuchPlanIdException", 404)


@pytest.mark.parametrize("text", ["nonsense", "", "%00", "eJyrrgUAAXUA-Q", "x" * 5000])
def test_nonsense_for_a_plan_or_a_task(filled, text):
    found = tasks(filled, text, status=404)
    assert error(found) == ("NoSuchPlanTaskException", 404)
    found = filled.iceberg("GET", "main", f"{TABLE}/plan/{text or '-'}", status=404)
    assert error(found) == ("NoSuchPlanIdException", 404)


def test_plan_ids_are_no_tasks_and_tasks_no_plans(filled):
    planned = plan(filled)
    assert error(tasks(filled, planned["plan-id"], status=404))[1] == 404
    filled.iceberg("GET", "main", f"{TABLE}/plan/{planned['plan-tasks'][0]}", status=404)


def test_long_filter_needs_no_long_plan_id(filled):
    values = [number * 7919 % 1000003 for number in range(5_000)]
    planned = plan(filled, filter={"type": "not-in", "term": "id", "values": values})
    assert len(planned["plan-id"]) < 100
    assert paths(filled, planned) == ALL


def test_missing_table_and_malformed_requests(lake):
    missing = "/namespaces/ns/tables/nope"
    assert error(plan(lake, table=missing, status=404))[0] == "NoSuchTableException"
    assert error(lake.iceberg("POST", "main", f"{TABLE}/tasks", {}, 400))[1] == 400
    filtered = {"filter": {"type": "eq", "term": "nope", "value": 1}}
    assert error(plan(lake, status=400, **filtered))[1] == 400


def test_manifest_outside_the_warehouse_is_not_read(lake, files, tmp_path):
    secret = tmp_path / "secret.avro"
    secret.write_bytes(manifest(entry(file("x"))))
    append(lake, files, ALL, manifests=[listed(secret.as_uri(), 1, snapshot=1)])
    answer = plan(lake, status=400)
    assert "outside warehouse" in answer["error"]["message"]


def test_metadata_outside_the_warehouse_is_not_read(lake, files, tmp_path):
    loaded = lake.iceberg("GET", "main", TABLE)
    secret = tmp_path / "secret.metadata.json"
    secret.write_text(json.dumps(loaded["metadata"]))
    log = [{"timestamp-ms": 1, "metadata-file": secret.as_uri()}]
    location = f"{loaded['metadata']['location']}/metadata/foreign.metadata.json"
    files.write_all({location: json.dumps({**loaded["metadata"], "metadata-log": log}).encode()})
    body = {"name": "foreign", "metadata-location": location}
    lake.iceberg("POST", "main", "/namespaces/ns/register", body)
    request = {"metadata": secret.as_uri(), "request": {}, "id": "x"}
    forged = base64.urlsafe_b64encode(zlib.compress(json.dumps(request).encode())).decode()
    path = f"/namespaces/ns/tables/foreign/plan/{forged.rstrip('=')}"
    assert error(lake.iceberg("GET", "main", path, status=404)) == ("NoSuchPlanIdException", 404)


def test_endpoints_are_advertised_by_the_documents_names(client):
    endpoints = client.get("/iceberg/v1/config").json()["endpoints"]
    table = "/v1/{prefix}/namespaces/{namespace}/tables/{table}"
    for endpoint in (
        f"POST {table}/plan",
        f"GET {table}/plan/{{plan-id}}",
        f"DELETE {table}/plan/{{plan-id}}",
        f"POST {table}/tasks",
    ):
        assert endpoint in endpoints
