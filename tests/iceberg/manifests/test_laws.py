"""Laws of written manifests, on manifests of any shape; and damage, always told as such."""

import math
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyiceberg.conversions import from_bytes
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.transforms import IdentityTransform
from pyiceberg.types import (
    BinaryType,
    BooleanType,
    DateType,
    DecimalType,
    DoubleType,
    FloatType,
    IntegerType,
    LongType,
    NestedField,
    StringType,
    StructType,
    TimestampType,
    UUIDType,
)

from catalog.errors import ValidationFailed
from catalog.iceberg.manifests.entries import Manifest, read_stored
from catalog.iceberg.manifests.lists import manifest_of, read_list
from catalog.iceberg.manifests.writing import ManifestWriter
from tests.iceberg.manifests.golden import NAMES, Golden
from tests.manifests import by_pyiceberg, entry, file, manifest

LAWS = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
INTS = st.integers(-(2**31), 2**31 - 1)
LONGS = st.integers(-(2**63), 2**63 - 1)
# Python and UTF-16 order the characters behind the surrogates differently.
TEXT = st.text(st.characters(max_codepoint=0xD7FF), max_size=5)
PARTITIONS = {
    BooleanType(): st.booleans(),
    IntegerType(): INTS,
    DateType(): INTS,
    LongType(): LONGS,
    TimestampType(): LONGS,
    FloatType(): st.floats(width=32),
    StringType(): TEXT,
    BinaryType(): st.binary(max_size=5),
    UUIDType(): st.uuids(),
    DecimalType(12, 3): st.integers(-(10**12) + 1, 10**12 - 1).map(
        lambda unscaled: Decimal(unscaled).scaleb(-3)
    ),
}
COUNTS = st.none() | st.dictionaries(INTS, LONGS, max_size=80)
BOUNDS = st.none() | st.dictionaries(INTS, st.binary(max_size=200), max_size=20)
NUMBERS = st.integers(0, 2**40)


@st.composite
def manifests(draw):
    """A manifest of v3 with its spec, and what its entries are."""
    types = draw(st.lists(st.sampled_from(list(PARTITIONS)), max_size=3))
    struct = StructType(
        *(
            NestedField(1000 + number, f"p{number}", kind, required=False)
            for number, kind in enumerate(types)
        )
    )
    spec = PartitionSpec(
        *(
            PartitionField(number + 1, 1000 + number, IdentityTransform(), f"p{number}")
            for number in range(len(types))
        )
    )
    entries = []
    for number in range(draw(st.integers(1, 8))):
        partition = [draw(st.none() | PARTITIONS[kind]) for kind in types]
        fields = {
            "record_count": draw(NUMBERS),
            "value_counts": draw(COUNTS),
            "lower_bounds": draw(BOUNDS),
            "upper_bounds": draw(BOUNDS),
            "key_metadata": draw(st.none() | st.binary(max_size=3)),
            "split_offsets": draw(st.none() | st.lists(NUMBERS, max_size=3)),
            "first_row_id": draw(st.none() | NUMBERS),
            "referenced_data_file": draw(st.none() | st.text(max_size=3)),
        }
        status = draw(st.sampled_from([0, 1, 2]))
        sequence = draw(NUMBERS if status != 1 else st.none() | NUMBERS)
        data_file = file(f"f{number}", partition=partition, **fields)
        entries.append(entry(data_file, status, draw(st.none() | NUMBERS), sequence=sequence))
    return manifest(*entries, partition=struct), spec, types


LISTED = Manifest("m", 0, False, 7, 7, 9, None, 100, None)


@LAWS
@given(manifests(), st.data())
def test_written_files_are_the_files_that_were_read(made, data):
    source, spec, _ = made
    stored_entries = list(read_stored(LISTED, spec, lambda path: source))
    writer = ManifestWriter(source, spec, format_version=3, snapshot_id=77)
    chosen = []
    for stored in stored_entries:
        does = data.draw(st.sampled_from(["add", "remove"] if stored.deleted else WAYS))
        if does != "leave":
            getattr(writer, does)(stored)
            chosen.append((does, stored))
    written = writer.finish()
    before = {record[2][100]: record[2] for record in by_pyiceberg(source)}
    for (does, stored), found in zip(chosen, by_pyiceberg(written), strict=True):
        row_id = None if does == "add" else stored.entry.first_row_id
        assert found[2] == before[stored.entry.file.file_path] | {142: row_id}
    again = list(read_stored(LISTED, spec, lambda path: written))
    for (_, stored), found in zip(chosen, again, strict=True):
        assert cut(found) == cut(stored)
        assert len(found.entry.file.value_counts or ()) == len(stored.entry.file.value_counts or ())
    for status, does in enumerate(("keep", "add", "remove")):
        files = [stored.entry.file for way, stored in chosen if way == does]
        assert writer.files[status] == len(files)
        assert writer.rows[status] == sum(each.record_count for each in files)


