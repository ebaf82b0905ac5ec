"""Avro values and files: what is written is read, and damage ends in an error of Python's."""

import io
import json
import math
import struct
import zlib

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pyiceberg.avro.decoder import StreamingBinaryDecoder
from pyiceberg.avro.encoder import BinaryEncoder

from catalog.errors import ValidationFailed
from catalog.iceberg.avro.decoding import decoder, read_long, skip_longs, skipper
from catalog.iceberg.avro.encoding import encode_bytes, encode_long, encoder
from catalog.iceberg.avro.files import AvroWriter, open_file, understanding
from catalog.iceberg.avro.schemas import parse_schema

LONGS = st.integers(-(2**63), 2**63 - 1)
DAMAGE = (IndexError, ValueError, struct.error)
FEW = settings(max_examples=100, deadline=None)


def primitive(name, values):
    return st.tuples(st.just(name), values)


LEAVES = st.one_of(
    primitive("boolean", st.booleans()),
    primitive("int", st.integers(-(2**31), 2**31 - 1)),
    primitive("long", LONGS),
    primitive("float", st.floats(width=32, allow_nan=False)),
    primitive("double", st.floats(allow_nan=False)),
    primitive("bytes", st.binary(max_size=100)),
    primitive("string", st.text(max_size=20)),
    primitive({"type": "fixed", "name": "f3", "size": 3}, st.binary(min_size=3, max_size=3)),
    primitive({"type": "enum", "name": "e", "symbols": ["A", "B"]}, st.sampled_from([0, 1])),
)


@st.composite
def schemas_with_values(draw, depth=2):
    """A schema, and a value of it."""
    schema, value = draw(LEAVES)
    kind = draw(st.sampled_from(["leaf", "optional", "array", "map", "keyed", "record"]))
    if kind == "leaf" or depth == 0:
        return schema, value
    schema, value = draw(schemas_with_values(depth=depth - 1))
    if kind == "optional":
        if isinstance(schema, list):
            return schema, value
        return draw(st.sampled_from([["null", schema], [schema, "null"]])), draw(
            st.sampled_from([None, value])
        )
    if kind == "array":
        return {"type": "array", "items": schema}, [value] * draw(st.integers(0, 3))
    if kind == "map":
        keys = draw(st.lists(st.text(max_size=3), max_size=3))
        return {"type": "map", "values": schema}, dict.fromkeys(keys, value)
    if kind == "keyed":
        pair = {
            "type": "record",
            "name": "k1_v2",
            "fields": [
                {"name": "key", "type": "int", "field-id": 1},
                {"name": "value", "type": schema, "field-id": 2},
            ],
        }
        keys = draw(st.lists(st.integers(0, 10**6), max_size=90, unique=True))
        return {"type": "array", "logicalType": "map", "items": pair}, dict.fromkeys(keys, value)
    fields = [
        {"name": "a", "type": schema, "field-id": 7},
        {"name": "b", "type": ["null", "long"]},
    ]
    return {"type": "record", "name": "r", "fields": fields}, {7: value, "b": draw(LONGS)}


@FEW
@given(schemas_with_values(), st.binary(max_size=3))
def test_values_come_back_and_end_where_a_skip_ends(schema_and_value, behind):
    schema, value = schema_and_value
    kind = parse_schema(schema)
    data = encoder(kind)(value)
    found, end = decoder(kind)(data + behind, 0)
    assert (found, end) == (value, len(data))
    assert skipper(kind)(data + behind, 0) == len(data)


@FEW
@given(schemas_with_values(), st.data())
def test_what_is_cut_short_is_not_decoded(schema_and_value, data):
    schema, value = schema_and_value
    kind = parse_schema(schema)
    whole = encoder(kind)(value)
    if not whole:
        return
    part = whole[: data.draw(st.integers(0, len(whole) - 1))]
    with pytest.raises(DAMAGE):
        decoder(kind)(part, 0)
    try:
        end = skipper(kind)(part, 0)
    except DAMAGE:
        return
    assert end > len(part)


@FEW
@given(schemas_with_values(), st.binary(max_size=60))
def test_any_bytes_are_decoded_or_refused(schema_and_value, data):
    kind = parse_schema(schema_and_value[0])
    try:
        _, end = decoder(kind)(data, 0)
    except DAMAGE:
        return
    assert end <= len(data)
    assert skipper(kind)(data, 0) == end


@FEW
@given(LONGS)
@example(2**63 - 1)
@example(-(2**63))
@example(64)
def test_numbers_are_encoded_as_pyiceberg_does(number):
    stream = io.BytesIO()
    BinaryEncoder(stream).write_int(number)
    assert encode_long(number) == stream.getvalue()
    assert read_long(stream.getvalue(), 0) == (number, len(stream.getvalue()))
    assert StreamingBinaryDecoder(encode_long(number)).read_int() == number


@FEW
@given(st.lists(LONGS, max_size=200))
def test_many_numbers_are_skipped_at_once(numbers):
    data = b"".join(map(encode_long, numbers))
    assert skip_longs(data + b"\x80", 0, len(numbers)) == len(data)
    with pytest.raises(IndexError):
        skip_longs(data + b"\x80", 0, len(numbers) + 1)


