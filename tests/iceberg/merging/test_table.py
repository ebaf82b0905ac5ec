"""Tables that pyiceberg wrote on both sides, merged, read back by its scan and written on."""

from datetime import date

import pyarrow as pa
import pytest
from pyiceberg.expressions import EqualTo
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.transforms import IdentityTransform
from pyiceberg.types import DateType, LongType, NestedField, StringType

from catalog.iceberg.merging.files import Isolation
from catalog.iceberg.merging.lineage import Purpose
from catalog.iceberg.merging.results import TableConflict, TableMerge
from tests.iceberg.merging.lab import Lab, merge, metadata_of

SCHEMA = Schema(
    NestedField(1, "id", LongType()),
    NestedField(2, "day", DateType()),
    NestedField(3, "value", StringType()),
)
BY_DAY = PartitionSpec(PartitionField(2, 1000, IdentityTransform(), "day"))
D1, D2, D3 = (date(2026, 11, day) for day in (1, 2, 3))
PYICEBERG_COUNTS = (
    "added-data-files",
    "added-files-size",
    "added-records",
    "deleted-data-files",
    "deleted-records",
    "removed-files-size",
    "total-data-files",
    "total-records",
    "total-files-size",
    "total-delete-files",
)


def rows(*found):
    """Rows of (id, day, value)."""
    columns = list(zip(*found, strict=True)) if found else ([], [], [])
    types = (pa.int64(), pa.date32(), pa.string())
    arrays = [pa.array(list(c), kind) for c, kind in zip(columns, types, strict=True)]
    return pa.table(arrays, names=["id", "day", "value"])


def create(lab, found=(), spec=BY_DAY, **properties):
    return lab.table(SCHEMA, rows(*found), spec, properties)


def content(table):
    found = table.scan().to_arrow().to_pylist()
    return sorted((row["id"], row["value"]) for row in found)


def ids(table):
    return [number for number, _ in content(table)]


@pytest.fixture
def lab(tmp_path):
    return Lab(tmp_path)


BASE = [(1, D1, "a"), (2, D1, "a"), (3, D1, "a"), (4, D2, "a"), (5, D2, "a"), (6, D2, "a")]


@pytest.fixture(params=[None, BY_DAY], ids=["unpartitioned", "by day"])
def spec(request):
    return request.param


def forked(lab, spec=BY_DAY, **properties):
    ours = create(lab, BASE, spec, **properties)
    return metadata_of(ours), ours, lab.fork(ours)


def result(lab, base, ours, theirs, **options):
    found = merge(base, ours, theirs, **options)
    assert isinstance(found, TableMerge), found
    return lab.at(found.metadata)


@pytest.mark.parametrize("version", ["1", "2"])
def test_appends_of_both_sides_are_all_there(lab, spec, version):
    base, ours, theirs = forked(lab, spec, **{"format-version": version})
    ours.append(rows((7, D1, "o")))
    theirs.append(rows((8, D1, "t")))
    theirs.append(rows((9, D2, "t"), (10, D3, "t")))
    table = result(lab, base, ours, theirs)
    assert ids(table) == list(range(1, 11))
    assert table.metadata.format_version == int(version)


@pytest.mark.parametrize("version", ["1", "2"])
def test_writers_go_on_after_a_merge(lab, version):
    base, ours, theirs = forked(lab, **{"format-version": version})
    ours.append(rows((7, D1, "o")))
    theirs.delete(EqualTo("id", 5))
    table = result(lab, base, ours, theirs)
    table.append(rows((8, D3, "n")))
    table.delete(EqualTo("id", 1))
    table.overwrite(rows((4, D2, "n")), EqualTo("day", D2.isoformat()))
    assert content(table) == [(2, "a"), (3, "a"), (4, "n"), (7, "o"), (8, "n")]


