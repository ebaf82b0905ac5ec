"""`/protections`: rules on the branches that match a pattern."""

from typing import Annotated

from fastapi import APIRouter, Path
from starlette.responses import Response

from catalog.api.answering import answering_json, answering_nothing
from catalog.api.management.context import CallerOf, WarehouseOf
from catalog.api.management.documents import protection_document
from catalog.api.management.fields import problems
from catalog.api.management.models import (
    ProtectionAnswer,
    ProtectionRequest,
    ProtectionsAnswer,
)
from catalog.api.management.routing import ManagementRoute
from catalog.api.responses import JsonResponse
from catalog.governance.protections import Rules
from catalog.operations.protections import (
    delete_protection,
    get_protection,
    list_protections,
    put_protection,
)

router = APIRouter(tags=["protections"], route_class=ManagementRoute)
Pattern = Annotated[
    str,
    Path(
        description="`*` is any characters but `/`, `?` one of them, `**` any number of parts.",
        examples=["main", "release/*", "**"],
    ),
]


@router.get(
    "/warehouses/{warehouse}/protections",
    summary="List protections",
    response_model=ProtectionsAnswer,
    responses=problems(404),
)
def list_all(warehouse: WarehouseOf) -> Response:
    """All protections, by pattern."""
    found = list_protections(warehouse)
    return JsonResponse({"protections": [protection_document(each) for each in found]})


@router.get(
    "/warehouses/{warehouse}/protections/{pattern:path}",
    summary="Show a protection",
    response_model=ProtectionAnswer,
    responses=problems(404),
)
def show(warehouse: WarehouseOf, pattern: Pattern) -> Response:
    """The rules under exactly this pattern."""
    return JsonResponse(protection_document(get_protection(warehouse, pattern)))


@router.put(
    "/warehouses/{warehouse}/protections/{pattern:path}",
    summary="Set a protection",
    response_model=ProtectionAnswer,
    responses=problems(404),
)
def put(
    warehouse: WarehouseOf, pattern: Pattern, caller: CallerOf, body: ProtectionRequest
) -> Response:
    """Set the rules under a pattern, in place of those before.

    All protections that match a branch apply to it, to every way in which it can move.
    """
    rules = Rules.from_json(body.model_dump())
    answer = answering_json(caller, protection_document)
    return answer(put_protection(warehouse, pattern, rules, caller=caller))


@router.delete(
    "/warehouses/{warehouse}/protections/{pattern:path}",
    summary="Remove a protection",
    status_code=204,
    responses=problems(404),
)
def delete(warehouse: WarehouseOf, pattern: Pattern, caller: CallerOf) -> Response:
    """Remove the rules under exactly this pattern."""
    answer = answering_nothing(caller)
    delete_protection(warehouse, pattern, caller=caller)
    return answer()
