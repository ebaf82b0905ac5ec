"""What partitions and bounds tell of the rows of two files."""

import math
import struct
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyiceberg.transforms import (
    DayTransform,
    HourTransform,
    MonthTransform,
    TruncateTransform,
    YearTransform,
)
from pyiceberg.types import (
    DateType,
    DecimalType,
    IcebergType,
    LongType,
    StringType,
    TimestampType,
)

from catalog.iceberg.manifests.entries import Entry
from catalog.iceberg.merging.checks.layout import Layout, layout_of
from catalog.iceberg.merging.checks.ranges import bounded, comparable, exactly
from catalog.iceberg.merging.checks.transformed import source_range
from tests.iceberg.merging.by_hand import data, equality

COLUMNS = {
    "id": (1, "long"),
    "day": (2, "date"),
    "at": (3, "timestamp"),
    "site": (4, "string"),
    "share": (5, "double"),
    "price": (6, "decimal(9, 2)"),
    "code": (7, "binary"),
}


def schema(schema_id: int = 0, **types: str) -> dict[str, Any]:
    return {
        "type": "struct",
        "schema-id": schema_id,
        "fields": [
            {"id": number, "name": name, "required": False, "type": types.get(name, known)}
            for name, (number, known) in COLUMNS.items()
            if types.get(name, known) != "dropped"
        ],
    }


def layout(*specs: list[tuple[str, str]], schemas: Any = None) -> Layout:
    """Return a layout with specs of column names and transforms; the last schema is current."""
    known = schemas or [schema()]
    return layout_of(
        {
            "schemas": known,
            "current-schema-id": known[-1]["schema-id"],
            "partition-specs": [
                {
                    "spec-id": spec_id,
                    "fields": [
                        {
                            "source-id": COLUMNS[name][0],
                            "field-id": 1000 + 10 * spec_id + number,
                            "name": f"{name}_{number}",
                            "transform": transform,
                        }
                        for number, (name, transform) in enumerate(fields)
                    ],
                }
                for spec_id, fields in enumerate(specs)
            ],
        }
    )


def at(spec_id: int, *values: Any, **fields: Any) -> Entry:
    return data("f", spec_id=spec_id, partition=values, **fields)


def share(one_spec: tuple[str, str], one: Any, other_spec: tuple[str, str], other: Any) -> bool:
    found = layout([one_spec], [other_spec])
    return found.share_partition(at(0, one), at(1, other))


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (1.0, 2.0, False),
        (math.nan, math.nan, True),
        (math.nan, 1.0, False),
        (0.0, -0.0, True),
        (None, None, True),
        (None, 1.0, False),
        (None, math.nan, False),
    ],
)
def test_values_of_one_spec(one: Any, other: Any, expected: bool) -> None:
    found = layout([("share", "identity")], [("share", "identity")])
    assert found.share_partition(at(0, one), at(0, other)) is expected
    # The same field in another spec says the same.
    assert found.share_partition(at(0, one), at(1, other)) is expected


def test_void_fields_say_nothing() -> None:
    found = layout([("day", "void")], [("day", "identity")])
    assert found.share_partition(at(0, None), at(0, None))
    assert found.share_partition(at(0, None), at(1, 3))
    assert found.share_partition(at(1, 3), at(0, None))
    assert found.share_partition(at(1, None), at(0, None))


def test_buckets_compare_only_with_as_many() -> None:
    fine, coarse, same = ("id", "bucket[8]"), ("id", "bucket[4]"), ("id", "bucket[8]")
    assert share(fine, 1, coarse, 2)
    assert not share(fine, 1, same, 2)
    assert share(fine, 1, same, 1)
    assert not share(fine, None, same, 2)


@pytest.mark.parametrize(
    ("width", "whole", "value", "expected"),
    [
        (10, -10, -1, True),
        (10, -10, -10, True),
        (10, -10, -11, False),
        (10, -10, 0, False),
        (10, 0, 9, True),
        (3, "abc", "abcdef", True),
        (3, "abc", "abd", False),
        (3, "ab", "ab", True),
        (3, "ab", "abc", False),
        (2, "\U0010ffff\U0010ffff", "\U0010ffff\U0010ffffz", True),
        (2, "éé", "ééz", True),
        (2, "éé", "êz", False),
    ],
)
def test_truncated_values_stand_for_ranges(
    width: int, whole: Any, value: Any, expected: bool
) -> None:
    column = "site" if isinstance(whole, str) else "id"
    assert share((column, f"truncate[{width}]"), whole, (column, "identity"), value) is expected


