"""What hangs on a table beside its snapshots: statistics files and encryption keys."""

import base64
import binascii

from catalog.errors import InvalidInput
from catalog.iceberg.metadata import Metadata, present
from catalog.iceberg.reading import (
    as_object,
    find_string,
    read_ints,
    read_long,
    read_string,
    read_string_map,
    shown,
)

_STATISTICS_MEMBERS = (
    "snapshot-id",
    "statistics-path",
    "file-size-in-bytes",
    "file-footer-size-in-bytes",
    "key-metadata",
    "blob-metadata",
)
_PARTITION_STATISTICS_MEMBERS = ("snapshot-id", "statistics-path", "file-size-in-bytes")
_BLOB_MEMBERS = ("type", "snapshot-id", "sequence-number", "fields", "properties")
_KEY_MEMBERS = ("key-id", "encrypted-key-metadata", "encrypted-by-id", "properties")


def parse_statistics(json: object) -> Metadata:
    """Return a statistics file in canonical form; unknown members are kept.

    Raises:
        InvalidInput: naming the member that is missing or wrong.
    """
    statistics = as_object(json, "statistics file")
    parsed = statistics | {
        "snapshot-id": read_long(statistics, "snapshot-id"),
        "statistics-path": read_string(statistics, "statistics-path"),
        "file-size-in-bytes": read_long(statistics, "file-size-in-bytes"),
        "file-footer-size-in-bytes": read_long(statistics, "file-footer-size-in-bytes"),
        "key-metadata": find_string(statistics, "key-metadata"),
        "blob-metadata": _blobs(statistics.get("blob-metadata")),
    }
    return present(parsed, _STATISTICS_MEMBERS)


def parse_partition_statistics(json: object) -> Metadata:
    """Return a partition statistics file in canonical form; unknown members are kept.

    Raises:
        InvalidInput: naming the member that is missing or wrong.
    """
    statistics = as_object(json, "partition statistics file")
    parsed = statistics | {
        "snapshot-id": read_long(statistics, "snapshot-id"),
        "statistics-path": read_string(statistics, "statistics-path"),
        "file-size-in-bytes": read_long(statistics, "file-size-in-bytes"),
    }
    return present(parsed, _PARTITION_STATISTICS_MEMBERS)


def parse_encryption_key(json: object) -> Metadata:
    """Return an encryption key in canonical form; unknown members are kept.

    Raises:
        InvalidInput: naming the member that is missing or wrong.
    """
    if not isinstance(json, dict):
        raise InvalidInput(f"Invalid encryption key, must be non-null object: {shown(json)}")
    encrypted = read_string(json, "encrypted-key-metadata")
    try:
        base64.b64decode(encrypted, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidInput(
            f"Invalid encrypted-key-metadata, not base64: {shown(encrypted)}"
        ) from error
    parsed = json | {
        "key-id": read_string(json, "key-id"),
        "encrypted-key-metadata": encrypted,
        "encrypted-by-id": find_string(json, "encrypted-by-id"),
        "properties": _properties(json),
    }
    return present(parsed, _KEY_MEMBERS)


def _blobs(json: object) -> list[Metadata]:
    if not isinstance(json, list):
        raise InvalidInput(f"Cannot parse blob metadata from non-array: {shown(json)}")
    return [_blob(as_object(item, "blob metadata")) for item in json]


def _blob(blob: Metadata) -> Metadata:
    parsed = blob | {
        "type": read_string(blob, "type"),
        "snapshot-id": read_long(blob, "snapshot-id"),
        "sequence-number": read_long(blob, "sequence-number"),
        "fields": read_ints(blob, "fields"),
        "properties": _properties(blob),
    }
    return present(parsed, _BLOB_MEMBERS)


def _properties(json: Metadata) -> dict[str, str] | None:
    if json.get("properties") is None:
        return None
    return read_string_map(json, "properties") or None
