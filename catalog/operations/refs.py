"""Branches and tags: create, list, show, delete; a branch is also reset, a tag never moves."""

from collections.abc import Mapping

from catalog.errors import InvalidInput, NoSuchRevision, StaleHead
from catalog.operations.callers import Caller
from catalog.operations.heads import check_head
from catalog.operations.idempotency import record
from catalog.operations.moves import Move, MoveKind, create_ref, delete_ref, move_ref
from catalog.operations.resolve import resolve
from catalog.operations.warehouses import Warehouse
from catalog.store import refs, warehouses
from catalog.store.engine import Connection, read, transact
from catalog.store.refs import Ref, RefKind
from catalog.versioning.ids import ObjectId, to_hex
from catalog.versioning.revisions import check_ref_name

__all__ = [
    "Ref",
    "create_branch",
    "create_tag",
    "delete_branch",
    "delete_tag",
    "get_branch",
    "get_tag",
    "list_branches",
    "list_tags",
    "reset_branch",
]


def create_branch(warehouse: Warehouse, name: str, start: str, *, caller: Caller) -> Ref:
    """Create a branch at a revision; its cost does not depend on the number of tables.

    Raises:
        AlreadyExists: if a branch or tag has the name.
        InvalidInput: if no branch may have it.
        NoSuchRevision: if `start` names nothing.
    """
    move = Move(MoveKind.CREATE, check_ref_name(name), "create-branch", caller)
    return _create(warehouse, move, RefKind.BRANCH, resolve(warehouse, start).commit_id)


def create_tag(
    warehouse: Warehouse,
    name: str,
    at: str,
    *,
    message: str = "",
    metadata: Mapping[str, str] | None = None,
    caller: Caller,
) -> Ref:
    """Create a tag at a revision.

    Raises:
        AlreadyExists: if a branch or tag has the name.
        InvalidInput: if no tag may have it.
        NoSuchRevision: if `at` names nothing.
    """
    move = Move(MoveKind.CREATE_TAG, check_ref_name(name), "create-tag", caller)
    return _create(
        warehouse,
        move,
        RefKind.TAG,
        resolve(warehouse, at).commit_id,
        message=message or caller.message or "",
        metadata={**caller.metadata, **(metadata or {})},
    )


def get_branch(warehouse: Warehouse, name: str) -> Ref:
    """Return a branch.

    Raises:
        NoSuchRevision: if there is none of that name.
    """
    return _get(warehouse, name, RefKind.BRANCH)


def get_tag(warehouse: Warehouse, name: str) -> Ref:
    """Return a tag.

    Raises:
        NoSuchRevision: if there is none of that name.
    """
    return _get(warehouse, name, RefKind.TAG)


def list_branches(
    warehouse: Warehouse, *, prefix: str = "", after: str | None = None, limit: int
) -> list[Ref]:
    """Return branches by name, from the one after `after` on."""
    return _list(warehouse, RefKind.BRANCH, prefix, after, limit)


def list_tags(
    warehouse: Warehouse, *, prefix: str = "", after: str | None = None, limit: int
) -> list[Ref]:
    """Return tags by name, from the one after `after` on."""
    return _list(warehouse, RefKind.TAG, prefix, after, limit)


def delete_branch(warehouse: Warehouse, name: str, *, caller: Caller) -> None:
    """Delete a branch; its commits and its reflog stay.

    Raises:
        InvalidInput: if it is the default branch.
        NoSuchRevision: if there is none of that name.
        ProtectedBranch: if a protection refuses.
    """
    ref = get_branch(warehouse, name)
    _delete(warehouse, ref, Move(MoveKind.DELETE, ref.name, "delete-branch", caller))


def delete_tag(warehouse: Warehouse, name: str, *, caller: Caller) -> None:
    """Delete a tag; its commit stays.

    Raises:
        NoSuchRevision: if there is none of that name.
        ProtectedBranch: if a protection refuses.
    """
    ref = get_tag(warehouse, name)
    _delete(warehouse, ref, Move(MoveKind.DELETE_TAG, ref.name, "delete-tag", caller))


def reset_branch(
    warehouse: Warehouse, name: str, to: str, *, expected_head: str | None = None, caller: Caller
) -> Ref:
    """Make a revision the head of a branch, and return the branch.

    Raises:
        NoSuchRevision: if there is no such branch, or no such revision.
        StaleHead: if the branch is not at `expected_head`, or moved meanwhile.
        ProtectedBranch: if a protection refuses.
    """
    ref = get_branch(warehouse, name)
    check_head(ref.name, ref.commit_id, expected_head)
    commit_id = resolve(warehouse, to).commit_id
    move = Move(MoveKind.RESET, ref.name, "reset", caller, source=commit_id)
    result = Ref(ref.name, ref.kind, commit_id, ref.created_at, ref.created_by)

    def write(connection: Connection) -> bool:
        if not move_ref(connection, warehouse, move, expected=ref.commit_id, to=commit_id):
            return False
        record(connection, caller.once, result)
        return True

    if not transact(warehouse.catalog.engine, write):
        raise _moved(ref)
    return result


def _create(
    warehouse: Warehouse,
    move: Move,
    kind: RefKind,
    commit_id: ObjectId,
    *,
    message: str = "",
    metadata: dict[str, str] | None = None,
) -> Ref:
    def write(connection: Connection) -> Ref:
        created = create_ref(
            connection,
            warehouse,
            move,
            kind=kind,
            to=commit_id,
            message=message,
            metadata=metadata,
        )
        record(connection, move.caller.once, created)
        return created

    return transact(warehouse.catalog.engine, write)


def _get(warehouse: Warehouse, name: str, kind: RefKind) -> Ref:
    check_ref_name(name)
    ref = read(
        warehouse.catalog.engine, lambda connection: refs.find(connection, warehouse.id, name)
    )
    if ref is None or ref.kind is not kind:
        other = "" if ref is None else f"; there is a {ref.kind.value} of that name"
        raise NoSuchRevision(
            f"{kind.value.capitalize()} {name!r} does not exist in warehouse"
            f" {warehouse.name!r}{other}",
            revision=name,
        )
    return ref


def _list(
    warehouse: Warehouse, kind: RefKind, prefix: str, after: str | None, limit: int
) -> list[Ref]:
    for text in (prefix, after or ""):
        if any(ord(character) < 32 for character in text):
            raise InvalidInput(f"No ref name holds a control character, as {text!r} does")
    return read(
        warehouse.catalog.engine,
        lambda connection: refs.list_(
            connection, warehouse.id, kind, prefix=prefix, after=after or "", limit=limit
        ),
    )


def _delete(warehouse: Warehouse, ref: Ref, move: Move) -> None:
    def write(connection: Connection) -> bool:
        if not delete_ref(connection, warehouse, move, expected=ref.commit_id):
            return False
        if ref.name == warehouses.lock_default_branch(connection, warehouse.id):
            raise _is_default(warehouse, ref.name)
        record(connection, move.caller.once, None)
        return True

    if not transact(warehouse.catalog.engine, write):
        raise _moved(ref)


def _is_default(warehouse: Warehouse, branch: str) -> InvalidInput:
    return InvalidInput(
        f"Branch {branch!r} is the default branch of warehouse {warehouse.name!r} and cannot be"
        " deleted; make another one the default first",
        branch=branch,
    )


def _moved(ref: Ref) -> StaleHead:
    return StaleHead(
        f"{ref.kind.value.capitalize()} {ref.name!r} has just moved from"
        f" {to_hex(ref.commit_id)}; nothing was done, look and decide again",
        branch=ref.name,
    )