def test_manifests_that_writers_merge_are_taken_apart(lab):
    """pyiceberg merges manifests, so one of theirs also lists files of the base and of others."""
    merging = {"commit.manifest-merge.enabled": "true", "commit.manifest.min-count-to-merge": "2"}
    base, ours, theirs = forked(lab, **merging)
    for number in range(7, 10):
        ours.append(rows((number, D1, "o")))
        theirs.append(rows((number + 10, D1, "t")))
    theirs.delete(EqualTo("id", 4))
    table = result(lab, base, ours, theirs, isolation=Isolation.SNAPSHOT)
    assert ids(table) == [1, 2, 3, 5, 6, 7, 8, 9, 17, 18, 19]
    for snapshot in table.snapshots()[-4:]:
        entries = [
            entry
            for manifest in snapshot.manifests(table.io)
            if manifest.added_snapshot_id == snapshot.snapshot_id
            for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=False)
        ]
        changed = [entry for entry in entries if entry.status.name != "EXISTING"]
        assert {entry.snapshot_id for entry in changed} == {snapshot.snapshot_id}


def test_rewritten_files_of_other_partitions_are_replaced(lab):
    base, ours, theirs = forked(lab)
    ours.append(rows((7, D1, "o")))
    theirs.delete(EqualTo("id", 5))
    assert ids(result(lab, base, ours, theirs)) == [1, 2, 3, 4, 6, 7]


def test_rows_that_ours_added_where_theirs_deleted_are_a_conflict_by_default(lab, spec):
    base, ours, theirs = forked(lab, spec)
    ours.append(rows((7, D1, "o")))
    theirs.delete(EqualTo("id", 2))
    assert isinstance(merge(base, ours, theirs), TableConflict)
    table = result(lab, base, ours, theirs, isolation=Isolation.SNAPSHOT)
    assert ids(table) == [1, 3, 4, 5, 6, 7]


def test_the_other_way_round_it_is_none(lab):
    base, ours, theirs = forked(lab)
    ours.delete(EqualTo("id", 2))
    theirs.append(rows((7, D1, "t")))
    assert ids(result(lab, base, ours, theirs)) == [1, 3, 4, 5, 6, 7]


def test_rewrites_of_one_file_by_both_are_a_conflict(lab):
    base, ours, theirs = forked(lab)
    ours.delete(EqualTo("id", 2))
    theirs.delete(EqualTo("id", 3))
    for isolation in Isolation:
        assert isinstance(merge(base, ours, theirs, isolation=isolation), TableConflict)


def test_rewrites_of_two_files_go_together(lab):
    base, ours, theirs = forked(lab)
    ours.delete(EqualTo("id", 2))
    theirs.overwrite(rows((5, D2, "t")), EqualTo("id", 5))
    table = result(lab, base, ours, theirs)
    assert content(table) == [(1, "a"), (3, "a"), (4, "a"), (5, "t"), (6, "a")]


def test_a_partition_that_both_replaced_is_a_conflict_and_a_new_one_is_none(lab):
    base, ours, theirs = forked(lab)
    ours.dynamic_partition_overwrite(rows((7, D1, "o")))
    theirs.dynamic_partition_overwrite(rows((8, D1, "t")))
    assert isinstance(merge(base, ours, theirs), TableConflict)
    base, ours, theirs = forked(lab)
    ours.dynamic_partition_overwrite(rows((7, D1, "o")))
    with pytest.warns(UserWarning, match="did not match any records"):
        theirs.dynamic_partition_overwrite(rows((8, D3, "t")))
    assert ids(result(lab, base, ours, theirs)) == [4, 5, 6, 7, 8]


def test_what_theirs_added_and_deleted_again_is_not_there(lab):
    base, ours, theirs = forked(lab)
    ours.append(rows((7, D1, "o")))
    theirs.append(rows((8, D3, "t"), (9, D3, "t")))
    theirs.delete(EqualTo("day", D3.isoformat()))
    assert ids(result(lab, base, ours, theirs)) == [1, 2, 3, 4, 5, 6, 7]


def test_tables_that_were_empty_at_the_base_are_filled_from_both(lab):
    ours = create(lab)
    base, theirs = metadata_of(ours), lab.fork(ours)
    ours.append(rows((1, D1, "o")))
    theirs.append(rows((2, D1, "t")))
    assert ids(result(lab, base, ours, theirs)) == [1, 2]


def test_an_emptied_table_and_new_rows(lab):
    base, ours, theirs = forked(lab)
    ours.append(rows((7, D1, "o")))
    theirs.delete("id > 0")
    assert isinstance(merge(base, ours, theirs), TableConflict)
    base, ours, theirs = forked(lab)
    ours.delete("id > 0")
    theirs.append(rows((7, D1, "t")))
    assert ids(result(lab, base, ours, theirs)) == [7]


