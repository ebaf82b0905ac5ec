"""Apply table updates to metadata: a list of parsed updates in, new metadata out."""

from collections.abc import Callable, Iterable

from catalog.errors import InvalidInput
from catalog.iceberg import shape_updates, snapshot_updates
from catalog.iceberg.build import Build
from catalog.iceberg.finishing import finish
from catalog.iceberg.locations import normalise
from catalog.iceberg.metadata import NO_SNAPSHOT, Metadata, completed, current_snapshot_id
from catalog.iceberg.properties import (
    DEFAULT_FORMAT_VERSION,
    MAX_FORMAT_VERSION,
    check_updates,
)
from catalog.iceberg.reading import class_name


def update_table(
    base: Metadata | None,
    updates: Iterable[Metadata],
    *,
    base_location: str | None,
    now_ms: int,
    table_uuid: str | None = None,
) -> Metadata:
    """Return the metadata after all updates, in order; `is base` when nothing changed.

    `updates` come from `parse_updates` and `base` is valid; neither is changed, and the result
    shares with `base` what did not change. Without a base a table is created, and `table_uuid` is
    its uuid unless an update assigns one. `base_location` is the metadata file of the base. Every
    new metadata has the property `gc.enabled=false`, and not
    `write.metadata.delete-after-commit.enabled=true`.

    Raises:
        CommitFailed: if a snapshot was made for a state of the table that has passed.
        InvalidInput: if an update cannot be.
    """
    ordered = list(updates)
    build = _start(base, ordered, now_ms, table_uuid)
    for update in _coalesced(ordered):
        apply = _APPLIED.get(update["action"])
        if apply is None:
            raise InvalidInput(f"Cannot apply update {class_name(update['action'])} to a table")
        apply(build, update)
    if base is not None and not build.changed:
        return base
    return finish(build, base_location)


def _start(
    base: Metadata | None, updates: list[Metadata], now_ms: int, table_uuid: str | None
) -> Build:
    if base is not None:
        draft = completed(base)
        draft["current-snapshot-id"] = _or_no_snapshot(current_snapshot_id(draft))
        return Build(draft=draft, base=base, clock_ms=max(now_ms, base["last-updated-ms"]))
    upgrades = (item for item in updates if item["action"] == "upgrade-format-version")
    version = next((item["format-version"] for item in upgrades), DEFAULT_FORMAT_VERSION)
    _check_version(version)
    draft = completed(
        {
            "format-version": version,
            "table-uuid": table_uuid,
            "last-column-id": 0,
            "schemas": [],
            "current-schema-id": 0,
            "partition-specs": [],
            "default-spec-id": 0,
            "last-partition-id": 0,
            "sort-orders": [],
            "default-sort-order-id": 0,
            "current-snapshot-id": NO_SNAPSHOT,
        }
    )
    return Build(draft=draft, base=None, clock_ms=now_ms)


def _or_no_snapshot(snapshot_id: int | None) -> int:
    return NO_SNAPSHOT if snapshot_id is None else snapshot_id


def _coalesced(updates: Iterable[Metadata]) -> list[Metadata]:
    # Java sends one update per expired snapshot: thousands of passes over thousands of snapshots.
    result: list[Metadata] = []
    for update in updates:
        action = update["action"]
        if action == "remove-snapshots" and result and result[-1]["action"] == action:
            result[-1]["snapshot-ids"].extend(update["snapshot-ids"])
        elif action == "remove-snapshots":
            result.append(update | {"snapshot-ids": list(update["snapshot-ids"])})
        else:
            result.append(update)
    return result


def _assign_uuid(build: Build, update: Metadata) -> None:
    current = build.draft.get("table-uuid")
    if current is not None and build.base is not None:
        if current.lower() != update["uuid"]:
            raise InvalidInput("Cannot reassign uuid")
        return
    if current != update["uuid"]:
        build.put(table_uuid=update["uuid"])


def _upgrade_format_version(build: Build, update: Metadata) -> None:
    version = update["format-version"]
    _check_version(version)
    if version < build.version:
        raise InvalidInput(f"Cannot downgrade v{build.version} table to v{version}")
    if version > build.version:
        build.put(format_version=version)


def _check_version(version: int) -> None:
    if version > MAX_FORMAT_VERSION:
        raise InvalidInput(
            f"Cannot upgrade table to unsupported format version: v{version} "
            f"(supported: v{MAX_FORMAT_VERSION})"
        )
    if version < 1:
        raise InvalidInput(f"Not a format version: v{version}")


def _set_location(build: Build, update: Metadata) -> None:
    location = update["location"]
    if location != build.draft.get("location"):
        build.put(location=normalise(location))


def _set_properties(build: Build, update: Metadata) -> None:
    updates = update["updates"]
    check_updates(updates)
    if updates:
        build.put(properties=build.draft["properties"] | updates)


def _remove_properties(build: Build, update: Metadata) -> None:
    removals = set(update["removals"])
    if removals:
        properties = build.draft["properties"]
        build.put(properties={k: v for k, v in properties.items() if k not in removals})


_APPLIED: dict[str, Callable[[Build, Metadata], None]] = {
    "assign-uuid": _assign_uuid,
    "upgrade-format-version": _upgrade_format_version,
    "add-schema": shape_updates.add_schema,
    "set-current-schema": shape_updates.set_current_schema,
    "add-spec": shape_updates.add_spec,
    "set-default-spec": shape_updates.set_default_spec,
    "add-sort-order": shape_updates.add_sort_order,
    "set-default-sort-order": shape_updates.set_default_sort_order,
    "add-snapshot": snapshot_updates.add_snapshot,
    "remove-snapshots": snapshot_updates.remove_snapshots,
    "set-snapshot-ref": snapshot_updates.set_snapshot_ref,
    "remove-snapshot-ref": snapshot_updates.remove_snapshot_ref,
    "set-location": _set_location,
    "set-properties": _set_properties,
    "remove-properties": _remove_properties,
    "set-statistics": snapshot_updates.set_statistics,
    "remove-statistics": snapshot_updates.remove_statistics,
    "set-partition-statistics": snapshot_updates.set_partition_statistics,
    "remove-partition-statistics": snapshot_updates.remove_partition_statistics,
    "remove-partition-specs": shape_updates.remove_partition_specs,
    "remove-schemas": shape_updates.remove_schemas,
    "add-encryption-key": snapshot_updates.add_encryption_key,
    "remove-encryption-key": snapshot_updates.remove_encryption_key,
}
