"""What a merge does with each table and why, and the id of all of it: the merge's plan."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import orjson

from catalog.errors import StalePlan
from catalog.iceberg.details import Detail
from catalog.versioning.ids import ObjectId, to_hex
from catalog.versioning.keys import Key
from catalog.versioning.objects import Entry, EntryKind
from catalog.versioning.outcomes import Action, Outcome


class Rule(StrEnum):
    """Why something became what it did. The values are stable: clients rely on them."""

    CHANGED_ON_SOURCE = "changed-on-source"
    SAME_ON_BOTH = "same-on-both"
    RENAME_AND_CHANGE = "rename-and-change"
    PROPERTIES = "properties"
    SUCCESSOR = "successor"
    INSIDE_TABLE = "inside-table"
    INSIDE_VIEW = "inside-view"
    INSIDE_FUNCTION = "inside-function"
    STRATEGY = "strategy"


@dataclass(frozen=True, slots=True)
class SnapshotTaken:
    """A snapshot of the source that a table has now, on top of the target's.

    `origin` is its id where it was made first. `snapshot_id` is the one that it has here, the same
    only if the target had no snapshots of its own; None in a dry run, which makes none. `changes`
    are what its summary counts.
    """

    origin: int
    snapshot_id: int | None
    operation: str
    changes: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Inside:
    """What merging inside one table, view or function did.

    `parts` are those of the target's metadata, snapshots aside, that are not as they were, as a
    diff tells them. `left_out` are snapshots of the source that change no row and do not fit.
    `notes` are sentences that people should read. Only a table has an isolation.
    """

    parts: tuple[Detail, ...] = ()
    snapshots: tuple[SnapshotTaken, ...] = ()
    left_out: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()
    isolation: str | None = None

    def totals(self) -> dict[str, int]:
        """Return what all its snapshots change together."""
        sums: Counter[str] = Counter()
        for taken in self.snapshots:
            sums.update(taken.changes)
        return dict(sums)


@dataclass(frozen=True, slots=True)
class Content:
    """What two contents that collided became, and by which rule."""

    entry: Entry
    rule: Rule
    inside: Inside | None = None


@dataclass(frozen=True, slots=True)
class Decided:
    """What became of one thing; an entry is None where it is absent.

    `key` is its new name if a side renamed it. `inside` is what merging inside did.
    """

    key: Key
    kind: EntryKind
    action: Action
    rule: Rule
    base: Entry | None
    ours: Entry | None
    theirs: Entry | None
    result: Entry | None
    inside: Inside | None = None

    @property
    def both_changed(self) -> bool:
        """Whether both sides had changed it, not alike."""
        return self.rule is Rule.STRATEGY or self.action is Action.MERGED

    @property
    def merged_inside(self) -> bool:
        """Whether merging inside made it something that neither side was."""
        return self.inside is not None and self.result != self.ours


def decided(outcome: Outcome, content: Content | None) -> Decided:
    """Return the outcome with the rule that decided it, and what came of contents that collided."""
    sides = outcome.base, outcome.ours, outcome.theirs, outcome.result
    kind = next(entry.kind for entry in sides if entry is not None)
    if outcome.action is Action.MERGED and content is not None:
        return Decided(
            outcome.key, kind, outcome.action, content.rule, *sides, inside=content.inside
        )
    return Decided(outcome.key, kind, outcome.action, _rule(outcome), *sides)


def _rule(outcome: Outcome) -> Rule:
    if outcome.resolved:
        return Rule.STRATEGY
    if outcome.action is not Action.MERGED:
        same = outcome.action is Action.BOTH
        return Rule.SAME_ON_BOTH if same else Rule.CHANGED_ON_SOURCE
    if outcome.base in (outcome.ours, outcome.theirs) or outcome.ours == outcome.theirs:
        return Rule.RENAME_AND_CHANGE
    return Rule.PROPERTIES


def plan_id(
    operation: str,
    *,
    target: ObjectId,
    sources: Sequence[ObjectId],
    bases: Sequence[ObjectId],
    outcomes: Iterable[Decided],
) -> str:
    """Return what identifies a plan: what is compared, and what becomes of each table.

    No entry is named: those that are compared follow from the commits, and a table that is merged
    inside gets a new metadata file and new snapshots each time it is planned.
    """
    plan = {
        "operation": operation,
        "target": to_hex(target),
        "sources": [to_hex(each) for each in sources],
        "bases": [to_hex(each) for each in bases],
        "outcomes": [[each.key, each.action, each.rule, *_planned(each)] for each in outcomes],
    }
    return hashlib.sha256(orjson.dumps(plan, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _planned(outcome: Decided) -> list[object]:
    """Return what a plan says of a merge inside a table, if it is one."""
    inside = outcome.inside
    if inside is None:
        return []
    snapshots = [[taken.origin, taken.operation, taken.changes] for taken in inside.snapshots]
    return [inside.parts, snapshots, inside.left_out]


def check_plan(wanted: str | None, found: str | None) -> None:
    """Check that a merge would do what the plan does that the caller saw.

    Nothing is checked where the caller wants None; found is None where there is nothing to do.

    Raises:
        StalePlan: if it would do anything else.
    """
    if wanted is not None and wanted != found:
        raise StalePlan(
            f"This would not do what plan {wanted} does: the source, the target or what is asked"
            " for is not what it was; look at a dry run and decide again",
            plan_id=found,
            expected=wanted,
        )
