"""The plan of a merge's commit, and what the merge answers with."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import orjson

from catalog.operations.commit import Head, Plan
from catalog.operations.merging.files import MergeFiles
from catalog.operations.merging.outcomes import Decided, check_plan, plan_id
from catalog.operations.merging.resolutions import Options
from catalog.operations.merging.steps import Result
from catalog.versioning.diff import changed_keys, pair_renames
from catalog.versioning.ids import ObjectId
from catalog.versioning.object_store import Objects
from catalog.versioning.objects import Change

# A commit is read for ever, so of very many tables it tells less each.
_MAX_DETAILED = 500


@dataclass(frozen=True, slots=True)
class Merged:
    """Where the target stands after a merge, and what changed on it.

    `commit_id` is None in a dry run that would make a commit; it is `previous` where there was
    nothing to do. `base` and `source` are what was compared. `plan_id` is None where there was
    nothing to plan.
    """

    commit_id: ObjectId | None
    previous: ObjectId
    base: ObjectId | None
    source: ObjectId | None
    changes: tuple[Change, ...] = ()
    outcomes: tuple[Decided, ...] = ()
    plan_id: str | None = None

    @property
    def resolutions(self) -> tuple[Decided, ...]:
        """What both sides had changed, not alike."""
        return tuple(each for each in self.outcomes if each.both_changed)


@dataclass(frozen=True, slots=True)
class Compared:
    """What an operation compares, as its answer and its plan tell."""

    operation: str
    bases: Sequence[ObjectId]
    sources: Sequence[ObjectId]


@dataclass(frozen=True, slots=True)
class Told:
    """What a merge's commit tells of itself, and its parents beside the target's head."""

    message: str
    metadata: dict[str, str]
    parents: tuple[ObjectId, ...] = ()


def make_plan(
    objects: Objects,
    head: Head,
    result: Result,
    told: Told,
    compared: Compared,
    options: Options,
    files: MergeFiles,
) -> Plan | None:
    """Return the plan of a commit; None if there would be neither a change nor a second parent.

    Raises:
        StalePlan: if the options name another plan.
    """
    if result.tree == head.commit.tree and not told.parents:
        return None
    changed = list(changed_keys(objects, head.commit.tree, result.tree))
    identity = plan_id(
        compared.operation,
        target=head.commit_id,
        sources=compared.sources,
        bases=compared.bases,
        outcomes=result.outcomes,
    )
    check_plan(options.plan_id, identity)
    merged = Merged(
        None,
        head.commit_id,
        next(iter(compared.bases), None),
        next(reversed(compared.sources), None),
        tuple(replace(each, after=files.shown(each.after)) for each in pair_renames(changed)),
        result.outcomes,
        identity,
    )
    return Plan(
        {key: after for key, _, after in changed},
        told.message,
        told.metadata | _resolutions(merged.resolutions),
        extra_parents=told.parents,
        tree=result.tree,
        exact=True,
        merges_inside=any(each.merged_inside for each in result.outcomes),
        result=merged,
        returns=lambda done: replace(merged, commit_id=done.commit_id, previous=done.previous),
    )


def _resolutions(resolutions: Sequence[Decided]) -> dict[str, str]:
    """Return what a commit says of all that both sides had changed."""
    if not resolutions:
        return {}
    told = [_resolution(each) for each in resolutions]
    for each in told[_MAX_DETAILED:]:
        each.pop("inside", None)
    return {"mainstem.merge.resolutions": orjson.dumps(told).decode()}


def _resolution(outcome: Decided) -> dict[str, object]:
    told: dict[str, object] = {
        "key": outcome.key,
        "action": outcome.action,
        "rule": outcome.rule,
    }
    inside = outcome.inside
    if inside is not None:
        told["inside"] = {
            "isolation": inside.isolation,
            "parts": len(inside.parts),
            "snapshots": len(inside.snapshots),
            "left_out": len(inside.left_out),
            "totals": inside.totals(),
        }
    return told
