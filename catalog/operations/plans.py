"""Server-side scan planning: plans and tasks that describe themselves, so no server keeps them.

A plan id or a task names the metadata file that it was made from and the request, snapshot pinned.
Both hold on every replica, as long as that file is the table's own or stands in its metadata log.
"""

import base64
import binascii
import zlib
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any
from uuid import uuid4

import orjson

from catalog.errors import InvalidInput, NoSuchPlan, NoSuchPlanTask
from catalog.iceberg.metadata import Metadata
from catalog.iceberg.scans.planning import Manifests, Task, cut, read_page, scan_manifests
from catalog.iceberg.scans.requests import Request, Scan, open_scan, pinned
from catalog.operations.metadata import read_manifest, read_metadata
from catalog.operations.tables import get_table
from catalog.operations.warehouses import Warehouse
from catalog.versioning.ids import ObjectId
from catalog.versioning.keys import Key

# A snapshot of more files than this is planned when its plan is fetched.
ASYNCHRONOUS_FILES = 1_000_000
# A plan id stands in a URL; one that would be longer is answered at once, whatever the size.
_MAX_ID_CHARACTERS = 4096
_MAX_TOKEN_BYTES = 64 * 1024 * 1024


class PlanStatus(StrEnum):
    """Where a plan stands."""

    COMPLETED = "completed"
    SUBMITTED = "submitted"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class PlannedScan:
    """A plan; `scan_tasks` are the document's ScanTasks, for a completed one only."""

    plan_id: str
    status: PlanStatus
    scan_tasks: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class _Table:
    """The table that a plan is asked of."""

    warehouse: Warehouse
    location: str
    metadata: Metadata

    def knows(self, location: object) -> bool:
        """Tell whether a metadata file is, or was, this table's."""
        log = self.metadata.get("metadata-log") or []
        return location == self.location or any(entry["metadata-file"] == location for entry in log)


def plan_scan(warehouse: Warehouse, commit_id: ObjectId, key: Key, request: Request) -> PlannedScan:
    """Plan a scan: at once, unless the snapshot is very large.

    Raises:
        NoSuchTable: if the key names no table at this commit.
        InvalidInput: if the request is malformed, or names what the table does not have.
    """
    table = _table(warehouse, commit_id, key)
    fixed = pinned(request, table.metadata)
    scan = open_scan(fixed, table.metadata)
    plan_id = _encode({"metadata": table.location, "request": fixed, "id": uuid4().hex})
    if len(plan_id) > _MAX_ID_CHARACTERS:
        return PlannedScan(uuid4().hex, PlanStatus.COMPLETED, _planned(table, fixed, scan))
    if _files(scan) > ASYNCHRONOUS_FILES:
        return PlannedScan(plan_id, PlanStatus.SUBMITTED)
    return PlannedScan(plan_id, PlanStatus.COMPLETED, _planned(table, fixed, scan))


def fetch_plan(warehouse: Warehouse, commit_id: ObjectId, key: Key, plan_id: str) -> PlannedScan:
    """Return the result of a plan that was submitted, or was completed before.

    Raises:
        NoSuchTable: if the key names no table at this commit.
        NoSuchPlan: if the id is none of this table's, or the table has forgotten its metadata.
    """
    table = _table(warehouse, commit_id, key)
    request, at_the_time = _plan(table, plan_id)
    if warehouse.catalog.responses.get(plan_id) is not None:
        return PlannedScan(plan_id, PlanStatus.CANCELLED)
    scan = open_scan(request, at_the_time.metadata)
    return PlannedScan(plan_id, PlanStatus.COMPLETED, _planned(at_the_time, request, scan))


def cancel_plan(warehouse: Warehouse, commit_id: ObjectId, key: Key, plan_id: str) -> None:
    """Forget a plan. Nothing is held for it, so this only changes what this server answers.

    Raises:
        NoSuchTable: if the key names no table at this commit.
        NoSuchPlan: if the id is none of this table's.
    """
    _plan(_table(warehouse, commit_id, key), plan_id)
    warehouse.catalog.responses.put(plan_id, PlanStatus.CANCELLED.encode())


