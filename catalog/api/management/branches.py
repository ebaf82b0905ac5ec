"""`/branches` and `/reflog`: create, list, show, reset and delete branches; how they moved."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from catalog.api.answering import answering_json, answering_nothing
from catalog.api.management.context import BranchName, CallerOf, WarehouseOf
from catalog.api.management.documents import branch_document, reflog_document
from catalog.api.management.fields import problems
from catalog.api.management.models import (
    BranchAnswer,
    BranchesAnswer,
    BranchRequest,
    ReflogAnswer,
    ReflogQuery,
    RefsQuery,
    ResetRequest,
)
from catalog.api.management.pages import after_number, name_page, number_page
from catalog.api.management.routing import ManagementRoute
from catalog.api.responses import JsonResponse
from catalog.operations.history import list_reflog
from catalog.operations.refs import (
    create_branch,
    delete_branch,
    get_branch,
    list_branches,
    reset_branch,
)

router = APIRouter(tags=["branches"], route_class=ManagementRoute)


@router.get(
    "/warehouses/{warehouse}/branches",
    summary="List branches",
    response_model=BranchesAnswer,
    responses=problems(404),
)
def list_all(warehouse: WarehouseOf, query: Annotated[RefsQuery, Query()]) -> Response:
    """Branches by name, those that begin with `prefix`."""
    found = list_branches(
        warehouse, prefix=query.prefix, after=query.page_token, limit=query.limit + 1
    )
    page, token = name_page(found, query.limit)
    return JsonResponse(
        {"branches": [branch_document(ref) for ref in page], "next_page_token": token}
    )


@router.post(
    "/warehouses/{warehouse}/branches",
    summary="Create a branch",
    status_code=201,
    response_model=BranchAnswer,
    responses=problems(404, 409),
)
def create(warehouse: WarehouseOf, caller: CallerOf, body: BranchRequest) -> Response:
    """Create a branch at any revision; nothing is copied, whatever the number of tables."""
    answer = answering_json(caller, branch_document, 201)
    return answer(create_branch(warehouse, body.name, body.start, caller=caller))


@router.post(
    "/warehouses/{warehouse}/branches/{name:path}/reset",
    summary="Move a branch to another commit",
    response_model=BranchAnswer,
    responses=problems(403, 404, 409),
)
def reset(
    warehouse: WarehouseOf, name: BranchName, caller: CallerOf, body: ResetRequest
) -> Response:
    """Make any revision the branch's head; the reflog remembers the one before."""
    answer = answering_json(caller, branch_document)
    return answer(
        reset_branch(warehouse, name, body.to, expected_head=body.expected_head, caller=caller)
    )


@router.get(
    "/warehouses/{warehouse}/branches/{name:path}",
    summary="Show a branch",
    response_model=BranchAnswer,
    responses=problems(404),
)
def show(warehouse: WarehouseOf, name: BranchName) -> Response:
    """One branch and its head."""
    return JsonResponse(branch_document(get_branch(warehouse, name)))


@router.delete(
    "/warehouses/{warehouse}/branches/{name:path}",
    summary="Delete a branch",
    status_code=204,
    responses=problems(403, 404, 409),
)
def delete(warehouse: WarehouseOf, name: BranchName, caller: CallerOf) -> Response:
    """Delete a branch; its commits stay, and its reflog says where it stood."""
    answer = answering_nothing(caller)
    delete_branch(warehouse, name, caller=caller)
    return answer()


@router.get(
    "/warehouses/{warehouse}/reflog",
    summary="List how a branch moved",
    response_model=ReflogAnswer,
    responses=problems(404),
)
def reflog(warehouse: WarehouseOf, query: Annotated[ReflogQuery, Query()]) -> Response:
    """Every move of a branch's head, newest first."""
    moves = list_reflog(
        warehouse,
        query.branch,
        before=after_number(query.page_token),
        limit=query.limit + 1,
    )
    page, token = number_page(moves, query.limit)
    return JsonResponse(
        {"entries": [reflog_document(move) for move in page], "next_page_token": token}
    )
