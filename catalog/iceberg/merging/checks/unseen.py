"""What ours did that a snapshot of theirs did not know of."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from catalog.iceberg.manifests.entries import Entry
from catalog.iceberg.merging.checks.layout import Layout
from catalog.iceberg.merging.checks.operations import (
    Removal,
    only_rewrites,
    pure_deletes,
    replaces_partitions,
    snapshot_id,
    summary_of,
)
from catalog.iceberg.merging.files import FileChanges, FileKey, Step
from catalog.iceberg.scans.deletes import (
    Partition,
    is_equality,
    may_name,
    partition_of,
    target_path,
)


@dataclass(frozen=True, slots=True)
class Delete:
    """A delete file; `is_pure` if its snapshot took rows away and did nothing else."""

    entry: Entry
    is_pure: bool


@dataclass(slots=True)
class Deletes:
    """Delete files, by what they may apply to; their age does not count."""

    layout: Layout
    _by_path: dict[str, list[Delete]] = field(default_factory=lambda: defaultdict(list))
    _untargeted: dict[Partition, list[Delete]] = field(default_factory=lambda: defaultdict(list))
    _targeted: dict[Partition, list[Delete]] = field(default_factory=lambda: defaultdict(list))
    _equality: dict[Partition, list[Delete]] = field(default_factory=lambda: defaultdict(list))
    _global: list[Delete] = field(default_factory=list)

    def add(self, entry: Entry, *, is_pure: bool) -> None:
        """Take a delete file in."""
        delete, path = Delete(entry, is_pure), target_path(entry)
        if is_equality(entry) and entry.spec_id in self.layout.unpartitioned:
            self._global.append(delete)
        elif is_equality(entry):
            self._equality[partition_of(entry)].append(delete)
        elif path is None:
            self._untargeted[partition_of(entry)].append(delete)
        else:
            self._by_path[path].append(delete)
            self._targeted[partition_of(entry)].append(delete)

    def positions(self, path: str, beside: Entry) -> Iterator[Delete]:
        """Yield what names rows of a data file by position; `beside` lies in its partition."""
        yield from self._by_path.get(path, ())
        for delete in self._untargeted.get(partition_of(beside), ()):
            if may_name(delete.entry, path):
                yield delete

    def positions_within(self, untargeted: Entry) -> Iterator[Delete]:
        """Yield what names rows by position in files that a delete file may name, too."""
        yield from self._untargeted.get(partition_of(untargeted), ())
        for delete in self._targeted.get(partition_of(untargeted), ()):
            if may_name(untargeted, target_path(delete.entry) or ""):
                yield delete

    def equality(self, data: Entry) -> Iterator[Delete]:
        """Yield what may name rows of a data file by their keys."""
        for delete in self.equality_beside(data):
            if self.layout.keys_meet(delete.entry, data):
                yield delete

    def equality_beside(self, entry: Entry) -> Iterator[Delete]:
        """Yield what is about the partition of a file by keys, or about the whole table."""
        yield from self._global
        yield from self._equality.get(partition_of(entry), ())

    def all_equality(self) -> Iterator[Delete]:
        """Yield what names rows by their keys."""
        yield from self._global
        for deletes in self._equality.values():
            yield from deletes

    def all_positions(self) -> Iterator[Delete]:
        """Yield what names rows by position."""
        for group in (*self._untargeted.values(), *self._by_path.values()):
            yield from group


@dataclass(frozen=True, slots=True)
class Unseen:
    """Ours' snapshots that theirs did not know, taken together.

    `content` are the data files with new rows, under the name they were added by if a compaction
    has them now. `removed` has base files. `deletes` are new ones, `moved` those that a rewrite
    of delete files made, `lost` those that theirs knows and ours, for no reason that its
    snapshots tell, has not. `appended` are live files of plain appends, `replaced_partitions`
    those whose files ours removed without a look at single rows, `present` what is live on ours
    and was not there when theirs began. `keeps_old_rows` tells that some of that is none of its
    own: theirs removed it before. `changed_by_partition` has those of `removed` whose rows are not
    just elsewhere, and new position deletes in files that ours did not add itself.
    """

    content: Mapping[FileKey, Entry]
    removed: Mapping[FileKey, Entry]
    removals: Mapping[FileKey, Removal]
    gone: frozenset[FileKey]
    deletes: Deletes
    moved: Deletes
    lost: Deletes
    appended: frozenset[FileKey]
    replaced_partitions: frozenset[Partition]
    ever_added: frozenset[FileKey]
    present: frozenset[FileKey]
    keeps_old_rows: bool
    content_by_partition: Mapping[Partition, list[Entry]]
    changed_by_partition: Mapping[Partition, list[Entry]]

    def is_live(self, key: FileKey) -> bool:
        """Tell whether ours still has a file that theirs had before its own snapshots."""
        return key not in self.gone


def unseen_of(
    steps: Sequence[Step], ours: FileChanges, told: frozenset[FileKey], layout: Layout
) -> Unseen:
    """Gather what `steps` of ours did.

    `ours` is the difference of the live files, which decides what is there. What it has beyond
    the steps is taken for new content, unless it is in `told`, the files that theirs' snapshots
    added or removed.
    """
    pure = pure_deletes(steps)
    content: dict[FileKey, Entry] = {}
    removed: dict[FileKey, Entry] = {}
    removals: dict[FileKey, Removal] = {}
    ever_added: set[FileKey] = set()
    gone = set(ours.removed) | set(ours.removed_deletes)
    deletes, moved, lost = Deletes(layout), Deletes(layout), Deletes(layout)
    dropped: set[FileKey] = set()
    appended: set[FileKey] = set()
    replaced: set[Partition] = set()
    for step in steps:
        rewrites, is_pure = only_rewrites(step), snapshot_id(step) in pure
        for key, entry in step.changes.removed.items():
            gone.add(key)
            if not rewrites:
                content.pop(key, None)
            if key not in ever_added:
                removed[key] = entry
                removals[key] = _removal(rewrites=rewrites, is_pure=is_pure)
        for entry in step.changes.added_deletes.values():
            (moved if rewrites else deletes).add(entry, is_pure=is_pure)
        if not rewrites:
            content.update(step.changes.added)
        ever_added |= set(step.changes.added) | set(step.changes.added_deletes)
        dropped |= set(step.changes.removed_deletes)
        gone |= set(step.changes.removed_deletes)
        if replaces_partitions(step):
            replaced |= {partition_of(entry) for entry in step.changes.removed.values()}
        if summary_of(step.snapshot).get("operation") == "append":
            appended |= set(step.changes.added)
    explained = ever_added | told
    older = {key: each for key, each in ours.added.items() if key not in explained}
    content |= older
    for key, entry in ours.added_deletes.items():
        if key not in explained:
            deletes.add(entry, is_pure=False)
    for key, entry in ours.removed_deletes.items():
        if key not in dropped | told:
            lost.add(entry, is_pure=False)
    return Unseen(
        content=content,
        removed=removed,
        removals=removals,
        gone=frozenset(gone),
        deletes=deletes,
        moved=moved,
        lost=lost,
        appended=frozenset(appended - gone),
        replaced_partitions=frozenset(replaced),
        ever_added=frozenset(ever_added),
        present=frozenset(ours.added) | frozenset(ours.added_deletes),
        keeps_old_rows=bool(older),
        content_by_partition=_by_partition(content.values()),
        changed_by_partition=_by_partition(
            [
                *(e for k, e in removed.items() if removals[k] is not Removal.REWRITTEN),
                *(
                    each.entry
                    for each in deletes.all_positions()
                    # Which keys the rows had is not told.
                    if (target_path(each.entry), None) not in ever_added
                ),
            ]
        ),
    )


def _by_partition(entries: Iterable[Entry]) -> dict[Partition, list[Entry]]:
    found: dict[Partition, list[Entry]] = defaultdict(list)
    for entry in entries:
        found[partition_of(entry)].append(entry)
    return dict(found)


def _removal(*, rewrites: bool, is_pure: bool) -> Removal:
    if rewrites:
        return Removal.REWRITTEN
    return Removal.DELETED if is_pure else Removal.CHANGED
