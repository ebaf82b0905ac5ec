"""Three-way merge of schemas, field by field and attribute by attribute.

Fields are matched by id, and ids mean the same on all sides here (`identities` sees to that).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from catalog.errors import CatalogError
from catalog.iceberg.merging.shapes.fields import (
    Field,
    Fields,
    built_fields,
    children,
    column_name,
    fields_by_id,
    is_named,
)
from catalog.iceberg.merging.shapes.findings import Findings
from catalog.iceberg.merging.shapes.ordering import merged_order
from catalog.iceberg.merging.shapes.promotions import is_promotion
from catalog.iceberg.merging.shapes.three_way import CLASH, choose, merged_members
from catalog.iceberg.metadata import Metadata
from catalog.iceberg.schemas import parse_schema

COLUMN_CHANGED_TWICE = "column-changed-twice"
COLUMN_CHANGED_AND_DROPPED = "column-changed-and-dropped"
COLUMN_NAME_TAKEN = "column-name-taken"
COLUMN_USED_AND_DROPPED = "column-used-and-dropped"
IDENTIFIERS_CHANGED_TWICE = "identifiers-changed-twice"
NO_COLUMNS_LEFT = "no-columns-left"
MEMBER_CHANGED_TWICE = "member-changed-twice"
INVALID_RESULT = "invalid-result"

IDENTIFIERS = "identifier-field-ids"
_PARENT = "\0parent"
_ROLE = "\0role"
_NESTED = "\0nested."
_OWN = ("type", "schema-id", IDENTIFIERS, "fields")


@dataclass(frozen=True, slots=True)
class SchemaSides:
    """The current schemas of a merge, parsed, and their fields by id."""

    base: Metadata
    ours: Metadata
    theirs: Metadata
    base_fields: Fields
    our_fields: Fields
    their_fields: Fields

    @classmethod
    def of(cls, base: Metadata, ours: Metadata, theirs: Metadata) -> "SchemaSides":
        """Return the sides of three schemas."""
        one, two, three = (parse_schema(schema) for schema in (base, ours, theirs))
        return cls(one, two, three, fields_by_id(one), fields_by_id(two), fields_by_id(three))

    def name(self, field_id: int) -> str:
        """Return what to call a column: as the base does, if it has it."""
        for fields in (self.base_fields, self.our_fields, self.their_fields):
            if field_id in fields:
                return column_name(fields, field_id)
        return f"with the field id {field_id}"


def merged_schema(sides: SchemaSides, findings: Findings) -> tuple[Metadata, Fields]:
    """Return the merged schema, with ours' schema id, and its fields.

    With problems the schema is of no use, but its fields serve to find more of them.
    """
    fields = _merged_fields(sides, findings)
    for problem in _homeless(fields, sides):
        findings.refuse(COLUMN_CHANGED_AND_DROPPED, problem)
    order = _ordered(fields, sides, findings)
    _check_names(order, fields, sides, findings)
    _check_not_emptied(order, fields, sides, findings)
    identifiers = _merged_identifiers(sides, fields, findings)
    members = merged_members(sides.base, sides.ours, sides.theirs, without=_OWN)
    for name in members.clashing:
        findings.refuse(
            MEMBER_CHANGED_TWICE,
            f"Both sides changed the member {name} of the schema, to different values.",
        )
    if findings.problems:
        return sides.ours, fields
    schema = members.merged | {"fields": built_fields(fields, order), IDENTIFIERS: identifiers}
    try:
        return parse_schema(schema), fields
    except CatalogError as error:
        findings.refuse(INVALID_RESULT, f"The merged schema would not be valid: {error}.")
        return sides.ours, fields


def _merged_fields(sides: SchemaSides, findings: Findings) -> dict[int, Field]:
    merged: dict[int, Field] = {}
    for field_id in dict.fromkeys((*sides.our_fields, *sides.their_fields)):
        base = sides.base_fields.get(field_id)
        ours = sides.our_fields.get(field_id)
        theirs = sides.their_fields.get(field_id)
        if ours is not None and theirs is not None:
            merged[field_id] = _merged_field(base, ours, theirs, sides, findings)
        elif (kept := ours or theirs) is not None:
            if base is None:
                merged[field_id] = kept
            elif kept != base:
                keeper, dropper = _words(ours is not None)
                findings.refuse(
                    COLUMN_CHANGED_AND_DROPPED,
                    f"Column {sides.name(field_id)} was changed on {keeper}"
                    f" ({_changes(base, kept)}) and dropped on {dropper}.",
                )
    return merged


def _merged_field(
    base: Field | None, ours: Field, theirs: Field, sides: SchemaSides, findings: Findings
) -> Field:
    if base is None:
        # Both added it, alike in all but the comment; ours' comment is kept.
        return ours
    chosen = merged_members(_flat(base), _flat(ours), _flat(theirs))
    for name in chosen.clashing:
        findings.refuse(
            COLUMN_CHANGED_TWICE,
            f"Column {sides.name(ours.id)}: {_clash(name, base, ours, theirs)}.",
        )
    return _from_flat(ours.id, chosen.merged)


def _clash(name: str, base: Field, ours: Field, theirs: Field) -> str:
    if name == _PARENT:
        return "both sides moved it, to different places"
    shown = _flat(ours).get(name), _flat(theirs).get(name)
    what = {"name": "its name", "type": "its type", "doc": "its comment"}
    words = what.get(name, f"its {name.removeprefix(_NESTED)}")
    sentence = f"both sides changed {words}, the target to {shown[0]} and the source to {shown[1]}"
    if name != "type" or not is_promotion(base.type, ours.type):
        return sentence
    if is_promotion(ours.type, theirs.type):
        return f"{sentence}; promote it to {theirs.type} on the target first"
    if is_promotion(theirs.type, ours.type):
        return f"{sentence}; promote it to {ours.type} on the source first"
    return sentence


def _changes(base: Field, changed: Field) -> str:
    before, after = _flat(base), _flat(changed)
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return ", ".join(name.removeprefix(_NESTED).removeprefix("\0") for name in names)


def _flat(field: Field) -> Metadata:
    nested = {_NESTED + name: value for name, value in field.nested.items()}
    return field.members | nested | {_PARENT: field.parent, _ROLE: field.role}


def _from_flat(field_id: int, flat: Metadata) -> Field:
    members = {name: value for name, value in flat.items() if not name.startswith("\0")}
    nested = {
        name.removeprefix(_NESTED): value
        for name, value in flat.items()
        if name.startswith(_NESTED)
    }
    return Field(field_id, flat[_PARENT], flat[_ROLE], members, nested)


def _homeless(fields: dict[int, Field], sides: SchemaSides) -> Iterator[str]:
    """Yield what is wrong with fields that have no parent left, or one that cannot hold them."""
    kinds = {"element": "list", "key": "map", "value": "map"}
    for field in fields.values():
        if field.parent is None:
            continue
        parent = fields.get(field.parent)
        if parent is None or parent.type != kinds.get(field.role, "struct"):
            adder = "target" if field.id in sides.our_fields else "source"
            yield (
                f"Column {sides.name(field.id)} is new or changed on the {adder}, and the column"
                f" {sides.name(field.parent)} that holds it was dropped or replaced on the other"
                " side."
            )


def _ordered(
    fields: dict[int, Field], sides: SchemaSides, findings: Findings
) -> dict[int | None, list[int]]:
    order: dict[int | None, list[int]] = {}
    trees = [children(each) for each in (sides.base_fields, sides.our_fields, sides.their_fields)]
    for parent, held in children(fields).items():
        lists = [tree.get(parent, []) for tree in trees]
        order[parent], apart = merged_order(lists[0], lists[1], lists[2], set(held))
        if apart:
            where = "" if parent is None else f" in {sides.name(parent)}"
            findings.notes.append(
                f"Both sides moved columns{where}, differently: the target's order is kept."
            )
    reached = list(_reached(order, None))
    if len(reached) < len(fields) and not findings.problems:
        lost = sides.name(min(fields.keys() - set(reached)))
        findings.refuse(
            COLUMN_CHANGED_TWICE, f"Both sides moved columns around {lost}, into each other."
        )
    return order


def _reached(order: dict[int | None, list[int]], parent: int | None) -> Iterator[int]:
    for each in order.get(parent, ()):
        yield each
        yield from _reached(order, each)


def _check_names(
    order: dict[int | None, list[int]], fields: Fields, sides: SchemaSides, findings: Findings
) -> None:
    """Refuse two columns with one name; engines compare names without case."""
    for held in order.values():
        holders: dict[str, list[int]] = {}
        for each in held:
            if is_named(fields[each]):
                holders.setdefault(_folded(fields[each]), []).append(each)
        for twins in holders.values():
            if len(twins) > 1 and not _stood_together(twins, fields, sides):
                names = " and ".join(
                    f"{column_name(fields, each)} (field id {each})" for each in twins
                )
                findings.refuse(
                    COLUMN_NAME_TAKEN,
                    f"Two different columns would have one name, since the target and the source"
                    f" named or added them apart: {names}.",
                )


def _stood_together(twins: list[int], fields: Fields, sides: SchemaSides) -> bool:
    """Say whether a side has them all under these names already."""
    return any(
        all(each in side and _folded(side[each]) == _folded(fields[each]) for each in twins)
        for side in (sides.our_fields, sides.their_fields)
    )


def _folded(field: Field) -> str:
    return str(field.members["name"]).casefold()


def _check_not_emptied(
    order: dict[int | None, list[int]], fields: Fields, sides: SchemaSides, findings: Findings
) -> None:
    """Refuse a struct or a table that lost some of its columns on each side, and so all."""
    structs = [None, *(field.id for field in fields.values() if field.type == "struct")]
    sizes = [children(each) for each in (sides.our_fields, sides.their_fields)]
    for parent in structs:
        if not order.get(parent) and all(size.get(parent) for size in sizes):
            where = "the table" if parent is None else f"column {sides.name(parent)}"
            findings.refuse(
                NO_COLUMNS_LEFT,
                f"Together the two sides dropped every column of {where}.",
            )


def _merged_identifiers(sides: SchemaSides, fields: Fields, findings: Findings) -> list[int]:
    lists = [schema.get(IDENTIFIERS) or [] for schema in (sides.base, sides.ours, sides.theirs)]
    chosen = choose(*(frozenset(each) for each in lists))
    if chosen is CLASH:
        ours, theirs = (_listed(lists[side], sides) for side in (1, 2))
        findings.refuse(
            IDENTIFIERS_CHANGED_TWICE,
            f"Both sides changed the identifier fields, the target to {ours} and the source to"
            f" {theirs}.",
        )
        return lists[1]
    for missing in sorted(chosen - fields.keys()):
        findings.refuse(
            COLUMN_USED_AND_DROPPED,
            f"Column {sides.name(missing)} was dropped on one side, and is an identifier field on"
            " the other.",
        )
    return next(each for each in lists[1:] if frozenset(each) == chosen)


def _listed(ids: Iterable[int], sides: SchemaSides) -> str:
    return ", ".join(sides.name(each) for each in sorted(ids)) or "none"


def _words(is_ours: bool) -> tuple[str, str]:
    return ("the target", "the source") if is_ours else ("the source", "the target")
