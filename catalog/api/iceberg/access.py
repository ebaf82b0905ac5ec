"""Credentials for a table's files, and signatures for requests to them."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Response

from catalog.api.dependencies import require_object
from catalog.api.iceberg.addresses import AddressOf
from catalog.api.iceberg.delegation import NOT_STORED, storage_credentials
from catalog.api.iceberg.namespaces import BodyOf
from catalog.api.responses import JsonResponse
from catalog.errors import InvalidInput
from catalog.files.signing import SignRequest
from catalog.operations import access

router = APIRouter()

_TABLE = "/v1/{prefix}/namespaces/{namespace}/tables/{table}"


@router.get(_TABLE + "/credentials")
def load_credentials(address: AddressOf) -> Response:
    """Vend fresh credentials for a table; none where the warehouse vends none."""
    place = address.place
    found = access.load_credentials(
        address.warehouse, place.commit_id, address.key, read_only=place.revision.branch is None
    )
    return JsonResponse({"storage-credentials": storage_credentials(found)}, headers=NOT_STORED)


@router.post(_TABLE + "/sign")
def sign_request(address: AddressOf, body: BodyOf) -> Response:
    """Sign a request to a file of the table."""
    request = _sign_request(require_object(body))
    place = address.place
    headers = access.sign_request(
        address.warehouse,
        place.commit_id,
        address.key,
        request,
        read_only=place.revision.branch is None,
    )
    signed = {"uri": request.uri, "headers": {name: [value] for name, value in headers.items()}}
    return JsonResponse(signed, headers=NOT_STORED)


def _sign_request(body: Mapping[str, Any]) -> SignRequest:
    for name in ("method", "uri", "region"):
        if not isinstance(body.get(name), str):
            raise InvalidInput(f"Cannot parse to a string value: {name}")
    if body.get("provider", "s3") != "s3":
        raise InvalidInput(f"Only requests to s3 are signed, not to {body['provider']!r}")
    content = body.get("body")
    if content is not None and not isinstance(content, str):
        raise InvalidInput("Cannot parse to a string value: body")
    return SignRequest(
        method=body["method"].upper(),
        uri=body["uri"],
        region=body["region"],
        headers=_headers(body.get("headers")),
        body=content,
    )


def _headers(given: Any) -> dict[str, Sequence[str]]:
    if not isinstance(given, dict):
        raise InvalidInput("Cannot parse headers: not an object")
    found: dict[str, Sequence[str]] = {}
    for name, values in given.items():
        if not isinstance(values, list) or not all(isinstance(each, str) for each in values):
            raise InvalidInput(f"Cannot parse header {name}: not a list of strings")
        if name.lower() in found:
            raise InvalidInput(f"Header {name} comes twice")
        found[name.lower()] = values
    return found
