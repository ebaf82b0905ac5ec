"""Which commits a warehouse has."""

from collections.abc import Iterable

from sqlalchemy import bindparam, select
from sqlalchemy.dialects import postgresql, sqlite

from catalog.store.engine import Connection
from catalog.store.tables import commits
from catalog.versioning.ids import ObjectId

_INSERTS = {
    "sqlite": sqlite.insert(commits).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(commits).on_conflict_do_nothing(),
}
_CONTAINS = select(commits.c.id).where(
    commits.c.warehouse_id == bindparam("warehouse"), commits.c.id == bindparam("commit")
)
_BETWEEN = (
    select(commits.c.id)
    .where(
        commits.c.warehouse_id == bindparam("warehouse"),
        commits.c.id >= bindparam("low"),
        commits.c.id <= bindparam("high"),
    )
    .order_by(commits.c.id)
)

_HEX_DIGITS = 64


def insert(connection: Connection, warehouse_id: int, ids: Iterable[ObjectId]) -> None:
    """Note that the warehouse has these commits."""
    connection.execute(
        _INSERTS[connection.dialect.name],
        [{"warehouse_id": warehouse_id, "id": identifier} for identifier in ids],
    )


def contains(connection: Connection, warehouse_id: int, commit_id: ObjectId) -> bool:
    """Say whether the warehouse has a commit."""
    row = connection.execute(_CONTAINS, {"warehouse": warehouse_id, "commit": commit_id}).first()
    return row is not None


def find_by_prefix(
    connection: Connection, warehouse_id: int, hex_prefix: str, limit: int = 3
) -> list[ObjectId]:
    """Return up to `limit` commits whose id begins with these hex digits, in order."""
    low = bytes.fromhex(hex_prefix.ljust(_HEX_DIGITS, "0"))
    high = bytes.fromhex(hex_prefix.ljust(_HEX_DIGITS, "f"))
    rows = connection.execute(
        _BETWEEN.limit(limit), {"warehouse": warehouse_id, "low": low, "high": high}
    )
    return [ObjectId(bytes(row.id)) for row in rows]
