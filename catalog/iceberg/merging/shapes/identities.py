"""That no field id means two things: which ids of theirs must change, and who is whose twin.

A field id stands in the data files, and both sides count up from one last-column-id. Ours' ids are
published; a field that theirs added may get another id as long as no file was written with it.
"""

from dataclasses import dataclass
from itertools import count

import orjson

from catalog.iceberg.merging.owed import Claim, Side
from catalog.iceberg.merging.problems import Problem
from catalog.iceberg.merging.shapes.fields import Field, Fields, column_name, fields_by_id
from catalog.iceberg.merging.shapes.findings import Findings, spoken
from catalog.iceberg.metadata import Metadata
from catalog.iceberg.schemas import MAX_FIELD_ID, parse_schema

COLUMN_ID_TAKEN = "column-id-taken"
COLUMN_ADDED_TWICE = "column-added-twice"
COLUMN_UNKNOWN = "column-unknown"
NO_FIELD_IDS_LEFT = "no-field-ids-left"


@dataclass(frozen=True, slots=True)
class History:
    """The fields of a table by id: those of its current schema, and all that its schemas tell of.

    `ever` has a field as the current schema has it or, where that has none, as the latest does.
    """

    current: Fields
    ever: Fields
    versions: tuple[Fields, ...]
    last: int


def histories(base: Metadata, ours: Metadata, theirs: Metadata) -> tuple[History, History, History]:
    """Return the fields that the completed metadata of each side tells of."""
    # The sides have most schemas in common, and a table may have many.
    parsed: dict[bytes, Fields] = {}
    return _history(base, parsed), _history(ours, parsed), _history(theirs, parsed)


def new_ids(
    base: History, ours: History, theirs: History, findings: Findings
) -> tuple[dict[int, int], int]:
    """Return the ids that fields of theirs get in the result, where they get others; and the last.

    A field that both sides added alike becomes the one that ours has. Where ours used the number
    for something else, theirs' field gets a fresh one. Either owes that theirs wrote no file with
    it. The last column id is the highest that any side counted to, or a fresh one.
    """
    for field in base.current.values():
        left, right = ours.current.get(field.id), theirs.current.get(field.id)
        if left is None or right is None or not _alike(left, right):
            _check_lineage(base, field, ours, Side.OURS, findings)
            _check_lineage(base, field, theirs, Side.THEIRS, findings)
    matching = _Matching(base, ours, theirs, findings)
    matching.match()
    last = matching.last
    if last > MAX_FIELD_ID:
        findings.refuse(NO_FIELD_IDS_LEFT, f"No field id is left: {last} is above {MAX_FIELD_ID}.")
    return matching.ids, last


def meaning(field: Field) -> Metadata:
    """Return what two fields of one parent must share to be the same column."""
    members = {name: value for name, value in field.members.items() if name != "doc"}
    return members | {"\0nested": field.nested, "\0role": field.role}


