"""One catalog for all machines; each run makes a warehouse of its own in it."""

from collections.abc import Iterator

import pytest

from catalog.api.app import open_catalog
from catalog.operations.warehouses import Catalog
from catalog.settings import Settings


@pytest.fixture(scope="session")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalog]:
    """A catalog on SQLite and local files."""
    opened = open_catalog(Settings(data_dir=tmp_path_factory.mktemp("stateful")))
    yield opened
    opened.engine.dispose()
