"""Three-way merge of partition specs: matched by what they mean, renumbered where ids are taken.

A manifest names its spec and the ids of its partition fields, data files hold neither. A spec gets
another id freely; other ids of partition fields owe that theirs wrote no file under the spec.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

from catalog.errors import CatalogError
from catalog.iceberg.build import next_id
from catalog.iceberg.merging.owed import Claim, Side
from catalog.iceberg.merging.problems import Problem
from catalog.iceberg.merging.shapes.findings import Findings
from catalog.iceberg.merging.shapes.schemas import COLUMN_USED_AND_DROPPED, INVALID_RESULT
from catalog.iceberg.metadata import Metadata, current_schema, default_spec
from catalog.iceberg.partitioning import bind_spec, check_partition_names, same_spec, source_ids
from catalog.iceberg.transforms import VOID, parse_transform

PARTITIONING_CHANGED_TWICE = "partitioning-changed-twice"
PARTITION_ID_TAKEN = "partition-id-taken"


@dataclass(frozen=True, slots=True)
class MergedSpecs:
    """The specs of the result, and what became of theirs' ids."""

    specs: list[Metadata]
    default_id: int
    last_id: int
    ids: dict[int, int]


def merged_specs(
    base: Metadata, ours: Metadata, theirs: Metadata, findings: Findings, *, keep_all: bool
) -> MergedSpecs:
    """Merge the specs of completed metadata; ours' ids stay, the specs of theirs may get others.

    A spec that ours removed comes back only where theirs may have files under it (`keep_all`).
    """
    adding = _Adding(base, ours, theirs, findings)
    new_default = not same_spec(default_spec(base), default_spec(theirs))
    for spec in theirs["partition-specs"]:
        is_new = not any(_equal(spec, each) for each in base["partition-specs"])
        is_default = new_default and spec["spec-id"] == theirs["default-spec-id"]
        adding.add(spec, is_wanted=keep_all or is_new or is_default)
    return MergedSpecs(
        adding.specs, _merged_default(base, ours, theirs, adding, findings), adding.last, adding.ids
    )


def check_specs(result: Metadata, names: dict[int, str], findings: Findings) -> None:
    """Refuse specs that do not fit the merged schema; `names` tells of columns that are gone."""
    if findings.has(PARTITIONING_CHANGED_TWICE):
        return
    spec, schema = default_spec(result), current_schema(result)
    missing = [
        source
        for field in spec["fields"]
        for source in source_ids(field)
        if source in names and parse_transform(field["transform"]) != VOID
    ]
    for source in dict.fromkeys(missing):
        findings.refuse(
            COLUMN_USED_AND_DROPPED,
            f"Column {names[source]} was dropped on one side, and partitions the table on the"
            " other.",
        )
    if findings.problems:
        return
    try:
        for each in result["partition-specs"]:
            check_partition_names(each, schema)
        bind_spec(spec, schema, result["format-version"])
    except CatalogError as error:
        findings.refuse(INVALID_RESULT, f"The merged partition specs would not be valid: {error}.")


class _Adding:
    """Adds theirs' specs to those of ours."""

    def __init__(
        self, base: Metadata, ours: Metadata, theirs: Metadata, findings: Findings
    ) -> None:
        self.specs: list[Metadata] = list(ours["partition-specs"])
        self.ids: dict[int, int] = {}
        self.last: int = max(each["last-partition-id"] for each in (base, ours, theirs))
        self._base, self._ours, self._theirs = base, ours, theirs
        self._findings = findings
        self._fresh = count(self.last + 1)
        self._field_ids: dict[int, int] = {}

    def add(self, spec: Metadata, *, is_wanted: bool) -> None:
        """Find the spec's twin in the result, or add the spec if it is wanted."""
        spec_id = spec["spec-id"]
        twin = self._twin(spec)
        if twin is not None:
            self.ids[spec_id] = twin["spec-id"]
            if _field_ids(twin) != _field_ids(spec):
                self._owe_not_used(spec)
        elif is_wanted:
            used = {each["spec-id"] for each in self.specs}
            self.ids[spec_id] = next_id(used, 0) if spec_id in used else spec_id
            fields = [self._with_free_id(field) for field in spec["fields"]]
            if fields != spec["fields"]:
                self._owe_not_used(spec)
            self.specs.append(spec | {"spec-id": self.ids[spec_id], "fields": fields})

    def _twin(self, spec: Metadata) -> Metadata | None:
        twins = [each for each in self.specs if same_spec(each, spec)]
        return min(twins, key=lambda each: _unlikeness(each, spec), default=None)

    def _with_free_id(self, field: Metadata) -> Metadata:
        field_id = field["field-id"]
        if field_id not in self._field_ids:
            if not self._is_taken(field):
                return field
            self.last = self._field_ids[field_id] = next(self._fresh)
        return field | {"field-id": self._field_ids[field_id]}

    def _is_taken(self, field: Metadata) -> bool:
        """Say whether ours has the id for another partition field."""
        # v1 numbers the fields of each spec from 1000, so one id may mean many things there.
        if min(self._ours["format-version"], self._theirs["format-version"]) == 1:
            return False
        field_id = field["field-id"]
        holders = list(self._our_fields(field_id))
        if holders:
            return all(not _means_same(field, each) for each in holders)
        known_last: int = self._base["last-partition-id"]
        return bool(known_last < field_id <= self._ours["last-partition-id"])

    def _our_fields(self, field_id: int) -> Iterator[Metadata]:
        for spec in self._ours["partition-specs"]:
            yield from (field for field in spec["fields"] if field["field-id"] == field_id)

    def _owe_not_used(self, spec: Metadata) -> None:
        problem = Problem(
            PARTITION_ID_TAKEN,
            f"The partition spec {spec['spec-id']} ({_shown(spec)}) of the source has ids of"
            " partition fields that the target uses for others, and files of the source were"
            " written under it: start a branch from the target and write the source's rows there,"
            " or take one side of this table.",
        )
        self._findings.owe(Claim.SPEC_NOT_USED, Side.THEIRS, problem, spec_id=spec["spec-id"])


def _merged_default(
    base: Metadata, ours: Metadata, theirs: Metadata, adding: _Adding, findings: Findings
) -> int:
    before, left, right = default_spec(base), default_spec(ours), default_spec(theirs)
    kept: int = ours["default-spec-id"]
    if same_spec(right, before) or same_spec(right, left):
        return kept
    if same_spec(left, before):
        return adding.ids[right["spec-id"]]
    findings.refuse(
        PARTITIONING_CHANGED_TWICE,
        f"Both sides changed the partitioning, the target to {_shown(left)} and the source to"
        f" {_shown(right)}.",
    )
    return kept


def _equal(one: Metadata, another: Metadata) -> bool:
    same = one["spec-id"] == another["spec-id"] and same_spec(one, another)
    return same and _field_ids(one) == _field_ids(another)


def _unlikeness(one: Metadata, another: Metadata) -> tuple[bool, bool]:
    return _field_ids(one) != _field_ids(another), one["spec-id"] != another["spec-id"]


def _field_ids(spec: Metadata) -> list[int]:
    return [field["field-id"] for field in spec["fields"]]


def _means_same(one: Metadata, another: Metadata) -> bool:
    transforms = {parse_transform(each["transform"]) for each in (one, another)} - {VOID}
    return source_ids(one) == source_ids(another) and len(transforms) < 2


def _shown(spec: Metadata) -> str:
    return ", ".join(field["name"] for field in spec["fields"]) or "unpartitioned"
