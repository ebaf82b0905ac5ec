"""Metrics reports: what engines tell of their scans and commits, kept beside the tree."""

from typing import Any

import orjson
import structlog

from catalog.errors import CatalogError, InvalidInput
from catalog.iceberg.reading import check_json, read_long, read_string
from catalog.operations.callers import Caller
from catalog.operations.tables import get_table
from catalog.operations.warehouses import Warehouse
from catalog.store import metrics
from catalog.store.engine import read, transact
from catalog.store.metrics import Report, StoredReport
from catalog.versioning.ids import ObjectId
from catalog.versioning.keys import Key

__all__ = ["Report", "StoredReport", "keep_report", "list_reports", "read_report"]

KINDS = ("scan-report", "commit-report")

logger = structlog.get_logger()


def read_report(
    warehouse: Warehouse,
    commit_id: ObjectId,
    key: Key,
    document: dict[str, Any],
    *,
    caller: Caller,
) -> Report:
    """Return a report of a table, checked as far as the server relies on it.

    Raises:
        NoSuchTable: if the table is absent at this commit.
        InvalidInput: if it is no report.
    """
    check_json(document)
    kind = read_string(document, "report-type")
    if kind not in KINDS:
        raise InvalidInput(f"Unknown report-type: {kind!r}")
    read_string(document, "table-name")
    snapshot_id = read_long(document, "snapshot-id")
    entry = get_table(warehouse, commit_id, key)
    return Report(
        entry.uuid,
        key,
        kind,
        snapshot_id,
        warehouse.catalog.clock(),
        caller.name,
        orjson.dumps(document).decode(),
    )


def keep_report(warehouse: Warehouse, report: Report) -> None:
    """Store a report; if the database refuses, it is lost, and the log says so.

    No engine's work depends on it, and its answer has been sent by then.
    """
    kept = warehouse.catalog.settings.metrics_reports_kept
    if kept == 0:
        return
    try:
        transact(
            warehouse.catalog.engine,
            lambda connection: metrics.insert(connection, warehouse.id, report, kept=kept),
        )
    except CatalogError as error:
        logger.warning("metrics-report-lost", code=error.code, message=error.message)


def list_reports(
    warehouse: Warehouse, *, table_uuid: str | None, before: int | None, limit: int
) -> list[StoredReport]:
    """Return reports of one table, or of all, newest first, from before a number on."""
    return read(
        warehouse.catalog.engine,
        lambda connection: metrics.list_(
            connection, warehouse.id, table_uuid=table_uuid, before=before, limit=limit
        ),
    )