def test_summaries_are_what_pyiceberg_computes(lab):
    """The same changes made one after the other count the same."""
    base, ours, theirs = forked(lab)
    serial = lab.fork(ours)
    ours.append(rows((7, D1, "o")))
    theirs.append(rows((8, D3, "t")))
    theirs.delete(EqualTo("id", 5))
    serial.append(rows((7, D1, "o")))
    serial.append(rows((8, D3, "t")))
    serial.delete(EqualTo("id", 5))
    table = result(lab, base, ours, theirs)
    for merged, expected in zip(table.snapshots(), serial.snapshots(), strict=True):
        found, wanted = merged.summary, expected.summary
        assert found.operation == wanted.operation
        assert {key: found[key] for key in PYICEBERG_COUNTS} == {
            key: wanted[key] for key in PYICEBERG_COUNTS
        }


def test_columns_added_by_one_side_are_null_in_rows_of_the_other(lab):
    base, ours, theirs = forked(lab)
    with ours.update_schema() as update:
        update.add_column("x", StringType())
    theirs.append(rows((7, D1, "t")))
    table = result(lab, base, ours, theirs)
    assert ids(table) == [1, 2, 3, 4, 5, 6, 7]
    assert table.scan().to_arrow()["x"].null_count == 7


def test_partitioning_evolved_by_theirs_goes_on_and_files_of_both_are_read(lab):
    base, ours, theirs = forked(lab)
    with theirs.update_spec() as update:
        update.remove_field("day")
        update.add_field("value", IdentityTransform(), "value_part")
    ours.append(rows((7, D1, "o")))
    theirs.append(rows((8, D1, "t")))
    table = result(lab, base, ours, theirs)
    assert ids(table) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert [field.name for field in table.spec().fields] == ["value_part"]
    assert ids_where(table, EqualTo("value", "t")) == [8]


def ids_where(table, row_filter):
    return sorted(table.scan(row_filter=row_filter).to_arrow()["id"].to_pylist())


def test_a_merge_that_only_changes_properties_writes_no_file(lab):
    base, ours, theirs = forked(lab)
    with theirs.transaction() as change:
        change.set_properties({"b": "3"})
    ours.append(rows((7, D1, "o")))
    written = []
    moment = metadata_of(ours)["last-updated-ms"] + 5
    found = merge(base, ours, theirs, write=lambda path, data: written.append(path), now_ms=moment)
    assert found.metadata["properties"]["b"] == "3"
    assert found.metadata["last-updated-ms"] == moment
    assert found.metadata["snapshots"] == metadata_of(ours)["snapshots"]
    assert written == []


def test_a_dry_run_needs_no_file_that_it_wrote(lab):
    base, ours, theirs = forked(lab)
    ours.append(rows((7, D1, "o")))
    theirs.append(rows((8, D3, "t"), (9, D3, "t")))
    theirs.delete(EqualTo("id", 8))
    theirs.delete(EqualTo("id", 5))
    found = merge(base, ours, theirs, write=lambda path, data: None)
    assert isinstance(found, TableMerge)
    assert [each.operation for each in found.report.replayed] == [
        "append",
        "overwrite",
        "overwrite",
    ]


def test_a_fork_that_ours_left_alone_is_adopted_with_its_ids(lab):
    base, ours, theirs = forked(lab)
    theirs.append(rows((7, D1, "t")))
    theirs.delete(EqualTo("id", 5))
    with ours.transaction() as change:
        change.set_properties({"a": "1"})
    table = result(lab, base, ours, theirs)
    assert ids(table) == [1, 2, 3, 4, 6, 7]
    assert table.snapshots() == theirs.snapshots()
    assert table.properties["a"] == "1"


