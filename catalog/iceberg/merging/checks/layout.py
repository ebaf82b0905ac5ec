"""What a file's partition and its metrics tell of the rows in it, across specs and promotions."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import index_by_id
from pyiceberg.transforms import BucketTransform, UnknownTransform, VoidTransform
from pyiceberg.types import (
    DecimalType,
    DoubleType,
    FloatType,
    IcebergType,
    IntegerType,
    LongType,
    PrimitiveType,
)

from catalog.iceberg.manifests.entries import Entry
from catalog.iceberg.merging.checks.ranges import EVERYTHING, Range, bounded
from catalog.iceberg.merging.checks.transformed import source_range
from catalog.iceberg.metadata import Metadata, current_schema
from catalog.iceberg.scans.deletes import is_equality, partition_of
from catalog.iceberg.scans.schemas import is_unpartitioned, to_schema, to_specs


@dataclass(frozen=True, slots=True)
class Layout:
    """The specs and columns of a table that holds the files of both sides.

    `types` has the columns whose values compare whatever they were written as: dropped ones are
    left out, and those of `remade`, which were promoted to a type with other values.
    """

    specs: Mapping[int, PartitionSpec]
    types: Mapping[int, IcebergType]
    remade: frozenset[int]
    identifiers: tuple[int, ...]
    unpartitioned: frozenset[int] = field(init=False)
    # Each file is compared with many. The entry is kept too, so that no other gets its identity.
    _known: dict[tuple[int, int], tuple[Entry, Range]] = field(
        default_factory=dict, init=False, compare=False
    )

    def __post_init__(self) -> None:
        found = frozenset(each for each, spec in self.specs.items() if is_unpartitioned(spec))
        object.__setattr__(self, "unpartitioned", found)

    def share_partition(self, touched: Entry, other: Entry) -> bool:
        """Tell whether rows of a file may lie in the partition of one that a command touched."""
        if touched.spec_id == other.spec_id:
            return self._same_tuple(touched, other)
        mine = self._partition_ranges(touched)
        if any(not held.meets(self.values(other, column)) for column, held in mine.items()):
            return False
        return not self._in_other_bucket(touched, other)

    def values(self, entry: Entry, column: int) -> Range:
        """Return the values that a column may have in a file."""
        found = self._known.get((id(entry), column))
        if found is None:
            found = self._known[id(entry), column] = (entry, self._values(entry, column))
        return found[1]

    def may_reach(self, equality: Entry, other: Entry) -> bool:
        """Tell whether an equality delete may name rows of another file, whatever their age."""
        return self.in_scope(equality, other) and self.keys_meet(equality, other)

    def in_scope(self, equality: Entry, other: Entry) -> bool:
        """Tell whether an equality delete is for the partition of another file, or for all."""
        if equality.spec_id in self.unpartitioned:
            return True
        return equality.spec_id == other.spec_id and self._same_tuple(equality, other)

    def keys_meet(self, equality: Entry, other: Entry) -> bool:
        """Tell whether a key of an equality delete may be among the rows of another file."""
        columns = list(equality.file.equality_ids or ())
        if is_equality(other):
            columns = [each for each in columns if each in (other.file.equality_ids or ())]
        return all(
            self.values(equality, column).meets(self.values(other, column)) for column in columns
        )

    def show(self, entry: Entry) -> str:
        """Return a partition for people to read; empty where there is none."""
        spec = self.specs.get(entry.spec_id)
        if spec is None or entry.spec_id in self.unpartitioned:
            return ""
        pairs = zip(spec.fields, entry.partition, strict=True)
        return "/".join(f"{each.name}={self._shown(each, value)}" for each, value in pairs)

    def _values(self, entry: Entry, column: int) -> Range:
        if column not in self.types:
            return EVERYTHING
        by_partition = self._partition_ranges(entry).get(column, EVERYTHING)
        return by_partition.within(_by_metrics(entry, column, self.types[column]))

    def _same_tuple(self, one: Entry, other: Entry) -> bool:
        if not self.remade:
            return partition_of(one) == partition_of(other)
        fields = self.specs[one.spec_id].fields
        _, mine = partition_of(one)
        _, its = partition_of(other)
        return all(
            mine[number] == its[number]
            for number, each in enumerate(fields)
            if each.source_id not in self.remade
        )

    def _partition_ranges(self, entry: Entry) -> dict[int, Range]:
        found: dict[int, Range] = {}
        for each, value in self._fields(entry):
            held = source_range(each.transform, self.types[each.source_id], value)
            if held is not None:
                found[each.source_id] = found.get(each.source_id, EVERYTHING).within(held)
        return found

    def _in_other_bucket(self, one: Entry, other: Entry) -> bool:
        buckets = {
            (each.source_id, each.transform.num_buckets): value
            for each, value in self._fields(one)
            if isinstance(each.transform, BucketTransform)
        }
        return any(
            isinstance(each.transform, BucketTransform)
            and buckets.get((each.source_id, each.transform.num_buckets), value) != value
            for each, value in self._fields(other)
        )

    def _fields(self, entry: Entry) -> Iterable[tuple[PartitionField, Any]]:
        """Return the fields of a file's partition whose source is a column to compare by."""
        pairs = zip(self.specs[entry.spec_id].fields, entry.partition, strict=True)
        return [pair for pair in pairs if pair[0].source_id in self.types]

    def _shown(self, partition_field: PartitionField, value: Any) -> str:
        if value is None or isinstance(partition_field.transform, VoidTransform | UnknownTransform):
            return "null" if value is None else str(value)
        source = self.types.get(partition_field.source_id)
        try:
            if source is not None:
                return str(partition_field.transform.to_human_string(source, value))
        except (OverflowError, ValueError, TypeError):
            # Python's calendar ends with the year 9999, Iceberg's does not.
            pass
        return str(value)


