"""Fields and header keys of writers that know more than we do survive."""

import orjson
import pytest

from catalog.iceberg.avro.encoding import encoder
from catalog.iceberg.avro.files import AvroWriter, open_file
from catalog.iceberg.avro.schemas import parse_schema
from catalog.iceberg.manifests.entries import read_stored
from catalog.iceberg.manifests.lists import ListFile, read_list, write_list
from catalog.iceberg.manifests.writing import ManifestWriter
from tests.iceberg.manifests.golden import NAMES, Golden
from tests.manifests import by_pyiceberg

OF_ENTRY = {"name": "why", "type": "string", "field-id": 9001}
OF_FILE = {"name": "sketch", "type": ["null", {"type": "fixed", "name": "s", "size": 5}],
           "default": None, "field-id": 9002}  # fmt: skip


def with_unknown_fields(golden, manifest):
    """Give a manifest with one more field in each entry, and one more in each file."""
    source = open_file(golden.read(manifest.path))
    schema = source.schema
    schema["fields"].insert(1, OF_ENTRY)
    schema["fields"][-1]["type"]["fields"].append(OF_FILE)
    header = dict(source.header) | {"avro.schema": orjson.dumps(schema), "theirs": b"\xc3\xa9"}
    output = AvroWriter(header)
    heads = [encoder(field.type) for field in parse_schema(schema).fields[:-1]]
    for number, stored in enumerate(read_stored(manifest, golden.spec, golden.read)):
        status = 2 if stored.deleted else int(stored.entry.added)
        values = [status, f"reason {number}", stored.entry.snapshot_id]
        if golden.version > 1:
            values += [stored.explicit_sequence_number, stored.file_sequence_number]
        known = b"".join(encode(value) for encode, value in zip(heads, values, strict=True))
        output.append(known + stored.data + b"\x02sk%03d" % number)
    return output.finish()


@pytest.mark.parametrize("name", NAMES)
def test_unknown_fields_of_entries_and_files_are_copied(name):
    golden = Golden(name)
    for manifest, _ in golden.manifests():
        data = with_unknown_fields(golden, manifest)
        stored_entries = list(read_stored(manifest, golden.spec, {manifest.path: data}.get))
        writer = ManifestWriter(data, golden.spec, format_version=golden.version, snapshot_id=77)
        for stored in stored_entries:
            writer.remove(stored)
        written = writer.finish()
        assert open_file(written).header == open_file(data).header
        found = by_pyiceberg(written)
        assert [record[9001] for record in found] == [f"reason {n}" for n in range(len(found))]
        assert [record[2][9002] for record in found] == [b"sk%03d" % n for n in range(len(found))]
        assert len(found) == len(stored_entries) > 0


def test_an_entry_of_another_manifest_is_refused():
    golden = Golden("v2")
    (manifest, _), *_ = golden.manifests()
    (stored, *_) = read_stored(manifest, golden.spec, golden.read)
    writer = ManifestWriter(
        golden.read(manifest.path), golden.spec, format_version=2, snapshot_id=77
    )
    foreign = type(stored)(
        entry=stored.entry,
        deleted=False,
        file_sequence_number=1,
        explicit_sequence_number=1,
        data=stored.data,
        unknown=(b"\x00",),
        row_id_at=None,
    )
    with pytest.raises(ValueError, match="another manifest"):
        writer.keep(foreign)


def test_unknown_fields_of_two_lists_are_joined():
    golden = Golden("v3")
    (*_, (_, listed)) = golden.lists()
    ours = extended(listed, {"name": "ours", "type": ["null", "double"], "field-id": 9001}, 0.1)
    theirs = extended(listed, {"name": "theirs", "type": ["null", "string"]}, "é")
    written = write_list(
        [ours, theirs],
        [*ours.records, *theirs.records],
        version=3,
        snapshot_id=77,
        parent_snapshot_id=None,
        sequence_number=99,
        first_row_id=300,
    )
    again = read_list(written, "list")
    count = len(listed.records)
    assert [record[9001] for record in again.records] == [0.1] * count + [None] * count
    assert [record["theirs"] for record in again.records] == [None] * count + ["é"] * count
    assert again.header["theirs"] == b"\xc3\xa9"


def extended(listed, field, value):
    schema = listed.schema | {"fields": [*listed.schema["fields"], field]}
    records = [record | {field.get("field-id", field["name"]): value} for record in listed.records]
    header = {"avro.schema": orjson.dumps(schema), "theirs": b"\xc3\xa9"}
    return ListFile(dict(listed.header) | header, records)
