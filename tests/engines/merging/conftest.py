"""One warehouse in which both sides of every cell were written and merged."""

from collections.abc import Iterator

import pytest

from tests.engines.conftest import NewLakes
from tests.engines.lake import Duck, Lake, Spark
from tests.engines.merging.cases import cells
from tests.engines.merging.merges import Made, make
from tests.engines.merging.operations import TABLES
from tests.engines.merging.readers import Readers
from tests.engines.merging.writers import Writer


@pytest.fixture(scope="package")
def merging_lake(new_lakes: NewLakes, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    with new_lakes() as make_lake:
        yield make_lake((tmp_path_factory.mktemp("merging") / "warehouse").as_uri())


@pytest.fixture(scope="package")
def readers(merging_lake: Lake, spark: Spark) -> Iterator[Readers]:
    duck = Duck()
    yield Readers(merging_lake, spark, duck)
    duck.connection.close()


@pytest.fixture(scope="package")
def writer(merging_lake: Lake, spark: Spark) -> Writer:
    """Make the tables that both sides begin with, and give what writes them."""
    writer = Writer(merging_lake, spark)
    for table in TABLES.values():
        writer.create(table)
    return writer


@pytest.fixture(scope="package")
def merges(merging_lake: Lake, writer: Writer) -> list[Made]:
    """Do what both sides do, each on a branch, and merge all of it."""
    sides = {side.branch: side for cell in cells() for side in (cell.ours, cell.theirs)}
    for branch, side in sides.items():
        merging_lake.branch(branch)
        for step in side.steps:
            writer.carry_out(step, side.table.name, branch)
    return make(merging_lake, cells())


@pytest.fixture(scope="package")
def clean(merges: list[Made]) -> dict[str, Made]:
    """Give the merges that were made, by what engines read to see them."""
    return {made.read: made for made in merges if made.read}
