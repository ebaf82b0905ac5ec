"""How a ref moves: every way passes here, inside the transaction that does it.

So a protection cannot be gone round by choosing another operation. It is checked once the ref is
moved, which holds others off until the transaction ends, and whoever adds a protection waits for
that: no move comes after a protection that it did not see.
"""

from dataclasses import dataclass

from catalog.errors import InvalidInput, ProtectedBranch
from catalog.governance.protections import MoveKind, RefMove, Rules, verdict
from catalog.operations.callers import Caller
from catalog.operations.idempotency import record
from catalog.operations.warehouses import Warehouse, missing_error
from catalog.store import checks, protections, refs, warehouses
from catalog.store.engine import Connection, transact
from catalog.versioning.ids import ObjectId

_DELETIONS = {
    refs.RefKind.BRANCH: MoveKind.DELETE,
    refs.RefKind.TAG: MoveKind.DELETE_TAG,
}

__all__ = ["Move", "MoveKind", "create_ref", "delete_ref", "delete_warehouse", "move_ref"]


@dataclass(frozen=True, slots=True)
class Move:
    """What is done to which ref, by whom; `source` is the head that a merge brings in.

    `merges_inside` says that it merges a table inside.
    """

    kind: MoveKind
    ref: str
    operation: str
    caller: Caller
    source: ObjectId | None = None
    merges_inside: bool = False


def move_ref(
    connection: Connection,
    warehouse: Warehouse,
    move: Move,
    *,
    expected: ObjectId,
    to: ObjectId,
) -> bool:
    """Move a branch by compare-and-swap; False if its head is not `expected`.

    Raises:
        ProtectedBranch: if a protection refuses.
    """
    if not refs.compare_and_swap(
        connection, warehouse.id, move.ref, expected=expected, commit_id=to
    ):
        return False
    _check(connection, warehouse, move)
    _log(connection, warehouse, move, previous=expected, to=to)
    return True


def create_ref(
    connection: Connection,
    warehouse: Warehouse,
    move: Move,
    *,
    kind: refs.RefKind,
    to: ObjectId,
    message: str = "",
    metadata: dict[str, str] | None = None,
) -> refs.Ref:
    """Create a branch or a tag, and return it.

    Raises:
        AlreadyExists: if a branch or a tag has the name.
        ProtectedBranch: if a protection refuses.
    """
    _check(connection, warehouse, move)
    ref = refs.insert(
        connection,
        warehouse.id,
        name=move.ref,
        kind=kind,
        commit_id=to,
        created_at=warehouse.catalog.clock(),
        created_by=move.caller.name,
        message=message,
        metadata=metadata or {},
    )
    _log(connection, warehouse, move, previous=None, to=to)
    return ref


def delete_ref(
    connection: Connection,
    warehouse: Warehouse,
    move: Move,
    *,
    expected: ObjectId,
) -> bool:
    """Delete a branch or a tag; False if its commit is not `expected`.

    Raises:
        ProtectedBranch: if a protection refuses.
    """
    if not refs.delete(connection, warehouse.id, move.ref, expected=expected):
        return False
    _check(connection, warehouse, move)
    _log(connection, warehouse, move, previous=expected, to=None)
    return True


def delete_warehouse(warehouse: Warehouse, *, caller: Caller) -> None:
    """Forget a warehouse with its branches, tags and reflog; no file is deleted.

    Raises:
        InvalidInput: if it is the server's default warehouse.
        NoSuchWarehouse: if it was deleted already.
        ProtectedBranch: if a protection refuses to delete one of its branches or tags.
    """
    catalog = warehouse.catalog
    if warehouse.name == catalog.settings.default_warehouse:
        raise InvalidInput(
            f"Warehouse {warehouse.name!r} is the server's default and cannot be deleted"
        )

    def write(connection: Connection) -> None:
        # Whoever adds a protection waits for this row.
        if not warehouses.lock(connection, warehouse.id):
            raise missing_error(warehouse.name)
        for kind, move in _DELETIONS.items():
            for ref in refs.list_(connection, warehouse.id, kind):
                _check(connection, warehouse, Move(move, ref.name, "delete-warehouse", caller))
        warehouses.delete(connection, warehouse.id)
        record(connection, caller.once, None)

    transact(catalog.engine, write)
    catalog.forget_row(warehouse.name)


def _check(connection: Connection, warehouse: Warehouse, move: Move) -> None:
    stored = protections.list_(connection, warehouse.id)
    if not stored:
        return
    rules = {row.pattern: Rules.from_json(row.rules) for row in stored}
    states = (
        {} if move.source is None else checks.latest_states(connection, warehouse.id, move.source)
    )
    ref_move = RefMove(move.kind, move.ref, move.operation, move.merges_inside)
    refusal = verdict(rules, ref_move, states)
    if refusal is not None:
        raise ProtectedBranch(refusal.detail, rule=refusal.rule, pattern=refusal.pattern)


def _log(
    connection: Connection,
    warehouse: Warehouse,
    move: Move,
    *,
    previous: ObjectId | None,
    to: ObjectId | None,
) -> None:
    # The time is taken here, not before the transaction, which may have waited for others: until
    # it ends, whoever asks where the branch stands at that time is told the old head.
    refs.append_reflog(
        connection,
        warehouse.id,
        branch=move.ref,
        commit_id=to,
        previous_commit_id=previous,
        at=warehouse.catalog.clock(),
        by=move.caller.name,
        operation=move.operation,
    )
