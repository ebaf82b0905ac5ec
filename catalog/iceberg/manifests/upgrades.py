"""The header of a manifest for a table that has grown to a later format version."""

import orjson

from catalog.iceberg.avro.files import SCHEMA, AvroFile
from catalog.iceberg.avro.schemas import Json
from catalog.iceberg.manifests.layouts import (
    CONTENT,
    DATA_FILE,
    FILE_SEQUENCE_NUMBER,
    FIRST_ROW_ID,
    SEQUENCE_NUMBER,
)


def upgraded(source: AvroFile, format_version: int) -> tuple[dict[str, bytes], tuple[int, ...]]:
    """Return the header with what entries need in a version, and the fields that follow a file.

    Kept entries of v1 need their sequence numbers in v2, and those of v2 their first row ids in v3;
    where a schema has no such fields, they would be inherited anew. Added fields of a data file
    stand at its end, where their values are appended to the bytes that were there.
    """
    header = dict(source.header)
    schema = source.schema
    entry_fields = schema["fields"]
    file_fields = _file_fields(entry_fields)
    known = {field.get("field-id") for field in (*entry_fields, *file_fields)}
    heads: list[Json] = []
    tail: list[Json] = []
    if format_version >= 2 and SEQUENCE_NUMBER not in known:
        heads = [
            _optional_long("sequence_number", SEQUENCE_NUMBER),
            _optional_long("file_sequence_number", FILE_SEQUENCE_NUMBER),
        ]
        if CONTENT not in known:
            tail.append({"name": "content", "type": "int", "field-id": CONTENT})
    if (
        format_version >= 3
        and FIRST_ROW_ID not in known
        and header.get("content", b"data") == b"data"
    ):
        tail.append(_optional_long("first_row_id", FIRST_ROW_ID))
    if heads or tail:
        entry_fields[:0] = heads
        file_fields.extend(tail)
        # Java writes the schema a second time, in Iceberg's form; no reader misses it.
        header.pop("iceberg.schema", None)
        header.setdefault("content", b"data")
        header |= {SCHEMA: orjson.dumps(schema), "format-version": b"%d" % format_version}
    return header, tuple(field["field-id"] for field in tail)


def _file_fields(entry_fields: list[Json]) -> list[Json]:
    file = next(field for field in entry_fields if field.get("field-id") == DATA_FILE)
    kind = file["type"]
    while isinstance(kind["type"], dict):
        kind = kind["type"]
    fields: list[Json] = kind["fields"]
    return fields


def _optional_long(name: str, field_id: int) -> Json:
    return {"name": name, "type": ["null", "long"], "default": None, "field-id": field_id}
