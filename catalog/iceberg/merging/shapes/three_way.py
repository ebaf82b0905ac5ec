"""Three-way choices between values, and between the members of objects."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from catalog.iceberg.metadata import Metadata


class Outcome(Enum):
    """What a choice may yield besides a value."""

    CLASH = "clash"
    ABSENT = "absent"


CLASH = Outcome.CLASH
ABSENT = Outcome.ABSENT


@dataclass(frozen=True, slots=True)
class Members:
    """The members of a merged object, and the names of those that both sides changed."""

    merged: Metadata
    clashing: tuple[str, ...]


def choose(base: Any, ours: Any, theirs: Any) -> Any:
    """Return the side that changed, what both made the same, or CLASH."""
    if theirs in (base, ours):
        return ours
    return theirs if ours == base else CLASH


def merged_members(
    base: Mapping[str, Any],
    ours: Mapping[str, Any],
    theirs: Mapping[str, Any],
    *,
    without: Collection[str] = (),
) -> Members:
    """Merge objects member by member, in the order of ours; a clashing member stays as ours.

    Members named in `without` are left as ours has them.
    """
    merged: Metadata = {}
    clashing = []
    for name in dict.fromkeys((*ours, *theirs, *base)):
        left = ours.get(name, ABSENT)
        chosen = left
        if name not in without:
            chosen = choose(base.get(name, ABSENT), left, theirs.get(name, ABSENT))
        if chosen is CLASH:
            clashing.append(name)
            chosen = left
        if chosen is not ABSENT:
            merged[name] = chosen
    return Members(merged, tuple(clashing))
