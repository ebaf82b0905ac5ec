"""Every cell of the matrix is merged, and the result read by engines that we did not write.

Each operation is carried out once, on a branch of its own that begins at one base; each cell is a
merge of two of these.
"""

import pytest

from tests.engines.lake import Lake
from tests.engines.merging.cases import LEFT_OUT, REASONS
from tests.engines.merging.facts import facts, view_facts
from tests.engines.merging.merges import Made, make
from tests.engines.merging.readers import Read, Readers, in_order


@pytest.fixture(scope="module")
def tables(clean: dict[str, Made]) -> dict[str, Made]:
    """Give all but views, which only Spark reads."""
    return {name: made for name, made in clean.items() if made.cell.table.version}


def differences(clean: dict[str, Made], seen: Read) -> dict[str, object]:
    """Return what an engine sees that is not what the model has."""
    return {
        name: rows
        for name, rows in seen.items()
        if rows != in_order(clean[name].cell.expected.shown())
    }


def test_every_cell_ends_as_the_matrix_says(merges: list[Made]) -> None:
    found = {made.cell.name: made.codes for made in merges}
    assert found == {made.cell.name: made.cell.codes for made in merges}


def test_what_was_left_out_is_told(merges: list[Made]) -> None:
    told = {made.cell.name for made in merges if made.clean and made.left_out}
    assert told == {made.cell.name for made in merges if made.cell.outcome == LEFT_OUT}


def test_spark_reads_the_rows_of_the_model(clean: dict[str, Made], readers: Readers) -> None:
    assert differences(clean, readers.by_spark(list(clean))) == {}


def test_duckdb_reads_the_rows_of_the_model(tables: dict[str, Made], readers: Readers) -> None:
    assert differences(tables, readers.by_duckdb(list(tables))) == {}


def test_pyiceberg_reads_the_rows_of_the_model(tables: dict[str, Made], readers: Readers) -> None:
    names = [name for name, made in tables.items() if not made.cell.by_key]
    assert differences(tables, readers.by_pyiceberg(names)) == {}


def test_pyiceberg_refuses_what_holds_equality_deletes(
    clean: dict[str, Made], readers: Readers
) -> None:
    refused = [name for name, made in clean.items() if made.cell.by_key]
    assert refused
    for name in refused:
        with pytest.raises(ValueError, match="equality deletes"):
            readers.read_pyiceberg(name)


def test_the_metadata_says_what_both_sides_changed(
    clean: dict[str, Made], readers: Readers
) -> None:
    said = {
        name: facts(readers.iceberg.load_table(("m", name)))
        if made.cell.table.version
        else view_facts(readers.iceberg.load_view(("m", name)))
        for name, made in clean.items()
    }
    wrong = {
        name: (said[name], expected)
        for name, made in clean.items()
        if not (expected := made.cell.expected.facts).items() <= said[name].items()
    }
    assert wrong == {}


def test_isolation_snapshot_lets_rows_be_that_theirs_did_not_see(
    merging_lake: Lake, merges: list[Made], readers: Readers
) -> None:
    only = {REASONS["added"].code}
    refused = [made.cell for made in merges if made.codes == only]
    made = make(merging_lake, refused, "snapshot")
    assert len(made) > 20
    clean = {each.read: each for each in made if each.read}
    assert len(clean) == len(made)
    assert differences(clean, readers.by_spark(list(clean))) == {}
    assert differences(clean, readers.by_duckdb(list(clean))) == {}
    readable = [name for name, each in clean.items() if not each.cell.by_key]
    assert differences(clean, readers.by_pyiceberg(readable)) == {}
