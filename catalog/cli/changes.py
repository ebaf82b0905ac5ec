"""Show changes between two trees, and the conflicts of a merge, as tables."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from catalog.cli.client import Json
from catalog.cli.details import parts_shown
from catalog.cli.output import Block, Note, Paragraph, Table, dotted, tallied

_ROWS = "total-records"
_DELETE_FILES = "total-delete-files"


def changes_shown(changes: Sequence[Json]) -> tuple[Block, ...]:
    """Show one row per change with the rows of the table before and after, and a summary."""
    rows = [(change["change"], change["kind"], _name(change), _rows(change)) for change in changes]
    table = Table(
        ("Change", "Kind", "Name", "Rows"), rows, right=frozenset({"Rows"}), empty="No changes."
    )
    return (table, Note(summary(changes))) if changes else (table,)


def summary(changes: Sequence[Json]) -> str:
    """Count changes: `3 changes: 1 added, 2 modified`."""
    return tallied("change", (change["change"] for change in changes))


def conflicts_shown(conflicts: Sequence[Json]) -> Table:
    """Show every conflict with its reason in words."""
    rows = [(dotted(each["key"]), each["reason"], each["detail"]) for each in conflicts]
    return Table(("Conflict", "Reason", "Detail"), rows)


def inside_shown(outcomes: Sequence[Json]) -> tuple[Block, ...]:
    """Show what merging did inside tables, and what people should read of it."""
    merged = [each for each in outcomes if each["inside"]]
    if not merged:
        return ()
    columns = ("Merged inside", "Snapshots", "Rows", "Files")
    rows = [(dotted(each["key"]), *_inside(each["inside"])) for each in merged]
    parts = parts_shown(
        [
            {"key": each["key"], "change": "modified", "detail": {"parts": each["inside"]["parts"]}}
            for each in merged
        ]
    )
    notes = [
        Paragraph(f"{dotted(each['key'])}: {note}")
        for each in merged
        for note in each["inside"]["notes"]
    ]
    numbers = frozenset({"Snapshots", "Rows", "Files"})
    return (Note(""), Table(columns, rows, right=numbers), *parts, *notes)


def _inside(inside: Json) -> tuple[str, ...]:
    sums: Counter[str] = Counter()
    for taken in inside["snapshots"]:
        sums.update(taken["changes"])
    rows = _difference(sums["added-records"], sums["deleted-records"])
    deletes = sums["added-position-deletes"] + sums["added-equality-deletes"]
    files = _difference(
        sums["added-data-files"] + sums["added-delete-files"],
        sums["deleted-data-files"] + sums["removed-delete-files"],
    )
    marked = f", {deletes:,} deletes" if deletes else ""
    return str(len(inside["snapshots"])), f"{rows}{marked}", files


def _difference(added: int, removed: int) -> str:
    return f"+{added:,} -{removed:,}"


def _name(change: Json) -> str:
    name = dotted(change["key"])
    before = (change.get("from") or {}).get("key")
    return f"{dotted(before)} -> {name}" if before and before != change["key"] else name


def _rows(change: Json) -> str:
    before, after = (_records(change.get(side)) for side in ("from", "to"))
    if before == after:
        return str(after)
    if before.exact and after.exact:
        return f"{before} -> {after} ({after.count - before.count:+,})"
    return f"{before} -> {after}"


@dataclass(frozen=True, slots=True)
class _Records:
    """How many rows a table has, as far as the counts in its snapshot tell."""

    count: int
    known: bool
    deletes: bool

    @property
    def exact(self) -> bool:
        return self.known and not self.deletes

    def __str__(self) -> str:
        if not self.known:
            return "-"
        # The format's count leaves delete files out of account.
        return f"at most {self.count:,}" if self.deletes else f"{self.count:,}"


def _records(entry: Json | None) -> _Records:
    facts = (entry or {}).get("facts") or {}
    count = facts.get(_ROWS)
    return _Records(int(count or 0), count is not None, bool(int(facts.get(_DELETE_FILES) or 0)))
