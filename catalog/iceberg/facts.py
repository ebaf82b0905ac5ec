"""The small facts of a table or view that a tree entry keeps, for diffs without metadata files."""

from collections.abc import Sequence

from catalog.iceberg.metadata import Metadata, completed, current_snapshot_id
from catalog.iceberg.reading import LONG_MAX

_TOTALS = ("total-records", "total-data-files", "total-files-size", "total-delete-files")
_CHANGES = (
    "added-data-files",
    "deleted-data-files",
    "added-delete-files",
    "removed-delete-files",
    "added-records",
    "deleted-records",
    "added-position-deletes",
    "added-equality-deletes",
    "added-files-size",
    "removed-files-size",
)


def table_facts(metadata: Metadata) -> dict[str, int | str]:
    """Return what a diff shows of a table; what is absent in the metadata is left out."""
    filled = completed(metadata)
    facts: dict[str, int | str] = {
        "format-version": filled["format-version"],
        "schema-id": filled["current-schema-id"],
        "spec-id": filled["default-spec-id"],
        "sort-order-id": filled["default-sort-order-id"],
    }
    snapshot_id = current_snapshot_id(filled)
    if snapshot_id is None:
        return facts
    facts["snapshot-id"] = snapshot_id
    return facts | _counts(_summary_of(filled, snapshot_id), _TOTALS)


def snapshot_changes(snapshot: Metadata) -> dict[str, int]:
    """Return what a snapshot's summary counts as changed, under the summary's own names."""
    return _counts(snapshot.get("summary") or {}, _CHANGES)


def view_facts(metadata: Metadata) -> dict[str, int | str]:
    """Return what a diff shows of a view."""
    return {
        "format-version": metadata["format-version"],
        "version-id": metadata["current-version-id"],
    }


def _summary_of(metadata: Metadata, snapshot_id: int) -> Metadata:
    # The current snapshot is mostly the last one.
    for snapshot in reversed(metadata["snapshots"]):
        if snapshot["snapshot-id"] == snapshot_id:
            summary: Metadata = snapshot.get("summary") or {}
            return summary
    return {}


def _counts(summary: Metadata, names: Sequence[str]) -> dict[str, int]:
    texts = {name: str(summary[name]) for name in names if name in summary}
    return {
        name: int(text)
        for name, text in texts.items()
        # Engines write them as text; one that is no count is not worth failing a commit for.
        if text.isascii()
        and text.isdigit()
        and len(text) <= len(str(LONG_MAX))
        and int(text) <= LONG_MAX
    }
