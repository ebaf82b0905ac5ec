"""Nodes and commits by their ids; what is stored never changes."""

from collections.abc import Collection, Mapping

from sqlalchemy import bindparam, select
from sqlalchemy.dialects import postgresql, sqlite

from catalog.store.engine import Connection
from catalog.store.tables import objects
from catalog.versioning.ids import ObjectId

# Databases bound the number of parameters of a statement.
_CHUNK = 500

_FETCH = select(objects.c.id, objects.c.data).where(
    objects.c.id.in_(bindparam("ids", expanding=True))
)
_INSERTS = {
    "sqlite": sqlite.insert(objects).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(objects).on_conflict_do_nothing(),
}


def fetch(connection: Connection, ids: Collection[ObjectId]) -> dict[ObjectId, bytes]:
    """Return the encodings of those objects that are stored."""
    wanted = list(ids)
    found: dict[ObjectId, bytes] = {}
    for start in range(0, len(wanted), _CHUNK):
        chunk = wanted[start : start + _CHUNK]
        for row in connection.execute(_FETCH, {"ids": chunk}):
            found[ObjectId(bytes(row.id))] = bytes(row.data)
    return found


def insert(connection: Connection, staged: Mapping[ObjectId, bytes]) -> None:
    """Store objects; those that are there already are left alone.

    They go in by id, so that two transactions cannot wait for each other.
    """
    if staged:
        connection.execute(
            _INSERTS[connection.dialect.name],
            [{"id": identifier, "data": staged[identifier]} for identifier in sorted(staged)],
        )
