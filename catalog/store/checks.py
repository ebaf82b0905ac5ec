"""What was said of commits."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, select
from sqlalchemy import insert as insert_into

from catalog.clock import from_micros, to_micros
from catalog.store.engine import Connection
from catalog.store.tables import checks
from catalog.versioning.ids import ObjectId


@dataclass(frozen=True, slots=True)
class Check:
    """One statement about a commit."""

    name: str
    state: str
    summary: str
    details_url: str
    at: datetime
    by: str


_OF_COMMIT = (
    select(checks)
    .where(
        checks.c.warehouse_id == bindparam("warehouse"), checks.c.commit_id == bindparam("commit")
    )
    .order_by(checks.c.id)
)


def insert(connection: Connection, warehouse_id: int, commit_id: ObjectId, check: Check) -> None:
    """Add a statement; it supersedes earlier ones of its name."""
    connection.execute(
        insert_into(checks),
        {
            "warehouse_id": warehouse_id,
            "commit_id": commit_id,
            "name": check.name,
            "state": check.state,
            "summary": check.summary,
            "details_url": check.details_url,
            "at": to_micros(check.at),
            "by": check.by,
        },
    )


def list_(connection: Connection, warehouse_id: int, commit_id: ObjectId) -> list[Check]:
    """Return all statements about a commit, oldest first."""
    rows = connection.execute(_OF_COMMIT, {"warehouse": warehouse_id, "commit": commit_id})
    return [_check(row) for row in rows]


def latest_states(connection: Connection, warehouse_id: int, commit_id: ObjectId) -> dict[str, str]:
    """Return the state that counts, by name of check."""
    return {check.name: check.state for check in list_(connection, warehouse_id, commit_id)}


def _check(row: Row[Any]) -> Check:
    return Check(row.name, row.state, row.summary, row.details_url, from_micros(row.at), row.by)
