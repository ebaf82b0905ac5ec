"""Object storage of a warehouse: each location goes to the store that its scheme names."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from catalog.errors import InvalidInput
from catalog.files.buckets import BucketFiles
from catalog.files.local import LocalFiles
from catalog.files.trust import USUAL, Trust
from catalog.iceberg.locations import contains


class FileIO(Protocol):
    """What operations need of object storage; every method is safe among threads."""

    def check(self, location: str) -> None:
        """Check that files can be kept at the location, as far as its text tells."""
        ...

    def read(self, location: str) -> bytes:
        """Return a file's bytes."""
        ...

    def write_all(self, files: Mapping[str, bytes]) -> None:
        """Create files durably, in parallel; none is ever overwritten or half visible."""
        ...

    def make_directories(self, locations: Iterable[str]) -> None:
        """Make folders where the store has folders."""
        ...

    def resolve(self, location: str) -> str:
        """Return the location with symbolic links resolved, where the store has them."""
        ...


class StoredFiles:
    """Local files and object stores side by side, by scheme."""

    def __init__(self, storage: Mapping[str, str], trust: Trust) -> None:
        self._local = LocalFiles()
        self._buckets = BucketFiles(storage, trust)

    def check(self, location: str) -> None:
        """Check that there is a store for the location."""
        self._store(location).check(location)

    def read(self, location: str) -> bytes:
        """Return a file's bytes."""
        return self._store(location).read(location)

    def write_all(self, files: Mapping[str, bytes]) -> None:
        """Create files durably, in parallel."""
        local = {location: data for location, data in files.items() if _is_local(location)}
        remote = {location: data for location, data in files.items() if location not in local}
        if local:
            self._local.write_all(local)
        if remote:
            self._buckets.write_all(remote)

    def make_directories(self, locations: Iterable[str]) -> None:
        """Make folders where the store has folders."""
        self._local.make_directories(location for location in locations if _is_local(location))

    def resolve(self, location: str) -> str:
        """Return the location with symbolic links resolved, where the store has them."""
        return self._store(location).resolve(location)

    def _store(self, location: str) -> FileIO:
        return self._local if _is_local(location) else self._buckets


class RoutedFiles:
    """The stores of several locations side by side: a file is in that of the one that holds it."""

    def __init__(self, stores: Mapping[str, FileIO]) -> None:
        self._stores = stores

    def check(self, location: str) -> None:
        """Check that there is a store for the location."""
        self._store(location).check(location)

    def read(self, location: str) -> bytes:
        """Return a file's bytes."""
        return self._store(location).read(location)

    def write_all(self, files: Mapping[str, bytes]) -> None:
        """Create files durably, in parallel, one store after the other."""
        for store, located in self._by_store(files):
            store.write_all({location: files[location] for location in located})

    def make_directories(self, locations: Iterable[str]) -> None:
        """Make folders where the store has folders."""
        for store, located in self._by_store(locations):
            store.make_directories(located)

    def resolve(self, location: str) -> str:
        """Return the location with symbolic links resolved, where the store has them."""
        return self._store(location).resolve(location)

    def _by_store(self, locations: Iterable[str]) -> Iterable[tuple[FileIO, list[str]]]:
        found: dict[int, tuple[FileIO, list[str]]] = {}
        for location in locations:
            store = self._store(location)
            found.setdefault(id(store), (store, []))[1].append(location)
        return found.values()

    def _store(self, location: str) -> FileIO:
        for root, store in self._stores.items():
            if contains(root, location):
                return store
        raise InvalidInput(f"No store is known for {location}", location=location)


def open_files(storage: Mapping[str, str], trust: Trust = USUAL) -> FileIO:
    """Return the object storage that Iceberg's FileIO properties describe."""
    return StoredFiles(storage, trust)


def _is_local(location: str) -> bool:
    return location.startswith("/") or location[:5].lower() == "file:"
