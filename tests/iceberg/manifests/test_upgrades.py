"""Manifests of an older format version, written again in a table that has grown to a later one."""

import dataclasses

import pytest

from catalog.iceberg.avro.files import open_file
from catalog.iceberg.manifests.entries import read_stored
from catalog.iceberg.manifests.lists import (
    CONTENT,
    FIRST_ROW_ID,
    MIN_SEQUENCE_NUMBER,
    SEQUENCE_NUMBER,
    read_list,
    write_list,
)
from catalog.iceberg.manifests.writing import ManifestWriter
from tests.iceberg.manifests.golden import Golden
from tests.manifests import by_pyiceberg


def live_again(golden, manifest, version):
    """Write the live entries of a manifest as kept ones; give them before and after."""
    before = [
        stored for stored in read_stored(manifest, golden.spec, golden.read) if not stored.deleted
    ]
    data = golden.read(manifest.path)
    writer = ManifestWriter(data, golden.spec, format_version=version, snapshot_id=77)
    for stored in before:
        writer.keep(stored)
    written = writer.finish()
    # The new manifest has numbers of its own, which kept entries must not inherit.
    new = dataclasses.replace(
        manifest, sequence_number=99, snapshot_id=77, first_row_id=5000 if version > 2 else None
    )
    return before, list(read_stored(new, golden.spec, lambda path: written)), written


@pytest.mark.parametrize(("name", "version"), [("v1", 2), ("v1", 3), ("v2", 3)])
def test_kept_entries_keep_their_numbers(name, version):
    golden = Golden(name)
    for manifest, _ in golden.manifests():
        upgraded = dataclasses.replace(manifest, first_row_id=300 if version > 2 else None)
        before, after, written = live_again(golden, upgraded, version)
        for one, other in zip(before, after, strict=True):
            assert other.data.startswith(one.data)
            assert other.entry.sequence_number == one.entry.sequence_number < 99
            assert other.file_sequence_number == one.file_sequence_number
            assert other.entry.snapshot_id == one.entry.snapshot_id
            if not manifest.is_deletes:
                assert other.entry.first_row_id == one.entry.first_row_id
                assert (one.entry.first_row_id is None) == (version < 3)
        assert [record[2][134] for record in by_pyiceberg(written)] == [
            each.entry.file.content for each in before
        ]


@pytest.mark.parametrize(("name", "version"), [("v1", 2), ("v1", 3), ("v2", 3)])
def test_header_tells_the_version_that_the_entries_now_have(name, version):
    golden = Golden(name)
    for manifest, _ in golden.manifests():
        _, _, written = live_again(golden, manifest, version)
        header = open_file(written).header
        content = b"deletes" if manifest.is_deletes else b"data"
        assert header["content"] == content
        # A delete manifest has no row ids, so nothing about it is new in v3.
        same = name == "v2" and manifest.is_deletes
        assert header["format-version"] == (b"2" if same else str(version).encode())
        assert ("iceberg.schema" in header) == same


@pytest.mark.parametrize(("name", "version"), [("v1", 2), ("v1", 3), ("v2", 3)])
def test_list_gets_the_fields_of_the_later_version(name, version):
    golden = Golden(name)
    (*_, (_, listed)) = golden.lists()
    written = write_list(
        [listed],
        listed.records,
        version=version,
        snapshot_id=77,
        parent_snapshot_id=76,
        sequence_number=99,
        first_row_id=300,
    )
    for before, after in zip(listed.records, by_pyiceberg(written), strict=True):
        assert before.items() <= read_back(after).items()
        assert after[CONTENT] == before.get(CONTENT, 0)
        assert after[SEQUENCE_NUMBER] == before.get(SEQUENCE_NUMBER, 0)
        assert after[MIN_SEQUENCE_NUMBER] == before.get(MIN_SEQUENCE_NUMBER, 0)
        assert (FIRST_ROW_ID in after) == (version > 2)
    header = read_list(written, "list").header
    assert header["format-version"] == str(version).encode()
    assert header["sequence-number"] == b"99"
    assert ("first-row-id" in header) == (version > 2)


def read_back(record):
    """Return a record of pyiceberg, with summaries as ours has them."""
    fields = (509, 518, 510, 511)
    summaries = record[507]
    return record | {
        507: [
            {field: summary[number] for number, field in enumerate(fields)} for summary in summaries
        ]
    }
