"""Another Iceberg catalog, through pyiceberg: what it holds, and what is registered in it."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from threading import Lock, local
from typing import Literal
from urllib.parse import urlsplit

from pyiceberg.catalog import Catalog, load_catalog
from pyiceberg.catalog.rest import Endpoints, IdentifierKind, RestCatalog
from pyiceberg.exceptions import NoSuchTableError

Levels = tuple[str, ...]
Kind = Literal["table", "view"]
# How many tables are loaded at once.
_PARALLEL = 8
_NOT_FOUND = 404


class ForeignCatalogFailed(Exception):
    """The other catalog cannot be opened or does not answer."""


@dataclass(frozen=True, slots=True)
class Name:
    """What a catalog calls a table or a view."""

    key: Levels
    kind: Kind


@dataclass(frozen=True, slots=True)
class Loaded:
    """Where the metadata of a table or view lies; or, without a location, what is wrong with it.

    `came_from` are a table's metadata files before this one, as far as its log reaches.
    """

    name: Name
    metadata_location: str | None
    problem: str = ""
    uuid: str = ""
    came_from: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Contents:
    """Everything that a catalog holds."""

    namespaces: Mapping[Levels, Mapping[str, str]]
    names: Sequence[Name]


class ForeignCatalog:
    """A catalog by its name in pyiceberg's configuration, and properties beside those there.

    It is opened once for each thread, for not every client is safe among threads: that of the Hive
    Metastore has one connection.
    """

    def __init__(self, name: str, properties: Mapping[str, str]) -> None:
        self.name = name
        self._properties = dict(properties)
        self._own = local()
        self._lock = Lock()
        self._opened: list[Catalog] = []

    def __enter__(self) -> "ForeignCatalog":
        return self

    def __exit__(self, *_: object) -> None:
        for catalog in self._opened:
            catalog.close()

    @property
    def address(self) -> str:
        """Where the catalog is, without what is secret in it."""
        parts = urlsplit(self.catalog.properties.get("uri", ""))
        place = parts.netloc.rpartition("@")[2]
        return parts._replace(netloc=place, query="", fragment="").geturl()

    @property
    def catalog(self) -> Catalog:
        """The catalog as this thread has it."""
        if not hasattr(self._own, "catalog"):
            with _answering(self.name):
                self._own.catalog = load_catalog(self.name, **self._properties)
            with self._lock:
                self._opened.append(self._own.catalog)
        opened: Catalog = self._own.catalog
        return opened

    def contents(self) -> Contents:
        """List all namespaces with their properties, and all tables and views.

        Raises:
            ForeignCatalogFailed: if the catalog does not answer.
        """
        with _answering(self.name):
            namespaces = {
                namespace: dict(self.catalog.load_namespace_properties(namespace))
                for namespace in self._namespaces()
            }
            names = [name for namespace in namespaces for name in self._names(namespace)]
        return Contents(namespaces, names)

    def load(self, names: Sequence[Name]) -> list[Loaded]:
        """Find the metadata files of tables and views, many at once, in their order."""
        with ThreadPoolExecutor(_PARALLEL, thread_name_prefix="foreign") as pool:
            return list(pool.map(self._load, names))

    def _namespaces(self) -> list[Levels]:
        # Some catalogs list all that lies below a namespace and not its children only.
        found: dict[Levels, None] = {}
        below: list[Levels] = [()]
        while below:
            parent = below.pop()
            for namespace in map(tuple, self.catalog.list_namespaces(parent)):
                if namespace not in found and namespace[: len(parent)] == parent:
                    found[namespace] = None
                    below.append(namespace)
        return sorted(found)

    def _names(self, namespace: Levels) -> Iterator[Name]:
        for key in map(tuple, self.catalog.list_tables(namespace)):
            yield Name(key, "table")
        if isinstance(self.catalog, RestCatalog):
            for key in map(tuple, self.catalog.list_views(namespace)):
                yield Name(key, "view")

    def find(self, name: Name) -> Loaded | None:
        """Load a table or view, None if the name names none; raises what the client raises."""
        if name.kind == "view":
            return self._find_view(name)
        try:
            table = self.catalog.load_table(name.key)
        except NoSuchTableError:
            return None
        logged = frozenset(each.metadata_file for each in table.metadata.metadata_log)
        uuid = str(table.metadata.table_uuid)
        return Loaded(name, table.metadata_location or None, uuid=uuid, came_from=logged)

    def _load(self, name: Name) -> Loaded:
        try:
            found = self.find(name)
        except Exception as error:  # One that cannot be read must not keep the others back.
            return Loaded(name, None, f"{type(error).__name__}: {error}")
        if found is None:
            return Loaded(name, None, "It is gone since it was listed, or is not Iceberg's")
        if found.metadata_location is None:
            return replace(found, problem="Its catalog does not say where its metadata lies")
        return found

    def _find_view(self, name: Name) -> Loaded | None:
        # pyiceberg 0.12 reads the location of a view's metadata and throws it away.
        catalog = self.catalog
        if not isinstance(catalog, RestCatalog):
            return None
        parts = catalog._split_identifier_for_path(name.key, IdentifierKind.VIEW)
        response = catalog._session.get(catalog.url(Endpoints.load_view, prefixed=True, **parts))
        if response.status_code == _NOT_FOUND:
            return None
        response.raise_for_status()
        document = response.json()
        uuid = document["metadata"]["view-uuid"]
        return Loaded(name, document.get("metadata-location") or None, uuid=uuid)


@contextmanager
def _answering(name: str) -> Iterator[None]:
    """Turn whatever error a catalog's client has into one that says which catalog it was."""
    try:
        yield
    except ForeignCatalogFailed:
        raise
    except Exception as error:
        detail = f"{type(error).__name__}: {error}"
        raise ForeignCatalogFailed(f"Catalog {name!r} cannot be read. {detail}") from error
