"""The columns of Parquet files: those of each, and such as hold the values of all."""

from collections.abc import Iterable, Mapping, Sequence

import pyarrow as pa  # type: ignore[import-untyped]
from pyiceberg.io.pyarrow import _HasIds, _pyarrow_to_schema_without_ids, visit_pyarrow
from pyiceberg.schema import Schema
from pyiceberg.types import (
    DecimalType,
    DoubleType,
    FloatType,
    IcebergType,
    IntegerType,
    ListType,
    LongType,
    MapType,
    NestedField,
    StructType,
)

Columns = Mapping[str, IcebergType]


class Unfit(Exception):
    """Why a file cannot be one of the table's: a reason for programs, and a sentence."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


def columns_of(schema: pa.Schema) -> Columns:
    """Return a file's columns by name, all of them nullable, without field ids.

    Raises:
        Unfit: if the file has ids of its own, which are not the table's, a type that no table of
            format version 2 has, or fields in one column that differ only in case.
    """
    if visit_pyarrow(schema, _HasIds()):
        detail = "It has field ids, which another Iceberg table gave: import that table"
        raise Unfit("field-ids", detail)
    for field in schema:
        if _has_unsigned(field.type):
            detail = f"Column {field.name} has unsigned numbers, which Iceberg does not have"
            raise Unfit("unsupported-type", detail)
    try:
        found = _pyarrow_to_schema_without_ids(schema)
    except Exception as error:  # pyiceberg has several for types that it does not know.
        raise Unfit("unsupported-type", str(error)) from error
    for field in found.fields:
        _check_case_within(field.name, field.field_type)
    return {field.name: _nullable(field.field_type) for field in found.fields}


def widened(known: Columns, new: Columns) -> Columns:
    """Return columns that hold the values of both: `int` becomes `long`, `float` `double`.

    Raises:
        Unfit: if the two have a column of one name whose types have nothing in common, or names
            that differ only in case: Spark and DuckDB could not read such a table.
    """
    both = {name: _wider(name, known[name], new[name]) for name in new if name in known}
    every = {**known, **new, **both}
    _check_case(every)
    return every


def schema_of(columns: Columns) -> Schema:
    """Return a schema whose field ids are still to be given."""
    return Schema(*(NestedField(-1, name, kind) for name, kind in columns.items()))


def misfit(schema: Schema, file: Columns) -> str:
    """Return why a file of these columns cannot be one of a table's, or nothing if it can."""
    known = {field.name: field for field in schema.fields}
    for name, kind in file.items():
        if name not in known:
            return f"The table has no column {name}"
        wanted = known[name].field_type
        if not _is_within(kind, _nullable(wanted)):
            return f"Its column {name} is {kind}, and {wanted} in the table"
    missing = [field.name for field in schema.fields if field.required]
    return f"The table requires a value of {missing[0]}" if missing else ""


def _has_unsigned(kind: pa.DataType) -> bool:
    # pyiceberg takes them for signed ones, as which large values would be read wrongly.
    if pa.types.is_dictionary(kind):
        return _has_unsigned(kind.value_type)
    inner = (kind.field(place).type for place in range(kind.num_fields))
    return pa.types.is_unsigned_integer(kind) or any(map(_has_unsigned, inner))


def _wider(name: str, one: IcebergType, other: IcebergType) -> IcebergType:
    if _is_within(one, other):
        return other
    if _is_within(other, one):
        return one
    raise Unfit("other-type", f"Its column {name} is {other}, and {one} in files before it")


def _check_case(names: Iterable[str]) -> None:
    first: dict[str, str] = {}
    for name in names:
        known = first.setdefault(name.casefold(), name)
        if known != name:
            raise Unfit("other-case", f"Column {name} differs from {known} only in case")


def _check_case_within(name: str, kind: IcebergType) -> None:
    inner = {f"{name}.{field.name}": field.field_type for field in _parts(kind)}
    _check_case(inner)
    for each in inner.items():
        _check_case_within(*each)


def _parts(kind: IcebergType) -> Sequence[NestedField]:
    match kind:
        case StructType():
            return kind.fields
        case ListType():
            return [kind.element_field]
        case MapType():
            return [kind.key_field, kind.value_field]
        case _:
            return []


def _is_within(narrow: IcebergType, wide: IcebergType) -> bool:
    """Say whether a file of one type may be read as another (Iceberg's schema evolution)."""
    match narrow, wide:
        case (IntegerType(), LongType()) | (FloatType(), DoubleType()):
            return True
        case DecimalType(), DecimalType():
            return narrow.scale == wide.scale and narrow.precision <= wide.precision
        case _:
            return narrow == wide


def _nullable(kind: IcebergType) -> IcebergType:
    match kind:
        case StructType():
            fields = (NestedField(-1, f.name, _nullable(f.field_type)) for f in kind.fields)
            return StructType(*fields)
        case ListType():
            return ListType(-1, _nullable(kind.element_type), element_required=False)
        case MapType():
            value = _nullable(kind.value_type)
            return MapType(-1, _nullable(kind.key_type), -1, value, value_required=False)
        case _:
            return kind
