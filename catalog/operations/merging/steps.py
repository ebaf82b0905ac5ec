"""The three-way merges that one operation is made of, each onto the tree of the one before."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from catalog.errors import MergeConflicts
from catalog.operations.merging.contents import Contents
from catalog.operations.merging.files import MergeFiles
from catalog.operations.merging.outcomes import Decided, decided
from catalog.operations.merging.resolutions import Options, Resolutions
from catalog.versioning.ids import ObjectId
from catalog.versioning.merge import merge_trees
from catalog.versioning.object_store import Objects
from catalog.versioning.outcomes import Conflict, TreeMerge
from catalog.versioning.tree import apply


@dataclass(frozen=True, slots=True)
class Step:
    """One three-way merge onto a tree: its base, its source, and the words for both.

    `contents` settles what collides; `moved` are conflicts that it has already.
    """

    base: ObjectId
    theirs: ObjectId
    described: str
    contents: Contents
    moved: tuple[Conflict, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """The tree after one or more steps, and what became of all that they brought."""

    tree: ObjectId
    outcomes: tuple[Decided, ...]


def apply_steps(
    objects: Objects, tree: ObjectId, steps: Sequence[Step], options: Options, files: MergeFiles
) -> Result:
    """Merge each step onto the tree of the one before.

    Raises:
        MergeConflicts: with all conflicts of the first step that has any.
        InvalidInput: if a resolution names what no step knows.
    """
    resolutions = Resolutions(options)
    outcomes: list[Decided] = []
    for step in steps:
        resolutions.consider(objects, step.base, tree, step.theirs)
        merged = merge_trees(
            objects,
            step.base,
            tree,
            step.theirs,
            collide=step.contents.collide,
            resolve=resolutions.resolve,
        )
        outcomes.extend(
            _told(decided(each, step.contents.of(each)), files) for each in merged.outcomes
        )
        if conflicts := _all_conflicts(merged, step, files):
            if step is steps[-1]:
                resolutions.check()
            told = [replace(each, ours=files.shown(each.ours)) for each in conflicts]
            raise _conflicts_error(told, step, outcomes)
        tree = merged.tree or apply(objects, tree, merged.edits)
    resolutions.check()
    return Result(tree, tuple(outcomes))


def _told(outcome: Decided, files: MergeFiles) -> Decided:
    return replace(
        outcome,
        base=files.shown_base(outcome.base),
        ours=files.shown(outcome.ours),
        result=files.shown(outcome.result),
    )


def _all_conflicts(merged: TreeMerge, step: Step, files: MergeFiles) -> list[Conflict]:
    """Return the conflicts of a step, one a key, by key."""
    found = {each.key: each for each in (*step.moved, *merged.conflicts)}
    return [replace(found[key], base=files.shown_base(found[key].base)) for key in sorted(found)]


def _conflicts_error(
    conflicts: list[Conflict], step: Step, outcomes: list[Decided]
) -> MergeConflicts:
    count = len(conflicts)
    what = "1 conflict" if count == 1 else f"{count} conflicts"
    return MergeConflicts(
        f"Merging {step.described} meets {what}, and nothing was changed:"
        f" {conflicts[0].detail}{'' if count == 1 else '; …'}",
        conflicts=conflicts,
        outcomes=outcomes,
    )
