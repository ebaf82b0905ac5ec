"""`/metrics`: what engines reported of their scans and commits."""

from datetime import datetime
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from catalog.api.management.context import WarehouseOf
from catalog.api.management.documents import Json
from catalog.api.management.fields import (
    Answer,
    AnyRevision,
    Limit,
    Line,
    PageToken,
    QueryString,
    problems,
)
from catalog.api.management.models import KeyLevels
from catalog.api.management.pages import after_number, number_page
from catalog.api.management.routing import ManagementRoute
from catalog.api.responses import JsonResponse
from catalog.clock import format_time
from catalog.errors import InvalidInput
from catalog.operations.metrics import StoredReport, list_reports
from catalog.operations.resolve import resolve
from catalog.operations.tables import get_table
from catalog.operations.warehouses import Warehouse

router = APIRouter(tags=["metrics"], route_class=ManagementRoute)


class MetricsQuery(QueryString):
    """Whose reports to list; without a table, all of the warehouse."""

    table: Line | None = Field(
        default=None,
        description="A table at `ref`, levels joined by dots; its reports are followed through"
        " renames, and on every branch.",
        examples=["features.slides"],
    )
    ref: AnyRevision | None = Field(default=None, description="Default: the default branch.")
    table_uuid: Line | None = Field(default=None, description="A table by its uuid, in its place.")
    limit: Limit = 100
    page_token: PageToken | None = None


class ReportAnswer(Answer):
    """What an engine reported of one scan or commit."""

    table_uuid: str
    key: KeyLevels
    report_type: Literal["scan-report", "commit-report"]
    snapshot_id: int
    at: datetime
    by: str = Field(description="Who reported it.")
    report: dict[str, Any] = Field(
        description="ScanReport or CommitReport of Iceberg's REST specification."
    )


class MetricsAnswer(Answer):
    """A page of reports, newest first."""

    reports: list[ReportAnswer]
    next_page_token: str | None


@router.get(
    "/warehouses/{warehouse}/metrics",
    summary="List metrics reports",
    response_model=MetricsAnswer,
    responses=problems(404),
)
def list_all(warehouse: WarehouseOf, query: Annotated[MetricsQuery, Query()]) -> Response:
    """What engines reported of their scans and commits; old reports are dropped in time."""
    found = list_reports(
        warehouse,
        table_uuid=_uuid(warehouse, query),
        before=after_number(query.page_token),
        limit=query.limit + 1,
    )
    page, token = number_page(found, query.limit)
    return JsonResponse({"reports": [_document(each) for each in page], "next_page_token": token})


def _uuid(warehouse: Warehouse, query: MetricsQuery) -> str | None:
    if query.table is None:
        if query.ref is not None:
            raise InvalidInput("query.ref: it says where to look for `table`, which is not given")
        return query.table_uuid
    if query.table_uuid is not None:
        raise InvalidInput("query: give `table` or `table_uuid`, not both")
    commit_id = resolve(warehouse, query.ref).commit_id
    return get_table(warehouse, commit_id, tuple(query.table.split("."))).uuid


def _document(stored: StoredReport) -> Json:
    report = stored.report
    return {
        "table_uuid": report.table_uuid,
        "key": report.key,
        "report_type": report.kind,
        "snapshot_id": report.snapshot_id,
        "at": format_time(report.at),
        "by": report.by,
        "report": orjson.loads(report.document),
    }
