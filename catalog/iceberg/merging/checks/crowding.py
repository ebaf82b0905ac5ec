"""Whether ours added rows where theirs deleted or rewrote, which theirs' commands never saw."""

from collections.abc import Iterator, Mapping

from catalog.iceberg.manifests.entries import Entry
from catalog.iceberg.merging.checks.case import Case
from catalog.iceberg.merging.checks.operations import empties_table
from catalog.iceberg.merging.checks.reasons import Finding, Reason
from catalog.iceberg.merging.files import Isolation, Step
from catalog.iceberg.scans.deletes import Partition, partition_of


def find_crowded(case: Case, step: Step, *, reaches_base: bool) -> Iterator[Finding]:
    """Yield the files with new rows of ours in the partitions that a snapshot of theirs touched.

    A snapshot that removed all there was says nothing of what was added meanwhile: to delete it
    and to keep it are both guesses.
    """
    content = case.unseen.content.values()
    is_serial = case.isolation is Isolation.SERIALIZABLE
    if not reaches_base:
        return
    if empties_table(step) and (is_serial or not step.changes.added):
        for entry in content:
            yield case.finding(Reason.TABLE_EMPTIED, entry)
    elif is_serial:
        for entry in _crowded(case, _partitions(step)):
            yield case.finding(Reason.ROWS_ADDED, entry)


def _partitions(step: Step) -> dict[Partition, Entry]:
    """Return one file for each partition that a snapshot changed."""
    changes = step.changes
    files = (changes.removed, changes.added, changes.added_deletes)
    return {partition_of(entry): entry for each in files for entry in each.values()}


def _crowded(case: Case, touched: Mapping[Partition, Entry]) -> Iterator[Entry]:
    """Yield ours' files that may hold rows of a touched partition."""
    for partition, entries in case.unseen.content_by_partition.items():
        # Within a spec, equal partitions are found at once.
        others = [
            each for each in touched.values() if each.spec_id != partition[0] or case.layout.remade
        ]
        for entry in entries if partition in touched or others else ():
            if partition in touched or any(
                case.layout.share_partition(each, entry) for each in others
            ):
                yield entry
