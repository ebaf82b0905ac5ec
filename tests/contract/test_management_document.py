"""Every answer of the management interface is one that its own OpenAPI document allows."""

import httpx
import pytest

from tests.contract.contracts import Json, choose, fuzz, open_document, operations, run_sequences

pytestmark = pytest.mark.slow

_NAMES = {
    "warehouse": ["lake", "other"],
    "name": ["work", "v1", "f", "a%2Fb"],
    "revision": ["main", "v1", "work~1", "main@%7Bnow%7D"],
    "branch": ["main", "work"],
    "table": ["ns.t", "ns.v", "ns.f", "ns", "ns.none"],
    "ref": ["main", "v1", "main~1"],
    "from": ["main", "work", "v1"],
    "to": ["main", "work", "v1"],
    "pattern": ["*", "release%2F*"],
}


@pytest.fixture(scope="module")
def document(server: str) -> Json:
    """The server's own document."""
    found: Json = httpx.get(f"{server}/api/v1/openapi.json").json()
    for parameter, values in _NAMES.items():
        choose(found, parameter, values)
    return found


def test_any_request_gets_a_documented_answer(filled: str, document: Json) -> None:
    schema = open_document(document, filled)
    for path, method, _ in operations(document):
        fuzz(schema[path][method], examples=12)


def test_sequences_of_requests_get_documented_answers(filled: str, document: Json) -> None:
    run_sequences(open_document(document, filled), runs=12, steps=12)
