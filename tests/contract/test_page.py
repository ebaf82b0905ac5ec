"""docs/endpoints.md lists what is served, and nothing of the specification is missing."""

from tests.contract.endpoints import ENDPOINTS
from tests.contract.page import PAGE, render, served_by_iceberg


def test_every_endpoint_of_the_specification_is_served() -> None:
    assert sorted(set(ENDPOINTS) - set(served_by_iceberg())) == []


def test_the_page_is_current() -> None:
    assert PAGE.read_text() == render(), "run scripts/endpoints"
