"""How the rows of a changed table are told."""

import pytest

from catalog.cli.changes import changes_shown


def rows_told(before, after) -> str:
    change = {"change": "modified", "kind": "table", "key": ["day", "slides"]}
    sides = {name: {"facts": facts} for name, facts in (("from", before), ("to", after))}
    table, _ = changes_shown([change | sides])
    ((*_, told),) = table.rows
    return told


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ({"total-records": 5}, {"total-records": 7}, "5 -> 7 (+2)"),
        ({"total-records": 1350}, {"total-records": 1350}, "1,350"),
        ({}, {"total-records": 7}, "- -> 7"),
        ({"total-records": 7}, {}, "7 -> -"),
        ({}, {}, "-"),
    ],
)
def test_rows_before_and_after(before, after, told) -> None:
    assert rows_told(before, after) == told


def test_rows_that_delete_files_take_away_are_not_counted_as_there() -> None:
    """A merge of DuckDB's or Spark's leaves the deleted rows in `total-records`."""
    merged = {"total-records": 1_250, "total-delete-files": 1}
    assert rows_told({"total-records": 1_000, "total-delete-files": 0}, merged) == (
        "1,000 -> at most 1,250"
    )
    assert rows_told(merged, merged) == "at most 1,250"
