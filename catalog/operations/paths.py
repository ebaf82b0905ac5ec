"""Every path that metadata names must lie inside the warehouse, in one of its locations."""

from catalog.errors import InvalidInput
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
        warehouse.resolve_location(home, beside=None if base is None else base.get("location"))
    properties = metadata.get("properties", {})
    known = {} if base is None else base.get("properties", {})
    for name in _PATH_PROPERTIES:
        if name in properties and properties[name] != known.get(name):
            warehouse.resolve_location(properties[name], beside=home)
    seen = set() if base is None else {snapshot["snapshot-id"] for snapshot in _snapshots(base)}
    for snapshot in _snapshots(metadata):
        if snapshot["snapshot-id"] in seen:
            continue
        for manifest in (snapshot.get("manifest-list"), *snapshot.get("manifests", ())):
            if manifest is not None:
                _check_manifest(warehouse, manifest, home)


def _snapshots(metadata: Metadata) -> list[Metadata]:
    snapshots: list[Metadata] = metadata.get("snapshots") or []
    return snapshots


def _check_manifest(warehouse: Warehouse, location: object, home: str) -> None:
    if not isinstance(location, str):
        raise InvalidInput(f"Cannot parse to a string value: manifest-list: {location}")
    warehouse.resolve_location(location, beside=home)
