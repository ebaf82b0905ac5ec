"""Rows of warehouses."""

import json
import secrets
from collections.abc import Iterable, Mapping
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
class Site:
    """A place where a warehouse keeps files; `storage` are FileIO properties without secrets."""

    location: str
    storage: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Warehouse:
    """One warehouse; the first of its sites is where files lie unless another is chosen."""

    id: int
    name: str
    default_branch: str
    sites: tuple[Site, ...]
    created_at: datetime


_FIND = select(warehouses).where(warehouses.c.name == bindparam("wanted"))
_LOCK = select(warehouses.c.id).where(warehouses.c.id == bindparam("warehouse")).with_for_update()
_LOCK_DEFAULT = (
    select(warehouses.c.default_branch)
    .where(warehouses.c.id == bindparam("warehouse"))
    .with_for_update(read=True)
)
# SQLite's integers have 64 bits, one of them for the sign.
_ID_BITS = 62
_LIST = select(warehouses).order_by(warehouses.c.name)
# Commits, whose rows name their warehouse, go on meanwhile.
_LOCK_ALL = select(warehouses.c.id).order_by(warehouses.c.id).with_for_update(key_share=True)


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
    default_branch: str,
    sites: tuple[Site, ...],
    created_at: datetime,
) -> Warehouse:
    """Add a warehouse.

    Raises:
        AlreadyExists: if one has the name.
    """
    statement = insert_into(warehouses).values(
        name=name,
        location=sites[0].location,
        default_branch=default_branch,
        **_stored(sites),
        created_at=to_micros(created_at),
    )
    if connection.dialect.name == "sqlite":
        # SQLite gives the number of a deleted row again, and whoever still knows that row, a
        # request under way or another server process, would write to this warehouse.
        statement = statement.values(id=secrets.randbits(_ID_BITS))
    try:
        row = connection.execute(statement.returning(warehouses)).one()
    except IntegrityError as error:
        raise AlreadyExists(f"Warehouse already exists: {name}", warehouse=name) from error
    return _warehouse(row)


def lock(connection: Connection, warehouse_id: int) -> bool:
    """Wait until nobody adds anything to a warehouse, and keep others from it; False if none is."""
    return connection.execute(_LOCK, {"warehouse": warehouse_id}).first() is not None


def lock_all(connection: Connection) -> list[Warehouse]:
    """Return all warehouses by name; nobody who locks them too changes one or adds one meanwhile.

    The first of all is kept apart from another first one by its name alone.
    """
    connection.execute(_LOCK_ALL).all()
    # Whoever was waited for may have added one, which only a new statement sees.
    return list_(connection)


def update(connection: Connection, changed: Warehouse) -> None:
    """Store the default branch and the sites of a warehouse; its first location stays."""
    connection.execute(
        update_of(warehouses)
        .where(warehouses.c.id == changed.id)
        .values(default_branch=changed.default_branch, **_stored(changed.sites))
    )


def lock_default_branch(connection: Connection, warehouse_id: int) -> str | None:
    """Return the default branch, which stays that until the transaction ends; None if none is."""
    found: str | None = connection.execute(_LOCK_DEFAULT, {"warehouse": warehouse_id}).scalar()
    return found


def delete(connection: Connection, warehouse_id: int) -> None:
    """Remove a warehouse with its refs, reflog, checks and protections; objects stay."""
    connection.execute(delete_from(warehouses).where(warehouses.c.id == warehouse_id))


def _warehouse(row: Row[Any]) -> Warehouse:
    return Warehouse(
        row.id,
        row.name,
        row.default_branch,
        (Site(row.location, json.loads(row.storage)), *_further(row.locations)),
        from_micros(row.created_at),
    )


def _further(locations: str) -> Iterable[Site]:
    return (Site(each["location"], each["storage"]) for each in json.loads(locations))


def _stored(sites: tuple[Site, ...]) -> dict[str, str]:
    first, *others = sites
    further = [{"location": each.location, "storage": dict(each.storage)} for each in others]
    return {
        "storage": json.dumps(dict(first.storage), sort_keys=True),
        "locations": json.dumps(further, sort_keys=True),
    }
