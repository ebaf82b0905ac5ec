"""Whether the files of both sides are what the merged shape asks of them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pyiceberg.schema import index_by_id

from catalog.iceberg.manifests.entries import Entry
from catalog.iceberg.merging.files import FileKey, Step
from catalog.iceberg.merging.owed import Claim, Owed, Side
from catalog.iceberg.merging.problems import Problem
from catalog.iceberg.metadata import Metadata
from catalog.iceberg.partitioning import source_ids
from catalog.iceberg.scans.deletes import is_equality, is_vector
from catalog.iceberg.scans.schemas import to_schema
from catalog.iceberg.transforms import VOID, parse_transform

_METRICS = (
    *("value_counts", "null_value_counts", "nan_value_counts"),
    *("lower_bounds", "upper_bounds", "column_sizes"),
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one side did since the base, under its own ids."""

    metadata: Metadata
    steps: Sequence[Step]

    def added(self) -> Iterator[Entry]:
        """Yield every data and delete file that was added, live or not."""
        for step in self.steps:
            yield from step.changes.added.values()
            yield from step.changes.added_deletes.values()

    def live_data(self) -> Mapping[FileKey, Entry]:
        """Return the added data files that are still there."""
        live: dict[FileKey, Entry] = {}
        for step in self.steps:
            live = {key: each for key, each in live.items() if key not in step.changes.removed}
            live |= step.changes.added
        return live


def unproven(owed: Sequence[Owed], evidence: Mapping[Side, Evidence]) -> list[Problem]:
    """Return the problem of every claim that the files do not prove."""
    return [each.problem for each in owed if not _PROOFS[each.claim](evidence[each.side], each)]


def _no_data_files(side: Evidence, owed: Owed) -> bool:
    return not side.live_data()


def _no_nulls(side: Evidence, owed: Owed) -> bool:
    column = owed.field_id
    assert column is not None
    return all(
        (entry.file.null_value_counts or {}).get(column) == 0
        and (entry.file.value_counts or {}).get(column, 1) > 0
        for entry in side.live_data().values()
    )


def _not_written(side: Evidence, owed: Owed) -> bool:
    schemas = {each.get("schema-id", 0): each for each in side.metadata["schemas"]}
    for step in side.steps:
        added = (*step.changes.added.values(), *step.changes.added_deletes.values())
        schema = schemas.get(step.snapshot.get("schema-id", -1))
        if added and (schema is None or owed.field_id in index_by_id(to_schema(schema))):
            return False
        if any(_names(entry, owed.field_id) for entry in added):
            return False
    return True


def _names(entry: Entry, field_id: int | None) -> bool:
    named = (getattr(entry.file, metric) or () for metric in (*_METRICS, "equality_ids"))
    return any(field_id in each for each in named)


def _no_equality_deletes(side: Evidence, owed: Owed) -> bool:
    return not any(
        is_equality(entry)
        and (owed.field_id is None or owed.field_id in (entry.file.equality_ids or ()))
        for entry in side.added()
    )


def _no_position_deletes(side: Evidence, owed: Owed) -> bool:
    return not any(
        delete
        for step in side.steps
        for delete in step.changes.added_deletes.values()
        if not is_equality(delete) and not is_vector(delete)
    )


def _not_partitioned_by(side: Evidence, owed: Owed) -> bool:
    specs = {each["spec-id"]: each for each in side.metadata["partition-specs"]}
    used = {entry.spec_id for entry in side.added()}
    return all(each in specs and not _divides_by(specs[each], owed.field_id) for each in used)


def _divides_by(spec: Metadata, field_id: int | None) -> bool:
    return any(
        field_id in source_ids(each) and parse_transform(each["transform"]) != VOID
        for each in spec["fields"]
    )


def _no_rewrites(side: Evidence, owed: Owed) -> bool:
    # Some clients update by two snapshots, so all of them are taken together.
    adds = any(step.changes.added for step in side.steps)
    return not adds or not any(
        step.changes.removed or step.changes.added_deletes for step in side.steps
    )


def _spec_not_used(side: Evidence, owed: Owed) -> bool:
    return all(entry.spec_id != owed.spec_id for entry in side.added())


_PROOFS: Mapping[Claim, Callable[[Evidence, Owed], bool]] = {
    Claim.NO_DATA_FILES: _no_data_files,
    Claim.NO_NULLS: _no_nulls,
    Claim.NOT_WRITTEN: _not_written,
    Claim.NO_EQUALITY_DELETES: _no_equality_deletes,
    Claim.NO_POSITION_DELETES: _no_position_deletes,
    Claim.NOT_PARTITIONED_BY: _not_partitioned_by,
    Claim.NO_REWRITES: _no_rewrites,
    Claim.SPEC_NOT_USED: _spec_not_used,
}