def test_a_number_of_more_than_64_bits_is_refused():
    for data in (b"\xff" * 9 + b"\x7f", b"\xff" * 100, b"\x80" * 10 + b"\x00"):
        with pytest.raises(ValueError, match="64 bits"):
            read_long(data, 0)
    assert read_long(b"\xff" * 9 + b"\x01", 0) == (-(2**63), 10)


def test_doubles_are_not_cut_to_floats():
    for value in (0.1, -0.0, math.inf):
        found, _ = decoder(parse_schema("double"))(struct.pack("<d", value), 0)
        assert struct.pack("<d", found) == struct.pack("<d", value)


def test_a_block_of_items_may_say_its_size():
    kind = parse_schema({"type": "array", "items": "long"})
    sized = encode_long(-2) + encode_long(2) + encode_long(5) + encode_long(6) + b"\x00"
    assert decoder(kind)(sized, 0) == ([5, 6], len(sized))
    assert skipper(kind)(sized, 0) == len(sized)
    wrong = encode_long(-2) + encode_long(3) + encode_long(5) + encode_long(6) + b"\x00"
    with pytest.raises(ValueError, match="another size"):
        skipper(kind)(wrong, 0)


LAUGHS = {"type": "record", "name": "r0", "fields": [{"name": "x", "type": "long"}]}
for level in range(1, 20):
    LAUGHS = {
        "type": "record",
        "name": f"r{level}",
        "fields": [{"name": "a", "type": LAUGHS}, {"name": "b", "type": f"r{level - 1}"}],
    }
ITSELF = {"type": "record", "name": "r", "fields": [{"name": "next", "type": ["null", "r"]}]}
NOTHING = {"type": "record", "name": "n", "fields": [{"name": "x", "type": "null"}]}
MUCH_NOTHING = {
    "type": "record",
    "name": "n",
    "fields": [{"name": f"x{number}", "type": "null"} for number in range(1000)],
}


@pytest.mark.parametrize(
    "schema",
    [
        LAUGHS,
        ITSELF,
        MUCH_NOTHING,
        {"type": "array", "items": NOTHING},
        {"type": "fixed", "name": "f", "size": -1},
        {"type": "record", "name": "r", "fields": [{"name": "x", "type": "foreign"}]},
        [[[[[[]]]]]] * 3000,
    ],
)
def test_schemas_without_end_or_meaning_are_refused(schema):
    with pytest.raises(ValueError, match=r"schema|array|size"):
        parse_schema(schema)


def test_a_type_that_is_named_again_is_the_same():
    names = {
        "type": "record",
        "name": "r",
        "namespace": "org",
        "fields": [
            {"name": "a", "type": {"type": "fixed", "name": "f", "size": 2}},
            {"name": "b", "type": "f"},
            {"name": "c", "type": ["null", "org.f"]},
        ],
    }
    kind = parse_schema(names)
    assert decoder(kind)(b"aabb\x02cc", 0) == ({"a": b"aa", "b": b"bb", "c": b"cc"}, 7)


def container(codec, *records):
    header = {"avro.schema": json.dumps("bytes").encode(), "avro.codec": codec, "mine": b"\x00"}
    writer = AvroWriter(header)
    for record in records:
        writer.append(encode_bytes(record))
    return writer.finish()


def records_of(data):
    decode = decoder(parse_schema("bytes"))
    found = []
    for count, block in open_file(data).blocks():
        position = 0
        for _ in range(count):
            record, position = decode(block, position)
            found.append(record)
    return found


@pytest.mark.parametrize("codec", [b"null", b"deflate", b"zstandard"])
def test_files_are_read_as_they_were_written(codec):
    records = [bytes([number % 256]) * number for number in range(0, 3000, 7)]
    data = container(codec, *records)
    assert records_of(data) == records
    assert open_file(data).header["mine"] == b"\x00"
    assert len(list(open_file(data).blocks())) > 3


@pytest.mark.parametrize("codec", [b"snappy", b"bzip2"])
def test_an_unknown_codec_is_named(codec):
    data = container(b"deflate", b"x").replace(b"\x0edeflate", encode_bytes(codec), 1)
    with (
        pytest.raises(ValidationFailed, match=rf"f.avro.*codec {codec.decode()} is not supported"),
        understanding("f.avro"),
    ):
        records_of(data)


@pytest.mark.parametrize("codec", [b"deflate", b"zstandard"])
def test_a_small_file_that_unpacks_to_a_huge_one_is_refused(codec):
    zeros = bytes(1 << 20)
    data = container(codec, *[zeros] * 70)
    assert len(data) < 1 << 20
    with pytest.raises(ValueError, match="too large"):
        records_of(data)


@pytest.mark.parametrize("codec", [b"null", b"deflate", b"zstandard"])
@pytest.mark.parametrize("cut", [1, 17, 30])
def test_a_file_that_ends_too_early_is_refused(codec, cut):
    with pytest.raises(DAMAGE):
        records_of(container(codec, b"x" * 100)[:-cut])


def test_a_checksum_behind_a_block_is_left_alone():
    """As pyiceberg writes deflate: it cuts off one byte of four."""
    data = container(b"null", b"x" * 100)
    block = encode_bytes(b"x" * 100)
    packed = encode_bytes(zlib.compress(block)[2:-1])
    data = data.replace(b"\x08null", b"\x0edeflate", 1).replace(encode_bytes(block), packed)
    assert records_of(data) == [b"x" * 100]
