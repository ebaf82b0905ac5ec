"""What changed within tables, views and namespaces between two trees, from their metadata."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from typing import Any

from catalog.errors import CatalogError
from catalog.iceberg.data_changes import Movement
from catalog.iceberg.details import (
    Detail,
    function_detail,
    namespace_detail,
    table_detail,
    view_detail,
)
from catalog.iceberg.metadata import Metadata
from catalog.operations.metadata import read_metadata
from catalog.operations.warehouses import Warehouse
from catalog.versioning.objects import Change, Entry, EntryKind

# How many metadata files are read at once, and of how many changes at most the details are told:
# an answer is put together in memory.
_PARALLEL = 16
_MAX_DETAILED = 10_000

_BY_KIND: Mapping[EntryKind, Callable[[Metadata | None, Metadata | None], Detail]] = {
    EntryKind.TABLE: table_detail,
    EntryKind.VIEW: view_detail,
    EntryKind.FUNCTION: function_detail,
}


@dataclass(frozen=True, slots=True)
class Details:
    """The detail of each change, in their order, None from where they are too many; and sums."""

    by_change: list[Detail | None]
    totals: Detail


def find_details(warehouse: Warehouse, changes: Sequence[Change]) -> Details:
    """Read what each change changed.

    One whose metadata cannot be read has the reason under `unreadable` and nothing else.
    """
    detailed = changes[:_MAX_DETAILED]
    with ThreadPoolExecutor(_PARALLEL, thread_name_prefix="details") as pool:
        found = list(pool.map(lambda change: _detail(warehouse, change), detailed))
    left_out: list[None] = [None] * (len(changes) - len(detailed))
    return Details([*found, *left_out], _totals(found, len(left_out)))


def _detail(warehouse: Warehouse, change: Change) -> Detail:
    before, after = change.before, change.after
    present = after or before
    assert present is not None
    if present.kind is EntryKind.NAMESPACE:
        return namespace_detail(_properties(before), _properties(after))
    # One of another kind under the same name is no earlier state of this one.
    if before is not None and before.kind is not present.kind:
        before = None
    try:
        return _BY_KIND[present.kind](_read(warehouse, before), _read(warehouse, after))
    except CatalogError as error:
        return {"unreadable": error.message}


def _read(warehouse: Warehouse, entry: Entry | None) -> Metadata | None:
    if entry is None or entry.metadata_location is None:
        return None
    return read_metadata(warehouse, entry.metadata_location)


def _properties(entry: Entry | None) -> Mapping[str, str] | None:
    return None if entry is None else entry.properties


def _totals(details: Sequence[Detail], left_out: int) -> Detail:
    """Sum up the data of all tables; those of which totals alone are known stand apart."""
    tables = [each["data"] for each in details if each.get("data") is not None]
    movements = [data for data in tables if "rows_added" in data]
    others = [data for data in tables if "rows_added" not in data]
    sums = {each.name: sum(data[each.name] for data in movements) for each in fields(Movement)}
    difference: Counter[str] = Counter()
    for data in others:
        difference.update(data["difference"] or {})
    return {
        "tables": len(tables),
        **sums,
        "exact": not others and all(data["exact"] for data in movements),
        "by_difference": {"tables": len(others), **_differences(difference)},
        "unreadable": sum("unreadable" in each for each in details),
        "left_out": left_out,
    }


def _differences(counted: Counter[str]) -> dict[str, Any]:
    return {name: counted[name] for name in ("rows", "files", "bytes", "delete_files")}
