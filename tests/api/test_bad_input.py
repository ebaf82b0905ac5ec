"""What no client should send: each gets a 4xx with words that help, and nothing is changed."""

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from catalog.versioning.revisions import encode_prefix
from tests.api.conftest import Lake

local_files = pytest.mark.parametrize("backing", ["local"], indirect=True, scope="session")
SCHEMA = {"type": "struct", "fields": [{"id": 1, "name": "id", "type": "long", "required": True}]}
TABLE = "/namespaces/ns/tables/a"
JSON = {"content-type": "application/json"}


def iceberg(lake: Lake, method: str, path: str, **request: Any) -> Any:
    """Send a request to the branch `main`, whatever is to be said of the answer."""
    url = f"/iceberg/v1/{encode_prefix(lake.name, branch='main')}{path}"
    return lake.client.request(method, url, **request)


def refused(response: Any, status: int, *words: str) -> None:
    assert response.status_code == status, response.text
    body = response.json()
    said = body["error"]["message"] if "error" in body else body["detail"]
    for word in words:
        assert word in said, said


@pytest.fixture
def unchanged(lake: Lake) -> Iterator[Lake]:
    """A lake that must be as it was in the end."""

    def state() -> tuple[Any, ...]:
        refs = [lake.get(path) for path in ("/branches", "/tags", "/reflog")]
        return (*refs, lake.tables(), lake.iceberg("GET", "main", TABLE))

    before = state()
    yield lake
    assert state() == before


def create(location: str, **more: Any) -> dict[str, Any]:
    return {"name": "new", "schema": SCHEMA, "location": location, **more}


# Locations outside a warehouse whose own is `root`.
OUTSIDE = {
    "beside": "{root}2/new",
    "beside, named alike": "{root}-new",
    "above": "{parent}",
    "climbing": "{root}/../new",
    "climbing far": "{root}/a/../../../../../../../../etc/new",
    "climbing in the middle": "{root}/a/../../new/../other",
    "a dot before": "{root}/./../new",
    "another scheme": "gs://elsewhere/new",
    "no scheme": "relative/new",
    "another host": "s3://elsewhere{path}/new",
    "http": "http://127.0.0.1/new",
    "a query": "{root}/new?version=1",
    "a fragment": "{root}/new#1",
    "a control character": "{root}/new\n",
    "a NUL": "{root}/new\x00/../..",
}


def outside(lake: Lake, kind: str) -> str:
    root = lake.get("")["location"]
    parent = root.rpartition("/")[0]
    path = root.partition("://")[2]
    return OUTSIDE[kind].format(root=root, parent=parent, path=f"/{path.lstrip('/')}")


@pytest.mark.parametrize("kind", OUTSIDE)
def test_a_location_outside_the_warehouse_is_refused(unchanged: Lake, kind: str) -> None:
    location = outside(unchanged, kind)
    for more in ({}, {"stage-create": True}):
        body = create(location, **more)
        refused(iceberg(unchanged, "POST", "/namespaces/ns/tables", json=body), 400, "ocation")
    move = {"updates": [{"action": "set-location", "location": location}], "requirements": []}
    refused(iceberg(unchanged, "POST", TABLE, json=move), 400, "ocation")
    register = {"name": "new", "metadata-location": f"{location}/metadata/0.metadata.json"}
    refused(iceberg(unchanged, "POST", "/namespaces/ns/register", json=register), 400, "ocation")


@pytest.mark.parametrize("name", ["x" * 1100, "/".join(["x" * 200] * 30)])
def test_a_location_too_long_for_any_store_is_refused(unchanged: Lake, name: str) -> None:
    location = f"{unchanged.get('')['location']}/{name}"
    for more in ({}, {"stage-create": True}):
        body = create(location, **more)
        refused(iceberg(unchanged, "POST", "/namespaces/ns/tables", json=body), 400, "ocation")
    move = {"updates": [{"action": "set-location", "location": location}], "requirements": []}
    refused(iceberg(unchanged, "POST", TABLE, json=move), 400, "ocation")
    register = {"name": "new", "metadata-location": f"{location}.metadata.json"}
    refused(iceberg(unchanged, "POST", "/namespaces/ns/register", json=register), 400, "ocation")


