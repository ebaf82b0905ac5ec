"""What is written again says the same of every file, under other heads."""

import pytest
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.transforms import IdentityTransform
from pyiceberg.types import NestedField, StringType, StructType

from catalog.errors import ValidationFailed
from catalog.iceberg.manifests.entries import ADDED, DELETED, EXISTING, Manifest, read_stored
from catalog.iceberg.manifests.lists import new_record, read_list, write_list
from catalog.iceberg.manifests.writing import ManifestWriter
from tests.manifests import entry, file, manifest

SITE = StructType(NestedField(1000, "site", StringType(), required=False))
SPEC = PartitionSpec(PartitionField(2, 1000, IdentityTransform(), "site"), spec_id=0)


def listed_as(*, sequence_number=7, snapshot_id=9, first_row_id=100):
    return Manifest("m", 0, False, sequence_number, 7, snapshot_id, None, first_row_id, None)


def stored_entries(data, **numbers):
    return list(read_stored(listed_as(**numbers), SPEC, lambda path: data))


def written(data, *, spec_id=None):
    return ManifestWriter(data, SPEC, format_version=3, snapshot_id=77, spec_id=spec_id)


def three_files():
    return manifest(
        entry(file("a", partition=["x"], value_counts={1: 5, 200: 1_000_000})),
        entry(file("b", partition=[None], first_row_id=5)),
        entry(file("c", partition=["y"], lower_bounds={1: b"c" * 300}), EXISTING, 3, sequence=2),
        partition=SITE,
    )


def test_added_files_inherit_all_numbers():
    data = three_files()
    writer = written(data)
    for stored in stored_entries(data):
        writer.add(stored)
    found = stored_entries(writer.finish(), sequence_number=50, snapshot_id=1, first_row_id=1000)
    assert [each.explicit_sequence_number for each in found] == [None] * 3
    assert [each.entry.sequence_number for each in found] == [50] * 3
    assert [each.file_sequence_number for each in found] == [50] * 3
    assert [each.entry.snapshot_id for each in found] == [77] * 3
    assert [each.entry.first_row_id for each in found] == [1000, 1010, 1020]
    assert writer.min_sequence_number(50) == 50


def test_added_file_takes_the_number_that_is_given():
    data = three_files()
    writer = written(data)
    for stored, number in zip(stored_entries(data), (4, None, 6), strict=True):
        writer.add(stored, sequence_number=number)
    found = stored_entries(writer.finish(), sequence_number=50)
    assert [each.entry.sequence_number for each in found] == [4, 50, 6]
    assert [each.file_sequence_number for each in found] == [50] * 3
    assert writer.min_sequence_number(50) == 4


def test_kept_files_state_what_they_inherited():
    data = three_files()
    writer = written(data)
    for stored in stored_entries(data):
        writer.keep(stored)
    found = stored_entries(writer.finish(), sequence_number=50, snapshot_id=1, first_row_id=1000)
    assert [each.explicit_sequence_number for each in found] == [7, 7, 2]
    assert [each.file_sequence_number for each in found] == [7, 7, 2]
    assert [each.entry.snapshot_id for each in found] == [9, 9, 3]
    assert [each.entry.first_row_id for each in found] == [100, 5, 110]
    assert not any(each.entry.added or each.deleted for each in found)
    assert writer.min_sequence_number(50) == 2


def test_removed_files_keep_their_numbers_under_the_new_snapshot():
    data = three_files()
    writer = written(data)
    for stored in stored_entries(data):
        writer.remove(stored)
    found = stored_entries(writer.finish(), sequence_number=50)
    assert all(each.deleted for each in found)
    assert [each.explicit_sequence_number for each in found] == [7, 7, 2]
    assert [each.entry.snapshot_id for each in found] == [77] * 3
    # Nothing lives there, so no delete file is needed for it.
    assert writer.min_sequence_number(50) == 50


def test_deleted_file_cannot_be_kept():
    data = manifest(entry(file("a", partition=["x"]), DELETED, 3, sequence=2), partition=SITE)
    (stored,) = stored_entries(data)
    with pytest.raises(ValueError, match="deleted"):
        written(data).keep(stored)


def test_existing_file_without_its_number_is_refused():
    data = manifest(entry(file("a", partition=["x"]), EXISTING, 3), partition=SITE)
    with pytest.raises(ValidationFailed, match="sequence number of a is missing"):
        stored_entries(data)
    (stored,) = stored_entries(data, sequence_number=0)
    assert (stored.entry.sequence_number, stored.file_sequence_number) == (0, 0)


def test_record_of_a_manifest_sums_up_its_entries():
    data = three_files()
    writer = written(data, spec_id=4)
    first, second, third = stored_entries(data)
    writer.add(first)
    writer.keep(second)
    writer.remove(third)
    like = {500: "old", 517: 0, 520: 100, 519: b"key", 900: "unknown"}
    record = new_record(
        writer, path="new", length=12, snapshot_id=77, sequence_number=50, like=like
    )
    counts = {504: 1, 505: 1, 506: 1, 512: 10, 513: 10, 514: 10}
    assert record == counts | {
        500: "new", 501: 12, 502: 4, 517: 0, 515: 50, 516: 7, 503: 77, 519: None, 520: None,
        900: "unknown",
        507: [{509: True, 518: False, 510: b"x", 511: b"y"}],
    }  # fmt: skip
    listed = write_list(
        [],
        [record],
        version=3,
        snapshot_id=77,
        parent_snapshot_id=None,
        sequence_number=50,
        first_row_id=8,
    )
    found = read_list(listed, "list")
    assert found.records == [{key: record[key] for key in record if key != 900}]
    assert found.header["parent-snapshot-id"] == b"null"
    assert (writer.files[ADDED], writer.rows[DELETED]) == (1, 10)
