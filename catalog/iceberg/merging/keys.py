"""Whether theirs' deletes by key reach rows that ours added, changed or deleted."""

from collections.abc import Iterator

from catalog.iceberg.merging.case import Case
from catalog.iceberg.merging.files import Step
from catalog.iceberg.merging.operations import Removal
from catalog.iceberg.merging.reasons import Finding, Reason
from catalog.iceberg.scans.deletes import is_equality, target_path
from catalog.iceberg.scans.manifests import Entry


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
    for entry in unseen.content.values():
        if layout.may_reach(equality, entry):
            yield entry
    for key, entry in unseen.removed.items():
        is_moved = unseen.removals[key] is Removal.REWRITTEN
        if not is_moved and layout.may_reach(equality, entry):
            yield entry
    for delete in unseen.deletes.all_positions():
        # Which keys the rows had is not told.
        is_own = (target_path(delete.entry), None) in unseen.ever_added
        if not is_own and layout.in_scope(equality, delete.entry):
            yield delete.entry
    for delete in unseen.deletes.all_equality():
        other = delete.entry
        in_scope = layout.in_scope(equality, other) or layout.in_scope(other, equality)
        if in_scope and layout.keys_meet(equality, other):
            yield other
