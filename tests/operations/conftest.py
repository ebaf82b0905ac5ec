"""Catalogs on both databases, and a warehouse of its own for every test."""

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from catalog.api.app import open_catalog
from catalog.operations.callers import Caller
from catalog.operations.warehouses import Catalog, Warehouse, create_warehouse
from catalog.settings import Settings
from tests.lakes import Lake, new_lake, serve_here

_NUMBERS = count()
# The rows of `parted`, as (id, day, value).
BASE = ((1, "mon", 10), (2, "tue", 20))


@pytest.fixture(scope="session")
def on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalog]:
    opened = open_catalog(Settings(data_dir=tmp_path_factory.mktemp("operations")))
    yield opened
    opened.engine.dispose()


@pytest.fixture(scope="session")
def on_postgresql(
    tmp_path_factory: pytest.TempPathFactory, new_database: Callable[[], str]
) -> Iterator[Catalog]:
    settings = Settings(data_dir=tmp_path_factory.mktemp("operations"), database_url=new_database())
    opened = open_catalog(settings)
    yield opened
    opened.engine.dispose()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def catalog(request: Any) -> Catalog:
    """A catalog on either database."""
    opened: Catalog = request.getfixturevalue(f"on_{request.param}")
    return opened


@pytest.fixture
def warehouse(catalog: Catalog) -> Warehouse:
    name = f"w{next(_NUMBERS)}"
    return create_warehouse(
        catalog, name, location=f"file:///nowhere/{name}", caller=Caller("test")
    )


@pytest.fixture(scope="session")
def served_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Catalog]]:
    with serve_here(Settings(data_dir=tmp_path_factory.mktemp("served"))) as served:
        yield served


@pytest.fixture(scope="session")
def served_postgresql(
    tmp_path_factory: pytest.TempPathFactory, new_database: Callable[[], str]
) -> Iterator[tuple[str, Catalog]]:
    directory = tmp_path_factory.mktemp("served")
    with serve_here(Settings(data_dir=directory, database_url=new_database())) as served:
        yield served


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def lake(request: Any, tmp_path: Path) -> Iterator[Lake]:
    """A warehouse of its own whose tables pyiceberg writes and reads."""
    url, catalog = request.getfixturevalue(f"served_{request.param}")
    made = new_lake(url, catalog, f"w{next(_NUMBERS)}", tmp_path.as_uri())
    yield made
    made.close()


@pytest.fixture
def parted(lake: Lake) -> Lake:
    """A table with one row for each of two days, and a branch `work` of `main`."""
    lake.create()
    lake.append(*BASE)
    lake.branch("work")
    return lake
