"""What requests with an idempotency key were answered."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, select
from sqlalchemy import delete as delete_from
from sqlalchemy.dialects import postgresql, sqlite

from catalog.clock import to_micros
from catalog.store.engine import Connection
from catalog.store.tables import idempotency_keys


@dataclass(frozen=True, slots=True)
class LoadedAnswer:
    """An answer that is a table or view as loaded: made anew from its immutable metadata file."""

    warehouse_id: int
    location: str
    with_config: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a request; `body` is empty where `loaded` says what it is made of."""

    status: int
    media_type: str | None
    body: bytes
    loaded: LoadedAnswer | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """A request, by the digest of what it asked, and its answer."""

    request: bytes
    answer: Answer


_KEY = idempotency_keys.c.key
_THIS = bindparam("this") == _KEY
_FIND = select(idempotency_keys).where(_THIS, idempotency_keys.c.at >= bindparam("since"))
_DROP_EXPIRED = delete_from(idempotency_keys).where(
    _THIS, idempotency_keys.c.at < bindparam("since")
)
_DROP_ALL_EXPIRED = delete_from(idempotency_keys).where(idempotency_keys.c.at < bindparam("since"))
# What is returned tells whether a row was inserted; not every driver counts them.
_INSERTS = {
    "sqlite": sqlite.insert(idempotency_keys).on_conflict_do_nothing().returning(_KEY),
    "postgresql": postgresql.insert(idempotency_keys).on_conflict_do_nothing().returning(_KEY),
}


def find(connection: Connection, key: str, *, since: datetime) -> Answered | None:
    """Return what the request with this key was answered, unless that was before `since`."""
    row = connection.execute(_FIND, {"this": key, "since": to_micros(since)}).first()
    return None if row is None else _answered(row)


def insert(
    connection: Connection, key: str, answered: Answered, *, at: datetime, since: datetime
) -> bool:
    """Store an answer; False if the key has one already that is not older than `since`.

    A transaction that has just stored an answer under the same key is waited for.
    """
    connection.execute(_DROP_EXPIRED, {"this": key, "since": to_micros(since)})
    answer, loaded = answered.answer, answered.answer.loaded
    result = connection.execute(
        _INSERTS[connection.dialect.name],
        {
            "key": key,
            "request": answered.request,
            "at": to_micros(at),
            "status": answer.status,
            "media_type": answer.media_type,
            "body": answer.body,
            "warehouse_id": None if loaded is None else loaded.warehouse_id,
            "loaded": None if loaded is None else json.dumps([loaded.location, loaded.with_config]),
        },
    )
    return result.first() is not None


def delete_expired(connection: Connection, *, since: datetime) -> int:
    """Drop all answers older than `since`, and return how many."""
    return connection.execute(_DROP_ALL_EXPIRED, {"since": to_micros(since)}).rowcount


def _answered(row: Row[Any]) -> Answered:
    loaded = None
    if row.loaded is not None:
        location, with_config = json.loads(row.loaded)
        loaded = LoadedAnswer(row.warehouse_id, location, with_config)
    return Answered(bytes(row.request), Answer(row.status, row.media_type, bytes(row.body), loaded))