@local_files
@pytest.mark.parametrize("spelling", ["%2e%2e/new", "..%2fnew", "%2e%2e%2fnew"])
def test_percent_signs_in_a_location_are_no_way_out(lake: Lake, spelling: str) -> None:
    root = lake.get("")["location"]
    lake.iceberg("POST", "main", "/namespaces/ns/tables", create(f"{root}/{spelling}"))
    written = [path.relative_to(Path(root.removeprefix("file://")).parent) for path in files(lake)]
    assert [path for path in written if path.parts[0] != lake.name] == []
    assert [path for path in written if path.parts[1].startswith(spelling.split("/")[0])]


def files(lake: Lake) -> list[Path]:
    folder = Path(lake.get("")["location"].removeprefix("file://")).parent
    return [path for path in folder.glob(f"{lake.name}*/**/*") if path.is_file()]


@local_files
def test_a_symbolic_link_is_no_way_out(unchanged: Lake, tmp_path: Path) -> None:
    root = Path(unchanged.get("")["location"].removeprefix("file://"))
    (root / "link").symlink_to(tmp_path)
    body = create(f"file://{root}/link/new")
    answer = iceberg(unchanged, "POST", "/namespaces/ns/tables", json=body)
    refused(answer, 400, "lies outside warehouse", unchanged.name)
    assert list(tmp_path.iterdir()) == []


REQUESTS = [
    ("POST", "/namespaces"),
    ("POST", "/namespaces/ns/properties"),
    ("POST", "/namespaces/ns/tables"),
    ("POST", TABLE),
    ("POST", "/namespaces/ns/register"),
    ("POST", "/namespaces/ns/views"),
    ("POST", "/tables/rename"),
    ("POST", "/transactions/commit"),
    ("POST", f"{TABLE}/plan"),
]
every_request = pytest.mark.parametrize(("method", "path"), REQUESTS)


MALFORMED = [b"", b"{", b'{"a": 1,}', b"\xff\xfe", b'{"a": "\\ud800"}', b"NaN", b"[" * 100_000]


@every_request
def test_malformed_json_is_refused(unchanged: Lake, method: str, path: str) -> None:
    for text in MALFORMED:
        refused(iceberg(unchanged, method, path, content=text, headers=JSON), 400, "JSON")


@every_request
def test_json_of_another_shape_is_refused(unchanged: Lake, method: str, path: str) -> None:
    for value in (None, True, 1, "text", [], [{}]):
        refused(iceberg(unchanged, method, path, json=value), 400)
    if not path.endswith(("/plan", "/properties", TABLE)):
        # Every member of those is optional.
        refused(iceberg(unchanged, method, path, json={"unknown": 1}), 400)


WRONG = [None, False, -1, 2**63, 1e308, "", "\x00", "a\x00b", [], [None], {}, {"a": {"b": []}}]
BODIES: list[tuple[str, dict[str, Any]]] = [
    ("/namespaces", {"namespace": ["new"], "properties": {}}),
    ("/namespaces/ns/properties", {"removals": ["x"], "updates": {"a": "b"}}),
    ("/namespaces/ns/tables", {"name": "a", "schema": SCHEMA, "properties": {}}),
    (TABLE, {"requirements": [{"type": "assert-create"}], "updates": []}),
    ("/namespaces/ns/register", {"name": "a", "metadata-location": "file:///x"}),
    ("/tables/rename", {"source": {"namespace": ["ns"], "name": "z"}, "destination": {}}),
    ("/transactions/commit", {"table-changes": [{"identifier": {}, "updates": []}]}),
]


@pytest.mark.parametrize(("path", "body"), BODIES, ids=[path for path, _ in BODIES])
def test_no_value_of_a_wrong_type_is_a_fault_of_the_server(
    lake: Lake, path: str, body: dict[str, Any]
) -> None:
    for member, value in product(body, WRONG):
        answer = iceberg(lake, "POST", path, json={**body, member: value})
        assert answer.status_code < 500, (member, value, answer.text)


