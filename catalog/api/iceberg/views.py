"""Views, as the specification has them; they share the tables' operations."""

from fastapi import APIRouter, Request, Response

from catalog.api.answering import answering_nothing
from catalog.api.dependencies import require_object
from catalog.api.iceberg.addresses import (
    AddressOf,
    NamespaceOf,
    PlaceOf,
    address_in,
    key_of_identifier,
)
from catalog.api.iceberg.namespaces import BodyOf, CallerOf
from catalog.api.iceberg.results import answering_loaded, load_result
from catalog.api.iceberg.tables import change_of, commit_one, list_kind, register, rename
from catalog.api.responses import no_content
from catalog.operations import tables
from catalog.versioning.objects import EntryKind

router = APIRouter()

_VIEWS = "/v1/{prefix}/namespaces/{namespace}/views"


@router.get(_VIEWS)
def list_views(request: Request, place: PlaceOf, namespace: NamespaceOf) -> Response:
    """List the views of a namespace."""
    return list_kind(request, place, namespace, EntryKind.VIEW)


@router.post(_VIEWS)
def create_view(place: PlaceOf, namespace: NamespaceOf, caller: CallerOf, body: BodyOf) -> Response:
    """Create a view."""
    request = require_object(body)
    named = {"namespace": list(namespace), "name": request.get("name")}
    address = address_in(place, key_of_identifier(named, "the view"))
    answer = answering_loaded(caller, address.warehouse)
    return answer(
        tables.create_table(
            address.warehouse,
            address.place.branch(),
            address.key,
            request,
            caller=caller,
            kind=EntryKind.VIEW,
        )
    )


@router.get(_VIEWS + "/{view}")
def load_view(request: Request, address: AddressOf) -> Response:
    """Load a view."""
    return load_result(request, address, EntryKind.VIEW)


@router.head(_VIEWS + "/{view}")
def view_exists(address: AddressOf) -> Response:
    """Say whether a view exists."""
    tables.get_table(address.warehouse, address.place.commit_id, address.key, EntryKind.VIEW)
    return no_content()


@router.post(_VIEWS + "/{view}")
def replace_view(address: AddressOf, caller: CallerOf, body: BodyOf) -> Response:
    """Commit to a view."""
    change = change_of(address, body, EntryKind.VIEW)
    return commit_one(address, change, caller, with_config=True)


@router.delete(_VIEWS + "/{view}")
def drop_view(address: AddressOf, caller: CallerOf) -> Response:
    """Drop a view's entry."""
    answer = answering_nothing(caller)
    tables.drop_table(
        address.warehouse,
        address.place.branch(),
        address.key,
        caller=caller,
        kind=EntryKind.VIEW,
    )
    return answer()


@router.post("/v1/{prefix}/views/rename")
def rename_view(place: PlaceOf, caller: CallerOf, body: BodyOf) -> Response:
    """Rename a view."""
    return rename(place, caller, body, EntryKind.VIEW)


@router.post("/v1/{prefix}/namespaces/{namespace}/register-view")
def register_view(
    request: Request, place: PlaceOf, namespace: NamespaceOf, caller: CallerOf, body: BodyOf
) -> Response:
    """Register a view."""
    return register(request, place, namespace, caller, body, EntryKind.VIEW)
