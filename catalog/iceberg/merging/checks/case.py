"""What is known while theirs' snapshots are judged one after the other."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from catalog.iceberg.manifests.entries import Entry
from catalog.iceberg.merging.checks.layout import Layout
from catalog.iceberg.merging.checks.operations import Removal
from catalog.iceberg.merging.checks.reasons import Finding, Reason
from catalog.iceberg.merging.checks.unseen import Unseen
from catalog.iceberg.merging.files import FileKey, Isolation, Step


@dataclass(slots=True)
class Case:
    """The state of a merge before one of theirs' snapshots.

    `private` are live files that theirs added itself, that the result has by now and that no delete
    of ours is for. `absent` are delete files that were void, `left` are the files, and `left_steps`
    the snapshots, of rewrites that were left out. `pure` are the snapshots of theirs that only took
    rows away. `inherited` are files into which a rewrite of theirs put rows of the base. Sequence
    numbers up to `shared_number` mean the same on both sides, `numbers` has ours' number for
    others of theirs, `crossed` are those that mean no moment there, and `own_numbers` those of
    theirs that are replayed.
    """

    layout: Layout
    isolation: Isolation
    unseen: Unseen
    pure: frozenset[int]
    numbers: Mapping[int, int]
    shared_number: int
    crossed: frozenset[int]
    own_numbers: set[int] = field(default_factory=set)
    private: set[FileKey] = field(default_factory=set)
    inherited: set[FileKey] = field(default_factory=set)
    absent: set[FileKey] = field(default_factory=set)
    left: set[FileKey] = field(default_factory=set)
    left_steps: list[Step] = field(default_factory=list)

    @property
    def shares_all_numbers(self) -> bool:
        """Tell whether all that both sides have, they have by the same snapshots."""
        return all(number <= self.shared_number for number in self.numbers)

    def holds_base(self, key: FileKey) -> bool:
        """Tell whether rows of a file that theirs changed were in the base."""
        return key not in self.private or key in self.inherited

    def is_own_number(self, number: int) -> bool:
        """Tell whether a number is that of a snapshot which is put behind all of ours."""
        is_old = number <= self.shared_number or number in self.numbers
        return number in self.own_numbers and not is_old and number not in self.crossed

    def number_on_ours(self, number: int) -> int | None:
        """Return the number that a snapshot of theirs, which ours has, means there."""
        if number <= self.shared_number:
            return number
        return None if number in self.crossed else self.numbers.get(number)

    def is_live(self, key: FileKey) -> bool:
        """Tell whether a file that theirs has is live in the result so far."""
        if key in self.private:
            return True
        return not (key in self.left or key in self.absent) and self.unseen.is_live(key)

    def finding(self, reason: Reason, entry: Entry, path: str | None = None) -> Finding:
        """Return a finding about a file, or about one that is in the partition of a file."""
        return Finding(reason, path or entry.file.file_path, self.layout.show(entry))

    def is_settled(self, key: FileKey, beside: Entry) -> bool:
        """Tell whether ours took all rows of a file away and put none in their place."""
        if self.unseen.removals.get(key) is not Removal.DELETED:
            return False
        return not any(
            self.layout.share_partition(beside, each) for each in self.unseen.content.values()
        )