def test_truncated_decimals_stand_for_ranges() -> None:
    spec, exact = ("price", "truncate[50]"), ("price", "identity")
    assert share(spec, Decimal("10.50"), exact, Decimal("10.99"))
    assert not share(spec, Decimal("10.50"), exact, Decimal("11.00"))
    assert share(spec, Decimal("-0.50"), exact, Decimal("-0.01"))


def test_bytes_that_end_in_the_highest_have_no_end() -> None:
    spec, exact = ("code", "truncate[2]"), ("code", "identity")
    assert share(spec, b"\xff\xff", exact, b"\xff\xff\xff\xff")
    assert share(spec, b"a\xff", exact, b"a\xffz")
    assert not share(spec, b"a\xff", exact, b"b")


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (("day", "month", 0), ("day", "identity", 30), True),
        (("day", "month", 0), ("day", "identity", 31), False),
        (("day", "month", 1), ("day", "identity", 31), True),
        (("day", "month", 1), ("day", "identity", 30), False),
        (("day", "month", 1), ("day", "identity", 59), False),
        (("day", "year", 30), ("day", "month", 360), True),
        (("day", "year", 30), ("day", "month", 372), False),
        (("at", "day", 20000), ("at", "hour", 480_023), True),
        (("at", "day", 20000), ("at", "hour", 480_024), False),
        (("day", "day", 20000), ("day", "year", 54), True),
        (("day", "day", 20000), ("day", "year", 53), False),
        (("day", "year", 100_000), ("day", "year", 100_001), False),
    ],
)
def test_dates_across_specs(one: Any, other: Any, expected: bool) -> None:
    assert share(one[:2], one[2], other[:2], other[2]) is expected


def test_what_lies_before_1970_may_have_been_rounded_up() -> None:
    assert share(
        (
            "day",
            "month",
        ),
        0,
        ("day", "identity"),
        -1,
    )
    assert share(("day", "month"), -1, ("day", "identity"), -40)
    assert not share(("day", "month"), 1, ("day", "identity"), -1)


def test_bounds_count_for_the_file_that_is_not_partitioned_so() -> None:
    found = layout([("id", "identity")], [])
    touched = at(0, 5)
    assert found.share_partition(touched, data("f", spec_id=1, partition=(), ids=(1, 9)))
    assert not found.share_partition(touched, data("f", spec_id=1, partition=(), ids=(6, 9)))
    assert found.share_partition(touched, data("f", spec_id=1, partition=()))
    # A command that touched a file without partitions may have looked at every row.
    assert found.share_partition(data("f", spec_id=1, partition=(), ids=(6, 9)), touched)


def test_a_dropped_source_says_nothing_across_specs() -> None:
    dropped = schema(1, day="dropped")
    found = layout([("day", "identity")], [("day", "month")], schemas=[schema(), dropped])
    assert found.share_partition(at(0, 1), at(1, 400))
    assert not found.share_partition(at(0, 1), at(0, 2))


def test_a_promoted_source_is_decoded_as_it_was_written() -> None:
    before = schema(0, id="int")
    found = layout([("id", "identity")], [], schemas=[before, schema(1)])
    narrow = {
        "lower_bounds": {1: struct.pack("<i", 6)},
        "upper_bounds": {1: struct.pack("<i", 9)},
        "null_value_counts": {1: 0},
    }
    other = data("f", spec_id=1, partition=(), **narrow)
    assert not found.share_partition(at(0, 5), other)
    assert found.share_partition(at(0, 7), other)


def test_a_source_with_other_values_since_its_promotion_says_nothing() -> None:
    found = layout(
        [("day", "identity")],
        [("day", "day")],
        schemas=[schema(0), schema(1, day="timestamp")],
    )
    assert found.share_partition(at(0, 1), at(0, 86_400_000_000))
    assert found.share_partition(at(0, 1), at(1, 400))


def test_keys_meet_unless_one_column_keeps_them_apart() -> None:
    found = layout([])
    one = {"spec_id": 0, "partition": ()}
    delete = equality("e", columns=(1,), ids=(5, 7), **one)
    assert found.may_reach(delete, data("f", ids=(7, 9), **one))
    assert not found.may_reach(delete, data("f", ids=(8, 9), **one))
    assert found.may_reach(delete, data("f", **one))
    assert found.may_reach(equality("e", columns=(1,), **one), data("f", ids=(8, 9), **one))
    assert found.keys_meet(equality("e", columns=(), **one), data("f", ids=(8, 9), **one))
    # Two deletes compare by the columns that both name.
    assert found.keys_meet(delete, equality("e2", columns=(2,), ids=(8, 9), **one))
    assert not found.keys_meet(delete, equality("e2", columns=(1, 2), ids=(8, 9), **one))


