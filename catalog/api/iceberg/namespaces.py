"""Namespaces, as the specification has them."""

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from catalog.api.answering import answering_json, answering_nothing
from catalog.api.dependencies import get_caller, read_json, require_object
from catalog.api.iceberg.addresses import (
    NamespaceOf,
    PlaceOf,
    check_levels,
    namespace_of,
)
from catalog.api.iceberg.paging import page_of
from catalog.api.responses import JsonResponse, no_content
from catalog.errors import ContradictoryInput, InvalidInput
from catalog.operations import namespaces
from catalog.operations.callers import Caller
from catalog.versioning.keys import Key
from catalog.versioning.objects import Entry, EntryKind

router = APIRouter()

CallerOf = Annotated[Caller, Depends(get_caller)]
BodyOf = Annotated[Any, Depends(read_json)]


@router.get("/v1/{prefix}/namespaces")
def list_namespaces(request: Request, place: PlaceOf) -> Response:
    """List the namespaces directly below `parent`, or at the top."""
    parent_text = request.query_params.get("parent")
    parent: Key = namespace_of(parent_text) if parent_text else ()
    page = page_of(request, place, EntryKind.NAMESPACE, parent)
    found = namespaces.list_children(
        place.warehouse,
        page.commit_id,
        parent,
        EntryKind.NAMESPACE,
        after=page.after,
        limit=page.limit,
    )
    names, token = page.cut([key[-1] for key in found])
    return JsonResponse(
        {"namespaces": [[*parent, name] for name in names], "next-page-token": token}
    )


@router.post("/v1/{prefix}/namespaces")
def create_namespace(place: PlaceOf, caller: CallerOf, body: BodyOf) -> Response:
    """Create a namespace."""
    request = require_object(body)
    levels = request.get("namespace")
    if not isinstance(levels, list) or not all(isinstance(level, str) for level in levels):
        raise InvalidInput("Cannot parse namespace: it must be a list of strings")
    namespace = check_levels(tuple(levels))
    properties = _string_map(request.get("properties"), "properties")
    answer = answering_json(caller, partial(_document, namespace))
    return answer(
        namespaces.create_namespace(
            place.warehouse, place.branch(), namespace, properties, caller=caller
        )
    )


@router.get("/v1/{prefix}/namespaces/{namespace}")
def load_namespace(place: PlaceOf, namespace: NamespaceOf) -> Response:
    """Return a namespace's properties."""
    entry = namespaces.get_namespace(place.warehouse, place.commit_id, namespace)
    return JsonResponse(_document(namespace, entry))


@router.head("/v1/{prefix}/namespaces/{namespace}")
def namespace_exists(place: PlaceOf, namespace: NamespaceOf) -> Response:
    """Say whether a namespace exists."""
    namespaces.get_namespace(place.warehouse, place.commit_id, namespace)
    return no_content()


@router.delete("/v1/{prefix}/namespaces/{namespace}")
def drop_namespace(place: PlaceOf, namespace: NamespaceOf, caller: CallerOf) -> Response:
    """Drop an empty namespace."""
    answer = answering_nothing(caller)
    namespaces.drop_namespace(place.warehouse, place.branch(), namespace, caller=caller)
    return answer()


@router.post("/v1/{prefix}/namespaces/{namespace}/properties")
def update_properties(
    place: PlaceOf, namespace: NamespaceOf, caller: CallerOf, body: BodyOf
) -> Response:
    """Set and remove properties of a namespace."""
    request = require_object(body)
    updates = _string_map(request.get("updates"), "updates")
    removals = request.get("removals") or []
    if not isinstance(removals, list) or not all(isinstance(name, str) for name in removals):
        raise InvalidInput("Cannot parse removals: it must be a list of strings")
    both = sorted(set(updates) & set(removals))
    if both:
        raise ContradictoryInput(f"Cannot set and remove the same properties: {both}")
    answer = answering_json(caller, _changed)
    return answer(
        namespaces.update_namespace(
            place.warehouse,
            place.branch(),
            namespace,
            removals=list(dict.fromkeys(removals)),
            updates=updates,
            caller=caller,
        )
    )


def _document(namespace: Key, entry: Entry) -> dict[str, Any]:
    return {"namespace": namespace, "properties": dict(entry.properties)}


def _changed(change: namespaces.PropertiesChange) -> dict[str, Any]:
    return {"updated": change.updated, "removed": change.removed, "missing": change.missing}


def _string_map(value: Any, field: str) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
        raise InvalidInput(f"Cannot parse {field}: it must be an object of strings")
    return value
