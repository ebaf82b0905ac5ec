"""Functions, as the specification has them: listed and loaded; set by the management interface."""

from fastapi import APIRouter, Request, Response

from catalog.api.iceberg.addresses import AddressOf, NamespaceOf, PlaceOf
from catalog.api.iceberg.results import loaded_response
from catalog.api.iceberg.tables import page_of_kind
from catalog.api.responses import JsonResponse
from catalog.operations.functions import get_function
from catalog.versioning.objects import EntryKind

router = APIRouter()

_FUNCTIONS = "/v1/{prefix}/namespaces/{namespace}/functions"


@router.get(_FUNCTIONS)
def list_functions(request: Request, place: PlaceOf, namespace: NamespaceOf) -> Response:
    """List the functions of a namespace."""
    names, token = page_of_kind(request, place, namespace, EntryKind.FUNCTION)
    identifiers = [[*namespace, name] for name in names]
    return JsonResponse({"identifiers": identifiers, "next-page-token": token})


@router.get(_FUNCTIONS + "/{function}")
def load_function(address: AddressOf) -> Response:
    """Load a function with all its definitions."""
    loaded = get_function(address.warehouse, address.place.commit_id, address.key)
    return loaded_response(address.warehouse, loaded, with_config=False)
