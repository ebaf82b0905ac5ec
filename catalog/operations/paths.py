"""Every path that metadata names must lie inside the warehouse, in one of its locations."""

from uuid import uuid4

from catalog.errors import InvalidInput
from catalog.iceberg.files import next_metadata_location
from catalog.iceberg.metadata import Metadata
from catalog.operations.warehouses import Warehouse

# Properties through which a writer is told to put files elsewhere than under the table.
_PATH_PROPERTIES = (
    "write.data.path",
    "write.metadata.path",
    "write.folder-storage.path",
    "write.object-storage.path",
)


def check_paths(warehouse: Warehouse, metadata: Metadata, base: Metadata | None = None) -> None:
    """Check the location, the path properties and the snapshots that `base` has not.

    Raises:
        InvalidInput: naming the first path outside the warehouse, or apart from the rest.
    """
    home = metadata["location"]
    if base is None or base.get("location") != home:
        _check(warehouse, home, None if base is None else base.get("location"))
    properties = metadata.get("properties", {})
    known = {} if base is None else base.get("properties", {})
    for name in _PATH_PROPERTIES:
        if name in properties and properties[name] != known.get(name):
            _check(warehouse, properties[name], home)
    seen = set() if base is None else {snapshot["snapshot-id"] for snapshot in _snapshots(base)}
    for snapshot in _snapshots(metadata):
        if snapshot["snapshot-id"] in seen:
            continue
        for manifest in (snapshot.get("manifest-list"), *snapshot.get("manifests", ())):
            if manifest is not None:
                _check_manifest(warehouse, manifest, home)


def new_metadata_location(
    warehouse: Warehouse, metadata: Metadata, *, previous: str | None = None
) -> str:
    """Return where the file for new metadata goes that follows the file `previous`.

    It is in normal form, however a client spelled the table's location: every reader of it, the
    server among them, must come to the same file.

    Raises:
        InvalidInput: if it lies outside the warehouse, or apart from the table.
    """
    location = next_metadata_location(metadata, previous=previous, file_uuid=str(uuid4()))
    return warehouse.resolve_location(location, beside=metadata["location"])


def _snapshots(metadata: Metadata) -> list[Metadata]:
    snapshots: list[Metadata] = metadata.get("snapshots") or []
    return snapshots


def _check_manifest(warehouse: Warehouse, location: object, home: str) -> None:
    if not isinstance(location, str):
        raise InvalidInput(f"Cannot parse to a string value: manifest-list: {location}")
    _check(warehouse, location, home)


def _check(warehouse: Warehouse, location: str, beside: str | None) -> None:
    """Check a path that writers and readers take to the letter.

    A file system follows links before it takes a step up, and an object store knows no steps at
    all: what such a path leads to depends on who follows it.
    """
    if ".." in location.split("/"):
        raise InvalidInput(
            f"Location {location} has a step up ('..'), which not all engines understand alike",
            location=location,
        )
    warehouse.resolve_location(location, beside=beside)