class _Matching:
    """Finds for each field that theirs added its id in the result, parents first."""

    def __init__(self, base: History, ours: History, theirs: History, findings: Findings) -> None:
        self.ids: dict[int, int] = {}
        self.last = max(base.last, ours.last, theirs.last)
        self._fresh = count(self.last + 1)
        self._base, self._ours, self._theirs = base, ours, theirs
        self._findings = findings
        self._ours_added = {
            field.id: field for field in ours.current.values() if field.id not in base.ever
        }

    def match(self) -> None:
        """Give every field of theirs that needs it another id, and note what that owes."""
        for field in self._theirs.current.values():
            if field.id not in self._base.ever:
                self._match_current(field)
        for field in self._theirs.ever.values():
            if field.id not in self._base.ever and field.id not in self._theirs.current:
                self._match_dropped(field)
        for field_id in sorted(self._ours.ever.keys() - self._theirs.ever.keys()):
            # Theirs counted past it, and tells no more what it used the number for.
            if self._base.last < field_id <= self._theirs.last:
                self._owe_not_written(field_id, self._taken_problem(field_id))

    def _match_current(self, field: Field) -> None:
        twin = self._twin(field)
        if twin is not None and twin.id == field.id:
            return
        if twin is not None:
            self.ids[field.id] = twin.id
            self._owe_not_written(field.id, self._twice_problem(field.id, twin.id))
        elif self._is_taken(field.id):
            self._renumber(field.id)

    def _match_dropped(self, field: Field) -> None:
        if not self._is_taken(field.id):
            return
        known = self._ours.ever.get(field.id)
        if known is not None and field.id not in self._ours.current and _alike(field, known):
            return
        self._renumber(field.id)

    def _renumber(self, field_id: int) -> None:
        self.last = self.ids[field_id] = next(self._fresh)
        self._owe_not_written(field_id, self._taken_problem(field_id))

    def _is_taken(self, field_id: int) -> bool:
        """Say whether ours may have used the number for something of its own."""
        counted = self._base.last < field_id <= self._ours.last
        return counted or (field_id in self._ours.ever and field_id not in self._base.ever)

    def _twin(self, field: Field) -> Field | None:
        """Return the field that ours added with the same meaning in the same place."""
        parent = self.ids.get(field.parent, field.parent) if field.parent is not None else None
        twins = [
            each
            for each in self._ours_added.values()
            if each.parent == parent and meaning(each) == meaning(field)
        ]
        return min(twins, key=lambda each: each.id != field.id, default=None)

    def _owe_not_written(self, field_id: int, problem: Problem) -> None:
        self._findings.owe(Claim.NOT_WRITTEN, Side.THEIRS, problem, field_id=field_id)

    def _taken_problem(self, field_id: int) -> Problem:
        theirs = _quoted(self._theirs, field_id, "a column that is gone")
        ours = _quoted(self._ours, field_id, "a column that is gone")
        return Problem(
            COLUMN_ID_TAKEN,
            f"The source added {theirs} and the target {ours}, both under the field id"
            f" {field_id}, and files of the source may have been written with it, so that a merge"
            " would show the values of one column in the other: start a branch from the target,"
            " add the column and write the source's rows there, or take one side of this table.",
        )

    def _twice_problem(self, field_id: int, twin_id: int) -> Problem:
        name = _quoted(self._theirs, field_id, "a column")
        return Problem(
            COLUMN_ADDED_TWICE,
            f"Both sides added {name}, the target under the field id {twin_id} and the source"
            f" under {field_id}, and files of the source may have been written with it, so that a"
            " merge would not find their values: start a branch from the target and write the"
            " source's rows there, or take one side of this table.",
        )


def _history(metadata: Metadata, parsed: dict[bytes, Fields]) -> History:
    versions = []
    current: Fields = {}
    for schema in metadata["schemas"]:
        text = orjson.dumps(schema)
        if text not in parsed:
            parsed[text] = fields_by_id(parse_schema(schema))
        versions.append(parsed[text])
        if schema.get("schema-id", 0) == metadata["current-schema-id"]:
            current = parsed[text]
    ever = {each.id: each for fields in (*versions, current) for each in fields.values()}
    return History(current, ever, tuple(versions), metadata["last-column-id"])


def _check_lineage(
    base: History, field: Field, side: History, name: Side, findings: Findings
) -> None:
    """Refuse a side that never had a field as the base has it: its id may mean something else.

    A merge that gave fields other ids is the base of later ones, but not where the schemas of its
    result came from.
    """
    known = (each[field.id] for each in (side.current, *side.versions) if field.id in each)
    if not any(_alike(field, each) for each in known):
        findings.refuse(
            COLUMN_UNKNOWN,
            f"Nothing tells what became of {_quoted(base, field.id, 'a column')} (field id"
            f" {field.id}) on {spoken(name)}, whose schemas never had it: an earlier merge may"
            " have given it another id; work on from the target, on a new branch, or take one"
            " side of this table.",
        )


def _alike(one: Field, another: Field) -> bool:
    return one.parent == another.parent and meaning(one) == meaning(another)


def _quoted(side: History, field_id: int, otherwise: str) -> str:
    if field_id not in side.ever:
        return otherwise
    fields = side.current if field_id in side.current else side.ever
    return f"column {column_name(fields, field_id)}"
