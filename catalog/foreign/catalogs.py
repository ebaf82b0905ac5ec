"""Another Iceberg catalog, through pyiceberg: what it holds, and what is registered in it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock, local
from typing import Literal
from urllib.parse import urlsplit

from pyiceberg.catalog import Catalog, load_catalog
from pyiceberg.catalog.rest import Endpoints, IdentifierKind, RestCatalog

Levels = tuple[str, ...]
Kind = Literal["table", "view"]
# How many tables are loaded at once.
_PARALLEL = 8


class ForeignCatalogFailed(Exception):
    """The other catalog cannot be opened or does not answer."""


@dataclass(frozen=True, slots=True)
class Name:
    """What a catalog calls a table or a view."""

    key: Levels
    kind: Kind


@dataclass(frozen=True, slots=True)
class Loaded:
    """Where the metadata of a table or view lies; or, without a location, what is wrong with it."""

    name: Name
    metadata_location: str | None
    problem: str = ""


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

    def _load(self, name: Name) -> Loaded:
        find: Callable[[Levels], str | None]
        find = self._table_location if name.kind == "table" else self._view_location
        try:
            location = find(name.key)
        except Exception as error:  # One that cannot be read must not keep the others back.
            return Loaded(name, None, f"{type(error).__name__}: {error}")
        problem = "" if location else "Its catalog does not say where its metadata lies"
        return Loaded(name, location or None, problem)

    def _table_location(self, key: Levels) -> str | None:
        return self.catalog.load_table(key).metadata_location

    def _view_location(self, key: Levels) -> str | None:
        # pyiceberg 0.12 reads the location of a view's metadata and throws it away.
        catalog = self.catalog
        assert isinstance(catalog, RestCatalog)
        parts = catalog._split_identifier_for_path(key, IdentifierKind.VIEW)
        response = catalog._session.get(catalog.url(Endpoints.load_view, prefixed=True, **parts))
        response.raise_for_status()
        location: str | None = response.json().get("metadata-location")
        return location


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
