"""Whether theirs' deletes by key reach rows that ours added, changed or deleted."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

from catalog.iceberg.manifests.entries import Entry
from catalog.iceberg.merging.checks.case import Case
from catalog.iceberg.merging.checks.reasons import Finding, Reason
from catalog.iceberg.merging.files import Step
from catalog.iceberg.scans.deletes import Partition, is_equality, partition_of


def find_same_keys(case: Case, step: Step) -> Iterator[Finding]:
    """Yield ours' files that may have a key which a snapshot of theirs deleted or wrote anew.

    A key that ours deleted counts too: theirs' new row would bring it back, and it may have been
    deleted for good.
    """
    for delete in step.changes.added_deletes.values():
        if is_equality(delete):
            for entry in _met(case, delete):
                yield case.finding(Reason.SAME_KEYS, entry)


def _met(case: Case, equality: Entry) -> Iterator[Entry]:
    unseen, layout = case.unseen, case.layout
    for groups in (unseen.content_by_partition, unseen.changed_by_partition):
        for entry in _near(case, groups, equality):
            if layout.may_reach(equality, entry):
                yield entry
    for delete in unseen.deletes.all_equality():
        other = delete.entry
        in_scope = layout.in_scope(equality, other) or layout.in_scope(other, equality)
        if in_scope and layout.keys_meet(equality, other):
            yield other


def _near(case: Case, groups: Mapping[Partition, list[Entry]], equality: Entry) -> Iterable[Entry]:
    """Return the files that may be in the scope of an equality delete."""
    if case.layout.remade or equality.spec_id in case.layout.unpartitioned:
        return chain.from_iterable(groups.values())
    return groups.get(partition_of(equality), ())
