"""Protections of refs, by the pattern that they stand under."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy import delete as delete_from
from sqlalchemy.dialects import postgresql, sqlite

from catalog.store.engine import Connection
from catalog.store.tables import protections


@dataclass(frozen=True, slots=True)
class Protection:
    """A pattern and its rules, as JSON."""

    pattern: str
    rules: Mapping[str, Any]


_LIST = (
    select(protections)
    .where(protections.c.warehouse_id == bindparam("warehouse"))
    .order_by(protections.c.pattern)
)
_SQLITE = sqlite.insert(protections)
_POSTGRESQL = postgresql.insert(protections)
_KEY = ["warehouse_id", "pattern"]
# One statement, so that two who put at once do not meet between a look and an insert.
_PUTS = {
    "sqlite": _SQLITE.on_conflict_do_update(
        index_elements=_KEY, set_={"rules": _SQLITE.excluded.rules}
    ),
    "postgresql": _POSTGRESQL.on_conflict_do_update(
        index_elements=_KEY, set_={"rules": _POSTGRESQL.excluded.rules}
    ),
}
_DELETE = delete_from(protections).where(
    protections.c.warehouse_id == bindparam("warehouse"),
    protections.c.pattern == bindparam("wanted"),
)


def list_(connection: Connection, warehouse_id: int) -> list[Protection]:
    """Return all protections by pattern."""
    rows = connection.execute(_LIST, {"warehouse": warehouse_id})
    return [Protection(row.pattern, json.loads(row.rules)) for row in rows]


def put(connection: Connection, warehouse_id: int, protection: Protection) -> None:
    """Set the rules of a pattern, in place of earlier ones."""
    connection.execute(
        _PUTS[connection.dialect.name],
        {
            "warehouse_id": warehouse_id,
            "pattern": protection.pattern,
            "rules": json.dumps(dict(protection.rules), sort_keys=True),
        },
    )


def delete(connection: Connection, warehouse_id: int, pattern: str) -> bool:
    """Remove a protection, and say whether there was one."""
    result = connection.execute(_DELETE, {"warehouse": warehouse_id, "wanted": pattern})
    return result.rowcount == 1
