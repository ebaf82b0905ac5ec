"""Server-side scan planning, as the specification has it."""

from typing import Any

from fastapi import APIRouter, Request, Response

from catalog.api.dependencies import require_object
from catalog.api.iceberg.addresses import AddressOf, decode
from catalog.api.iceberg.namespaces import BodyOf
from catalog.api.responses import JsonResponse, no_content
from catalog.errors import InvalidInput
from catalog.operations import plans

router = APIRouter()

_TABLE = "/v1/{prefix}/namespaces/{namespace}/tables/{table}"
_PLAN = _TABLE + "/plan/{plan_id}"


@router.post(_TABLE + "/plan")
def plan_table_scan(address: AddressOf, body: BodyOf) -> Response:
    """Plan a scan."""
    planned = plans.plan_scan(
        address.warehouse, address.place.commit_id, address.key, require_object(body)
    )
    return _response(planned)


@router.get(_PLAN)
def fetch_planning_result(request: Request, address: AddressOf) -> Response:
    """Fetch the result of a plan."""
    planned = plans.fetch_plan(
        address.warehouse, address.place.commit_id, address.key, _plan_id(request)
    )
    return _response(planned)


@router.delete(_PLAN)
def cancel_planning(request: Request, address: AddressOf) -> Response:
    """Cancel a plan."""
    plans.cancel_plan(address.warehouse, address.place.commit_id, address.key, _plan_id(request))
    return no_content()


@router.post(_TABLE + "/tasks")
def fetch_scan_tasks(address: AddressOf, body: BodyOf) -> Response:
    """Fetch the files of a plan task."""
    plan_task = require_object(body).get("plan-task")
    if not isinstance(plan_task, str):
        raise InvalidInput("Cannot parse to a string value: plan-task")
    tasks = plans.fetch_scan_tasks(
        address.warehouse, address.place.commit_id, address.key, plan_task
    )
    return JsonResponse(tasks)


def _plan_id(request: Request) -> str:
    return decode(request.path_params["plan_id"])


def _response(planned: plans.PlannedScan) -> Response:
    body: dict[str, Any] = {"status": planned.status.value}
    if planned.status is not plans.PlanStatus.CANCELLED:
        body["plan-id"] = planned.plan_id
    return JsonResponse(body | (planned.scan_tasks or {}))
