"""Catalogs without a table yet, and how each engine is told of them: Mainstem, Nessie, plain SQL.

Nessie keeps no tables on local disks, so beside it Mainstem has an object store too. A SQL catalog
is a SQLite file that the clients write themselves: no server, no branches, no author.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks.lake import CHANGED, Lake
from benchmarks.nessie import Nessie, fill, nessie_server
from benchmarks.processes import Server, mainstem
from benchmarks.relay import Relay, relay
from tests.services import ObjectStore, object_store

_SPARK = "spark.sql.catalog.lake"
_ICEBERG = "1.12.0"
_RUNTIME = f"org.apache.iceberg:iceberg-spark-runtime-3.5_2.12:{_ICEBERG}"
_BUNDLE = f"org.apache.iceberg:iceberg-aws-bundle:{_ICEBERG}"
_SQLITE = "org.xerial:sqlite-jdbc:3.50.3.0"


@dataclass(frozen=True, slots=True)
class EngineCatalog:
    """A catalog that runs; `server` and `relay` are None where clients write it themselves."""

    properties: Mapping[str, str]
    """Of pyiceberg."""
    spark: Mapping[str, str]
    """Of Spark's catalog."""
    packages: tuple[str, ...]
    server: Server | None = None
    relay: Relay | None = None
    secret: str | None = None
    """How DuckDB is told the keys of an object store."""
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def settings(self) -> list[str]:
        """The lines of Spark's settings."""
        extensions = "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions"
        catalog = {"cache-enabled": "false", **self.spark}
        return [
            f"spark.jars.packages {','.join(self.packages)}",
            f"spark.sql.extensions {extensions}",
            "spark.sql.defaultCatalog lake",
            f"{_SPARK} org.apache.iceberg.spark.SparkCatalog",
            *(f"{_SPARK}.{name} {value}" for name, value in catalog.items()),
        ]


@contextmanager
def mainstem_on_disk(directory: Path) -> Iterator[EngineCatalog]:
    """Run Mainstem, its tables on the local disk."""
    with mainstem(directory / "data") as server, relay(server.address.port) as between:
        yield _rest(server, between, "lake@main")


@contextmanager
def mainstem_on_s3(directory: Path) -> Iterator[EngineCatalog]:
    """Run Mainstem, its tables in an object store."""
    secrets = directory / "secrets.toml"
    secrets.touch()
    told = {"MAINSTEM_SECRETS_FILE": str(secrets)}
    with (
        object_store(directory) as store,
        mainstem(directory / "data", environment=told) as server,
        relay(server.address.port) as between,
    ):
        store.reveal(secrets, "stored")
        location = f"s3://{store.bucket}/stored"
        wanted = {"name": "stored", "location": location, "storage": store.storage}
        server.address.ask("POST", "/api/v1/warehouses", wanted)
        yield _rest(server, between, "stored@main", store)


@contextmanager
def nessie_on_s3(directory: Path) -> Iterator[EngineCatalog]:
    """Run Nessie, warm, its versions in memory, its tables in an object store."""
    with (
        object_store(directory) as store,
        nessie_server(directory, store) as server,
        relay(server.address.port) as between,
    ):
        fill(Nessie(server.address), Lake(CHANGED))
        catalog = _rest(server, between, "lake", store)
        # It does not list its endpoints, and without that Java asks no server for views.
        yield replace(catalog, spark={**catalog.spark, "view-endpoints-supported": "true"})


@contextmanager
def sql_on_disk(directory: Path) -> Iterator[EngineCatalog]:
    """Give pyiceberg's SqlCatalog, which is Java's JdbcCatalog, on SQLite."""
    database, location = directory / "catalog.db", f"file://{directory / 'warehouse'}"
    uri = f"jdbc:sqlite:{database}"
    yield EngineCatalog(
        {"type": "sql", "uri": f"sqlite:///{database}", "warehouse": location},
        {"type": "jdbc", "uri": uri, "warehouse": location},
        (_RUNTIME, _SQLITE),
        # By these dbt's profile tells Spark where the catalog is.
        environment={"MAINSTEM_URI": uri, "MAINSTEM_WAREHOUSE": location},
    )


def _rest(
    server: Server, between: Relay, warehouse: str, store: ObjectStore | None = None
) -> EngineCatalog:
    uri = f"http://127.0.0.1:{between.port}/iceberg"
    keys = {} if store is None else store.secrets
    rest = {"type": "rest", "uri": uri, "warehouse": warehouse, **keys}
    # By these pyiceberg takes the keys also where dbt's plugin opens the catalog.
    names = {key: f"PYICEBERG_CATALOG__MAINSTEM__{_variable(key)}" for key in keys}
    return EngineCatalog(
        rest,
        {**rest, "rest-metrics-reporting-enabled": "false"},
        (_RUNTIME,) if store is None else (_RUNTIME, _BUNDLE),
        server,
        between,
        None if store is None else _duckdb_secret(store),
        {
            "MAINSTEM_URI": uri,
            "MAINSTEM_WAREHOUSE": warehouse,
            **{names[key]: value for key, value in keys.items()},
        },
    )


def _variable(name: str) -> str:
    return name.upper().replace("-", "_").replace(".", "__")


def _duckdb_secret(store: ObjectStore) -> str:
    host = store.endpoint.removeprefix("http://")
    return (
        f"create secret if not exists store (type s3, key_id '{store.access_key}',"
        f" secret '{store.secret_key}', endpoint '{host}', url_style 'path', use_ssl false,"
        f" region '{store.region}')"
    )
