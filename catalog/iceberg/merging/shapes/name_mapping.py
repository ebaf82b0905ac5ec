"""Three-way merge of a name mapping: which names a field has in files without field ids."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import orjson

from catalog.iceberg.metadata import Metadata

_OWN = ("field-id", "names", "fields")


@dataclass(frozen=True, slots=True)
class _Entry:
    id: int
    parent: int | None
    names: list[str]
    more: Metadata


class _NotAMapping(Exception):
    """The text is no name mapping, or names fields without ids."""


def merged_mapping(
    base: str | None, ours: str, theirs: str, field_ids: Collection[int]
) -> str | None:
    """Merge the JSON of name mappings by field id; `field_ids` are those of the merged schema.

    None if one cannot be read, or if the sides gave one name to two fields.
    """
    try:
        before = _entries(base) if base is not None else {}
        left, right = _entries(ours), _entries(theirs)
    except _NotAMapping:
        return None
    merged: dict[int, _Entry] = {}
    for each in dict.fromkeys((*left, *right)):
        kept = (each in left and each in right) or each not in before or each in field_ids
        if kept:
            entry = left.get(each) or right[each]
            lists = [side[each].names if each in side else None for side in (before, left, right)]
            merged[each] = _Entry(each, entry.parent, _merged_names(*lists), entry.more)
    if merged == left:
        return ours
    if not _is_sound(merged):
        return None
    return orjson.dumps(_tree(merged, None)).decode()


def _entries(text: str) -> dict[int, _Entry]:
    try:
        found = {entry.id: entry for entry in _flat(orjson.loads(text), None)}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _NotAMapping from error
    return found


def _flat(mapping: Sequence[Metadata], parent: int | None) -> Iterator[_Entry]:
    for field in mapping:
        names = [str(name) for name in field["names"]]
        more = {name: value for name, value in field.items() if name not in _OWN}
        yield _Entry(int(field["field-id"]), parent, names, more)
        yield from _flat(field.get("fields") or (), field["field-id"])


def _merged_names(
    base: list[str] | None, ours: list[str] | None, theirs: list[str] | None
) -> list[str]:
    """Return the names that no side took away."""
    if ours is None or theirs is None:
        return ours or theirs or []
    before = base or []
    return [
        name
        for name in dict.fromkeys((*ours, *theirs))
        if name not in before or (name in ours and name in theirs)
    ]


def _is_sound(entries: dict[int, _Entry]) -> bool:
    named = [(entry.parent, name) for entry in entries.values() for name in entry.names]
    has_parents = all(entry.parent is None or entry.parent in entries for entry in entries.values())
    return has_parents and len(set(named)) == len(named)


def _tree(entries: dict[int, _Entry], parent: int | None) -> list[Metadata]:
    built = []
    for entry in entries.values():
        if entry.parent == parent:
            field = {"field-id": entry.id, "names": entry.names, **entry.more}
            below = _tree(entries, entry.id)
            built.append(field | {"fields": below} if below else field)
    return built
