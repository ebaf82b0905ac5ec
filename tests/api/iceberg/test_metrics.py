"""Metrics reports: accepted from engines, kept per table, listed newest first, bounded."""

import pytest
from starlette.testclient import TestClient

from catalog.api.app import create_app
from catalog.settings import Settings

SCHEMA = {"type": "struct", "fields": [{"id": 1, "name": "id", "type": "long", "required": True}]}
SCAN = {
    "report-type": "scan-report",
    "table-name": "lake.ns.a",
    "snapshot-id": 2**62,
    "filter": {"type": "always-true"},
    "schema-id": 0,
    "projected-field-ids": [1],
    "projected-field-names": ["id"],
    "metrics": {
        "total-planning-duration": {
            "count": 1,
            "time-unit": "nanoseconds",
            "total-duration": 2644235116,
        },
        "result-data-files": {"unit": "count", "value": 1},
    },
    "metadata": {"engine-name": "spark"},
}
COMMIT = {
    "report-type": "commit-report",
    "table-name": "lake.ns.a",
    "snapshot-id": 7,
    "sequence-number": 1,
    "operation": "append",
    "metrics": {"added-data-files": {"unit": "count", "value": 1}},
}


def report(lake, name="a", body=SCAN, status=204, branch="main"):
    path = f"/namespaces/ns/tables/{name}/metrics"
    return lake.iceberg("POST", branch, path, body, status)


def listed(lake, **query):
    return lake.get("/metrics", **query)["reports"]


def test_reports_are_kept_as_they_came_newest_first(lake):
    uuid = lake.iceberg("GET", "main", "/namespaces/ns/tables/a")["metadata"]["table-uuid"]
    report(lake)
    report(lake, body=COMMIT)
    report(lake, "b")
    commit, scan = listed(lake, table="ns.a")
    assert (scan["report"], commit["report"]) == (SCAN, COMMIT)
    assert (scan["snapshot_id"], scan["report_type"]) == (2**62, "scan-report")
    assert (scan["table_uuid"], scan["key"]) == (uuid, ["ns", "a"])
    assert scan["at"] <= commit["at"]
    assert listed(lake, table_uuid=uuid) == [commit, scan]
    assert [each["key"][-1] for each in listed(lake)] == ["b", "a", "a"]


def test_reports_are_no_commits(lake):
    head = lake.head()
    report(lake)
    assert lake.head() == head


def test_reports_belong_to_the_table_whatever_it_is_called_and_wherever(lake):
    lake.branch("side")
    report(lake)
    report(lake, branch="side", body=COMMIT)
    lake.rename("a", "z", "side")
    assert listed(lake, table="ns.z", ref="side") == listed(lake, table="ns.a")
    assert len(listed(lake, table="ns.a")) == 2
    assert lake.call("GET", "/metrics", table="ns.z").status_code == 404


def test_a_new_table_of_the_same_name_has_no_reports(lake):
    report(lake)
    lake.drop("a")
    lake.table("a")
    assert listed(lake, table="ns.a") == []


def test_reports_are_paged(lake):
    for number in range(5):
        report(lake, body={**COMMIT, "snapshot-id": number})
    seen, token = [], None
    while True:
        query = {"page_token": token} if token else {}
        page = lake.get("/metrics", table="ns.a", limit=2, **query)
        seen.append([each["snapshot_id"] for each in page["reports"]])
        token = page["next_page_token"]
        report(lake, body={**COMMIT, "snapshot-id": 99})
        if token is None:
            break
    assert seen == [[4, 3], [2, 1], [0]]


@pytest.mark.parametrize(
    "broken",
    [
        {"report-type": "rumour"},
        {"report-type": None},
        {"table-name": 7},
        {"snapshot-id": "7"},
        {"snapshot-id": 2**63},
    ],
    ids=str,
)
def test_what_is_no_report_is_refused(lake, broken):
    report(lake, body={**SCAN, **broken}, status=400)
    assert listed(lake) == []


def test_reports_are_of_tables_that_are_there(lake):
    answer = report(lake, "zz", status=404)
    assert answer["error"]["type"] == "NoSuchTableException"


@pytest.mark.parametrize(
    "query",
    [
        {"ref": "main"},
        {"table": "ns.a", "table_uuid": "x"},
        {"page_token": "x"},
        {"limit": 0},
        {"colour": "red"},
    ],
    ids=str,
)
def test_a_query_that_makes_no_sense_is_refused(lake, query):
    assert lake.call("GET", "/metrics", **query).status_code == 400


@pytest.mark.parametrize(("kept", "reports", "left"), [(3, 7, 3), (1, 2, 1), (0, 1, 0)])
def test_only_the_newest_reports_stay(tmp_path, kept, reports, left):
    app = create_app(Settings(data_dir=tmp_path, metrics_reports_kept=kept))
    with TestClient(app) as client:
        base = "/iceberg/v1/lake.main/namespaces"
        client.post(base, json={"namespace": ["ns"]})
        client.post(f"{base}/ns/tables", json={"name": "a", "schema": SCHEMA})
        for number in range(reports):
            body = {**COMMIT, "snapshot-id": number}
            sent = client.post(f"{base}/ns/tables/a/metrics", json=body)
            assert sent.status_code == 204
        found = client.get("/api/v1/warehouses/lake/metrics").json()["reports"]
    assert len(found) <= left + min(kept, reports)
    assert [each["snapshot_id"] for each in found][:left] == list(
        reversed(range(reports - left, reports))
    )
