"""Requests that are to take effect once: their answers are stored with what they did.

A client that did not hear the answer sends its request again under the same key. The answer stands
in the transaction of the commit that it tells of, so there is no moment at which a crash could
leave the one without the other; of two requests under one key that run at once, the database lets
one commit.
"""

from datetime import datetime
from typing import Any

from catalog.errors import AlreadyAnswered, IdempotencyKeyReused
from catalog.operations.callers import Once
from catalog.store import idempotency
from catalog.store.engine import Connection, Engine, read, transact
from catalog.store.idempotency import Answer, Answered, LoadedAnswer

__all__ = ["Answer", "LoadedAnswer", "drop_expired", "find_answer", "keep_answer", "record"]


def find_answer(engine: Engine, once: Once) -> Answer | None:
    """Return what the same request was answered before.

    Raises:
        IdempotencyKeyReused: if another request had the key.
    """
    found = read(
        engine, lambda connection: idempotency.find(connection, once.key, since=once.since)
    )
    return None if found is None else _checked(once, found)


def record(connection: Connection, once: Once | None, result: Any) -> None:
    """Store the answer that follows from an operation's result, inside its transaction.

    Raises:
        AlreadyAnswered: if the key has an answer already; the transaction must not take place.
    """
    if once is None or once.answer is None:
        return
    if not _insert(connection, once, once.answer(result)):
        raise AlreadyAnswered(f"A request with Idempotency-Key {once.key} was answered meanwhile")
    once.recorded = True


def keep_answer(engine: Engine, once: Once, answer: Answer) -> Answer:
    """Store the answer to a request that changed nothing, and return the answer that counts.

    That is another one if a request under the same key was faster.

    Raises:
        IdempotencyKeyReused: if that was not the same request.
    """

    def write(connection: Connection) -> Answered | None:
        if _insert(connection, once, answer):
            return None
        return idempotency.find(connection, once.key, since=once.since)

    found = transact(engine, write)
    return answer if found is None else _checked(once, found)


def drop_expired(engine: Engine, since: datetime) -> int:
    """Drop the answers to requests that came before `since`, and return how many."""
    return transact(engine, lambda connection: idempotency.delete_expired(connection, since=since))


def _insert(connection: Connection, once: Once, answer: Answer) -> bool:
    return idempotency.insert(
        connection, once.key, Answered(once.request, answer), at=once.at, since=once.since
    )


def _checked(once: Once, found: Answered) -> Answer:
    if found.request != once.request:
        raise IdempotencyKeyReused(
            f"Idempotency-Key {once.key} belongs to another request; a key is for one request and"
            " its retries only",
            key=once.key,
        )
    return found.answer
