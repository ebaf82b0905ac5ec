"""Metadata files: their names, and metadata to bytes and back (Java TableMetadataParser)."""

import gzip
import io
import re
import zlib

import orjson

from catalog.errors import InvalidInput
from catalog.iceberg.locations import strip_trailing_slashes
from catalog.iceberg.metadata import Metadata as Metadata
from catalog.iceberg.properties import (
    DELETE_AFTER_COMMIT,
    GC_ENABLED,
    METADATA_PATH,
    metadata_codec,
    protected,
)

_SUFFIX = ".metadata.json"
_NUMBER = re.compile(r"([0-9]{1,18})-", re.ASCII)

# How our own writer says that engines are to delete nothing.
_GC_OFF = f'"{GC_ENABLED}":"false"'.encode()
_DELETE_AFTER_COMMIT = DELETE_AFTER_COMMIT.encode()
_KEPT_AFTER_COMMIT = f'"{DELETE_AFTER_COMMIT}":"false"'.encode()

# A small gzip file can unfold without end; the largest metadata seen in the wild is far below.
_MAX_BYTES = 1 << 30


def encode_metadata(metadata: Metadata, location: str) -> bytes:
    """Return the bytes of a metadata file, compressed if its name says so."""
    data = orjson.dumps(metadata)
    return gzip.compress(data, mtime=0) if _is_compressed(location) else data


def decode_metadata(data: bytes, location: str) -> Metadata:
    """Return the metadata in a file; its name alone says whether it is compressed.

    Raises:
        InvalidInput: if the name or the bytes are not those of a metadata file.
    """
    try:
        metadata = orjson.loads(plain_metadata(data, location))
    except orjson.JSONDecodeError as error:
        raise InvalidInput(f"Cannot read metadata file {location}: {error}") from error
    if not isinstance(metadata, dict):
        raise InvalidInput(f"Cannot read metadata file {location}: it is not a JSON object")
    return metadata


def plain_metadata(data: bytes, location: str) -> bytes:
    """Return the JSON in a metadata file, unfolded if its name says that it is compressed.

    Raises:
        InvalidInput: if the name is not that of a metadata file, or the bytes do not unfold.
    """
    return _unfolded(data, location) if _is_compressed(location) else data


def safe_from_engines(data: bytes) -> bytes:
    """Return plain JSON of metadata as engines may have it: they are to delete none of its files.

    That is how this catalog writes tables, so those are the bytes given. A table that another
    catalog wrote and that was registered here has the properties that its next commit will have.
    """
    if _GC_OFF in data and (_DELETE_AFTER_COMMIT not in data or _KEPT_AFTER_COMMIT in data):
        return data
    metadata = orjson.loads(data)
    if "table-uuid" not in metadata:
        return data
    properties = metadata.get("properties") or {}
    safe = protected(properties)
    return data if safe is properties else orjson.dumps(metadata | {"properties": safe})


def next_metadata_location(
    metadata: Metadata, *, previous: str | None, file_uuid: str, default_codec: str = "none"
) -> str:
    """Return the location of the file for new metadata that follows the file `previous`.

    Raises:
        InvalidInput: if the properties name a codec that does not exist.
    """
    properties = metadata.get("properties") or {}
    compressed = metadata_codec(properties, default=default_codec) == "gzip"
    directory = properties.get(METADATA_PATH) or (
        strip_trailing_slashes(metadata["location"]) + "/metadata"
    )
    number = -1 if previous is None else _number(previous)
    extension = f".gz{_SUFFIX}" if compressed else _SUFFIX
    return f"{strip_trailing_slashes(directory)}/{number + 1:05d}-{file_uuid}{extension}"


def _number(location: str) -> int:
    match = _NUMBER.match(location.rpartition("/")[2])
    return int(match[1]) if match else -1


def _is_compressed(location: str) -> bool:
    name = location.rpartition("/")[2]
    before, found, _ = name.rpartition(_SUFFIX)
    if not found:
        raise InvalidInput(f"{location} is not a valid metadata file")
    return before.endswith(".gz") or name.endswith(f"{_SUFFIX}.gz")


def _unfolded(data: bytes, location: str) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
            unfolded = stream.read(_MAX_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise InvalidInput(f"Cannot read metadata file {location}: {error}") from error
    if len(unfolded) > _MAX_BYTES:
        raise InvalidInput(f"Metadata file {location} is larger than {_MAX_BYTES} bytes")
    return unfolded
