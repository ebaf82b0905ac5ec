"""`/commits/{revision}/checks`: verdicts on commits, which protections may require."""

from fastapi import APIRouter
from starlette.responses import Response

from catalog.api.answering import answering_json
from catalog.api.management.context import CallerOf, RevisionInPath, WarehouseOf
from catalog.api.management.documents import check_document
from catalog.api.management.fields import problems
from catalog.api.management.models import CheckAnswer, CheckRequest, ChecksAnswer
from catalog.api.management.routing import ManagementRoute
from catalog.api.responses import JsonResponse
from catalog.governance.protections import CheckState
from catalog.operations.checks import list_checks, report_check

router = APIRouter(tags=["checks"], route_class=ManagementRoute)


@router.get(
    "/warehouses/{warehouse}/commits/{revision:path}/checks",
    summary="List the checks of a commit",
    response_model=ChecksAnswer,
    responses=problems(404),
)
def list_all(warehouse: WarehouseOf, revision: RevisionInPath) -> Response:
    """The latest verdict of every check on a commit, by name."""
    checks = list_checks(warehouse, revision)
    return JsonResponse({"checks": [check_document(check) for check in checks]})


@router.post(
    "/warehouses/{warehouse}/commits/{revision:path}/checks",
    summary="Report a check on a commit",
    status_code=201,
    response_model=CheckAnswer,
    responses=problems(404),
)
def report(
    warehouse: WarehouseOf, revision: RevisionInPath, caller: CallerOf, body: CheckRequest
) -> Response:
    """Say what a check found on a commit; the latest verdict of a name counts.

    A verdict belongs to the commit that the revision names now: a branch that moves on has none.
    """
    answer = answering_json(caller, check_document, 201)
    return answer(
        report_check(
            warehouse,
            revision,
            body.name,
            CheckState(body.state),
            summary=body.summary,
            details_url=body.details_url,
            caller=caller,
        )
    )
