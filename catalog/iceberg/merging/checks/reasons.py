"""Single files that speak against a merge, and the sentences that people read of them."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from catalog.iceberg.merging.problems import Problem

_MOST_PARTITIONS = 3


class Reason(StrEnum):
    """Why files do not go together; the values are the stable codes of problems."""

    CHANGED_ON_BOTH_SIDES = "file-changed-on-both-sides"
    COMPACTED = "compacted-by-target"
    ROWS_DELETED = "rows-deleted-by-target"
    ROWS_DELETED_ON_BOTH_SIDES = "rows-deleted-on-both-sides"
    DELETES_MISSING = "deletes-missing-in-target"
    ROWS_ADDED = "rows-added-by-target"
    TABLE_EMPTIED = "table-emptied-by-source"
    TWO_VECTORS = "two-deletion-vectors"
    UNDELETED = "rows-undeleted-by-source"
    SAME_KEYS = "same-keys-on-both-sides"
    SAME_PATH = "same-file-added-twice"
    UNKNOWN_NUMBER = "sequence-number-unknown"
    UNKNOWN_SPEC = "partition-spec-unknown"
    SAME_ROW_IDS = "row-identities-collide"
    SAME_STREAM = "stream-on-both-sides"
    SAME_WAP_ID = "audited-write-on-both-sides"
    OLD_DELETES = "position-deletes-in-v3"
    LEFT_OUT = "builds-on-left-out"
    OUT_OF_ORDER = "deletes-out-of-order"


_SENTENCES = {
    Reason.CHANGED_ON_BOTH_SIDES: (
        "The target has removed or rewritten {files} that the source changed too; take the"
        " target's or the source's table."
    ),
    Reason.COMPACTED: (
        "The target compacted {files} that the source changed; take the target's or the source's"
        " table, and compact after merging."
    ),
    Reason.ROWS_DELETED: (
        "The target deleted rows of {files} that the source rewrote without knowing it, so that"
        " they would come back; take the target's or the source's table."
    ),
    Reason.ROWS_DELETED_ON_BOTH_SIDES: (
        "The target and the source both deleted or updated rows of {files}, perhaps the same ones;"
        " take the target's or the source's table."
    ),
    Reason.DELETES_MISSING: (
        "The source's change builds on deletes of rows in {files} that the target does not have;"
        " merge what came before it, too."
    ),
    Reason.ROWS_ADDED: (
        "The target added {files} that the source never saw, while it deleted or rewrote rows of"
        " the same partitions; take a side, or merge with isolation snapshot if the new rows are"
        " none that the source would have changed."
    ),
    Reason.TABLE_EMPTIED: (
        "The source removed all rows of the table while the target added {files}; take the"
        " target's or the source's table."
    ),
    Reason.TWO_VECTORS: (
        "The target and the source both deleted rows of {files}, and a file can have one deletion"
        " vector only; take the target's or the source's table."
    ),
    Reason.UNDELETED: (
        "The source took the deletion vector of {files} away and left the rows, which no delete"
        " does; take the target's or the source's table."
    ),
    Reason.SAME_KEYS: (
        "The source deletes rows by keys that may be among those which the target added, changed"
        " or deleted in {files}; take the target's or the source's table."
    ),
    Reason.SAME_PATH: (
        "The target and the source both added {files}, not in the same way; take the target's or"
        " the source's table."
    ),
    Reason.UNKNOWN_NUMBER: (
        "The source added {files} with data sequence numbers that mean nothing to the target;"
        " merge before the source is compacted, or take a side."
    ),
    Reason.UNKNOWN_SPEC: "The metadata lacks the partition spec of {files}.",
    Reason.SAME_ROW_IDS: (
        "The source rewrote {files} with row ids that the target has given to other rows, so that"
        " row identities collide; take the target's or the source's table."
    ),
    Reason.SAME_STREAM: (
        "One streaming job wrote to both the target and the source: {files}; its input would be"
        " loaded twice, so take the target's or the source's table."
    ),
    Reason.SAME_WAP_ID: (
        "The target and the source both published {files}, with other files; take the target's or"
        " the source's table."
    ),
    Reason.OLD_DELETES: (
        "The source added {files} of position deletes, which a table of format version 3 does not"
        " take; upgrade the source's table before it deletes, or take a side."
    ),
    Reason.LEFT_OUT: (
        "The source changed {files} that its own compaction wrote, which does not fit the target"
        " and cannot be left out then; compact after merging, or take a side."
    ),
    Reason.OUT_OF_ORDER: (
        "The target has a later change of the source already, which deletes rows by their keys,"
        " and they may be in {files} that the source added before it; take a side."
    ),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One file, or whatever else is counted, against a merge."""

    reason: Reason
    name: str
    partition: str = ""
    noun: str = "file"


def problems_of(findings: Iterable[Finding]) -> list[Problem]:
    """Return one problem for each reason, in the order in which they were found."""
    by_reason: dict[Reason, dict[str, Finding]] = defaultdict(dict)
    for finding in findings:
        by_reason[finding.reason].setdefault(finding.name, finding)
    return [
        Problem(reason.value, _SENTENCES[reason].format(files=_listed(list(found.values()))))
        for reason, found in by_reason.items()
    ]


def counted(number: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def partitions_of(labels: Iterable[str]) -> str:
    """Return partitions for people to read, the first few by name."""
    names = list(dict.fromkeys(label for label in labels if label))
    if not names:
        return ""
    rest = len(names) - _MOST_PARTITIONS
    shown = ", ".join(names[:_MOST_PARTITIONS]) + (f" and {rest:,} more" if rest > 0 else "")
    return f"partition {shown}" if len(names) == 1 else f"partitions {shown}"


def _listed(found: list[Finding]) -> str:
    where = partitions_of(finding.partition for finding in found)
    of_partition = f" of {where}" if where else ""
    example = found[0].name if len(found) == 1 else f"for example {found[0].name}"
    return f"{counted(len(found), found[0].noun)}{of_partition} ({example})"
