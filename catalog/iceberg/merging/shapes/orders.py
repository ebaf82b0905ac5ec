"""Three-way merge of sort orders: matched by what they mean, renumbered where ids are taken."""

from dataclasses import dataclass

from catalog.errors import CatalogError
from catalog.iceberg.build import next_id
from catalog.iceberg.merging.shapes.findings import Findings
from catalog.iceberg.merging.shapes.schemas import COLUMN_USED_AND_DROPPED, INVALID_RESULT
from catalog.iceberg.metadata import Metadata, current_schema, default_sort_order
from catalog.iceberg.partitioning import source_ids
from catalog.iceberg.sorting import bind_sort_order, find_same_sort_order

SORT_ORDER_CHANGED_TWICE = "sort-order-changed-twice"


@dataclass(frozen=True, slots=True)
class MergedOrders:
    """The sort orders of the result, and what became of theirs' ids."""

    orders: list[Metadata]
    default_id: int
    ids: dict[int, int]


def merged_orders(
    base: Metadata, ours: Metadata, theirs: Metadata, findings: Findings, *, keep_all: bool
) -> MergedOrders:
    """Merge the sort orders of completed metadata; ours' ids stay.

    An order that ours removed comes back only where theirs may have files in it (`keep_all`).
    """
    orders = list(ours["sort-orders"])
    ids: dict[int, int] = {}
    new_default = not _same(default_sort_order(base), default_sort_order(theirs))
    for order in theirs["sort-orders"]:
        found = _find_same(orders, order)
        is_default = new_default and order["order-id"] == theirs["default-sort-order-id"]
        is_wanted = keep_all or is_default or order not in base["sort-orders"]
        if found is None and is_wanted:
            used = {each["order-id"] for each in orders}
            found = order["order-id"] if order["order-id"] not in used else next_id(used, 1)
            orders.append(order | {"order-id": found})
        if found is not None:
            ids[order["order-id"]] = found
    return MergedOrders(orders, _merged_default(base, ours, theirs, ids, findings), ids)


def check_orders(result: Metadata, names: dict[int, str], findings: Findings) -> None:
    """Refuse a default order that does not fit the merged schema; `names` tells of columns gone."""
    if findings.has(SORT_ORDER_CHANGED_TWICE):
        return
    order = default_sort_order(result)
    missing = [
        source for field in order["fields"] for source in source_ids(field) if source in names
    ]
    for source in dict.fromkeys(missing):
        findings.refuse(
            COLUMN_USED_AND_DROPPED,
            f"Column {names[source]} was dropped on one side, and sorts the table on the other.",
        )
    if findings.problems:
        return
    try:
        bind_sort_order(order, current_schema(result), result["format-version"])
    except CatalogError as error:
        findings.refuse(INVALID_RESULT, f"The merged sort order would not be valid: {error}.")


def _find_same(orders: list[Metadata], order: Metadata) -> int | None:
    # Of equal orders the one with the same id, so that nothing is renumbered without need.
    own = [each for each in orders if each["order-id"] == order["order-id"]]
    return find_same_sort_order([*own, *orders], order)


def _merged_default(
    base: Metadata, ours: Metadata, theirs: Metadata, ids: dict[int, int], findings: Findings
) -> int:
    before, left, right = (default_sort_order(each) for each in (base, ours, theirs))
    kept: int = ours["default-sort-order-id"]
    if _same(right, before) or _same(right, left):
        return kept
    if _same(left, before):
        return ids[right["order-id"]]
    findings.refuse(
        SORT_ORDER_CHANGED_TWICE, "Both sides changed the sort order, to different ones."
    )
    return kept


def _same(one: Metadata, another: Metadata) -> bool:
    return find_same_sort_order([one], another) is not None
