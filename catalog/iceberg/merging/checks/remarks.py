"""What people should read of a merge that is clean."""

from collections.abc import Iterator

from catalog.iceberg.manifests.entries import Entry
from catalog.iceberg.merging.checks.case import Case
from catalog.iceberg.merging.checks.operations import (
    adds_rows,
    empties_table,
    snapshot_id,
)
from catalog.iceberg.merging.checks.reasons import counted, partitions_of
from catalog.iceberg.merging.files import Step
from catalog.iceberg.scans.deletes import partition_of


def remarks_on(case: Case, step: Step) -> Iterator[str]:
    """Yield sentences on a snapshot of theirs that is replayed."""
    if empties_table(step) and not step.changes.added:
        yield "The source emptied the table."
    if adds_rows(step):
        yield from _in_replaced_partitions(case, step)
        yield from _perhaps_twice(case, step)


def left_out_remark(step: Step, reason: str | None) -> str:
    """Return why a rewrite of theirs was left out; without a reason it changed no file."""
    if reason is None:
        return (
            f"Snapshot {snapshot_id(step)} of the source rewrote manifests only and was left out."
        )
    return (
        f"Snapshot {snapshot_id(step)} of the source rewrote files without changing a row and was"
        f" left out: {reason}"
    )


def _in_replaced_partitions(case: Case, step: Step) -> Iterator[str]:
    replaced = case.unseen.replaced_partitions
    found = [each for each in step.changes.added.values() if partition_of(each) in replaced]
    if found:
        where = partitions_of(case.layout.show(each) for each in found) or "the table"
        yield (
            f"The source's rows in {counted(len(found), 'file')} stay in {where}, where the target"
            " replaced or deleted what was there before."
        )


def _perhaps_twice(case: Case, step: Step) -> Iterator[str]:
    """Say where both sides may have inserted one key, which nothing in the format forbids."""
    if not case.layout.identifiers:
        return
    both = [
        entry
        for entry in step.changes.added.values()
        if any(_may_share_keys(case, entry, other) for other in case.unseen.content.values())
    ]
    if both:
        where = partitions_of(case.layout.show(each) for each in both)
        yield (
            f"The source added {counted(len(both), 'file')}{f' to {where}' if where else ''} with"
            " keys in the range of rows that the target added: one key may be there twice."
        )


def _may_share_keys(case: Case, one: Entry, other: Entry) -> bool:
    return all(
        case.layout.values(one, column).meets(case.layout.values(other, column))
        for column in case.layout.identifiers
    )
