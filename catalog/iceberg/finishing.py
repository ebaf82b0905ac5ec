"""The last step of a build: what follows from its changes, and what readers insist on."""

from catalog.errors import InvalidInput, ValidationFailed
from catalog.iceberg.build import Build
from catalog.iceberg.metadata import (
    NO_SNAPSHOT,
    Metadata,
    current_schema,
    default_sort_order,
    default_spec,
    written,
)
from catalog.iceberg.partitioning import check_spec_sources
from catalog.iceberg.properties import metadata_codec, previous_versions_max, protected
from catalog.iceberg.sorting import check_sort_sources
from catalog.iceberg.validation import check_table


def finish(build: Build, base_location: str | None) -> Metadata:
    """Return the new metadata as it is written.

    Raises:
        InvalidInput: if readers would refuse it.
    """
    draft = build.draft
    _check_parts(draft)
    if build.specs_to_check or build.base is None:
        schema = current_schema(draft)
        check_spec_sources(default_spec(draft), schema)
        check_sort_sources(default_sort_order(draft), schema)
    metadata_codec(draft["properties"], default="none")
    draft["properties"] = protected(draft["properties"])
    draft["snapshot-log"] = _snapshot_log(build)
    draft["metadata-log"] = metadata_log(draft, build.base, base_location)
    last_entry = max((entry["timestamp-ms"] for entry in draft["snapshot-log"][-1:]), default=0)
    draft["last-updated-ms"] = max(build.clock_ms, last_entry)
    return written(draft)


def _check_parts(draft: Metadata) -> None:
    version = draft["format-version"]
    if not draft.get("table-uuid") and version > 1:
        raise InvalidInput(f"UUID is required in format v{version}")
    if not draft.get("location"):
        raise InvalidInput(f"Table location is required in format v{version}")
    if not _holds(draft["schemas"], "schema-id", draft["current-schema-id"]):
        raise InvalidInput(
            f"Cannot find schema with current-schema-id={draft['current-schema-id']} from schemas"
        )
    if not _holds(draft["partition-specs"], "spec-id", draft["default-spec-id"]):
        raise InvalidInput("Partition specs cannot be null or empty, and one must be the default")
    if not _holds(draft["sort-orders"], "order-id", draft["default-sort-order-id"]):
        raise InvalidInput("Sort orders cannot be null or empty, and one must be the default")


def _holds(items: list[Metadata], member: str, wanted: int) -> bool:
    return any(item.get(member, 0) == wanted for item in items)


def finish_merge(merged: Metadata, ours: Metadata, ours_location: str) -> Metadata:
    """Return what a merge made of completed metadata, as it is written after ours.

    Raises:
        InvalidInput: naming the rule of the format that it breaks.
    """
    result = dict(merged)
    result["properties"] = protected(result["properties"])
    result["metadata-log"] = metadata_log(result, ours, ours_location)
    result["last-updated-ms"] = max(
        result["last-updated-ms"],
        ours["last-updated-ms"],
        *(entry["timestamp-ms"] for entry in result["snapshot-log"][-1:]),
    )
    finished = written(result)
    check_table(finished)
    return finished


def metadata_log(
    metadata: Metadata, previous: Metadata | None, location: str | None
) -> list[Metadata]:
    """Return the log with the file that new metadata follows, cut to its greatest length."""
    log: list[Metadata] = metadata["metadata-log"]
    if previous is None or location is None:
        return log
    most = previous_versions_max(metadata["properties"])
    if len(log) >= most:
        log = log[len(log) - most + 1 :]
    moment = previous["last-updated-ms"]
    return [*log, {"timestamp-ms": moment, "metadata-file": location}]


def _snapshot_log(build: Build) -> list[Metadata]:
    log: list[Metadata] = build.draft["snapshot-log"]
    current = build.draft["current-snapshot-id"]
    passing = build.former_mains - {current}
    if not log or not (passing or build.removed_snapshots):
        return log
    kept: list[Metadata] = []
    for entry in log:
        if entry["snapshot-id"] not in build.snapshots:
            # History before an expired snapshot is not told: it would have a gap.
            if build.removed_snapshots:
                kept.clear()
        elif entry["snapshot-id"] not in passing:
            kept.append(entry)
    if current != NO_SNAPSHOT and (not kept or kept[-1]["snapshot-id"] != current):
        raise ValidationFailed(
            "Cannot set invalid snapshot log: latest entry is not the current snapshot"
        )
    return kept
