"""Protections: list, show, set and remove the rules on refs that match a pattern."""

from dataclasses import dataclass

from catalog.errors import NotFound
from catalog.governance.protections import Refusal, Rules, check_pattern, inside_refusal
from catalog.operations.callers import Caller
from catalog.operations.idempotency import record
from catalog.operations.warehouses import Warehouse, missing_error
from catalog.store import protections, refs, warehouses
from catalog.store.engine import Connection, read, transact


@dataclass(frozen=True, slots=True)
class Protection:
    """The rules that stand under a pattern."""

    pattern: str
    rules: Rules


def list_protections(warehouse: Warehouse) -> list[Protection]:
    """Return all protections by pattern."""
    rows = read(
        warehouse.catalog.engine, lambda connection: protections.list_(connection, warehouse.id)
    )
    return [Protection(row.pattern, Rules.from_json(row.rules)) for row in rows]


def get_protection(warehouse: Warehouse, pattern: str) -> Protection:
    """Return the protection under exactly this pattern.

    Raises:
        NotFound: if there is none.
    """
    for protection in list_protections(warehouse):
        if protection.pattern == pattern:
            return protection
    raise _missing(warehouse, pattern)


def find_inside_refusal(warehouse: Warehouse, branch: str) -> Refusal | None:
    """Return why no merge into a branch may merge tables inside, None if it may."""
    rules = {each.pattern: each.rules for each in list_protections(warehouse)}
    return inside_refusal(rules, branch)


def put_protection(
    warehouse: Warehouse, pattern: str, rules: Rules, *, caller: Caller
) -> Protection:
    """Set the rules under a pattern, in place of those before.

    Raises:
        InvalidInput: if it cannot be a pattern.
        NoSuchWarehouse: if the warehouse has been deleted.
    """
    check_pattern(pattern)
    row = protections.Protection(pattern, rules.to_json())
    result = Protection(pattern, rules)

    def write(connection: Connection) -> None:
        if warehouses.lock_default_branch(connection, warehouse.id) is None:
            raise missing_error(warehouse.name)
        protections.put(connection, warehouse.id, row)
        # Moves that were checked before end first, so that none comes after the answer.
        refs.lock_all(connection, warehouse.id)
        record(connection, caller.once, result)

    transact(warehouse.catalog.engine, write)
    return result


def delete_protection(warehouse: Warehouse, pattern: str, *, caller: Caller) -> None:
    """Remove the protection under exactly this pattern.

    Raises:
        NotFound: if there is none.
    """
    check_pattern(pattern)

    def write(connection: Connection) -> bool:
        if not protections.delete(connection, warehouse.id, pattern):
            return False
        record(connection, caller.once, None)
        return True

    if not transact(warehouse.catalog.engine, write):
        raise _missing(warehouse, pattern)


def _missing(warehouse: Warehouse, pattern: str) -> NotFound:
    return NotFound(
        f"Warehouse {warehouse.name!r} has no protection under pattern {pattern!r}",
        pattern=pattern,
    )
