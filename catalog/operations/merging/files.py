"""Object storage as a merge has it: what it writes is there, or in a dry run only seems to be."""

from dataclasses import replace
from uuid import uuid4

from catalog.iceberg.files import next_metadata_location
from catalog.iceberg.metadata import Metadata
from catalog.operations.metadata import read_metadata, write_metadata
from catalog.operations.paths import check_paths
from catalog.operations.warehouses import Warehouse
from catalog.versioning.objects import Entry


class MergeFiles:
    """The files of one merge, which reads what it has written itself.

    A dry run keeps that in memory, if a later step needs it (`keeps`), and never writes it.
    """

    def __init__(self, warehouse: Warehouse, *, dry_run: bool, keeps: bool) -> None:
        self.warehouse = warehouse
        self.dry_run = dry_run
        self._keeps = keeps
        self._files: dict[str, bytes] = {}
        self._metadata: dict[str, Metadata] = {}

    def read(self, location: str) -> bytes:
        """Return a file's bytes.

        Raises:
            NoSuchFile: if it does not exist.
            InvalidInput: if it lies outside the warehouse.
        """
        held = self._files.get(location)
        if held is not None:
            return held
        return self.warehouse.files.read(self.warehouse.resolve_location(location))

    def write(self, location: str, data: bytes) -> None:
        """Create a file durably."""
        normal = self.warehouse.resolve_location(location)
        if not self.dry_run:
            self.warehouse.files.write_all({normal: data})
        elif self._keeps:
            self._files[location] = data

    def read_metadata(self, location: str) -> Metadata:
        """Return a metadata file decoded; the caller owns the result.

        Raises:
            NoSuchFile: if it does not exist.
        """
        held = self._metadata.get(location)
        return dict(held) if held is not None else read_metadata(self.warehouse, location)

    def write_metadata(self, metadata: Metadata, *, previous: str, base: Metadata) -> str:
        """Create the metadata file that follows another, and return its location.

        Raises:
            InvalidInput: if the metadata names a path that it may not.
        """
        check_paths(self.warehouse, metadata, base)
        location = next_metadata_location(metadata, previous=previous, file_uuid=str(uuid4()))
        self.warehouse.resolve_location(location, beside=metadata["location"])
        if self.dry_run:
            self._metadata[location] = metadata
        else:
            write_metadata(self.warehouse, {location: metadata})
        return location

    def shown(self, entry: Entry | None) -> Entry | None:
        """Return an entry as people are told it: without what a dry run has not made."""
        if entry is None or entry.metadata_location not in self._metadata:
            return entry
        facts = {name: fact for name, fact in entry.facts.items() if name != "snapshot-id"}
        return replace(entry, metadata_location=None, facts=facts)
