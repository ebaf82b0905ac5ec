"""Object storage as a merge has it: what it writes is there, or in a dry run only seems to be."""

from collections.abc import Mapping
from dataclasses import replace

from catalog.iceberg.metadata import Metadata
from catalog.operations.metadata import read_manifest, read_metadata, write_metadata
from catalog.operations.paths import check_paths, new_metadata_location
from catalog.operations.warehouses import Warehouse
from catalog.versioning.bases import is_undecided
from catalog.versioning.objects import Entry


class MergeFiles:
    """The files of one merge, which reads what it has written itself.

    A dry run keeps that in memory, if a later step needs it (`keeps`), and never writes it. What
    is merged `aside`, for the base of a merge alone, can be read here too.
    """

    def __init__(
        self,
        warehouse: Warehouse,
        *,
        dry_run: bool,
        keeps: bool,
        aside: "MergeFiles | None" = None,
    ) -> None:
        self.warehouse = warehouse
        self.dry_run = dry_run
        self._keeps = keeps
        self._aside = aside
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
        if self._aside is not None:
            return self._aside.read(location)
        return read_manifest(self.warehouse, location)

    def read_metadata(self, location: str) -> Metadata:
        """Return a metadata file decoded; the caller owns the result.

        Raises:
            NoSuchFile: if it does not exist.
        """
        held = self._metadata.get(location)
        if held is not None:
            return dict(held)
        if self._aside is not None:
            return self._aside.read_metadata(location)
        return read_metadata(self.warehouse, location)

    def write_metadata(
        self,
        metadata: Metadata,
        *,
        previous: str,
        base: Metadata,
        manifests: Mapping[str, bytes] | None = None,
    ) -> str:
        """Create the metadata file that follows another, and return its location.

        New manifests and lists that it leads to are written beside it: nothing reads any of them
        before the table points to it.

        Raises:
            InvalidInput: if the metadata names a path that it may not.
        """
        check_paths(self.warehouse, metadata, base)
        location = new_metadata_location(self.warehouse, metadata, previous=previous)
        found = manifests or {}
        beside = {self.warehouse.resolve_location(name): data for name, data in found.items()}
        if not self.dry_run:
            write_metadata(self.warehouse, {location: metadata}, beside=beside)
            return location
        self._metadata[location] = metadata
        if self._keeps:
            self._files |= found
        return location

    def holds(self, entry: Entry) -> bool:
        """Say whether an entry's metadata is only held here, and written nowhere."""
        return entry.metadata_location in self._metadata

    def shown_base(self, entry: Entry | None) -> Entry | None:
        """Return the entry on the base as people are told it: none if no commit has it."""
        if entry is None or is_undecided(entry):
            return None
        is_aside = self._aside is not None and self._aside.holds(entry)
        return None if is_aside else entry

    def shown(self, entry: Entry | None) -> Entry | None:
        """Return an entry as people are told it: without what a dry run has not made."""
        if entry is None or not self.holds(entry):
            return entry
        facts = {name: fact for name, fact in entry.facts.items() if name != "snapshot-id"}
        return replace(entry, metadata_location=None, facts=facts)
