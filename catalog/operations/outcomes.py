"""What a merge does with each table and why, and the id of all of it: the merge's plan."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import orjson

from catalog.errors import StalePlan
from catalog.versioning.bases import is_undecided
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
    STRATEGY = "strategy"


@dataclass(frozen=True, slots=True)
class Decided:
    """What became of one thing; an entry is None where it is absent.

    `key` is its new name if a side renamed it.
    """

    key: Key
    kind: EntryKind
    action: Action
    rule: Rule
    base: Entry | None
    ours: Entry | None
    theirs: Entry | None
    result: Entry | None

    @property
    def both_changed(self) -> bool:
        """Whether both sides had changed it, not alike."""
        return self.rule is Rule.STRATEGY or self.action is Action.MERGED


def decided(outcome: Outcome) -> Decided:
    """Return the outcome with the rule that decided it."""
    sides = shown_base(outcome.base), outcome.ours, outcome.theirs, outcome.result
    kind = next(entry.kind for entry in sides if entry is not None)
    return Decided(outcome.key, kind, outcome.action, _rule(outcome, kind), *sides)


def shown_base(base: Entry | None) -> Entry | None:
    """Return the entry on the base as people are told it: there is none where it is undecided."""
    return None if base is None or is_undecided(base) else base


def _rule(outcome: Outcome, kind: EntryKind) -> Rule:
    if outcome.resolved:
        return Rule.STRATEGY
    if outcome.action is not Action.MERGED:
        same = outcome.action is Action.BOTH
        return Rule.SAME_ON_BOTH if same else Rule.CHANGED_ON_SOURCE
    if outcome.base in (outcome.ours, outcome.theirs) or outcome.ours == outcome.theirs:
        return Rule.RENAME_AND_CHANGE
    if kind is EntryKind.NAMESPACE:
        return Rule.PROPERTIES
    return Rule.SUCCESSOR


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
    inside gets a new metadata file each time it is planned.
    """
    plan = {
        "operation": operation,
        "target": to_hex(target),
        "sources": [to_hex(each) for each in sources],
        "bases": [to_hex(each) for each in bases],
        "outcomes": [[each.key, each.action, each.rule] for each in outcomes],
    }
    return hashlib.sha256(orjson.dumps(plan, option=orjson.OPT_SORT_KEYS)).hexdigest()


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
