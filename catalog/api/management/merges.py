"""`/merges`, `/cherry-picks` and `/reverts`: bring changes to a branch, all or none."""

from collections.abc import Sequence

from fastapi import APIRouter
from starlette.responses import Response

from catalog.api.answering import answering_json
from catalog.api.management.context import CallerOf, ReportOf, WarehouseOf, speaking
from catalog.api.management.documents import merge_document
from catalog.api.management.fields import problems
from catalog.api.management.merge_models import (
    ChangesRequest,
    CherryPickRequest,
    MergeAnswer,
    MergeRequest,
    RevertRequest,
)
from catalog.api.management.routing import ManagementRoute
from catalog.iceberg.merging.files import Isolation
from catalog.operations.callers import Caller
from catalog.operations.merge import Options, cherry_pick, merge, revert

router = APIRouter(tags=["merges"], route_class=ManagementRoute)


@router.post(
    "/warehouses/{warehouse}/merges",
    summary="Merge a revision into a branch",
    response_model=MergeAnswer,
    responses=problems(403, 404, 409),
)
def create_merge(
    warehouse: WarehouseOf, caller: CallerOf, report: ReportOf, body: MergeRequest
) -> Response:
    """Bring all that changed on the source since the common base into the target, or nothing.

    Where changes do not go together the answer is 409 with all `conflicts`, and nothing changes;
    so it is in a dry run. Where there is nothing to merge the target's head is answered.

    With `Accept: application/x-ndjson` the answer has status 200 and comes in lines: one for each
    table that both sides changed, as it is done (`done`, `total`, `key`, `conflict`), and a last
    one with the `status` and the `body` that would have been the answer.
    """
    answer = answering_json(caller, merge_document)
    return answer(
        merge(
            warehouse,
            body.source,
            body.target,
            options=_options(body, isolation=body.isolation, unchanged=body.unchanged),
            squash=body.squash,
            caller=_caller(caller, body),
            report=report,
        )
    )


@router.post(
    "/warehouses/{warehouse}/cherry-picks",
    summary="Apply single commits to a branch",
    response_model=MergeAnswer,
    responses=problems(403, 404, 409),
)
def create_cherry_pick(
    warehouse: WarehouseOf, caller: CallerOf, report: ReportOf, body: CherryPickRequest
) -> Response:
    """Apply what each commit changed against its first parent, in this order, as one commit."""
    answer = answering_json(caller, merge_document)
    return answer(
        cherry_pick(
            warehouse,
            body.commit_ids,
            body.target,
            options=_options(body, isolation=body.isolation),
            caller=_caller(caller, body),
            report=report,
        )
    )


@router.post(
    "/warehouses/{warehouse}/reverts",
    summary="Take back a commit on a branch",
    response_model=MergeAnswer,
    responses=problems(403, 404, 409),
)
def create_revert(warehouse: WarehouseOf, caller: CallerOf, body: RevertRequest) -> Response:
    """Undo, by a new commit, what a commit changed against its first parent."""
    answer = answering_json(caller, merge_document)
    return answer(
        revert(
            warehouse,
            body.commit_id,
            body.target,
            options=_options(body),
            caller=_caller(caller, body),
        )
    )


def _options(
    body: ChangesRequest, *, isolation: str | None = None, unchanged: Sequence[str] = ()
) -> Options:
    return Options(
        default=body.strategy.default,
        tables=body.strategy.tables,
        expected_head=body.expected_target_head,
        dry_run=body.dry_run,
        plan_id=body.plan_id,
        unchanged=tuple(unchanged),
        isolation=None if isolation is None else Isolation(isolation),
    )


def _caller(caller: Caller, body: ChangesRequest) -> Caller:
    return speaking(caller, author=body.author, message=body.message, metadata=body.metadata)
