"""What differs between two states of a table, view, function or namespace, for people."""

from collections.abc import Callable, Mapping
from typing import Any

from catalog.iceberg.data_changes import data_change
from catalog.iceberg.metadata import Metadata
from catalog.iceberg.parts import (
    Part,
    Parts,
    by_name,
    function_parts,
    namespace_parts,
    table_parts,
    view_parts,
)

Detail = dict[str, Any]

# What of a column is compared, and what its change is called.
_ASPECTS = {"name": "renamed", "type": "type", "required": "required", "doc": "doc"}


def table_detail(before: Metadata | None, after: Metadata | None) -> Detail:
    """Return the changed parts of a table, and how much data changed; None is an absent side.

    A table that was dropped and made anew numbers its columns anew, so they are compared by name.
    """
    uuids = {each.get("table-uuid") for each in (before, after) if each is not None}
    read = table_parts if len(uuids) == 1 else _named_parts
    return {"parts": part_changes(*_both(read, before, after)), "data": data_change(before, after)}


def view_detail(before: Metadata | None, after: Metadata | None) -> Detail:
    """Return the changed parts of a view."""
    return {"parts": part_changes(*_both(view_parts, before, after)), "data": None}


def function_detail(before: Metadata | None, after: Metadata | None) -> Detail:
    """Return the changed parts of a function."""
    return {"parts": part_changes(*_both(function_parts, before, after)), "data": None}


def namespace_detail(before: Mapping[str, str] | None, after: Mapping[str, str] | None) -> Detail:
    """Return the changed properties of a namespace."""
    sides = (namespace_parts(before or {}), namespace_parts(after or {}))
    return {"parts": part_changes(*sides), "data": None}


def part_changes(before: Parts, after: Parts) -> list[Detail]:
    """Return what differs, in the order of the newer state, what is gone last."""
    changed = [_change(before.get(identity), part) for identity, part in after.items()]
    gone = [_change(part, None) for identity, part in before.items() if identity not in after]
    return [each for each in (*changed, *gone) if each is not None]


def _both(
    read: Callable[[Metadata], Parts], before: Metadata | None, after: Metadata | None
) -> tuple[Parts, Parts]:
    old, new = ({} if side is None else read(side) for side in (before, after))
    return old, new


def _named_parts(metadata: Metadata) -> Parts:
    return by_name(table_parts(metadata))


def _change(before: Part | None, after: Part | None) -> Detail | None:
    present = after or before
    assert present is not None
    if before is not None and after is not None and before.same == after.same:
        return None
    kind = "added" if before is None else "removed" if after is None else "modified"
    change: Detail = {"part": present.kind, "name": present.name, "change": kind}
    if present.field_id is not None:
        change["field_id"] = present.field_id
    if before is not None:
        change["from"] = before.value
    if after is not None:
        change["to"] = after.value
    if before is not None and after is not None and present.kind == "column":
        change["aspects"] = _aspects(before.value, after.value)
    return change


def _aspects(before: Detail, after: Detail) -> list[str]:
    found = [said for name, said in _ASPECTS.items() if before.get(name) != after.get(name)]
    rest = {name for name in before | after if name not in _ASPECTS}
    default = any(before.get(name) != after.get(name) for name in rest)
    return [*found, "default"] if default else found