def test_branches_go_back_and_forth(lab):
    base, main, branch = forked(lab)
    main.append(rows((10, D1, "m")))
    branch.append(rows((20, D1, "b")))
    merged_branch = metadata_of(branch)
    main = result(lab, base, main, branch)
    assert ids(main) == [1, 2, 3, 4, 5, 6, 10, 20]
    branch.append(rows((21, D2, "b")))
    main.append(rows((11, D2, "m")))
    # main into the branch: the base is the branch as it was merged.
    at_main = metadata_of(main)
    branch = result(lab, merged_branch, branch, main)
    assert ids(branch) == [1, 2, 3, 4, 5, 6, 10, 11, 20, 21]
    branch.delete(EqualTo("id", 4))
    main.append(rows((12, D1, "m")))
    main = result(lab, at_main, main, branch)
    assert ids(main) == [1, 2, 3, 5, 6, 10, 11, 12, 20, 21]


def test_a_squashed_merge_is_not_repeated(lab):
    base, main, branch = forked(lab)
    main.append(rows((10, D1, "m")))
    branch.append(rows((20, D3, "b")))
    main = result(lab, base, main, branch)
    branch.append(rows((21, D3, "b")))
    branch.delete(EqualTo("id", 20))
    main = result(lab, base, main, branch)
    assert ids(main) == [1, 2, 3, 4, 5, 6, 10, 21]


def test_a_picked_commit_brings_its_own_rows_only(lab):
    base, main, branch = forked(lab)
    main.append(rows((10, D1, "m")))
    branch.append(rows((20, D3, "b")))
    before = metadata_of(branch)
    branch.append(rows((21, D3, "b")))
    main = result(lab, before, main, branch, purpose=Purpose.PICK)
    assert ids(main) == [1, 2, 3, 4, 5, 6, 10, 21]
    # The whole branch later brings what is missing, once.
    main = result(lab, base, main, branch)
    assert ids(main) == [1, 2, 3, 4, 5, 6, 10, 20, 21]


def test_a_pick_that_needs_what_the_target_never_had_is_a_conflict(lab):
    _, main, branch = forked(lab)
    branch.append(rows((20, D3, "b"), (22, D3, "b")))
    before = metadata_of(branch)
    branch.delete(EqualTo("id", 20))
    main.append(rows((10, D1, "m")))
    assert isinstance(merge(before, main, branch, purpose=Purpose.PICK), TableConflict)


def test_what_ours_rolled_back_does_not_return(lab):
    _, ours, _ = forked(lab)
    ours.append(rows((7, D1, "x")))
    base, theirs = metadata_of(ours), lab.fork(ours)
    with ours.manage_snapshots() as manage:
        manage.rollback_to_snapshot(ours.snapshots()[0].snapshot_id)
    theirs.append(rows((8, D1, "t")))
    found = merge(base, ours, theirs)
    assert [problem.code for problem in found.problems] == ["target-rolled-back"]


def test_an_incremental_reader_sees_the_replayed_rows_and_no_others(lab):
    base, ours, theirs = forked(lab)
    ours.append(rows((7, D1, "o")))
    head = metadata_of(ours)["current-snapshot-id"]
    theirs.append(rows((8, D1, "t")))
    theirs.append(rows((9, D2, "t")))
    table = result(lab, base, ours, theirs)
    chain = []
    snapshot = table.current_snapshot()
    while snapshot.snapshot_id != head:
        chain.append(snapshot)
        snapshot = table.snapshot_by_id(snapshot.parent_snapshot_id)
    numbers = {each.snapshot_id for each in chain}
    added = [
        entry.data_file.record_count
        for each in chain
        for manifest in each.manifests(table.io)
        if manifest.added_snapshot_id == each.snapshot_id
        for entry in manifest.fetch_manifest_entry(table.io)
        if entry.snapshot_id in numbers
    ]
    assert added == [1, 1]


@pytest.mark.parametrize("upgraded", ["ours", "theirs", "both"])
def test_an_upgrade_on_a_side_goes_with_appends_on_both(lab, upgraded):
    base, ours, theirs = forked(lab, **{"format-version": "1"})
    for name, side in (("ours", ours), ("theirs", theirs)):
        if upgraded in (name, "both"):
            with side.transaction() as change:
                change.upgrade_table_version(2)
    ours.append(rows((7, D1, "o")))
    theirs.append(rows((8, D1, "t")))
    theirs.append(rows((9, D2, "t")))
    table = result(lab, base, ours, theirs)
    assert table.metadata.format_version == 2
    assert ids(table) == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    table.delete(EqualTo("id", 8))
    assert ids(table) == [1, 2, 3, 4, 5, 6, 7, 9]
