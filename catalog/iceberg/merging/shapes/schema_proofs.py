"""What a merged schema owes: what must hold of the files of either side.

Both ways: what one side did to a column is held against the files that the other added.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from catalog.iceberg.merging.owed import Claim, Side
from catalog.iceberg.merging.problems import Problem
from catalog.iceberg.merging.shapes.fields import Field, Fields, column_name
from catalog.iceberg.merging.shapes.findings import Findings, other, spoken
from catalog.iceberg.merging.shapes.promotions import changes_transforms, is_promotion
from catalog.iceberg.merging.shapes.schemas import IDENTIFIERS, SchemaSides

COLUMN_REQUIRED = "column-required"
COLUMN_DROPPED = "column-dropped"
COLUMN_PROMOTED = "column-promoted"
COLUMN_BROUGHT_BACK = "column-brought-back"
IDENTIFIERS_CHANGED = "identifiers-changed"


@dataclass(frozen=True, slots=True)
class _View:
    """One side whose files are asked about, and what became of its columns.

    `last_id` is the last field id that the base had given out. `own` are the ids that the side's
    own files have, where the merge gave fields others.
    """

    side: Side
    base: Fields
    last_id: int
    fields: Fields
    merged: Fields
    own: Mapping[int, int]
    findings: Findings

    @property
    def writer(self) -> str:
        return spoken(self.side)

    @property
    def changer(self) -> str:
        return spoken(other(self.side))

    def owe(self, claim: Claim, code: str, detail: str, field_id: int | None = None) -> None:
        own = None if field_id is None else self.own.get(field_id, field_id)
        self.findings.owe(claim, self.side, Problem(code, detail), field_id=own)


def owe_for_schema(
    sides: SchemaSides,
    merged: Fields,
    ids: Mapping[int, int],
    last_id: int,
    findings: Findings,
) -> None:
    """Note what the merged schema owes; `ids` are those that fields of theirs got in the merge.

    `last_id` is the last field id that the base had given out.
    """
    own = {new: old for old, new in ids.items()}
    # Columns that both added apart are ours': theirs wrote no file with them.
    twins = own.keys() & sides.our_fields.keys()
    written = {each: field for each, field in sides.their_fields.items() if each not in twins}
    base = sides.base_fields
    views = (
        _View(Side.OURS, base, last_id, sides.our_fields, merged, {}, findings),
        _View(Side.THEIRS, base, last_id, written, merged, own, findings),
    )
    for view in views:
        for field in merged.values():
            _owe_for_column(view, field)
        for field_id in _dropped(view):
            _owe_for_drop(view, field_id)
    for name in _newly_required(base, merged):
        findings.notes.append(
            f"Column {name} is required now: a job that still writes the schema from before may"
            " add rows without it."
        )
    _owe_for_identifiers(sides, findings, views)


def _owe_for_column(view: _View, merged: Field) -> None:
    held = view.fields.get(merged.id)
    if held is None:
        parent_is_there = merged.parent is None or merged.parent in view.fields
        if merged.required and parent_is_there and merged.members.get("initial-default") is None:
            view.owe(
                Claim.NO_DATA_FILES,
                COLUMN_REQUIRED,
                f"Column {column_name(view.merged, merged.id)} is new on {view.changer}, required"
                f" and without a default, and rows that {view.writer} added meanwhile lack it.",
            )
        if merged.id <= view.last_id and merged.id not in view.base:
            _owe_for_return(view, merged.id)
        return
    name = column_name(view.merged, merged.id)
    if merged.required and not held.required:
        view.owe(
            Claim.NO_NULLS,
            COLUMN_REQUIRED,
            f"Column {name} was made required on {view.changer}, and rows that {view.writer} added"
            " meanwhile may hold nulls in it.",
            merged.id,
        )
    if merged.type != held.type:
        _owe_for_type(view, merged, held.type, name)


def _owe_for_return(view: _View, field_id: int) -> None:
    """Note what a column owes that the base had dropped: older files still hold its values."""
    name = column_name(view.merged, field_id)
    view.owe(
        Claim.NO_REWRITES,
        COLUMN_BROUGHT_BACK,
        f"Column {name}, which had been dropped, is there again on {view.changer}, and"
        f" {view.writer} rewrote rows without it; their values would be lost.",
    )


def _owe_for_type(view: _View, merged: Field, before: str, name: str) -> None:
    change = f"Column {name} was changed from {before} to {merged.type} on {view.changer}"
    if not is_promotion(before, merged.type):
        view.owe(
            Claim.NO_DATA_FILES,
            COLUMN_PROMOTED,
            f"{change}, and rows that {view.writer} added meanwhile cannot be read so.",
        )
    elif changes_transforms(before, merged.type):
        view.owe(
            Claim.NOT_PARTITIONED_BY,
            COLUMN_PROMOTED,
            f"{change}, and {view.writer} added files that are partitioned by it.",
            merged.id,
        )


def _dropped(view: _View) -> Iterator[int]:
    return (each for each in view.fields if each in view.base and each not in view.merged)


def _owe_for_drop(view: _View, field_id: int) -> None:
    name = column_name(view.base, field_id)
    view.owe(
        Claim.NO_EQUALITY_DELETES,
        COLUMN_DROPPED,
        f"Column {name} was dropped on {view.changer}, and {view.writer} deleted rows by its"
        " values.",
        field_id,
    )
    view.findings.notes.append(
        f"Column {name} was dropped on {view.changer}: rows that {view.writer} added meanwhile"
        " lose it."
    )


def _newly_required(base: Fields, merged: Fields) -> Iterator[str]:
    for field in merged.values():
        if field.required and field.id in base and not base[field.id].required:
            yield column_name(merged, field.id)


def _owe_for_identifiers(
    sides: SchemaSides, findings: Findings, views: tuple[_View, _View]
) -> None:
    base, ours, theirs = (
        set(schema.get(IDENTIFIERS) or ()) for schema in (sides.base, sides.ours, sides.theirs)
    )
    for view, own, others in ((views[0], ours, theirs), (views[1], theirs, ours)):
        if others not in (base, own):
            view.owe(
                Claim.NO_EQUALITY_DELETES,
                IDENTIFIERS_CHANGED,
                f"The identifier fields were changed on {view.changer}, and {view.writer} deleted"
                " rows by keys.",
            )
