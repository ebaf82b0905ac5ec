"""Writes docs/endpoints.md from what the server serves: `python -m tests.contract.page`."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from fastapi.routing import APIRoute
from starlette.testclient import TestClient

from catalog.api.app import ICEBERG_MODULES, create_app
from catalog.settings import Settings
from tests.contract.endpoints import ENDPOINTS

PAGE = Path(__file__).parents[2] / "docs" / "endpoints.md"
_BEGINNING = """# Endpoints

What a server of this version answers, written by `scripts/endpoints` from the server itself.

## Iceberg REST, below `/iceberg`

All endpoints of the specification. `prefix` stands for a warehouse at a revision: `/v1/config`
gives it.

| endpoint | what it does |
|---|---|
"""
_MANAGEMENT = """
## Management, below `/api/v1`

In full at `/api/v1/openapi.json` and, to read, at `/api/v1/docs`.

| endpoint | what it does |
|---|---|
"""


def served_by_iceberg() -> dict[str, str]:
    """Return the endpoints that the routers hold, with the first line of what they say they do."""
    return {
        f"{method} {route.path.replace('_', '-')}": (route.endpoint.__doc__ or "").splitlines()[0]
        for module in ICEBERG_MODULES
        for route in module.router.routes
        if isinstance(route, APIRoute)
        for method in route.methods
    }


def render() -> str:
    """Return the page."""
    served = served_by_iceberg()
    known = [endpoint for endpoint in ENDPOINTS if endpoint in served]
    beside = sorted(set(served) - set(ENDPOINTS))
    rows = [f"| `{endpoint}` | {served[endpoint]} |" for endpoint in (*known, *beside)]
    return "\n".join([_BEGINNING.rstrip("\n"), *rows, _MANAGEMENT.rstrip("\n"), *_management(), ""])


def _management() -> Iterator[str]:
    with (
        TemporaryDirectory() as directory,
        TestClient(create_app(Settings(data_dir=Path(directory)))) as client,
    ):
        document = client.get("/api/v1/openapi.json").json()
    for path, item in sorted(document["paths"].items()):
        for method, operation in item.items():
            description = operation["description"].splitlines()[0]
            yield f"| `{method.upper()} {path.removeprefix('/api/v1')}` | {description} |"


if __name__ == "__main__":
    PAGE.write_text(render())
