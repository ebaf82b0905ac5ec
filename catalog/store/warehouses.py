"""Rows of warehouses."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, select
from sqlalchemy import delete as delete_from
from sqlalchemy import insert as insert_into
from sqlalchemy import update as update_of
from sqlalchemy.exc import IntegrityError

from catalog.clock import from_micros, to_micros
from catalog.errors import AlreadyExists
from catalog.store.engine import Connection
from catalog.store.tables import warehouses


@dataclass(frozen=True, slots=True)
class Warehouse:
    """One warehouse; `storage` are Iceberg FileIO properties without secrets."""

    id: int
    name: str
    location: str
    default_branch: str
    storage: Mapping[str, str]
    created_at: datetime


_FIND = select(warehouses).where(warehouses.c.name == bindparam("wanted"))
_LOCK = (
    select(warehouses.c.default_branch)
    .where(warehouses.c.id == bindparam("warehouse"))
    .with_for_update(read=True)
)
_LIST = select(warehouses).order_by(warehouses.c.name)


def find(connection: Connection, name: str) -> Warehouse | None:
    """Return the warehouse of this name."""
    row = connection.execute(_FIND, {"wanted": name}).first()
    return None if row is None else _warehouse(row)


def list_(connection: Connection) -> list[Warehouse]:
    """Return all warehouses by name."""
    return [_warehouse(row) for row in connection.execute(_LIST)]


def insert(
    connection: Connection,
    *,
    name: str,
    location: str,
    default_branch: str,
    storage: Mapping[str, str],
    created_at: datetime,
) -> Warehouse:
    """Add a warehouse.

    Raises:
        AlreadyExists: if one has the name.
    """
    statement = insert_into(warehouses).values(
        name=name,
        location=location,
        default_branch=default_branch,
        storage=json.dumps(dict(storage), sort_keys=True),
        created_at=to_micros(created_at),
    )
    try:
        row = connection.execute(statement.returning(warehouses)).one()
    except IntegrityError as error:
        raise AlreadyExists(f"Warehouse already exists: {name}", warehouse=name) from error
    return _warehouse(row)


def update(
    connection: Connection,
    warehouse_id: int,
    *,
    storage: Mapping[str, str] | None,
    default_branch: str | None,
) -> Warehouse | None:
    """Change what of a warehouse can change, None leaving it, and return it; None if it is gone."""
    row = connection.execute(
        update_of(warehouses)
        .where(warehouses.c.id == warehouse_id)
        .values(
            storage=warehouses.c.storage
            if storage is None
            else json.dumps(dict(storage), sort_keys=True),
            default_branch=default_branch or warehouses.c.default_branch,
        )
        .returning(warehouses)
    ).first()
    return None if row is None else _warehouse(row)


def lock_default_branch(connection: Connection, warehouse_id: int) -> str | None:
    """Return the default branch, which stays that until the transaction ends."""
    found: str | None = connection.execute(_LOCK, {"warehouse": warehouse_id}).scalar()
    return found


def delete(connection: Connection, warehouse_id: int) -> None:
    """Remove a warehouse with its refs, reflog, checks and protections; objects stay."""
    connection.execute(delete_from(warehouses).where(warehouses.c.id == warehouse_id))


def _warehouse(row: Row[Any]) -> Warehouse:
    return Warehouse(
        row.id,
        row.name,
        row.location,
        row.default_branch,
        json.loads(row.storage),
        from_micros(row.created_at),
    )
