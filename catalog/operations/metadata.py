"""Metadata files and manifests: read through the cache, written before what points to them."""

from collections.abc import Mapping

from catalog.errors import InvalidInput
from catalog.iceberg.files import decode_metadata, encode_metadata, plain_metadata
from catalog.iceberg.metadata import Metadata
from catalog.operations.warehouses import Warehouse

# The name of a file that is not compressed, whatever the one it was read from was called.
_PLAIN = "v1.metadata.json"
_MAX_CACHED_BYTES = 1024 * 1024


def read_metadata_bytes(warehouse: Warehouse, location: str) -> bytes:
    """Return a metadata file as plain JSON, unzipped if need be, otherwise untouched.

    Raises:
        NoSuchFile: if object storage does not hold it.
        StorageUnavailable: if object storage does not answer.
    """
    cache = warehouse.catalog.metadata
    found = cache.get(location)
    if found is None:
        found = plain_metadata(warehouse.files.read(location), location)
        cache.put(location, found)
    return found


def read_metadata(warehouse: Warehouse, location: str) -> Metadata:
    """Return a metadata file decoded; the caller owns the result."""
    return decode_metadata(read_metadata_bytes(warehouse, location), _PLAIN)


def read_foreign_metadata(warehouse: Warehouse, location: str) -> Metadata:
    """Return a metadata file of somebody else's, decoded, as object storage has it at this moment.

    Other catalogs use a name again, as for the first file of a table that was dropped and made
    anew. What is in memory of it is what commits here name, so the two must be the same.

    Raises:
        NoSuchFile: if object storage does not hold it.
        InvalidInput: if it is not metadata, or not what it was when it was read before.
        StorageUnavailable: if object storage does not answer.
    """
    data = plain_metadata(warehouse.files.read(location), location)
    cache = warehouse.catalog.metadata
    cache.put(location, data)
    if cache.get(location) not in (data, None):
        raise InvalidInput(
            f"Metadata file {location} has been overwritten since it was read here before, and"
            " commits may name it as it was; have the table's catalog write another one, by any"
            " commit to it, and name that",
            location=location,
        )
    return decode_metadata(data, _PLAIN)


def read_manifest(warehouse: Warehouse, location: str) -> bytes:
    """Return a manifest or a manifest list; small ones are kept, as they are asked for again.

    Raises:
        NoSuchFile: if it does not exist.
        InvalidInput: if it lies outside the warehouse.
        StorageUnavailable: if object storage does not answer.
    """
    cache = warehouse.catalog.metadata
    # One warehouse may not read what lies in another, so neither does it from memory.
    name = f"manifest {warehouse.id} {location}"
    found = cache.get(name)
    if found is None:
        found = warehouse.files.read(warehouse.resolve_location(location))
        if len(found) <= _MAX_CACHED_BYTES:
            cache.put(name, found)
    return found


def write_metadata(
    warehouse: Warehouse,
    files: Mapping[str, Metadata],
    *,
    beside: Mapping[str, bytes] | None = None,
) -> dict[str, bytes]:
    """Write new metadata files, in parallel, and return their plain JSON by location.

    Other new files that they lead to can be written `beside` them. When this returns, every file is
    durable. A file is never overwritten.
    """
    encoded = {
        location: encode_metadata(metadata, location) for location, metadata in files.items()
    }
    warehouse.files.write_all({**(beside or {}), **encoded})
    plain = {location: plain_metadata(data, location) for location, data in encoded.items()}
    for location, data in plain.items():
        warehouse.catalog.metadata.put(location, data)
    return plain