WAYS = ["add", "keep", "remove", "leave"]


def cut(stored):
    start, stop = stored.row_id_at
    return stored.data[:start] + stored.data[stop:]


@LAWS
@given(manifests())
def test_summaries_hold_all_values_of_their_partition(made):
    source, spec, types = made
    writer = ManifestWriter(source, spec, format_version=3, snapshot_id=77)
    partitions = []
    for stored in read_stored(LISTED, spec, lambda path: source):
        writer.remove(stored)
        partitions.append(stored.entry.partition)
    assert len(writer.partitions) == len(types)
    columns = zip(*partitions, strict=True) if types else []
    for bounds, kind, values in zip(writer.partitions, types, columns, strict=True):
        assert bounds.contains_null == (None in values)
        assert bounds.contains_nan == any(value != value for value in values)
        numbers = [plain(value) for value in values if value is not None and value == value]
        if not numbers:
            assert bounds.lower is bounds.upper is None
        else:
            assert plain(from_bytes(kind, bounds.lower)) == min(numbers)
            assert plain(from_bytes(kind, bounds.upper)) == max(numbers)


def plain(value):
    return value.bytes if isinstance(value, UUID) else value


def test_bounds_are_in_the_order_of_java():
    """UTF-16 for text, and minus zero below zero; else its readers pass files over."""
    for kind, values, lower, upper in (
        (StringType(), ["\uff5e", "\U0001f600"], "\U0001f600", "\uff5e"),
        (DoubleType(), [0.0, -0.0], -0.0, 0.0),
    ):
        struct = StructType(NestedField(1000, "p", kind, required=False))
        spec = PartitionSpec(PartitionField(1, 1000, IdentityTransform(), "p"))
        source = manifest(
            *(entry(file(f"f{value}", partition=[value])) for value in values), partition=struct
        )
        writer = ManifestWriter(source, spec, format_version=3, snapshot_id=77)
        for stored in read_stored(LISTED, spec, lambda path: source):  # noqa: B023
            writer.add(stored)
        (bounds,) = writer.partitions
        found = [from_bytes(kind, each) for each in (bounds.lower, bounds.upper)]
        assert [str(each) for each in found] == [str(lower), str(upper)]


def test_a_number_of_a_double_partition_is_exact():
    struct = StructType(NestedField(1000, "p", DoubleType(), required=False))
    spec = PartitionSpec(PartitionField(1, 1000, IdentityTransform(), "p"))
    source = manifest(entry(file("f", partition=[math.pi])), partition=struct)
    (stored,) = read_stored(LISTED, spec, lambda path: source)
    assert stored.entry.partition == (math.pi,)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=60, deadline=None)
@given(st.data())
def test_damage_is_told_as_such(name, data):
    """Bytes that are changed, cut out or put in end in an error of ours, or in entries."""
    golden = Golden(name)
    manifest, _ = data.draw(st.sampled_from(golden.manifests()))
    (*_, (snapshot, _)) = golden.lists()
    damaged = damage(data, golden.read(manifest.path))
    try:
        for stored in read_stored(manifest, golden.spec, lambda path: damaged):
            dict(stored.entry.file.lower_bounds or {})
        ManifestWriter(damaged, golden.spec, format_version=3, snapshot_id=77)
    except ValidationFailed:
        pass
    damaged = damage(data, golden.read(snapshot["manifest-list"]))
    try:
        for record in read_list(damaged, "list").records:
            manifest_of(record)
    except ValidationFailed:
        pass


def damage(data, whole):
    at = data.draw(st.integers(0, len(whole)))
    until = data.draw(st.integers(at, min(at + 20, len(whole))))
    return whole[:at] + data.draw(st.binary(max_size=20)) + whole[until:]
