"""Manifests of Spark: read as Iceberg itself reads them, and written again without loss."""

from collections import Counter

import pytest

from catalog.iceberg.avro.files import open_file
from catalog.iceberg.manifests.entries import read_stored
from catalog.iceberg.manifests.lists import (
    FIRST_ROW_ID,
    LENGTH,
    SEQUENCE_NUMBER,
    new_record,
    read_list,
    write_list,
)
from catalog.iceberg.manifests.writing import ManifestWriter
from tests.iceberg.manifests.golden import NAMES, Golden
from tests.manifests import by_pyiceberg

pytestmark = pytest.mark.parametrize("golden", [Golden(name) for name in NAMES], ids=NAMES)


def status_of(stored):
    return 2 if stored.deleted else int(stored.entry.added)


def test_entries_say_what_iceberg_says(golden):
    found = Counter()
    for manifest, _ in golden.manifests():
        for stored in read_stored(manifest, golden.spec, golden.read):
            file = stored.entry.file
            found[
                status_of(stored), stored.entry.snapshot_id, stored.entry.sequence_number,
                stored.file_sequence_number, file.file_path, int(file.content),
                file.record_count, stored.entry.first_row_id,
            ] += 1  # fmt: skip
    assert found == Counter(tuple(entry.values()) for entry in golden.entries)
    assert found.total() == len(golden.entries) > 9


def written_again(golden, manifest, record):
    """Write a manifest with the statuses that it has; give the bytes and the new record."""
    data = golden.read(manifest.path)
    stored_entries = list(read_stored(manifest, golden.spec, golden.read))
    writer = ManifestWriter(
        data,
        golden.spec,
        format_version=golden.version,
        snapshot_id=manifest.snapshot_id,
    )
    for stored in stored_entries:
        (writer.keep, writer.add, writer.remove)[status_of(stored)](stored)
    written = writer.finish()
    again = new_record(
        writer,
        path=manifest.path,
        length=len(written),
        snapshot_id=manifest.snapshot_id,
        sequence_number=record.get(SEQUENCE_NUMBER, 0),
        like=record,
    )
    return stored_entries, written, again


def test_records_sum_up_entries_as_java_does(golden):
    """Counts, rows, lowest number and the bounds of partitions, byte by byte."""
    for manifest, record in golden.manifests():
        _, written, again = written_again(golden, manifest, record)
        own = {LENGTH: len(written), FIRST_ROW_ID: None} if golden.version > 2 else {}
        known = {key: again[key] for key in record}
        assert known == record | {LENGTH: len(written)} | own


def test_files_are_copied_byte_by_byte(golden):
    for manifest, record in golden.manifests():
        before, written, _ = written_again(golden, manifest, record)
        after = list(read_stored(manifest, golden.spec, {manifest.path: written}.__getitem__))
        assert [status_of(each) for each in after] == [status_of(each) for each in before]
        for one, other in zip(before, after, strict=True):
            assert without_row_id(one) == without_row_id(other)
            assert one.entry.first_row_id == other.entry.first_row_id
            assert one.entry.sequence_number == other.entry.sequence_number
            assert one.file_sequence_number == other.file_sequence_number
            assert one.entry.snapshot_id == other.entry.snapshot_id
        assert open_file(written).header == open_file(golden.read(manifest.path)).header


def without_row_id(stored):
    if stored.row_id_at is None:
        return stored.data
    start, stop = stored.row_id_at
    return stored.data[:start] + stored.data[stop:]


def test_pyiceberg_reads_what_is_written(golden):
    for manifest, record in golden.manifests():
        _, written, _ = written_again(golden, manifest, record)
        before = by_pyiceberg(golden.read(manifest.path))
        assert by_pyiceberg(written) == before
        assert before


def test_lists_are_written_as_they_were(golden):
    for snapshot, listed in golden.lists():
        written = write_list(
            [listed],
            listed.records,
            version=golden.version,
            snapshot_id=snapshot["snapshot-id"],
            parent_snapshot_id=snapshot.get("parent-snapshot-id"),
            sequence_number=snapshot.get("sequence-number", 0),
            first_row_id=snapshot.get("first-row-id"),
        )
        again = read_list(written, "again")
        assert again.records == listed.records
        assert again.header == listed.header
