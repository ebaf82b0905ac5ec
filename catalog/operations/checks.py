"""Checks: verdicts on commits that come from outside, and that protections may require."""

from dataclasses import dataclass
from datetime import datetime

from catalog.governance.protections import CheckState, check_name
from catalog.operations.callers import Caller
from catalog.operations.idempotency import record
from catalog.operations.resolve import resolve
from catalog.operations.warehouses import Warehouse
from catalog.store import checks
from catalog.store.engine import Connection, read, transact
from catalog.versioning.ids import ObjectId


@dataclass(frozen=True, slots=True)
class Check:
    """The latest verdict that a check gave on a commit."""

    commit_id: ObjectId
    name: str
    state: CheckState
    summary: str
    details_url: str | None
    at: datetime
    by: str


def report_check(
    warehouse: Warehouse,
    revision: str,
    name: str,
    state: CheckState,
    *,
    summary: str = "",
    details_url: str | None = None,
    caller: Caller,
) -> Check:
    """Note what a check found on the commit that the revision names now.

    Earlier verdicts of its name stay in the database; the latest counts.

    Raises:
        NoSuchRevision: if the revision names nothing.
        InvalidInput: if no check can be called so.
    """
    check_name(name)
    commit_id = resolve(warehouse, revision).commit_id
    row = checks.Check(
        name,
        state,
        summary,
        details_url or "",
        warehouse.catalog.clock(),
        caller.author or caller.name,
    )

    def write(connection: Connection) -> None:
        checks.insert(connection, warehouse.id, commit_id, row)
        record(connection, caller.once, _check(commit_id, row))

    transact(warehouse.catalog.engine, write)
    return _check(commit_id, row)


def list_checks(warehouse: Warehouse, revision: str) -> list[Check]:
    """Return the latest verdict of every check on a commit, by name."""
    commit_id = resolve(warehouse, revision).commit_id
    rows = read(
        warehouse.catalog.engine,
        lambda connection: checks.list_(connection, warehouse.id, commit_id),
    )
    latest = {row.name: row for row in rows}
    return [_check(commit_id, latest[name]) for name in sorted(latest)]


def _check(commit_id: ObjectId, row: checks.Check) -> Check:
    return Check(
        commit_id,
        row.name,
        CheckState(row.state),
        row.summary,
        row.details_url or None,
        row.at,
        row.by,
    )
