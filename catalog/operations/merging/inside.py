"""The merge inside one table, view or function: files read and written, metadata finished."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from uuid import uuid4

from catalog.clock import to_millis
from catalog.errors import InvalidInput, NoSuchFile
from catalog.governance.protections import Refusal
from catalog.iceberg.details import Detail, part_changes
from catalog.iceberg.facts import snapshot_changes
from catalog.iceberg.finishing import finish_merge
from catalog.iceberg.merging.copies import replayed_from
from catalog.iceberg.merging.files import Isolation
from catalog.iceberg.merging.isolation import isolation_of
from catalog.iceberg.merging.lineage import Purpose
from catalog.iceberg.merging.problems import Problem
from catalog.iceberg.merging.results import MergeReport, TableConflict
from catalog.iceberg.merging.shapes.functions import merge_functions
from catalog.iceberg.merging.shapes.views import merge_views
from catalog.iceberg.merging.table import merge_table
from catalog.iceberg.metadata import Metadata, completed
from catalog.iceberg.parts import Parts, function_parts, table_parts, view_parts
from catalog.iceberg.reading import LONG_MAX
from catalog.operations.merging.contents import Settle, settle_by_history
from catalog.operations.merging.files import MergeFiles
from catalog.operations.merging.outcomes import Content, Inside, Rule, SnapshotTaken
from catalog.operations.tables import new_entry
from catalog.versioning.ids import ObjectId, to_hex
from catalog.versioning.objects import EntryKind
from catalog.versioning.outcomes import Cause, Collision

_Merge = Callable[[Metadata, Metadata, Metadata], Metadata | list[Problem]]

_NO_BASE = Cause("no-base", "The two sides have no state in common to start from.")
# How metadata is merged that has no snapshots, its parts, and the rule that this is.
_WITHOUT_FILES: dict[EntryKind, tuple[_Merge, Callable[[Metadata], Parts], Rule]] = {
    EntryKind.VIEW: (merge_views, view_parts, Rule.INSIDE_VIEW),
    EntryKind.FUNCTION: (merge_functions, function_parts, Rule.INSIDE_FUNCTION),
}


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms tables are merged inside.

    `origin` is the commit that is brought in. An `isolation` of None leaves it to each table.
    `forbidden` says why no table may be merged inside, if none may.
    """

    origin: ObjectId
    purpose: Purpose
    isolation: Isolation | None = None
    forbidden: Refusal | None = None


@dataclass(frozen=True, slots=True)
class _Sides:
    """The metadata of one table or view."""

    base: Metadata
    ours: Metadata
    theirs: Metadata


def settle_inside(files: MergeFiles, terms: Terms) -> Settle:
    """Return how to settle contents: by history if that tells, else by merging them inside."""

    def settle(collision: Collision) -> Content | tuple[Cause, ...]:
        known = settle_by_history(files.read_metadata, collision)
        if known:
            return known
        if collision.base is None:
            return (_NO_BASE,)
        if terms.forbidden is not None:
            return (Cause("merging-inside-forbidden", terms.forbidden.detail),)
        try:
            return _merged(files, terms, collision)
        except (NoSuchFile, InvalidInput) as error:
            return (Cause("unreadable", error.message),)

    return settle


def _merged(files: MergeFiles, terms: Terms, collision: Collision) -> Content | tuple[Cause, ...]:
    assert collision.base is not None
    entries = (collision.base, collision.ours, collision.theirs)
    sides = _Sides(*(files.read_metadata(entry.metadata_location or "") for entry in entries))
    if collision.ours.kind in _WITHOUT_FILES:
        return _merged_metadata(files, collision, sides)
    return _merged_table(files, terms, collision, sides)


def _merged_table(
    files: MergeFiles, terms: Terms, collision: Collision, sides: _Sides
) -> Content | tuple[Cause, ...]:
    base, ours, theirs = map(completed, (sides.base, sides.ours, sides.theirs))
    isolation = terms.isolation or isolation_of(ours["properties"])
    manifests: dict[str, bytes] = {}
    merged = merge_table(
        base,
        ours,
        theirs,
        read=files.read,
        write=manifests.__setitem__,
        now_ms=to_millis(files.warehouse.catalog.clock()),
        new_snapshot_id=lambda: uuid4().int & LONG_MAX,
        isolation=isolation,
        origin_commit=to_hex(terms.origin),
        purpose=terms.purpose,
    )
    if isinstance(merged, TableConflict):
        return _causes(merged.problems)
    taken = _taken(files, ours, merged.metadata, merged.report)
    inside = Inside(
        _changed(table_parts(ours), table_parts(merged.metadata)),
        tuple(taken),
        merged.report.left_out,
        merged.report.notes,
        isolation,
    )
    if merged.metadata is ours:
        return Content(collision.ours, Rule.INSIDE_TABLE, inside)
    previous = collision.ours.metadata_location
    assert previous is not None
    finished = finish_merge(merged.metadata, ours, previous)
    location = files.write_metadata(
        finished, previous=previous, base=sides.ours, manifests=manifests
    )
    return Content(new_entry(EntryKind.TABLE, location, finished), Rule.INSIDE_TABLE, inside)


def _merged_metadata(
    files: MergeFiles, collision: Collision, sides: _Sides
) -> Content | tuple[Cause, ...]:
    merge, parts, rule = _WITHOUT_FILES[collision.ours.kind]
    merged = merge(sides.base, sides.ours, sides.theirs)
    if isinstance(merged, list):
        return _causes(merged)
    if merged == sides.ours:
        return Content(collision.ours, rule, Inside())
    previous = collision.ours.metadata_location
    assert previous is not None
    inside = Inside(_changed(parts(sides.ours), parts(merged)))
    location = files.write_metadata(merged, previous=previous, base=sides.ours)
    return Content(new_entry(collision.ours.kind, location, merged), rule, inside)


def _taken(
    files: MergeFiles, ours: Metadata, merged: Metadata, report: MergeReport
) -> Iterator[SnapshotTaken]:
    """Yield the snapshots that ours has not had."""
    before = {snapshot["snapshot-id"] for snapshot in ours["snapshots"]}
    for snapshot in merged["snapshots"]:
        snapshot_id = snapshot["snapshot-id"]
        if snapshot_id not in before:
            summary = snapshot.get("summary") or {}
            origin = replayed_from(snapshot)
            lasts = not files.dry_run or snapshot_id in report.adopted
            yield SnapshotTaken(
                origin=snapshot_id if origin is None else origin,
                snapshot_id=snapshot_id if lasts else None,
                operation=str(summary.get("operation", "")),
                changes=snapshot_changes(snapshot),
            )


def _changed(before: Parts, after: Parts) -> tuple[Detail, ...]:
    return tuple(each for each in part_changes(before, after) if each["part"] != "snapshot")


def _causes(problems: Iterable[Problem]) -> tuple[Cause, ...]:
    return tuple(Cause(problem.code, problem.detail) for problem in problems)
