"""Metrics reports of tables, the newest so many of the whole server."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, select
from sqlalchemy import delete as delete_from
from sqlalchemy import insert as insert_into

from catalog.clock import from_micros, to_micros
from catalog.store.engine import Connection
from catalog.store.tables import metrics_reports
from catalog.versioning.keys import Key


@dataclass(frozen=True, slots=True)
class Report:
    """What an engine reported of one scan or commit; `document` is the report as JSON text."""

    table_uuid: str
    key: Key
    kind: str
    snapshot_id: int
    at: datetime
    by: str
    document: str


@dataclass(frozen=True, slots=True)
class StoredReport:
    """A report and its number, which grows with every report of any table."""

    id: int
    report: Report


# Old reports are dropped by so many at once, since a statement costs more than a row.
_BATCH = 100

_INSERT = insert_into(metrics_reports).returning(metrics_reports.c.id)
_DROP = delete_from(metrics_reports).where(metrics_reports.c.id <= bindparam("last"))


def insert(connection: Connection, warehouse_id: int, report: Report, *, kept: int) -> None:
    """Store a report, and now and then drop all but the newest `kept` of the server."""
    number: int = connection.execute(
        _INSERT,
        {
            "warehouse_id": warehouse_id,
            "table_uuid": report.table_uuid,
            "key": json.dumps(report.key),
            "kind": report.kind,
            "snapshot_id": report.snapshot_id,
            "at": to_micros(report.at),
            "by": report.by,
            "report": report.document,
        },
    ).scalar_one()
    if number % min(_BATCH, kept) == 0:
        connection.execute(_DROP, {"last": number - kept})


def list_(
    connection: Connection,
    warehouse_id: int,
    *,
    table_uuid: str | None,
    before: int | None,
    limit: int,
) -> list[StoredReport]:
    """Return reports of one table, or of all, newest first, from before a number on."""
    statement = select(metrics_reports).where(metrics_reports.c.warehouse_id == warehouse_id)
    if table_uuid is not None:
        statement = statement.where(metrics_reports.c.table_uuid == table_uuid)
    if before is not None:
        statement = statement.where(metrics_reports.c.id < before)
    rows = connection.execute(statement.order_by(metrics_reports.c.id.desc()).limit(limit))
    return [_stored(row) for row in rows]


def _stored(row: Row[Any]) -> StoredReport:
    report = Report(
        row.table_uuid,
        tuple(json.loads(row.key)),
        row.kind,
        row.snapshot_id,
        from_micros(row.at),
        row.by,
        row.report,
    )
    return StoredReport(row.id, report)
