"""Columns that both sides changed, in tables with rows, as pyiceberg reads them after the merge.

What must never be: the values of one column under the name of another.
"""

import pyarrow as pa
import pytest
from pyiceberg.schema import Schema
from pyiceberg.table.update import SetCurrentSchemaUpdate
from pyiceberg.types import IntegerType, LongType, NestedField, StringType

from catalog.iceberg.merging.results import TableConflict, TableMerge
from tests.iceberg.merging.lab import Lab, merge, metadata_of

SCHEMA = Schema(NestedField(1, "id", LongType()), NestedField(2, "v", IntegerType()))


def rows(*ids, **columns):
    """Rows with these ids, and one value in each of the other columns."""
    arrays = {"id": pa.array(ids, pa.int64())}
    for name, value in columns.items():
        kind = pa.int32() if isinstance(value, int) else pa.string()
        arrays[name] = pa.array([value] * len(ids), kind)
    return pa.table(arrays)


@pytest.fixture
def lab(tmp_path):
    return Lab(tmp_path)


@pytest.fixture
def sides(lab):
    ours = lab.table(SCHEMA, rows(1, v=1), None, {})
    return metadata_of(ours), ours, lab.fork(ours)


def add(table, name, kind=None):
    with table.update_schema() as update:
        update.add_column(name, kind or StringType())


def content(table):
    found = table.scan().to_arrow().to_pylist()
    return {row.pop("id"): {k: v for k, v in row.items() if v is not None} for row in found}


def result(lab, base, ours, theirs):
    found = merge(base, ours, theirs)
    assert isinstance(found, TableMerge), found
    return lab.at(found.metadata)


def codes(base, ours, theirs):
    found = merge(base, ours, theirs)
    assert isinstance(found, TableConflict), found
    return [problem.code for problem in found.problems]


def field_ids(table):
    return {field.name: field.field_id for field in table.schema().fields}


def test_a_column_of_the_source_gets_a_fresh_id_while_no_file_has_it(lab, sides):
    base, ours, theirs = sides
    add(ours, "email")
    ours.append(rows(2, email="o"))
    theirs.append(rows(3, v=3))
    add(theirs, "phone")
    table = result(lab, base, ours, theirs)
    assert field_ids(table) == {"id": 1, "v": 2, "email": 3, "phone": 4}
    assert content(table) == {1: {"v": 1}, 2: {"email": "o"}, 3: {"v": 3}}
    table.append(rows(4, phone="p"))
    assert content(table)[4] == {"phone": "p"}


@pytest.mark.parametrize("writes_too", [True, False])
def test_a_column_with_a_taken_id_that_the_source_wrote_is_a_conflict(sides, writes_too):
    base, ours, theirs = sides
    add(ours, "email")
    if writes_too:
        ours.append(rows(2, email="o"))
    add(theirs, "phone")
    theirs.append(rows(3, phone="t"))
    assert "column-id-taken" in codes(base, ours, theirs)


def test_a_column_that_the_source_wrote_and_dropped_does_not_show_as_ours(sides):
    base, ours, theirs = sides
    add(ours, "email")
    add(theirs, "phone")
    theirs.append(rows(3, phone="t"))
    with theirs.update_schema() as update:
        update.delete_column("phone")
    assert "column-id-taken" in codes(base, ours, theirs)


def test_one_column_that_both_sides_added_and_wrote_is_one(lab, sides):
    base, ours, theirs = sides
    for table, number in ((ours, 2), (theirs, 3)):
        add(table, "email")
        table.append(rows(number, email=f"e{number}"))
    table = result(lab, base, ours, theirs)
    assert content(table) == {1: {"v": 1}, 2: {"email": "e2"}, 3: {"email": "e3"}}


def test_one_column_under_two_ids_is_the_target_s_while_the_source_wrote_none(lab, sides):
    base, ours, theirs = sides
    add(ours, "email")
    ours.append(rows(2, email="o"))
    add(theirs, "phone")
    add(theirs, "email")
    table = result(lab, base, ours, theirs)
    assert field_ids(table) == {"id": 1, "v": 2, "email": 3, "phone": 5}
    assert content(table) == {1: {"v": 1}, 2: {"email": "o"}}
    theirs.append(rows(3, email="t"))
    assert set(codes(base, ours, theirs)) == {"column-id-taken", "column-added-twice"}


