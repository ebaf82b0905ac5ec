"""Names of metadata files, their bytes, and the facts that an entry keeps."""

import gzip

import pytest

from catalog.errors import InvalidInput
from catalog.iceberg.facts import table_facts, view_facts
from catalog.iceberg.files import (
    decode_metadata,
    encode_metadata,
    next_metadata_location,
    plain_metadata,
)

U = "b55d9dda-6561-423a-8bfc-787980ce421f"


@pytest.mark.parametrize(
    "name", ["00001-a.gz.metadata.json", "v3.metadata.json.gz", "00001-a.metadata.json"]
)
def test_metadata_comes_back_from_its_bytes(make, name):
    table = make.table("T2b", future={"n": 2**63 - 1, "é": "\U0001f600"})
    location = f"s3://b/t/metadata/{name}"
    assert decode_metadata(encode_metadata(table, location), location) == table


def test_only_the_name_says_whether_a_file_is_compressed(make):
    table = make.table("T2")
    plain = encode_metadata(table, "s3://b/x.gz/00000-a.metadata.json")
    assert plain.startswith(b"{")
    folded = encode_metadata(table, "s3://b/x/00000-a.gz.metadata.json")
    assert gzip.decompress(folded) == plain
    assert plain_metadata(folded, "00000-a.gz.metadata.json") == plain
    assert plain_metadata(plain, "00000-a.metadata.json") == plain


def test_equal_metadata_has_equal_bytes_at_any_time(make):
    folded = encode_metadata(make.table("T2"), "00000-a.gz.metadata.json")
    # Bytes 4 to 7 of a gzip file are its time.
    assert folded[4:8] == b"\0\0\0\0"


@pytest.mark.parametrize(
    ("data", "name", "text"),
    [
        (b"{}", "data.parquet", "is not a valid metadata file"),
        (b"{}", "s3://b/x.metadata.json/data.parquet", "is not a valid metadata file"),
        (b"{", "a.metadata.json", "Cannot read metadata file"),
        (b"[]", "a.metadata.json", "it is not a JSON object"),
        (b"[" * 5000, "a.metadata.json", "Cannot read metadata file"),
        (b"\xff\xfe", "a.metadata.json", "Cannot read metadata file"),
        (b"{}", "a.gz.metadata.json", "Cannot read metadata file"),
        (b"", "a.gz.metadata.json", "Cannot read metadata file"),
        (gzip.compress(b"{}", mtime=0)[:-3], "a.gz.metadata.json", "Cannot read metadata file"),
        (
            gzip.compress(b"{}", mtime=0)[:10] + b"\xff" * 9,
            "a.gz.metadata.json",
            "Cannot read metadata",
        ),
    ],
)
def test_what_is_no_metadata_file_is_refused(data, name, text):
    with pytest.raises(InvalidInput) as raised:
        decode_metadata(data, name)
    assert text in raised.value.message


@pytest.mark.parametrize(
    ("previous", "properties", "expected"),
    [
        (None, {}, f"s3://b/t/metadata/00000-{U}.metadata.json"),
        (
            "s3://b/t/metadata/00000-x.metadata.json",
            {"write.metadata.compression-codec": "GZIP"},
            f"s3://b/t/metadata/00001-{U}.gz.metadata.json",
        ),
        ("s3://b/t/metadata/v7.metadata.json", {}, f"s3://b/t/metadata/00000-{U}.metadata.json"),
        ("s3://b/7-t/v7.metadata.json", {}, f"s3://b/t/metadata/00000-{U}.metadata.json"),
        (
            "s3://b/t/metadata/99999-x.gz.metadata.json",
            {"write.metadata.path": "s3://b/elsewhere//"},
            f"s3://b/elsewhere/100000-{U}.metadata.json",
        ),
    ],
    ids=["first", "row-87", "row-88", "digits-of-a-directory", "own-path"],
)
def test_a_file_is_named_after_the_one_before(make, previous, properties, expected):
    table = make.table("T2", properties=properties)
    assert next_metadata_location(table, previous=previous, file_uuid=U) == expected


def test_views_are_compressed_unless_they_say_otherwise(make):
    view = make.view()
    location = next_metadata_location(view, previous=None, file_uuid=U, default_codec="gzip")
    assert location == f"s3://b/v/metadata/00000-{U}.gz.metadata.json"
    plain = view | {"properties": {"write.metadata.compression-codec": "none"}}
    location = next_metadata_location(plain, previous=None, file_uuid=U, default_codec="gzip")
    assert location == f"s3://b/v/metadata/00000-{U}.metadata.json"


def test_a_slash_at_the_end_of_a_location_is_not_doubled(make):
    table = make.table("T2", location="s3://b/t/")
    location = next_metadata_location(table, previous=None, file_uuid=U)
    assert location == f"s3://b/t/metadata/00000-{U}.metadata.json"


def test_facts_are_ids_and_totals_of_the_current_snapshot(make):
    table = make.table("T2b")
    table["snapshots"][1]["summary"] |= {
        "total-records": "1200",
        "total-data-files": "3",
        "total-files-size": "99999",
        "total-delete-files": "0",
        "added-records": "7",
    }
    assert table_facts(table) == {
        "format-version": 2,
        "schema-id": 0,
        "spec-id": 0,
        "sort-order-id": 0,
        "snapshot-id": 12,
        "total-records": 1200,
        "total-data-files": 3,
        "total-files-size": 99999,
        "total-delete-files": 0,
    }


@pytest.mark.parametrize("total", ["", "many", "-1", "1.5", "٣", "9" * 5000, str(2**63)])
def test_a_total_that_is_no_count_is_left_out(make, total):
    table = make.table("T2a")
    table["snapshots"][0]["summary"]["total-records"] = total
    assert "total-records" not in table_facts(table)


def test_an_empty_table_has_no_facts_of_a_snapshot(make):
    assert "snapshot-id" not in table_facts(make.table("T2"))
    assert "snapshot-id" not in table_facts(make.table("T3"))


def test_the_facts_of_a_view_are_its_versions(make):
    assert view_facts(make.view()) == {"format-version": 1, "version-id": 1}