def test_null_keys_meet_null_keys() -> None:
    found = layout([])
    one = {"spec_id": 0, "partition": ()}
    delete = equality("e", ids=(5, 7), null_value_counts={1: 1}, **one)
    assert not found.may_reach(delete, data("f", ids=(8, 9), **one))
    assert found.may_reach(delete, data("f", ids=(8, 9), null_value_counts={1: 2}, **one))


def test_a_file_of_nulls_only_holds_no_other_key() -> None:
    found = layout([])
    delete = equality("e", spec_id=0, partition=(), ids=(5, 7))
    counts = {"spec_id": 0, "partition": (), "value_counts": {1: 10}}
    assert not found.may_reach(delete, data("f", null_value_counts={1: 10}, **counts))
    assert found.may_reach(delete, data("f", null_value_counts={1: 9}, **counts))


def test_a_delete_without_partitions_is_for_all() -> None:
    found = layout([("day", "void")], [("day", "identity")])
    everywhere, here = (
        equality("e", spec_id=0, partition=(None,)),
        equality("e", spec_id=1, partition=(1,)),
    )
    assert found.in_scope(everywhere, at(1, 5))
    assert found.in_scope(here, at(1, 1))
    assert not found.in_scope(here, at(1, 5))
    assert not found.in_scope(here, at(0, None))


def test_partitions_are_shown_for_people() -> None:
    found = layout([("day", "identity"), ("site", "truncate[2]")], [])
    assert found.show(at(0, 20779, "No")) == "day_0=2026-11-22/site_1=No"
    assert found.show(at(0, None, None)) == "day_0=null/site_1=null"
    assert found.show(at(0, 20_000_000, "x")) == "day_0=20000000/site_1=x"
    assert found.show(at(1)) == ""


@pytest.mark.parametrize(
    ("field_type", "data_", "value"),
    [
        (LongType(), struct.pack("<i", -3), -3),
        (StringType(), b"abc", b"abc"),
        (DecimalType(9, 2), b"\xff\x38", -200),
    ],
)
def test_bounds_are_decoded(field_type: IcebergType, data_: bytes, value: Any) -> None:
    found = bounded(field_type, data_, None)
    assert (found.low, found.high) == (value, None)


MICROS = st.integers(-(10**17), 10**17)


@given(
    MICROS, MICROS, st.sampled_from([HourTransform, DayTransform, MonthTransform, YearTransform])
)
def test_a_timestamp_is_in_the_range_of_its_period(one: int, other: int, kind: Any) -> None:
    transform = kind()
    apply = transform.transform(TimestampType())
    try:
        mine, its = apply(one), apply(other)
    except (OverflowError, ValueError):
        return
    held = source_range(transform, TimestampType(), mine)
    assert held is not None
    assert held.meets(exactly(one))
    if its > mine or its < mine - 1:
        assert not held.meets(exactly(other))


@given(st.text(max_size=5), st.integers(1, 4))
def test_a_string_is_in_the_range_of_its_prefix(value: str, width: int) -> None:
    held = source_range(TruncateTransform(width), StringType(), value[:width])
    assert held is not None
    assert held.meets(exactly(value))


@given(st.integers(-(10**9), 10**9), st.integers(-(10**9), 10**9), st.integers(1, 1000))
def test_a_number_is_in_the_range_of_its_truncation(one: int, other: int, width: int) -> None:
    held = source_range(TruncateTransform(width), LongType(), one - one % width)
    assert held is not None
    assert held.meets(exactly(one))
    assert held.meets(exactly(other)) is (other - other % width == one - one % width)


@given(st.text(max_size=4), st.text(max_size=4))
def test_strings_are_ordered_by_their_bytes(one: str, other: str) -> None:
    assert (comparable(one) < comparable(other)) is (one < other)


def test_dates_beyond_the_calendar_of_python_have_ranges() -> None:
    held = source_range(YearTransform(), DateType(), 20_000)
    assert held is not None
    assert held.high - held.low in (364, 365)
