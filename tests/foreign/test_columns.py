"""Columns of Parquet files, and those that hold the values of all."""

from typing import Any

import pyarrow as pa
import pytest
from pyiceberg.schema import Schema, assign_fresh_schema_ids
from pyiceberg.types import DecimalType, DoubleType, LongType, NestedField

from catalog.foreign.columns import Unfit, columns_of, misfit, schema_of, widened


def of(kind: pa.DataType) -> dict[str, Any]:
    return dict(columns_of(pa.schema([("a", kind)])))


@pytest.mark.parametrize(
    ("one", "other", "wide"),
    [
        (pa.int32(), pa.int64(), LongType()),
        (pa.float32(), pa.float64(), DoubleType()),
        (pa.decimal128(9, 2), pa.decimal128(18, 2), DecimalType(18, 2)),
    ],
)
def test_a_column_has_the_wider_of_two_types_in_either_order(one, other, wide) -> None:
    assert widened(of(one), of(other)) == widened(of(other), of(one)) == {"a": wide}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (pa.int64(), pa.string()),
        (pa.string(), pa.binary()),
        (pa.decimal128(9, 2), pa.decimal128(9, 3)),
        (pa.int32(), pa.float64()),
        (pa.timestamp("us"), pa.timestamp("us", "UTC")),
        (pa.list_(pa.int32()), pa.list_(pa.int64())),
    ],
)
def test_types_with_nothing_in_common_are_told(one, other) -> None:
    for before, after in ((one, other), (other, one)):
        with pytest.raises(Unfit, match="Its column a is") as refused:
            widened(of(before), of(after))
        assert refused.value.reason == "other-type"


def test_columns_of_either_stay_and_none_is_required() -> None:
    inner = pa.struct([pa.field("x", pa.string(), nullable=False)])
    strict = columns_of(pa.schema([pa.field("a", inner, nullable=False)]))
    loose = columns_of(pa.schema([("b", pa.int32()), ("a", pa.struct([("x", pa.string())]))]))
    assert list(widened(strict, loose)) == ["a", "b"]
    assert strict["a"] == loose["a"]


@pytest.mark.parametrize(
    "kind",
    [
        pa.uint64(),
        pa.uint8(),
        pa.list_(pa.struct([("x", pa.uint32())])),
        pa.timestamp("ns"),
        pa.null(),
        pa.duration("s"),
    ],
)
def test_a_type_that_no_table_has_is_told(kind) -> None:
    with pytest.raises(Unfit) as refused:
        of(kind)
    assert refused.value.reason == "unsupported-type"


def struct(*names: str) -> pa.DataType:
    return pa.struct([(name, pa.int32()) for name in names])


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (struct("x", "X"), "Column a.X differs from a.x only in case"),
        (
            pa.list_(struct("x", "y", "Y")),
            "Column a.element.Y differs from a.element.y only in case",
        ),
        (
            pa.map_(pa.string(), struct("e", "E")),
            "Column a.value.E differs from a.value.e only in case",
        ),
        (pa.struct([("x", struct("b", "B"))]), "Column a.x.B differs from a.x.b only in case"),
    ],
)
def test_nested_names_that_differ_only_in_case_are_told(kind, told) -> None:
    with pytest.raises(Unfit) as refused:
        of(kind)
    assert (refused.value.reason, refused.value.detail) == ("other-case", told)


def test_names_in_different_places_may_differ_in_case() -> None:
    of(pa.struct([("A", pa.int32()), ("x", struct("X"))]))


def test_a_file_of_another_iceberg_table_is_told() -> None:
    ids = {b"PARQUET:field_id": b"1"}
    with pytest.raises(Unfit) as refused:
        columns_of(pa.schema([pa.field("a", pa.int32(), metadata=ids)]))
    assert refused.value.reason == "field-ids"


def test_a_file_fits_if_the_table_has_its_columns_as_wide() -> None:
    nested = pa.list_(pa.struct([("x", pa.int64())]))
    table = columns_of(pa.schema([("a", pa.int64()), ("b", pa.string()), ("c", nested)]))
    schema = assign_fresh_schema_ids(schema_of(table))
    assert misfit(schema, columns_of(pa.schema([("c", nested), ("a", pa.int32())]))) == ""
    assert "no column d" in misfit(schema, columns_of(pa.schema([("d", pa.int64())])))
    narrower = misfit(schema, columns_of(pa.schema([("a", pa.float64())])))
    assert narrower == "Its column a is double, and long in the table"
    required = Schema(*schema.fields, NestedField(9, "e", LongType(), required=True))
    assert "requires a value of e" in misfit(required, table)
