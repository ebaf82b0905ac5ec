"""Every answer of the Iceberg interface is one that the official OpenAPI document allows."""

import re
from dataclasses import dataclass, field

import pytest
from schemathesis.schemas import BaseSchema

from tests.contract.conftest import PREFIX, SCHEMA, VIEW_VERSION
from tests.contract.contracts import (
    Json,
    choose,
    fuzz,
    judge,
    open_document,
    operations,
    run_sequences,
)
from tests.contract.endpoints import ENDPOINTS
from tests.contract.iceberg_document import read_document

_NAMESPACES = "/v1/{prefix}/namespaces"
_NAMESPACE = f"{_NAMESPACES}/{{namespace}}"
_TABLE = f"{_NAMESPACE}/tables/{{table}}"
_VIEW = f"{_NAMESPACE}/views/{{view}}"
# Plans of this size are answered whole, without tasks to fetch, and local files need no signature.
NOT_VISITED = {
    f"POST {_TABLE}/tasks",
    f"POST {_TABLE}/sign",
}

pytestmark = [pytest.mark.slow, pytest.mark.specification]


@pytest.fixture
def contract(filled: str) -> BaseSchema:
    """The document, with names that are there and names that are not."""
    document = read_document()
    choose(document, "prefix", [PREFIX])
    choose(document, "namespace", ["ns", "a%1Fb"])
    for name in ("table", "view", "function"):
        choose(document, name, [name[0], "odd name%2F%F0%9F%A7%8A"])
    return open_document(document, f"{filled}/iceberg")


def test_the_list_of_endpoints_is_the_document_s() -> None:
    listed = [f"{method.upper()} {path}" for path, method, _ in operations(read_document())]
    assert sorted(listed) == sorted(ENDPOINTS)


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_any_request_gets_a_documented_answer(contract: BaseSchema, endpoint: str) -> None:
    method, path = endpoint.split()
    fuzz(contract[path][method], examples=12)


def test_sequences_of_requests_get_documented_answers(contract: BaseSchema) -> None:
    run_sequences(contract, runs=12, steps=12)


@dataclass
class Tour:
    """Requests that succeed, each answered as the document says."""

    contract: BaseSchema
    seen: set[str] = field(default_factory=set)

    def send(
        self, endpoint: str, body: Json | None = None, status: int = 200, **names: str
    ) -> Json:
        """Send one request and return its answer's JSON."""
        method, path = endpoint.split()
        names = {"prefix": PREFIX, "namespace": "ns", "table": "t", "view": "v", **names}
        parts = {key: names[key] for key in re.findall(r"{(.*?)}", path)}
        form = endpoint == "POST /v1/oauth/tokens"
        media_type = "application/x-www-form-urlencoded" if form else "application/json"
        given = {} if body is None else {"body": body, "media_type": media_type}
        case = self.contract[path][method].Case(path_parameters=parts, **given)
        response = case.call()
        assert response.status_code == status, (endpoint, response.text)
        judge(case, response)
        self.seen.add(endpoint)
        answer: Json = response.json() if response.content else {}
        return answer


def test_a_tour_of_all_operations_gets_documented_answers(contract: BaseSchema) -> None:
    tour = Tour(contract)
    tour.send("GET /v1/config")
    secret = {"client_id": "ada", "client_secret": "byron"}
    tour.send("POST /v1/oauth/tokens", {"grant_type": "client_credentials", **secret})
    visit_namespaces(tour)
    visit_tables(tour)
    visit_scans(tour)
    visit_views(tour)
    tour.send(f"GET {_NAMESPACE}/functions")
    tour.send(f"GET {_NAMESPACE}/functions/{{function}}", function="f")
    assert set(ENDPOINTS) - tour.seen == NOT_VISITED


