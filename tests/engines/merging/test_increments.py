"""Readers of what is new see exactly what a merge brought."""

from functools import reduce

import pytest
from pyspark.sql import DataFrame

from tests.engines.merging.merges import Made
from tests.engines.merging.readers import Readers


@pytest.fixture(scope="module")
def appended(clean: dict[str, Made]) -> dict[str, Made]:
    """Give the merges of rows that theirs appended, by what engines read."""
    return {
        name: made
        for name, made in clean.items()
        if made.cell.section == "rows" and made.cell.theirs.slug.startswith("append")
    }


def test_an_incremental_read_over_a_merge_gives_the_rows_of_theirs(
    appended: dict[str, Made], readers: Readers
) -> None:
    read = [increment(readers, name, made) for name, made in appended.items()]
    rows = reduce(DataFrame.unionAll, read).collect()
    expected = {(name, made.cell.theirs.steps[0].place.new) for name, made in appended.items()}
    assert len(rows) == len(expected) > 50
    assert {(row["name"], row["id"]) for row in rows} == expected


def increment(readers: Readers, name: str, made: Made) -> DataFrame:
    """Read what was appended since ours, before the merge, was at its head."""
    before = readers.iceberg.load_table(("m", f"{made.cell.table.name}@{made.cell.ours.branch}"))
    snapshot = before.current_snapshot()
    assert snapshot is not None
    return (
        readers.spark.session.read.format("iceberg")
        .option("start-snapshot-id", str(snapshot.snapshot_id))
        .table(f"{readers.catalog}.m.`{name}`")
        .selectExpr(f"'{name}' AS name", "id")
    )
