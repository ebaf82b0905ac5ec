"""A real server, a warehouse for every test, and one Spark session for all of them."""

import gc
import itertools
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import httpx
import pytest

from tests.engines.lake import Duck, Lake, Spark
from tests.java import spark_environment
from tests.servers import serve
from tests.services import ObjectStore

NewLakes = Callable[[], AbstractContextManager[Callable[..., Lake]]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.slow)
            # PySpark leaves the closing of the sockets by which it collects rows to Python.
            item.add_marker(pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"))


@pytest.fixture(scope="package", autouse=True)
def no_connections_left() -> Iterator[None]:
    """Collect what engines left open here, where it is no fault, and not in others' tests."""
    yield
    gc.collect()


@pytest.fixture(scope="session")
def secrets_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the file from which the server has the keys of object stores, empty at first."""
    path = tmp_path_factory.mktemp("secrets") / "secrets.toml"
    path.touch()
    return path


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory, secrets_file: Path) -> Iterator[str]:
    """Run a server for all tests; give its address."""
    directory = tmp_path_factory.mktemp("served")
    with serve(directory, MAINSTEM_SECRETS_FILE=str(secrets_file)) as address:
        yield address


@pytest.fixture(scope="session")
def http() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=60) as client:
        yield client


@pytest.fixture(scope="session")
def numbers() -> Iterator[int]:
    return itertools.count(1)


@pytest.fixture
def make_lake(new_lakes: NewLakes) -> Iterator[Callable[..., Lake]]:
    """Give what creates a warehouse at a location, in an object store if there is one."""
    with new_lakes() as make:
        yield make


@pytest.fixture(scope="session")
def new_lakes(
    served: str, http: httpx.Client, numbers: Iterator[int], secrets_file: Path
) -> NewLakes:
    """Give what gives such a function for a while."""

    def make(location: str, store: ObjectStore | None = None) -> Lake:
        name = f"lake{next(numbers)}"
        if store is not None:
            store.reveal(secrets_file, name)
        storage = {} if store is None else store.storage
        body = {"name": name, "location": location, "storage": storage}
        response = http.post(f"{served}/api/v1/warehouses", json=body)
        assert response.status_code == 201, response.text
        made.append(Lake(served, name, http))
        return made[-1]

    @contextmanager
    def lakes() -> Iterator[Callable[..., Lake]]:
        yield make
        while made:
            made.pop().close()

    made: list[Lake] = []
    return lakes


@pytest.fixture
def lake(make_lake: Callable[..., Lake], tmp_path: Path) -> Lake:
    """Give a new warehouse in local files, with an empty branch `main`."""
    return make_lake((tmp_path / "warehouse").as_uri())


@pytest.fixture
def duck() -> Iterator[Duck]:
    engine = Duck()
    yield engine
    engine.connection.close()


def doctors_settings(server: str, warehouse: str) -> str:
    asked = ["--server", server, "--warehouse", warehouse, "doctor", "spark-conf"]
    command = [sys.executable, "-m", "catalog", *asked]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout


@pytest.fixture(scope="session")
def spark(
    served: str, http: httpx.Client, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Spark]:
    """Start Spark as a user does: `spark-defaults.conf` from the doctor, SPARK_CONF_DIR.

    What a warehouse in S3 asks for is there too, for tests of tables in S3.
    """
    from pyspark.sql import SparkSession

    directory = tmp_path_factory.mktemp("spark")
    far = {"name": "spark", "location": "s3://spark/lake"}
    assert http.post(f"{served}/api/v1/warehouses", json=far).status_code == 201
    (directory / "spark-defaults.conf").write_text(doctors_settings(served, "lake"))
    settings = doctors_settings(served, far["name"]).splitlines()
    [packages] = [line.split()[1] for line in settings if line.startswith("spark.jars.packages ")]
    with pytest.MonkeyPatch.context() as patch:
        for name, value in spark_environment(directory).items():
            patch.setenv(name, value)
        patch.setenv("SPARK_CONF_DIR", str(directory))
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        builder = SparkSession.builder.master("local[2]")
        for key, value in {
            "spark.jars.packages": packages,
            "spark.driver.memory": "1g",
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.ui.enabled": "false",
            "spark.sql.shuffle.partitions": "2",
            "spark.sql.session.timeZone": "UTC",
            "spark.sql.warehouse.dir": os.fspath(directory / "spark-warehouse"),
        }.items():
            builder = builder.config(key, value)
        session = builder.getOrCreate()
        session.sparkContext.setLogLevel("ERROR")
        yield Spark(session)
        session.stop()
