"""Data files of a table, made from the footers of Parquet files that lie in a folder.

A file's columns are found by name. What its folders tell is its partition.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
from pyiceberg.conversions import from_bytes
from pyiceberg.io.pyarrow import (
    compute_statistics_plan,
    data_file_statistics_from_parquet_metadata,
    parquet_path_to_id_mapping,
)
from pyiceberg.manifest import DataFile, DataFileContent, FileFormat
from pyiceberg.table.metadata import TableMetadata
from pyiceberg.typedef import Record
from pyiceberg.types import NestedField, PrimitiveType

from catalog.foreign import hive
from catalog.foreign.columns import Unfit, columns_of, misfit
from catalog.foreign.folders import File, Folder


class DataFiles:
    """Makes a table's data files of the files of a folder."""

    def __init__(self, folder: Folder, metadata: TableMetadata) -> None:
        self._folder = folder
        self._schema, self._spec = metadata.schema(), metadata.spec()
        self._partitions = [self._schema.find_field(f.source_id) for f in self._spec.fields]
        # Bounds that are cut would not tell whether a file has the value that its folder has.
        whole = {f"write.metadata.metrics.column.{f.name}": "full" for f in self._partitions}
        self._plan = compute_statistics_plan(self._schema, {**metadata.properties, **whole})
        self._columns = parquet_path_to_id_mapping(self._schema)
        # Most files of a folder have one schema, so what was found is kept by how it is written.
        self._misfits: dict[str, str] = {}

    def of(self, file: File) -> DataFile | None:
        """Return a file as the table lists it, None if it has no rows.

        Raises:
            Unfit: if it cannot be one of the table's.
        """
        footer, size = self._folder.footer(file)
        if footer.num_rows == 0:
            return None
        schema = footer.schema.to_arrow_schema()
        why = self._misfit(schema)
        if why:
            raise Unfit("other-columns", why)
        try:
            found = data_file_statistics_from_parquet_metadata(footer, self._plan, self._columns)
        except (KeyError, TypeError, ValueError) as error:
            raise Unfit("unsupported-type", str(error)) from error
        statistics = found.to_serialized_dict()
        return DataFile.from_args(
            content=DataFileContent.DATA,
            file_path=file.address,
            file_format=FileFormat.PARQUET,
            partition=self._partition(file, schema.names, statistics),
            file_size_in_bytes=size,
            sort_order_id=None,
            spec_id=self._spec.spec_id,
            equality_ids=None,
            key_metadata=None,
            **statistics,
        )

    def _misfit(self, schema: pa.Schema) -> str:
        written = schema.remove_metadata().to_string(show_field_metadata=True)
        if written not in self._misfits:
            self._misfits[written] = self._find_misfit(schema)
        return self._misfits[written]

    def _find_misfit(self, schema: pa.Schema) -> str:
        try:
            return misfit(self._schema, columns_of(schema))
        except Unfit as unfit:
            return unfit.detail

    def _partition(
        self, file: File, present: Sequence[str], statistics: Mapping[str, Any]
    ) -> Record:
        pairs = hive.pairs_of(file.relative)
        names = [column.name for column in self._partitions]
        if [name for name, _ in pairs] != names:
            wanted = ", ".join(names) or "none"
            raise Unfit("other-partitions", f"The table is partitioned by {wanted}")
        values = []
        for column, (_, text) in zip(self._partitions, pairs, strict=True):
            values.append(_value(column, text))
            if column.name in present:
                _check_value(column, values[-1], statistics)
        return Record(*values)


def _value(column: NestedField, text: str | None) -> Any:
    kind = column.field_type
    assert isinstance(kind, PrimitiveType)
    try:
        return hive.parsed(kind, text)
    except ValueError as error:
        detail = f"{column.name}={text} is not of type {kind}: {error}"
        raise Unfit("partition-value", detail) from error


def _check_value(column: NestedField, value: Any, statistics: Mapping[str, Any]) -> None:
    """Hold a folder's value against those in the file: readers may take either.

    Raises:
        Unfit: if the file has another, or its statistics do not tell.
    """
    kind, column_id = column.field_type, column.field_id
    assert isinstance(kind, PrimitiveType)
    nulls = statistics["null_value_counts"].get(column_id)
    if value is None:
        agrees = nulls == statistics["record_count"]
    else:
        bounds = [statistics[side].get(column_id) for side in ("lower_bounds", "upper_bounds")]
        told = [None if bound is None else from_bytes(kind, bound) for bound in bounds]
        agrees = nulls == 0 and told == [value, value]
    if not agrees:
        detail = f"Its column {column.name} is not known to be {value} in every row"
        raise Unfit("partition-disagrees", detail)