def layout_of(metadata: Metadata) -> Layout:
    """Return the layout of completed metadata that has the schemas and specs of both sides."""
    current = index_by_id(to_schema(current_schema(metadata)))
    remade = {
        column
        for schema in metadata["schemas"]
        for column, found in index_by_id(to_schema(schema)).items()
        if column in current and not _alike(found.field_type, current[column].field_type)
    }
    types = {
        column: found.field_type
        for column, found in current.items()
        if column not in remade and isinstance(found.field_type, PrimitiveType)
    }
    return Layout(
        specs=to_specs(metadata["partition-specs"]),
        types=types,
        remade=frozenset(remade),
        identifiers=tuple(current_schema(metadata).get("identifier-field-ids") or ()),
    )


def _alike(one: IcebergType, other: IcebergType) -> bool:
    """Tell whether the values of two types are the same, if wider (spec, Schema Evolution)."""
    if not isinstance(one, PrimitiveType) or one == other:
        return True
    if isinstance(one, DecimalType) and isinstance(other, DecimalType):
        return one.scale == other.scale
    families = ((IntegerType, LongType), (FloatType, DoubleType))
    return any(isinstance(one, each) and isinstance(other, each) for each in families)


def _by_metrics(entry: Entry, column: int, column_type: IcebergType) -> Range:
    file = entry.file
    low = (file.lower_bounds or {}).get(column)
    high = (file.upper_bounds or {}).get(column)
    nulls = (file.null_value_counts or {}).get(column)
    nans = (file.nan_value_counts or {}).get(column)
    values = (file.value_counts or {}).get(column)
    is_float = isinstance(column_type, FloatType | DoubleType)
    bounds = bounded(column_type, low, high)
    return Range(
        null=nulls != 0,
        nan=is_float and nans != 0,
        ordinary=values is None or nulls is None or is_float or values != nulls,
        low=bounds.low,
        high=bounds.high,
    )
