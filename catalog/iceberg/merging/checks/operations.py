"""What a snapshot did to rows, told from its files and from the operation that it names."""

from collections.abc import Sequence
from enum import Enum, auto

from catalog.iceberg.merging.files import Step
from catalog.iceberg.metadata import Metadata

REPLACE_PARTITIONS = "replace-partitions"


class Removal(Enum):
    """What became of the rows of a removed file.

    REWRITTEN: they are in other files. DELETED: they are gone. CHANGED: either.
    """

    REWRITTEN = auto()
    DELETED = auto()
    CHANGED = auto()


def summary_of(snapshot: Metadata) -> dict[str, str]:
    """Return the summary of a snapshot; v1 does not ask for one."""
    return snapshot.get("summary") or {}


def snapshot_id(step: Step) -> int:
    """Return the id of a step's snapshot."""
    found: int = step.snapshot["snapshot-id"]
    return found


def sequence_number(step: Step) -> int:
    """Return the sequence number of a step's snapshot; those of v1 have 0."""
    return step.snapshot.get("sequence-number") or 0


def adds_rows(step: Step) -> bool:
    """Tell whether a step brought rows that were not there before."""
    return bool(step.changes.added) and not only_rewrites(step)


def only_rewrites(step: Step) -> bool:
    """Tell whether a step moved rows to other files and changed none (spec, `replace`)."""
    changes = step.changes
    if summary_of(step.snapshot).get("operation") != "replace":
        return False
    rows = [entry.file.record_count for entry in changes.added.values()]
    return sum(rows) <= sum(entry.file.record_count for entry in changes.removed.values())


def pure_deletes(steps: Sequence[Step]) -> frozenset[int]:
    """Return the snapshots that took rows away and gave none of them another place.

    Some clients update in two snapshots, so one next to a step that adds rows is not trusted.
    """
    found = set()
    for number, step in enumerate(steps):
        around = steps[max(0, number - 1) : number + 2]
        says_so = summary_of(step.snapshot).get("operation") == "delete"
        if says_so and not any(adds_rows(each) for each in around):
            found.add(snapshot_id(step))
    return frozenset(found)


def empties_table(step: Step) -> bool:
    """Tell whether a step may have removed every file that its parent had.

    A partition that is replaced by its name is no more than that, even if it was the only one.
    """
    changes, summary = step.changes, summary_of(step.snapshot)
    if not changes.removed or summary.get(REPLACE_PARTITIONS) == "true":
        return False
    total = summary.get("total-data-files")
    return total is None or total == str(len(changes.added))


def replaces_partitions(step: Step) -> bool:
    """Tell whether a step removed files whole: partitions by name, or all that a filter held."""
    summary = summary_of(step.snapshot)
    by_name = summary.get(REPLACE_PARTITIONS) == "true"
    return by_name or (summary.get("operation") == "delete" and not step.changes.added)
