"""Merge, cherry-pick and revert: one three-way merge of trees, taken against three bases."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import orjson

from catalog.errors import MergeConflicts
from catalog.operations.ancestry import ReadAhead
from catalog.operations.callers import Caller
from catalog.operations.commit import Head, Plan, commit
from catalog.operations.contents import (
    Contents,
    Report,
    settle_by_history,
    unmerged,
    unreported,
)
from catalog.operations.heads import check_head
from catalog.operations.moves import MoveKind
from catalog.operations.outcomes import Decided, check_plan, decided, plan_id, shown_base
from catalog.operations.reads import moved_reads
from catalog.operations.resolutions import Options, Resolutions
from catalog.operations.resolve import head_of, resolve
from catalog.operations.warehouses import Warehouse
from catalog.versioning.bases import base_tree, parent_tree
from catalog.versioning.diff import changed_keys, pair_renames
from catalog.versioning.graph import merge_bases
from catalog.versioning.ids import ObjectId, to_hex
from catalog.versioning.merge import merge_trees
from catalog.versioning.object_store import Objects
from catalog.versioning.objects import Change, Commit
from catalog.versioning.outcomes import Conflict, TreeMerge
from catalog.versioning.tree import apply

__all__ = ["Merged", "Options", "cherry_pick", "merge", "revert"]


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
class _Step:
    """One three-way merge onto a tree: its base, its source, and the words for both.

    `contents` settles what collides; `moved` are conflicts that it has already.
    """

    base: ObjectId
    theirs: ObjectId
    described: str
    contents: Contents
    moved: tuple[Conflict, ...] = ()


@dataclass(frozen=True, slots=True)
class _Result:
    """The tree after one or more steps, and what became of all that they brought."""

    tree: ObjectId
    outcomes: tuple[Decided, ...]


@dataclass(frozen=True, slots=True)
class _Compared:
    """What an operation compares, as its answer and its plan tell."""

    operation: str
    bases: Sequence[ObjectId]
    sources: Sequence[ObjectId]


_Build = Callable[[Objects, Head], Plan | None]


def merge(
    warehouse: Warehouse,
    source: str,
    target: str,
    *,
    options: Options,
    squash: bool = False,
    caller: Caller,
    report: Report = unreported,
) -> Merged:
    """Bring what changed on a revision since the common base into a branch, or nothing of it.

    The result is a commit with two parents even where every difference was resolved for the
    target, so that the same differences do not come back; a squashed merge has one parent.

    Raises:
        MergeConflicts: with all conflicts; nothing is changed.
        NoSuchRevision: if the source or the target does not exist.
        ReadOnlyRevision: if the target is no branch.
        StaleHead: if the target is not at the expected head.
        StalePlan: if it would not do what the plan does that the options name.
        ProtectedBranch: if a protection refuses.
    """
    branch = resolve(warehouse, target).writable(target)
    source_id = resolve(warehouse, source).commit_id
    message = f"Merge {source} into {target}"
    contents = Contents(settle_by_history(warehouse), report)
    base_contents = Contents(settle_by_history(warehouse))

    def build(objects: Objects, head: Head) -> Plan | None:
        check_head(branch, head.commit_id, options.expected_head)
        commits = ReadAhead(warehouse, objects, [branch, source, warehouse.default_branch])
        bases = merge_bases(commits, head.commit_id, source_id)
        if bases == [source_id]:
            return None
        base = base_tree(objects, bases, collide=base_contents.collide)
        theirs = objects.commit(source_id).tree
        moved = moved_reads(objects, base, head.commit.tree, theirs, options.unchanged)
        step = _Step(base, theirs, f"{source!r} into {target!r}", contents, moved)
        result = _apply_steps(objects, head.commit.tree, [step], options)
        metadata = {
            "mainstem.merge.base": " ".join(to_hex(base) for base in bases),
            "mainstem.merge.source": to_hex(source_id),
            **({"mainstem.merge.squash": "true"} if squash else {}),
        }
        parents = () if squash else (source_id,)
        compared = _Compared("squash" if squash else "merge", bases, [source_id])
        return _plan(objects, head, result, message, metadata, parents, compared, options)

    return _carry_out(warehouse, branch, build, options, caller, "merge", MoveKind.MERGE, source_id)


def cherry_pick(
    warehouse: Warehouse,
    revisions: Sequence[str],
    target: str,
    *,
    options: Options,
    caller: Caller,
) -> Merged:
    """Apply what each commit changed against its first parent to a branch, as one commit.

    The author of the commits stays, if they have one and the caller names no other.

    Raises:
        MergeConflicts: with all conflicts of the first commit that has any; nothing is changed.
    """
    branch = resolve(warehouse, target).writable(target)
    ids = [resolve(warehouse, revision).commit_id for revision in revisions]
    commits = warehouse.objects().commits(ids)
    picked = [commits[commit_id] for commit_id in ids]
    authors = {each.author for each in picked}
    if caller.author is None and len(authors) == 1:
        caller = replace(caller, author=authors.pop())
    contents = Contents(unmerged)

    def build(objects: Objects, head: Head) -> Plan | None:
        check_head(branch, head.commit_id, options.expected_head)
        steps = [
            _Step(parent_tree(objects, each), each.tree, f"commit {to_hex(commit_id)}", contents)
            for commit_id, each in zip(ids, picked, strict=True)
        ]
        result = _apply_steps(objects, head.commit.tree, steps, options)
        metadata = {"mainstem.cherry-pick.commits": " ".join(to_hex(each) for each in ids)}
        compared = _Compared("cherry-pick", picked[0].parents[:1], ids)
        return _plan(objects, head, result, _pick_message(picked), metadata, (), compared, options)

    return _carry_out(warehouse, branch, build, options, caller, "cherry-pick")


def revert(
    warehouse: Warehouse, revision: str, target: str, *, options: Options, caller: Caller
) -> Merged:
    """Take back on a branch what a commit changed against its first parent, by a new commit.

    Raises:
        MergeConflicts: if what it changed was changed again since; nothing is changed.
    """
    branch = resolve(warehouse, target).writable(target)
    commit_id = resolve(warehouse, revision).commit_id
    reverted = warehouse.objects().commit(commit_id)
    subject = reverted.message.partition("\n")[0]
    message = f'Revert "{subject}"\n\nThis takes back commit {to_hex(commit_id)}.'

    def build(objects: Objects, head: Head) -> Plan | None:
        check_head(branch, head.commit_id, options.expected_head)
        before = parent_tree(objects, reverted)
        described = f"the opposite of {to_hex(commit_id)}"
        step = _Step(reverted.tree, before, described, Contents(unmerged))
        result = _apply_steps(objects, head.commit.tree, [step], options)
        metadata = {"mainstem.revert.commit": to_hex(commit_id)}
        compared = _Compared("revert", [commit_id], reverted.parents[:1])
        return _plan(objects, head, result, message, metadata, (), compared, options)

    return _carry_out(warehouse, branch, build, options, caller, "revert")


def _apply_steps(
    objects: Objects, tree: ObjectId, steps: Sequence[_Step], options: Options
) -> _Result:
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
        outcomes.extend(map(decided, merged.outcomes))
        if conflicts := _all_conflicts(merged, step):
            if step is steps[-1]:
                resolutions.check()
            raise _conflicts_error(conflicts, step, outcomes)
        tree = merged.tree or apply(objects, tree, merged.edits)
    resolutions.check()
    return _Result(tree, tuple(outcomes))


def _all_conflicts(merged: TreeMerge, step: _Step) -> list[Conflict]:
    """Return the conflicts of a step, one a key, by key."""
    found = {each.key: each for each in (*step.moved, *merged.conflicts)}
    return [replace(found[key], base=shown_base(found[key].base)) for key in sorted(found)]


def _conflicts_error(
    conflicts: list[Conflict], step: _Step, outcomes: list[Decided]
) -> MergeConflicts:
    count = len(conflicts)
    what = "1 conflict" if count == 1 else f"{count} conflicts"
    return MergeConflicts(
        f"Merging {step.described} meets {what}, and nothing was changed:"
        f" {conflicts[0].detail}{'' if count == 1 else '; …'}",
        conflicts=conflicts,
        outcomes=outcomes,
    )


def _plan(
    objects: Objects,
    head: Head,
    result: _Result,
    message: str,
    metadata: dict[str, str],
    parents: tuple[ObjectId, ...],
    compared: _Compared,
    options: Options,
) -> Plan | None:
    """Return the plan of a commit; None if there would be neither a change nor a second parent.

    Raises:
        StalePlan: if the options name another plan.
    """
    if result.tree == head.commit.tree and not parents:
        return None
    changed = list(changed_keys(objects, head.commit.tree, result.tree))
    edits = {key: after for key, _, after in changed}
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
        tuple(pair_renames(changed)),
        result.outcomes,
        identity,
    )
    if merged.resolutions:
        metadata = {**metadata, "mainstem.merge.resolutions": _encoded(merged.resolutions)}
    return Plan(
        edits,
        message,
        metadata,
        extra_parents=parents,
        tree=result.tree,
        exact=True,
        result=merged,
        returns=lambda done: replace(merged, commit_id=done.commit_id, previous=done.previous),
    )


def _encoded(resolutions: Sequence[Decided]) -> str:
    told = [{"key": each.key, "action": each.action, "rule": each.rule} for each in resolutions]
    return orjson.dumps(told).decode()


def _carry_out(
    warehouse: Warehouse,
    branch: str,
    build: _Build,
    options: Options,
    caller: Caller,
    operation: str,
    kind: MoveKind = MoveKind.COMMIT,
    source: ObjectId | None = None,
) -> Merged:
    """Commit the plan, or in a dry run make it and throw it away."""
    if options.dry_run:
        objects = warehouse.objects()
        previous = head_of(warehouse, branch)
        plan = build(objects, Head(previous, objects.commit(previous)))
        commit_id = None
    else:
        done = commit(
            warehouse,
            branch,
            build,
            caller=caller,
            operation=operation,
            kind=kind,
            source=source,
        )
        plan, previous, commit_id = done.plan, done.previous, done.commit_id
    if plan is None:
        check_plan(options.plan_id, None)
        return Merged(previous, previous, source, source)
    merged: Merged = plan.result
    return replace(merged, commit_id=commit_id, previous=previous)


def _pick_message(picked: Sequence[Commit]) -> str:
    if len(picked) == 1:
        return picked[0].message
    subjects = "\n".join(f"- {each.message.partition(chr(10))[0]}" for each in picked)
    return f"Cherry-pick {len(picked)} commits\n\n{subjects}"
