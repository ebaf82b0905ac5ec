"""Catalogs on both databases, and a warehouse of its own for every test."""

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest

from catalog.api.app import open_catalog
from catalog.operations.callers import Caller
from catalog.operations.warehouses import Catalog, Warehouse, create_warehouse
from catalog.settings import Settings

_NUMBERS = count()


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