def test_rows_of_an_abandoned_snapshot_are_not_taken_along_under_another_column(lab, sides):
    base, ours, theirs = sides
    add(ours, "email")
    add(theirs, "phone")
    theirs.append(rows(3, phone="t"))
    abandoned = theirs.current_snapshot().snapshot_id
    theirs.manage_snapshots().set_current_snapshot(base["current-snapshot-id"]).commit()
    table = result(lab, base, ours, theirs)
    assert content(table) == {1: {"v": 1}}
    assert table.snapshot_by_id(abandoned) is None


def test_a_table_branch_that_has_the_column_in_its_files_is_a_conflict(sides):
    base, ours, theirs = sides
    add(ours, "email")
    add(theirs, "phone")
    theirs.manage_snapshots().create_branch(base["current-snapshot-id"], "dev").commit()
    theirs.append(rows(3, phone="t"), branch="dev")
    assert codes(base, ours, theirs) == ["ref-cannot-move"]


def test_a_source_whose_column_got_another_id_is_not_merged_on(lab, sides):
    base, ours, theirs = sides
    add(ours, "email")
    ours.append(rows(2, email="o"))
    add(theirs, "phone")
    merged = merge(base, ours, theirs)
    assert isinstance(merged, TableMerge)
    seen = metadata_of(theirs)
    theirs.append(rows(3, phone="t"))
    assert "column-unknown" in codes(seen, merged.metadata, theirs)
    assert "column-unknown" in codes(seen, theirs, merged.metadata)


def test_rows_of_the_source_stand_under_the_new_name_and_type(lab, sides):
    base, ours, theirs = sides
    with ours.update_schema() as update:
        update.rename_column("v", "w")
    with theirs.update_schema() as update:
        update.update_column("v", LongType())
    theirs.append(pa.table({"id": pa.array([3]), "v": pa.array([2**40])}))
    table = result(lab, base, ours, theirs)
    assert content(table) == {1: {"w": 1}, 3: {"w": 2**40}}


def test_a_column_that_one_side_made_required_needs_the_other_s_rows_to_have_it(lab, sides):
    base, ours, theirs = sides
    with ours.update_schema(allow_incompatible_changes=True) as update:
        update.update_column("v", required=True)
    theirs.append(rows(3, v=3))
    assert content(result(lab, base, ours, theirs)) == {1: {"v": 1}, 3: {"v": 3}}
    theirs.append(rows(4))
    assert codes(base, ours, theirs) == ["column-required"]


def bring_back(table):
    """Have the first schema again, with the column that was dropped since."""
    with table.transaction() as transaction:
        transaction._apply((SetCurrentSchemaUpdate(schema_id=0),))


def test_a_column_that_one_side_brought_back_needs_the_other_to_have_rewritten_no_row(lab):
    ours = lab.table(SCHEMA, rows(1, 2, v=1), None, {})
    with ours.update_schema() as update:
        update.delete_column("v")
    base, theirs = metadata_of(ours), lab.fork(ours)
    bring_back(ours)
    theirs.append(rows(3))
    assert content(result(lab, base, ours, theirs)) == {1: {"v": 1}, 2: {"v": 1}, 3: {}}
    theirs.delete("id == 2")
    assert codes(base, ours, theirs) == ["column-brought-back"]
    assert codes(base, theirs, ours) == ["column-brought-back"]


def partition_by(table, name):
    with table.update_spec() as update:
        update.add_identity(name)


def unpartition(table, name):
    with table.update_spec() as update:
        update.remove_field(name)


def test_a_partitioning_whose_ids_are_taken_is_taken_while_no_file_has_it(lab, sides):
    base, ours, theirs = sides
    partition_by(ours, "v")
    ours.append(rows(2, v=2))
    unpartition(ours, "v")
    theirs.append(rows(3, v=3))
    partition_by(theirs, "id")
    table = result(lab, base, ours, theirs)
    assert [field.name for field in table.spec().fields] == ["id"]
    table.append(rows(4, v=4))
    assert content(table) == {number: {"v": number} for number in (1, 2, 3, 4)}
    assert [task.file.partition[0] for task in table.scan(row_filter="id = 4").plan_files()] == [4]
    theirs.append(rows(5, v=5))
    assert codes(base, ours, theirs) == ["partition-id-taken"]
