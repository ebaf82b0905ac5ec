"""Table properties that mean something to the catalog."""

from catalog.errors import InvalidInput, ValidationFailed
from catalog.iceberg.columns import ids_by_name
from catalog.iceberg.metadata import Metadata
from catalog.iceberg.reading import to_int

MAX_FORMAT_VERSION = 3
DEFAULT_FORMAT_VERSION = 2

FORMAT_VERSION = "format-version"
METADATA_CODEC = "write.metadata.compression-codec"
METADATA_PATH = "write.metadata.path"
PARQUET_CODEC = "write.parquet.compression-codec"
GC_ENABLED = "gc.enabled"
DELETE_AFTER_COMMIT = "write.metadata.delete-after-commit.enabled"
_GC_OFF = {GC_ENABLED: "false"}
_KEPT_AFTER_COMMIT = {DELETE_AFTER_COMMIT: "false"}
_PREVIOUS_VERSIONS_MAX = "write.metadata.previous-versions-max"
_DEFAULT_PREVIOUS_VERSIONS_MAX = 100

RESERVED = frozenset(
    (
        FORMAT_VERSION,
        "uuid",
        "snapshot-count",
        "current-snapshot-id",
        "current-snapshot-summary",
        "current-snapshot-timestamp-ms",
        "current-schema",
        "default-partition-spec",
        "default-sort-order",
    )
)
_METRICS_PREFIX = "write.metadata.metrics.column."
_NOT_NEGATIVE = (
    "commit.retry.num-retries",
    "commit.retry.min-wait-ms",
    "commit.retry.max-wait-ms",
    "commit.retry.total-timeout-ms",
)
_V3_ONLY = ("encryption.key-id", "encryption.data-key-length")


def check_updates(updates: dict[str, str]) -> None:
    """Refuse properties that a commit may not set.

    Raises:
        InvalidInput: naming the key and why.
    """
    for key in sorted(RESERVED.intersection(updates)):
        raise InvalidInput(f"Cannot set reserved property: {key}", key=key)
    if updates.get(GC_ENABLED, "").lower() == "true":
        raise InvalidInput(
            f"Cannot set {GC_ENABLED}=true: other branches and tags may still read the files of "
            "this table, so only the catalog's own garbage collection deletes files",
            key=GC_ENABLED,
        )
    metadata_codec(updates, default="none")


def metadata_codec(properties: Metadata, *, default: str) -> str:
    """Return how the next metadata file is compressed: `none` or `gzip`.

    Raises:
        InvalidInput: if the property names another codec.
    """
    codec = str(properties.get(METADATA_CODEC, default))
    if codec.lower() not in ("none", "gzip"):
        raise InvalidInput(f"Invalid codec name: {codec}")
    return codec.lower()


def protected(properties: dict[str, str]) -> dict[str, str]:
    """Return the properties with the files of the table safe from engines; the same if they are.

    An engine sees one branch, and would delete what others still read: data files, and pyiceberg
    the metadata files that fall out of the log after a commit.
    """
    safe = properties if properties.get(GC_ENABLED) == "false" else properties | _GC_OFF
    kept = safe.get(DELETE_AFTER_COMMIT, "false") == "false"
    return safe if kept else safe | _KEPT_AFTER_COMMIT


def previous_versions_max(properties: dict[str, str]) -> int:
    """Return how many entries a metadata log may have, at least 1."""
    # Java lets a value that is no number fail every later commit.
    found = to_int(properties.get(_PREVIOUS_VERSIONS_MAX, ""))
    return max(1, _DEFAULT_PREVIOUS_VERSIONS_MAX if found is None else found)


def requested_version(properties: dict[str, str]) -> int:
    """Return the format version that the properties of a new table ask for.

    Raises:
        InvalidInput: if there is no such version.
    """
    text = properties.get(FORMAT_VERSION, str(DEFAULT_FORMAT_VERSION))
    version = to_int(text)
    if version is None or not 1 <= version <= MAX_FORMAT_VERSION:
        raise InvalidInput(
            f"Unsupported format version: v{text} (supported: v{MAX_FORMAT_VERSION})"
        )
    return version


def check_creation(properties: dict[str, str], *, schema: Metadata, version: int) -> None:
    """Refuse properties that a new table may not have.

    Raises:
        InvalidInput: naming the property.
    """
    _check_metrics(properties, schema)
    for key in _NOT_NEGATIVE:
        value = to_int(properties.get(key, "0"))
        if value is None:
            raise ValidationFailed(f"Table property {key} must have integer value")
        if value < 0:
            raise ValidationFailed(f"Table property {key} must have non negative integer value")
    encryption = sorted(set(_V3_ONLY).intersection(properties))
    if version < 3 and encryption:
        raise InvalidInput(f"Invalid properties for v{version}: {encryption}")
    metadata_codec(properties, default="none")


def _check_metrics(properties: dict[str, str], schema: Metadata) -> None:
    names = None
    for key in properties:
        if key.startswith(_METRICS_PREFIX):
            names = ids_by_name(schema) if names is None else names
            column = key.removeprefix(_METRICS_PREFIX)
            if column not in names:
                raise ValidationFailed(
                    f"Invalid metrics config, could not find column {column} "
                    f"from table prop {key} in schema table"
                )
