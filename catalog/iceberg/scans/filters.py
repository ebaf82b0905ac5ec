"""Which manifests and files a scan's predicate leaves over, judged by pyiceberg's evaluators."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pyiceberg.expressions import (
    AlwaysFalse,
    AlwaysTrue,
    And,
    BooleanExpression,
    BoundIsNull,
    BoundNotNull,
    BoundPredicate,
    Or,
)
from pyiceberg.expressions.visitors import (
    ResidualEvaluator,
    _InclusiveMetricsEvaluator,
    expression_evaluator,
    inclusive_projection,
    manifest_evaluator,
)
from pyiceberg.manifest import ManifestFile
from pyiceberg.partitioning import PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.typedef import Record

from catalog.iceberg.manifests.entries import Entry, Manifest
from catalog.iceberg.scans.predicates import Predicate

Json = Any


@dataclass(slots=True)
class Filter:
    """The predicate of one scan, prepared once for each partition spec; for one thread."""

    schema: Schema
    specs: Mapping[int, PartitionSpec]
    predicate: Predicate
    case_sensitive: bool
    _by_spec: dict[int, "_SpecFilter"] = field(default_factory=dict)
    _residuals: dict[tuple[object, ...], Json] = field(default_factory=dict)
    _metrics: _InclusiveMetricsEvaluator = field(init=False)

    def __post_init__(self) -> None:
        self._metrics = _InclusiveMetricsEvaluator(
            self.schema, self.predicate.judged, self.case_sensitive
        )

    def may_hold(self, manifest: Manifest) -> bool:
        """Tell whether a manifest may list files that match, by its partition summaries."""
        if not (manifest.record and manifest.record.partitions and manifest.spec_id in self.specs):
            return True
        return self._of(manifest.spec_id).manifest(manifest.record)

    def may_match(self, entry: Entry) -> bool:
        """Tell whether a data file may hold matching rows, by its partition and its metrics."""
        return self.in_partition(entry) and self._metrics.eval(entry.file)

    def in_partition(self, entry: Entry) -> bool:
        """Tell whether the partition of a file may hold matching rows."""
        return self._of(entry.spec_id).partition(entry.file.partition)

    def residual(self, entry: Entry) -> Json | None:
        """Return what is left to test on the rows of a matching file; None if nothing is."""
        if not self.predicate.exact:
            return self.predicate.given
        partition = (entry.spec_id, *entry.partition)
        if partition not in self._residuals:
            self._residuals[partition] = self._residual(entry)
        return self._residuals[partition]

    def _residual(self, entry: Entry) -> Json | None:
        left = self._of(entry.spec_id).residuals.residual_for(entry.file.partition)
        if isinstance(left, AlwaysTrue):
            return None
        # Nothing matches by the partition, though pyiceberg's projection let it pass.
        if isinstance(left, AlwaysFalse):
            return self.predicate.given
        return self._rendered(left)

    def _rendered(self, expression: BooleanExpression) -> Json:
        match expression:
            case And() | Or():
                return {
                    "type": expression.type,
                    "left": self._rendered(expression.left),
                    "right": self._rendered(expression.right),
                }
            case _:
                return self.predicate.leaves[id(expression)]

    def _of(self, spec_id: int) -> "_SpecFilter":
        if spec_id not in self._by_spec:
            self._by_spec[spec_id] = _spec_filter(self, self.specs[spec_id])
        return self._by_spec[spec_id]


@dataclass(frozen=True, slots=True)
class _SpecFilter:
    manifest: Callable[[ManifestFile], bool]
    partition: Callable[[Record], bool]
    residuals: ResidualEvaluator


def _spec_filter(scan: Filter, spec: PartitionSpec) -> _SpecFilter:
    schema, case_sensitive = scan.schema, scan.case_sensitive
    expression = scan.predicate.judged
    projected = inclusive_projection(schema, spec, case_sensitive)(expression)
    partition_schema = Schema(*spec.partition_type(schema).fields)
    return _SpecFilter(
        manifest=manifest_evaluator(spec, schema, projected, case_sensitive),
        partition=expression_evaluator(partition_schema, projected, case_sensitive),
        residuals=_Residuals(schema, spec, case_sensitive, expression),
    )


class _Residuals(ResidualEvaluator):
    """Residuals that keep a comparison with a partition value that is null.

    pyiceberg (as of 0.12) compares None with the literal, which raises a TypeError or, for *not
    equal*, calls every row of a null partition a match.
    """

    struct: Record

    def visit_bound_predicate(self, predicate: BoundPredicate) -> BooleanExpression:
        """Return what is left of one leaf."""
        source = predicate.term.ref().field.field_id
        null = any(
            self.struct[position] is None
            for position, partition_field in enumerate(self.spec.fields)
            if partition_field.source_id == source
        )
        if null and not isinstance(predicate, BoundIsNull | BoundNotNull):
            return predicate
        residual: BooleanExpression = super().visit_bound_predicate(predicate)
        return residual