@pytest.mark.parametrize("text", ["\x00", "a\x00b", "\x1f", "\x7f", "\ud800", "ä" * 4000, "💉"])
def test_no_name_in_a_path_is_a_fault_of_the_server(lake: Lake, text: str) -> None:
    name = quote(text.encode("utf-8", "surrogatepass"), safe="")
    for path in (f"/namespaces/{name}", f"/namespaces/ns/tables/{name}", f"{TABLE}%40{name}"):
        assert 400 <= iceberg(lake, "GET", path).status_code < 500
    for path in (f"/warehouses/{name}", f"/warehouses/{lake.name}/branches/{name}"):
        assert 400 <= lake.client.get(f"/api/v1{path}").status_code < 500
    config = lake.client.get(f"/iceberg/v1/config?warehouse={lake.name}@{name}")
    assert 400 <= config.status_code < 500
    assert 400 <= lake.client.get(f"/iceberg/v1/{name}/namespaces").status_code < 500


def test_text_with_a_nul_is_never_a_fault_of_the_server(lake: Lake) -> None:
    head = lake.head()
    for path, body in (
        ("/tags", {"name": "v1", "at": "main", "message": "a\x00b", "metadata": {"a": "\x00"}}),
        (f"/commits/{head}/checks", {"name": "a\x00", "state": "success", "summary": "\x00"}),
        ("/merges", {"source": "main", "target": "main", "message": "\x00", "author": "\x00"}),
    ):
        assert lake.call("POST", path, body).status_code < 500
    assert lake.call("PUT", "/protections/a%00", {"require_merge": True}).status_code < 500


@pytest.mark.parametrize("chunked", [False, True])
def test_too_large_a_body_is_refused(unchanged: Lake, chunked: bool) -> None:
    limit = unchanged.client.app.state.settings.max_body_bytes  # type: ignore[attr-defined]
    spaces = b" " * (1 << 20)

    def body() -> Iterator[bytes]:
        for _ in range(limit // len(spaces) + 1):
            yield spaces

    content: Any = body() if chunked else b"".join(body())
    answer = iceberg(unchanged, "POST", "/namespaces", content=content, headers=JSON)
    refused(answer, 413, str(limit))


FAILING = [
    ({"type": "assert-create"}, 409),
    ({"type": "assert-table-uuid", "uuid": "00000000-0000-0000-0000-000000000000"}, 409),
    ({"type": "assert-ref-snapshot-id", "ref": "main", "snapshot-id": 1}, 409),
    ({"type": "assert-last-assigned-field-id", "last-assigned-field-id": 7}, 409),
    ({"type": "assert-current-schema-id", "current-schema-id": 7}, 409),
    ({"type": "assert-last-assigned-partition-id", "last-assigned-partition-id": 7}, 409),
    ({"type": "assert-default-spec-id", "default-spec-id": 7}, 409),
    ({"type": "assert-default-sort-order-id", "default-sort-order-id": 7}, 409),
]


@pytest.mark.parametrize(("requirement", "status"), FAILING, ids=lambda value: str(value)[:50])
def test_a_requirement_that_fails_stops_all_of_a_transaction(
    unchanged: Lake, requirement: dict[str, Any], status: int
) -> None:
    updates = [{"action": "set-properties", "updates": {"n": "1"}}]
    change = {"requirements": [requirement], "updates": updates}
    answer = iceberg(unchanged, "POST", TABLE, json=change)
    refused(answer, status, "equirement")
    assert answer.json()["error"]["type"] == "CommitFailedException"
    identifiers = [{"namespace": ["ns"], "name": name} for name in ("b", "a")]
    good = {"identifier": identifiers[0], "requirements": [], "updates": updates}
    bad = {"identifier": identifiers[1], **change}
    body = {"table-changes": [good, bad]}
    refused(iceberg(unchanged, "POST", "/transactions/commit", json=body), status, "equirement")
