"""Manifests to measure on, as an engine writes them: metrics of ten columns for every file."""

import random
import struct
from typing import Any

import orjson
from pyiceberg.manifest import (
    data_file_with_partition,
    manifest_entry_schema_with_data_file,
)
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.transforms import IdentityTransform
from pyiceberg.types import DateType, LongType, NestedField
from pyiceberg.utils.schema_conversion import AvroSchemaConversion

from catalog.iceberg.avro.encoding import encoder
from catalog.iceberg.avro.files import AvroWriter
from catalog.iceberg.avro.schemas import parse_schema

VERSION = 2
COLUMNS = 10
SCHEMA = Schema(
    NestedField(1, "day", DateType(), required=False),
    *(NestedField(n, f"column_{n}", LongType(), required=False) for n in range(2, COLUMNS + 1)),
)
SPEC = PartitionSpec(PartitionField(1, 1000, IdentityTransform(), "day"), spec_id=0)
_DAYS = 30
_FIRST_DAY = 20_000


def data_manifest(numbers: range, prefix: str, snapshot_id: int) -> bytes:
    """Return a manifest of files that a snapshot added, a day later each."""
    data_file = data_file_with_partition(SPEC.partition_type(SCHEMA), VERSION)
    entry = manifest_entry_schema_with_data_file(VERSION, data_file)
    schema = AvroSchemaConversion().iceberg_to_avro(entry, schema_name="manifest_entry")
    output = AvroWriter(
        {
            "avro.schema": orjson.dumps(schema),
            "avro.codec": b"deflate",
            "schema": SCHEMA.model_dump_json().encode(),
            "partition-spec": orjson.dumps(SPEC.model_dump(by_alias=True)["fields"]),
            "partition-spec-id": b"0",
            "format-version": b"2",
            "content": b"data",
        }
    )
    encode = encoder(parse_schema(schema))
    dice = random.Random(prefix)
    for number in numbers:
        file = _data_file(dice, f"{prefix}-{number:05}", number % _DAYS)
        output.append(encode({0: 1, 1: snapshot_id, 3: None, 4: None, 2: file}))
    return output.finish()


def _data_file(dice: random.Random, name: str, day: int) -> dict[int, Any]:
    """Return the fields of a data file by their ids."""
    columns = range(1, COLUMNS + 1)
    return {
        134: 0,
        100: f"{name}-{dice.getrandbits(128):032x}-00001.parquet",
        101: "PARQUET",
        102: {1000: _FIRST_DAY + day},
        103: dice.randrange(10**6),
        104: dice.randrange(10**9),
        108: {column: dice.randrange(10**6) for column in columns},
        109: {column: dice.randrange(10**6) for column in columns},
        110: {column: dice.randrange(100) for column in columns},
        137: dict.fromkeys(columns, 0),
        125: {column: struct.pack("<q", dice.randrange(10**12)) for column in columns},
        128: {column: struct.pack("<q", dice.randrange(10**12)) for column in columns},
        132: [4],
        140: 0,
    }