def visit_namespaces(tour: Tour) -> None:
    tour.send(f"POST {_NAMESPACES}", {"namespace": ["new"], "properties": {"owner": "ada"}})
    tour.send(f"GET {_NAMESPACES}")
    tour.send(f"GET {_NAMESPACE}", namespace="new")
    tour.send(f"HEAD {_NAMESPACE}", namespace="new", status=204)
    change = {"updates": {"a": "b"}, "removals": ["owner", "missing"]}
    tour.send(f"POST {_NAMESPACE}/properties", change, namespace="new")
    tour.send(f"DELETE {_NAMESPACE}", namespace="new", status=204)


def visit_tables(tour: Tour) -> None:
    tour.send(
        f"POST {_NAMESPACE}/tables", {"name": "staged", "schema": SCHEMA, "stage-create": True}
    )
    created = tour.send(f"POST {_NAMESPACE}/tables", {"name": "new", "schema": SCHEMA})
    tour.send(f"GET {_NAMESPACE}/tables")
    tour.send(f"GET {_TABLE}")
    tour.send(f"HEAD {_TABLE}", status=204)
    tour.send(f"GET {_TABLE}/credentials")
    requirement = {"type": "assert-table-uuid", "uuid": created["metadata"]["table-uuid"]}
    update = {"action": "set-properties", "updates": {"x": "1"}}
    identifier = {"namespace": ["ns"], "name": "new"}
    commit = {"identifier": identifier, "requirements": [requirement], "updates": [update]}
    tour.send(f"POST {_TABLE}", commit, table="new")
    change = {**commit, "updates": [{"action": "set-properties", "updates": {"x": "2"}}]}
    tour.send("POST /v1/{prefix}/transactions/commit", {"table-changes": [change]}, 204)
    renamed = {"source": identifier, "destination": {"namespace": ["ns"], "name": "newer"}}
    tour.send("POST /v1/{prefix}/tables/rename", renamed, 204)
    taken = tour.send(f"POST {_TABLE}/unregister", table="newer")
    register = {"name": "newer", "metadata-location": taken["metadata-location"]}
    tour.send(f"POST {_NAMESPACE}/register", register)
    tour.send(f"DELETE {_TABLE}", table="newer", status=204)


def visit_scans(tour: Tour) -> None:
    planned = tour.send(f"POST {_TABLE}/plan", {"use-snapshot-schema": False})
    plan = {"plan-id": planned["plan-id"]}
    tour.send(f"GET {_TABLE}/plan/{{plan-id}}", **plan)
    tour.send(f"DELETE {_TABLE}/plan/{{plan-id}}", status=204, **plan)
    duration = {"count": 1, "time-unit": "nanoseconds", "total-duration": 1}
    report = {
        "report-type": "scan-report",
        "table-name": "ns.t",
        "snapshot-id": 1,
        "filter": {"type": "true"},
        "schema-id": 0,
        "projected-field-ids": [1],
        "projected-field-names": ["id"],
        "metrics": {"total-planning-duration": duration},
    }
    tour.send(f"POST {_TABLE}/metrics", report, 204)


def visit_views(tour: Tour) -> None:
    view = {"name": "new", "schema": SCHEMA, "view-version": VIEW_VERSION, "properties": {}}
    created = tour.send(f"POST {_NAMESPACE}/views", view)
    tour.send(f"GET {_NAMESPACE}/views")
    tour.send(f"GET {_VIEW}")
    tour.send(f"HEAD {_VIEW}", status=204)
    change = {"action": "set-properties", "updates": {"x": "1"}}
    tour.send(f"POST {_VIEW}", {"requirements": [], "updates": [change]})
    names = {"source": {"namespace": ["ns"], "name": "new"}}
    names["destination"] = {"namespace": ["ns"], "name": "newer"}
    tour.send("POST /v1/{prefix}/views/rename", names, 204)
    tour.send(f"DELETE {_VIEW}", view="newer", status=204)
    register = {"name": "newer", "metadata-location": created["metadata-location"]}
    tour.send(f"POST {_NAMESPACE}/register-view", register)
