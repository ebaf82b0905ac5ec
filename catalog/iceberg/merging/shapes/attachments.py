"""Three-way merge of what hangs on a table: statistics, by snapshot, and encryption keys."""

from collections.abc import Collection
from typing import Any

from catalog.iceberg.merging.shapes.findings import Findings
from catalog.iceberg.merging.shapes.three_way import ABSENT, CLASH, choose
from catalog.iceberg.metadata import Metadata

ENCRYPTION_KEY_CHANGED_TWICE = "encryption-key-changed-twice"


def merged_statistics(
    base: list[Metadata], ours: list[Metadata], theirs: list[Metadata], *, known: Collection[int]
) -> list[Metadata]:
    """Merge statistics files by snapshot; of those that ours does not know, theirs' are left out.

    They are no content, so they are never a conflict: ours' are kept where both differ.
    """
    before, left, right = (
        {item["snapshot-id"]: item for item in side} for side in (base, ours, theirs)
    )
    merged: list[Metadata] = []
    for snapshot_id in dict.fromkeys((*left, *right)):
        kept: Any = left.get(snapshot_id, ABSENT)
        if snapshot_id in known:
            chosen = choose(before.get(snapshot_id, ABSENT), kept, right.get(snapshot_id, ABSENT))
            kept = kept if chosen is CLASH else chosen
        if kept is not ABSENT:
            merged.append(kept)
    return merged


def merged_keys(
    base: list[Metadata], ours: list[Metadata], theirs: list[Metadata], findings: Findings
) -> list[Metadata]:
    """Return the encryption keys of both sides; none is lost, for a file may need it."""
    before, left, right = ({item["key-id"]: item for item in side} for side in (base, ours, theirs))
    merged = dict(left)
    for key_id, item in right.items():
        chosen = choose(before.get(key_id, ABSENT), left.get(key_id, ABSENT), item)
        if chosen is CLASH and key_id in left:
            findings.refuse(
                ENCRYPTION_KEY_CHANGED_TWICE,
                f"Both sides changed the encryption key {key_id}, differently.",
            )
        elif chosen is not ABSENT:
            merged[key_id] = item if chosen is CLASH else chosen
    return list(merged.values())
