"""`GET /v1/config`: from a client's `warehouse` property to the prefix of its paths."""

from urllib.parse import quote

from fastapi import APIRouter, Request, Response

from catalog.api.dependencies import get_catalog
from catalog.api.iceberg.addresses import SEPARATOR
from catalog.api.iceberg.results import client_config
from catalog.api.responses import JsonResponse
from catalog.operations.resolve import resolve
from catalog.operations.warehouses import get_warehouse
from catalog.versioning.revisions import encode_prefix, split_revision

router = APIRouter()


@router.get("/v1/config")
def get_config(request: Request) -> Response:
    """Resolve `warehouse=<warehouse>[@<revision>]` and list the endpoints of this server."""
    name, revision = split_revision(request.query_params.get("warehouse") or "")
    warehouse = get_warehouse(get_catalog(request), name or None)
    resolved = resolve(warehouse, revision)
    prefix = (
        encode_prefix(warehouse.name, branch=resolved.branch)
        if resolved.branch is not None
        else encode_prefix(warehouse.name, commit=resolved.commit_id)
    )
    lifetime = warehouse.catalog.settings.idempotency_key_lifetime_seconds
    return JsonResponse(
        {
            "defaults": client_config(warehouse),
            "overrides": {
                "prefix": prefix,
                # An override, so that a client which set another one does not use it.
                "namespace-separator": quote(SEPARATOR),
            },
            "endpoints": request.app.state.iceberg_endpoints,
            "idempotency-key-lifetime": f"PT{lifetime}S",
        }
    )
