"""Heads of branches, tags, and the reflog of both."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, bindparam, case, select
from sqlalchemy import delete as delete_from
from sqlalchemy import insert as insert_into
from sqlalchemy import update as update_of
from sqlalchemy.exc import IntegrityError

from catalog.clock import from_micros, to_micros
from catalog.errors import AlreadyExists
from catalog.store.engine import Connection, is_about_nothing
from catalog.store.tables import reflog, refs
from catalog.versioning.ids import ObjectId


class RefKind(StrEnum):
    """A branch moves, a tag never does."""

    BRANCH = "branch"
    TAG = "tag"


@dataclass(frozen=True, slots=True)
class Ref:
    """A branch or a tag."""

    name: str
    kind: RefKind
    commit_id: ObjectId
    created_at: datetime
    created_by: str
    message: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReflogEntry:
    """One move of a ref; `id` grows with every move of any ref."""

    id: int
    branch: str
    commit_id: ObjectId | None
    previous_commit_id: ObjectId | None
    at: datetime
    by: str
    operation: str


_LAST_CHARACTER = "\U0010ffff"
_MAX_NAME_BYTES = 255
_THIS = (refs.c.warehouse_id == bindparam("warehouse"), refs.c.name == bindparam("ref"))
_BRANCH = refs.c.kind == RefKind.BRANCH.value
_HEAD = select(refs.c.commit_id).where(*_THIS, _BRANCH)
_FIND = select(refs).where(*_THIS)
_LOCK = select(refs.c.name).where(*_THIS).with_for_update()
_LOCK_ALL = (
    select(refs.c.name)
    .where(refs.c.warehouse_id == bindparam("warehouse"))
    .order_by(refs.c.name)
    .with_for_update()
)
_SWAP = (
    update_of(refs)
    .where(*_THIS, _BRANCH, refs.c.commit_id == bindparam("expected"))
    .values(commit_id=bindparam("new"))
)
_DELETE = delete_from(refs).where(*_THIS, refs.c.commit_id == bindparam("expected"))
_OF_BRANCH = (
    reflog.c.warehouse_id == bindparam("warehouse"),
    reflog.c.branch == bindparam("ref"),
)
_AT = (
    select(reflog.c.commit_id)
    .where(*_OF_BRANCH, reflog.c.at <= bindparam("moment"))
    .order_by(reflog.c.id.desc())
    .limit(1)
)
_FIRST_AT = select(reflog.c.at).where(*_OF_BRANCH).order_by(reflog.c.id).limit(1)
_LAST_AT = (
    select(reflog.c.at).where(*_OF_BRANCH).order_by(reflog.c.id.desc()).limit(1).scalar_subquery()
)
_MOMENT = bindparam("moment", type_=reflog.c.at.type)
_APPEND = insert_into(reflog).values(
    warehouse_id=bindparam("warehouse"),
    branch=bindparam("ref"),
    commit_id=bindparam("new"),
    previous_commit_id=bindparam("previous"),
    at=case((_LAST_AT > _MOMENT, _LAST_AT), else_=_MOMENT),
    by=bindparam("who"),
    operation=bindparam("what"),
)
_FIND_MOVE = (
    select(reflog.c.id)
    .where(*_OF_BRANCH, reflog.c.commit_id.in_(bindparam("commits", expanding=True)))
    .order_by(reflog.c.id.desc())
    .limit(1)
)
_HAS = select(reflog.c.id).where(*_OF_BRANCH, reflog.c.commit_id == bindparam("commit")).limit(1)


def find_commit_id(connection: Connection, warehouse_id: int, name: str) -> ObjectId | None:
    """Return the head of a branch: the read that every request begins with."""
    found = connection.execute(_HEAD, {"warehouse": warehouse_id, "ref": name}).scalar()
    return None if found is None else ObjectId(bytes(found))


def find(connection: Connection, warehouse_id: int, name: str) -> Ref | None:
    """Return a branch or tag."""
    row = connection.execute(_FIND, {"warehouse": warehouse_id, "ref": name}).first()
    return None if row is None else _ref(row)


def list_(
    connection: Connection,
    warehouse_id: int,
    kind: RefKind,
    *,
    prefix: str = "",
    after: str = "",
    limit: int | None = None,
) -> list[Ref]:
    """Return the refs of a kind whose name begins with `prefix`, in the order of their bytes."""
    statement = select(refs).where(
        refs.c.warehouse_id == warehouse_id, refs.c.kind == kind.value, refs.c.name > after
    )
    if prefix:
        # A range, because SQLite's LIKE is blind to case, and so would fill a page with others.
        statement = statement.where(refs.c.name >= prefix, refs.c.name < _behind(prefix))
    rows = connection.execute(statement.order_by(refs.c.name).limit(limit))
    return [_ref(row) for row in rows]


def insert(
    connection: Connection,
    warehouse_id: int,
    *,
    name: str,
    kind: RefKind,
    commit_id: ObjectId,
    created_at: datetime,
    created_by: str,
    message: str = "",
    metadata: Mapping[str, str] | None = None,
) -> Ref:
    """Add a branch or tag.

    Raises:
        AlreadyExists: if either has the name.
    """
    ref = Ref(name, kind, commit_id, created_at, created_by, message, dict(metadata or {}))
    existing = find(connection, warehouse_id, name)
    try:
        if existing is None:
            connection.execute(insert_into(refs), _values(warehouse_id, ref))
    except IntegrityError as error:
        if is_about_nothing(error):
            raise
        raise _taken(kind, name) from error
    if existing is not None:
        raise _taken(existing.kind, name)
    return ref


def compare_and_swap(
    connection: Connection,
    warehouse_id: int,
    name: str,
    *,
    expected: ObjectId,
    commit_id: ObjectId,
) -> bool:
    """Move a branch to `commit_id` if it is at `expected`, and say whether it was; never a tag."""
    result = connection.execute(
        _SWAP,
        {"warehouse": warehouse_id, "ref": name, "expected": expected, "new": commit_id},
    )
    return result.rowcount == 1


def lock(connection: Connection, warehouse_id: int, name: str) -> None:
    """Wait until no other transaction is moving a ref, and keep others from it."""
    connection.execute(_LOCK, {"warehouse": warehouse_id, "ref": name}).all()


def lock_all(connection: Connection, warehouse_id: int) -> None:
    """Wait until no other transaction is moving any ref of a warehouse, and keep others from it."""
    connection.execute(_LOCK_ALL, {"warehouse": warehouse_id}).all()


def delete(connection: Connection, warehouse_id: int, name: str, *, expected: ObjectId) -> bool:
    """Remove a ref if it is at `expected`, and say whether it was."""
    result = connection.execute(
        _DELETE, {"warehouse": warehouse_id, "ref": name, "expected": expected}
    )
    return result.rowcount == 1


def append_reflog(
    connection: Connection,
    warehouse_id: int,
    *,
    branch: str,
    commit_id: ObjectId | None,
    previous_commit_id: ObjectId | None,
    at: datetime,
    by: str,
    operation: str,
) -> None:
    """Note a move of a ref, as of its last move if the clock of whoever made that is ahead."""
    connection.execute(
        _APPEND,
        {
            "warehouse": warehouse_id,
            "ref": branch,
            "new": commit_id,
            "previous": previous_commit_id,
            "moment": to_micros(at),
            "who": by,
            "what": operation,
        },
    )


def list_reflog(
    connection: Connection,
    warehouse_id: int,
    *,
    branch: str | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[ReflogEntry]:
    """Return moves, newest first, older than entry `before`."""
    statement = select(reflog).where(reflog.c.warehouse_id == warehouse_id)
    if branch is not None:
        statement = statement.where(reflog.c.branch == branch)
    if before is not None:
        statement = statement.where(reflog.c.id < before)
    rows = connection.execute(statement.order_by(reflog.c.id.desc()).limit(limit))
    return [
        ReflogEntry(
            row.id,
            row.branch,
            _optional_id(row.commit_id),
            _optional_id(row.previous_commit_id),
            from_micros(row.at),
            row.by,
            row.operation,
        )
        for row in rows
    ]


def head_at(
    connection: Connection, warehouse_id: int, branch: str, at: datetime
) -> ObjectId | None:
    """Return where a branch stood at a moment; None if it did not exist then."""
    row = connection.execute(
        _AT, {"warehouse": warehouse_id, "ref": branch, "moment": to_micros(at)}
    ).first()
    return None if row is None else _optional_id(row.commit_id)


def begun_at(connection: Connection, warehouse_id: int, branch: str) -> datetime | None:
    """Return when a branch was first created; None if it never was."""
    found = connection.execute(_FIRST_AT, {"warehouse": warehouse_id, "ref": branch}).scalar()
    return None if found is None else from_micros(found)


def find_move(
    connection: Connection, warehouse_id: int, branch: str, commit_ids: Collection[ObjectId]
) -> int | None:
    """Return the last move of a branch to one of these commits; scans the reflog back to it."""
    values = {"warehouse": warehouse_id, "ref": branch, "commits": list(commit_ids)}
    found: int | None = connection.execute(_FIND_MOVE, values).scalar()
    return found


def reflog_has(connection: Connection, warehouse_id: int, branch: str, commit_id: ObjectId) -> bool:
    """Say whether the branch has ever stood at a commit."""
    row = connection.execute(
        _HAS, {"warehouse": warehouse_id, "ref": branch, "commit": commit_id}
    ).first()
    return row is not None


def _behind(prefix: str) -> str:
    """Return the least text that is greater than all that begin with `prefix`, byte by byte."""
    kept = prefix.rstrip(_LAST_CHARACTER)
    if not kept:
        return _LAST_CHARACTER * (len(prefix) + _MAX_NAME_BYTES)
    following = ord(kept[-1]) + 1
    # No text holds a surrogate.
    return kept[:-1] + chr(0xE000 if following == 0xD800 else following)


def _values(warehouse_id: int, ref: Ref) -> dict[str, Any]:
    return {
        "warehouse_id": warehouse_id,
        "name": ref.name,
        "kind": ref.kind.value,
        "commit_id": ref.commit_id,
        "created_at": to_micros(ref.created_at),
        "created_by": ref.created_by,
        "message": ref.message,
        "metadata": json.dumps(dict(ref.metadata), sort_keys=True),
    }


def _ref(row: Row[Any]) -> Ref:
    return Ref(
        row.name,
        RefKind(row.kind),
        ObjectId(bytes(row.commit_id)),
        from_micros(row.created_at),
        row.created_by,
        row.message,
        json.loads(row.metadata),
    )


def _optional_id(value: Any) -> ObjectId | None:
    return None if value is None else ObjectId(bytes(value))


def _taken(kind: RefKind, name: str) -> AlreadyExists:
    return AlreadyExists(f"{kind.value.capitalize()} already exists: {name}", name=name)
