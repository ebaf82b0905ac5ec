"""Show changes between two trees, and the conflicts of a merge, as tables."""

from collections import Counter
from collections.abc import Sequence

from catalog.cli.client import Json
from catalog.cli.output import Block, Note, Table, counted, dotted

_ROWS = "total-records"
_ORDER = ("added", "removed", "modified", "renamed")


def changes_shown(changes: Sequence[Json]) -> tuple[Block, ...]:
    """Show one row per change with the rows of the table before and after, and a summary."""
    rows = [(change["change"], change["kind"], _name(change), _rows(change)) for change in changes]
    table = Table(
        ("Change", "Kind", "Name", "Rows"), rows, right=frozenset({"Rows"}), empty="No changes."
    )
    return (table, Note(summary(changes))) if changes else (table,)


def summary(changes: Sequence[Json]) -> str:
    """Count changes: `3 changes: 1 added, 2 modified`."""
    counts = Counter(change["change"] for change in changes)
    known = [kind for kind in _ORDER if counts[kind]]
    parts = ", ".join(f"{counts[kind]:,} {kind}" for kind in known)
    return f"{counted(len(changes), 'change')}: {parts}"


def conflicts_shown(conflicts: Sequence[Json]) -> Table:
    """Show every conflict with its reason in words."""
    rows = [(dotted(each["key"]), each["reason"], each["detail"]) for each in conflicts]
    return Table(("Conflict", "Reason", "Detail"), rows)


def _name(change: Json) -> str:
    name = dotted(change["key"])
    before = (change.get("from") or {}).get("key")
    return f"{dotted(before)} -> {name}" if before and before != change["key"] else name


def _rows(change: Json) -> str:
    before, after = (_records(change.get(side)) for side in ("from", "to"))
    if before is None and after is None:
        return "-"
    if before == after:
        return f"{after:,}"
    if before is None or after is None:
        return f"{_number(before)} -> {_number(after)}"
    return f"{before:,} -> {after:,} ({after - before:+,})"


def _records(entry: Json | None) -> int | None:
    value = ((entry or {}).get("facts") or {}).get(_ROWS)
    return None if value is None else int(value)


def _number(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"