def fetch_scan_tasks(
    warehouse: Warehouse, commit_id: ObjectId, key: Key, plan_task: str
) -> dict[str, Any]:
    """Return the files of a task, and the task that holds the rest if they are many.

    Raises:
        NoSuchTable: if the key names no table at this commit.
        NoSuchPlanTask: if the task is none of this table's, or the table has forgotten its
            metadata.
    """
    table = _table(warehouse, commit_id, key)
    document = _decode(plan_task)
    match document:
        case {
            "metadata": str(location),
            "request": dict(given),
            "task": [int(first), int(entry), int(stop)],
        } if 0 <= first < stop and entry >= 0:
            at_the_time = _table_at(table, location)
        case _:
            at_the_time = None
    if at_the_time is None:
        raise NoSuchPlanTask("The plan task does not exist, or the table has moved on too far")
    request = pinned(given, at_the_time.metadata)
    scan = open_scan(request, at_the_time.metadata)
    manifests = scan_manifests(scan, partial(read_manifest, warehouse))
    return _paged(at_the_time, request, scan, manifests, [Task(first, entry, stop)])


def _table(warehouse: Warehouse, commit_id: ObjectId, key: Key) -> _Table:
    location = get_table(warehouse, commit_id, key).metadata_location
    assert location is not None
    return _Table(warehouse, location, read_metadata(warehouse, location))


def _table_at(table: _Table, location: str) -> _Table | None:
    """Return the table as an earlier metadata file has it, if it knows that file.

    The log of a table that another catalog wrote may name any file.
    """
    if not table.knows(location):
        return None
    try:
        location = table.warehouse.resolve_location(location)
    except InvalidInput:
        return None
    return _Table(table.warehouse, location, read_metadata(table.warehouse, location))


def _plan(table: _Table, plan_id: str) -> tuple[Request, _Table]:
    match _decode(plan_id):
        case {"metadata": str(location), "request": dict(given), "id": str()}:
            at_the_time = _table_at(table, location)
        case _:
            at_the_time = None
    if at_the_time is None:
        raise NoSuchPlan("The plan id does not exist, or the table has moved on too far")
    return pinned(given, at_the_time.metadata), at_the_time


def _planned(table: _Table, request: Request, scan: Scan) -> dict[str, Any]:
    """Return the first page, and a task for each of the others."""
    manifests = scan_manifests(scan, partial(read_manifest, table.warehouse))
    return _paged(table, request, scan, manifests, cut(manifests.data))


def _paged(
    table: _Table, request: Request, scan: Scan, manifests: Manifests, tasks: list[Task]
) -> dict[str, Any]:
    if not tasks:
        return {"delete-files": [], "file-scan-tasks": [], "plan-tasks": []}
    page = read_page(scan, manifests, tasks[0], partial(read_manifest, table.warehouse))
    waiting = [] if page.rest is None else [page.rest]
    waiting += tasks[1:]
    rest = [] if page.is_enough else [_task_text(table, request, task) for task in waiting]
    return page.scan_tasks | {"plan-tasks": rest}


def _task_text(table: _Table, request: Request, task: Task) -> str:
    place = [task.first, task.entry, task.stop]
    return _encode({"metadata": table.location, "request": request, "task": place})


def _files(scan: Scan) -> int:
    """Return how many files the snapshots of a scan say they have."""
    totals = ("total-data-files", "total-delete-files")
    summaries = [snapshot.get("summary") or {} for snapshot in scan.snapshots]
    counts = [str(summary.get(name, "0")) for summary in summaries for name in totals]
    return sum(int(count) for count in counts if count.isascii() and count.isdigit())


def _encode(document: dict[str, Any]) -> str:
    packed = zlib.compress(orjson.dumps(document))
    return base64.urlsafe_b64encode(packed).rstrip(b"=").decode()


def _decode(text: str) -> Any:
    """Return the document of an id or task; None if the text is none of ours."""
    try:
        packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        return orjson.loads(zlib.decompressobj().decompress(packed, _MAX_TOKEN_BYTES))
    except (ValueError, binascii.Error, zlib.error):
        return None
