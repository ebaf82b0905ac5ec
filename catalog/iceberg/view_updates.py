"""Apply view updates to metadata (Java ViewMetadata.Builder)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from catalog.errors import InvalidInput, ValidationFailed
from catalog.iceberg.build import check_id, next_id
from catalog.iceberg.locations import normalise
from catalog.iceberg.metadata import Metadata, present
from catalog.iceberg.properties import metadata_codec
from catalog.iceberg.reading import class_name, to_int
from catalog.iceberg.schemas import find_same_schema
from catalog.iceberg.view_versions import dialects, same_version

VIEW_FORMAT_VERSION = 1
VIEW_CODEC = "gzip"
_LAST_ADDED = -1
_DROP_DIALECT_ALLOWED = "replace.drop-dialect.allowed"
_HISTORY_ENTRIES = "version.history.num-entries"
_DEFAULT_HISTORY_ENTRIES = 10

_MEMBERS = (
    "view-uuid",
    "format-version",
    "location",
    "properties",
    "schemas",
    "current-version-id",
    "versions",
    "version-log",
)


@dataclass(slots=True)
class _Build:
    """The draft of new view metadata while updates are applied; lists are replaced, not changed."""

    draft: Metadata
    now_ms: int
    changed: bool = False
    last_schema_id: int | None = None
    last_version_id: int | None = None
    added: set[int] = field(default_factory=set)
    log_entry: Metadata | None = None

    def put(self, member: str, value: object) -> None:
        """Put a member into the draft, and note a change."""
        self.draft[member] = value
        self.changed = True


def update_view(base: Metadata, updates: Iterable[Metadata], *, now_ms: int) -> Metadata:
    """Return the view's metadata after all updates, in order; `is base` when nothing changed.

    `updates` come from `parse_updates` and `base` is valid; neither is changed.

    Raises:
        InvalidInput: if an update cannot be.
    """
    draft = base | {"properties": base.get("properties") or {}}
    build = _Build(draft=draft, now_ms=now_ms)
    for update in updates:
        apply = _APPLIED.get(update["action"])
        if apply is None:
            raise InvalidInput(f"Cannot apply update {class_name(update['action'])} to a view")
        apply(build, update)
    return _finish(build, base) if build.changed else base


def written_view(metadata: Metadata) -> Metadata:
    """Return the metadata of a view in the order and form in which it is stored."""
    return present(metadata | {"properties": metadata["properties"] or None}, _MEMBERS)


def history_entries(properties: dict[str, str]) -> int:
    """Return how many versions a view keeps.

    Raises:
        InvalidInput: if the property is not positive.
    """
    entries = to_int(properties.get(_HISTORY_ENTRIES, ""))
    if entries is None:
        return _DEFAULT_HISTORY_ENTRIES
    if entries <= 0:
        raise InvalidInput(f"{_HISTORY_ENTRIES} must be positive but was {entries}")
    return entries


def _assign_uuid(build: _Build, update: Metadata) -> None:
    if build.draft["view-uuid"].lower() != update["uuid"]:
        raise InvalidInput("Cannot reassign uuid")


def _upgrade_format_version(build: _Build, update: Metadata) -> None:
    version, current = update["format-version"], build.draft["format-version"]
    if version < current:
        raise InvalidInput(f"Cannot downgrade v{current} view to v{version}")
    if version > VIEW_FORMAT_VERSION:
        raise InvalidInput(f"Unsupported format version: {version}")


def _set_location(build: _Build, update: Metadata) -> None:
    if update["location"] != build.draft["location"]:
        build.put("location", normalise(update["location"]))


def _set_properties(build: _Build, update: Metadata) -> None:
    if update["updates"]:
        build.put("properties", build.draft["properties"] | update["updates"])


def _remove_properties(build: _Build, update: Metadata) -> None:
    removals = set(update["removals"])
    if removals:
        properties = build.draft["properties"]
        build.put("properties", {k: v for k, v in properties.items() if k not in removals})


def _add_schema(build: _Build, update: Metadata) -> None:
    schemas = build.draft["schemas"]
    schema_id = find_same_schema(schemas, update["schema"])
    if schema_id is None:
        schema_id = next_id((schema.get("schema-id", 0) for schema in schemas), 0)
        build.put("schemas", [*schemas, update["schema"] | {"schema-id": schema_id}])
    build.last_schema_id = schema_id


def _add_view_version(build: _Build, update: Metadata) -> None:
    version, versions = update["view-version"], build.draft["versions"]
    # Sameness is asked before −1 is resolved, as in Java: a −1 version is always new.
    for other in versions:
        if same_version(other, version):
            build.last_version_id = other["version-id"]
            return
    schema_id = version["schema-id"]
    if schema_id == _LAST_ADDED:
        if build.last_schema_id is None:
            raise ValidationFailed("Cannot set last added schema: no schema has been added")
        schema_id = build.last_schema_id
    if all(schema.get("schema-id", 0) != schema_id for schema in build.draft["schemas"]):
        raise InvalidInput(f"Cannot add version with unknown schema: {schema_id}")
    version_id = version["version-id"]
    for used in (other["version-id"] for other in versions):
        version_id = used + 1 if used >= version_id else version_id
    check_id(version_id)
    added = version | {"version-id": version_id, "schema-id": schema_id}
    build.put("versions", [*versions, added])
    build.added.add(version_id)
    build.last_version_id = version_id


def _set_current_view_version(build: _Build, update: Metadata) -> None:
    version_id = update["view-version-id"]
    if version_id == _LAST_ADDED:
        if build.last_version_id is None:
            raise ValidationFailed("Cannot set last version id: no current version id has been set")
        version_id = build.last_version_id
    if version_id == build.draft["current-version-id"]:
        return
    version = _version(build.draft, version_id)
    if version is None:
        raise InvalidInput(f"Cannot set current version to unknown version: {version_id}")
    moment = version["timestamp-ms"] if version_id in build.added else build.now_ms
    build.put("current-version-id", version_id)
    # Only the last of a request is logged.
    build.log_entry = {"timestamp-ms": moment, "version-id": version_id}


def _finish(build: _Build, base: Metadata) -> Metadata:
    draft = build.draft
    if build.log_entry is not None:
        draft["version-log"] = [*draft["version-log"], build.log_entry]
    if draft["properties"].get(_DROP_DIALECT_ALLOWED, "").lower() != "true":
        _check_dialects(_dialects_of(base), _dialects_of(draft))
    metadata_codec(draft["properties"], default=VIEW_CODEC)
    _trim_history(build)
    return written_view(draft)


def _check_dialects(previous: list[str], new: list[str]) -> None:
    if not set(previous).issubset(new):
        raise InvalidInput(
            f"Cannot replace view due to loss of view dialects ({_DROP_DIALECT_ALLOWED}=false):\n"
            f"Previous dialects: {previous}\nNew dialects: {new}"
        )


def _dialects_of(metadata: Metadata) -> list[str]:
    version = _version(metadata, metadata["current-version-id"])
    return dialects(version["representations"]) if version else []


def _trim_history(build: _Build) -> None:
    draft = build.draft
    current = draft["current-version-id"]
    keep = max(history_entries(draft["properties"]), len(build.added | {current}))
    if len(draft["versions"]) <= keep:
        return
    others = sorted(
        version["version-id"] for version in draft["versions"] if version["version-id"] != current
    )
    kept = {current, *others[len(others) - keep + 1 :]}
    draft["versions"] = [item for item in draft["versions"] if item["version-id"] in kept]
    log: list[Metadata] = []
    for entry in draft["version-log"]:
        if entry["version-id"] in kept:
            log.append(entry)
        else:
            # History before a dropped version is not told: it would have a gap.
            log.clear()
    draft["version-log"] = log


def _version(metadata: Metadata, version_id: int) -> Metadata | None:
    return next((v for v in metadata["versions"] if v["version-id"] == version_id), None)


_APPLIED: dict[str, Callable[[_Build, Metadata], None]] = {
    "assign-uuid": _assign_uuid,
    "upgrade-format-version": _upgrade_format_version,
    "set-location": _set_location,
    "set-properties": _set_properties,
    "remove-properties": _remove_properties,
    "add-schema": _add_schema,
    "add-view-version": _add_view_version,
    "set-current-view-version": _set_current_view_version,
}
