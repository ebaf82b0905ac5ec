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
    draft["metadata-log"] = _metadata_log(build, base_location)
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


def _metadata_log(build: Build, base_location: str | None) -> list[Metadata]:
    log: list[Metadata] = build.draft["metadata-log"]
    if build.base is None or base_location is None:
        return log
    most = previous_versions_max(build.draft["properties"])
    if len(log) >= most:
        log = log[len(log) - most + 1 :]
    moment = build.base["last-updated-ms"]
    return [*log, {"timestamp-ms": moment, "metadata-file": base_location}]


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
