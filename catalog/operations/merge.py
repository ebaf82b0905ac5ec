"""Merge, cherry-pick and revert: one three-way merge of trees, taken against three bases."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from catalog.iceberg.merging.lineage import Purpose
from catalog.operations.ancestry import ReadAhead
from catalog.operations.callers import Caller
from catalog.operations.commit import Head, Plan, commit
from catalog.operations.heads import check_head
from catalog.operations.merging.contents import (
    Contents,
    Report,
    unmerged,
    unreported,
)
from catalog.operations.merging.files import MergeFiles
from catalog.operations.merging.inside import Terms, settle_inside
from catalog.operations.merging.outcomes import check_plan
from catalog.operations.merging.plans import Compared, Merged, Told, make_plan
from catalog.operations.merging.reads import moved_reads
from catalog.operations.merging.resolutions import Options
from catalog.operations.merging.steps import Step, apply_steps
from catalog.operations.moves import MoveKind
from catalog.operations.protections import find_inside_refusal
from catalog.operations.resolve import head_of, resolve
from catalog.operations.warehouses import Warehouse
from catalog.versioning.bases import base_tree, parent_tree
from catalog.versioning.graph import merge_bases
from catalog.versioning.ids import ObjectId, to_hex
from catalog.versioning.object_store import Objects
from catalog.versioning.objects import Commit

__all__ = ["Merged", "Options", "cherry_pick", "merge", "revert"]


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
    aside = MergeFiles(warehouse, dry_run=True, keeps=True)
    files = MergeFiles(warehouse, dry_run=options.dry_run, keeps=False, aside=aside)
    forbidden = find_inside_refusal(warehouse, branch)
    terms = Terms(source_id, Purpose.MERGE, options.isolation, forbidden)
    contents = Contents(settle_inside(files, terms), report)
    # A protection is about what the merge makes, which is not what it is compared with.
    of_bases = Contents(settle_inside(aside, replace(terms, forbidden=None)))

    def build(objects: Objects, head: Head) -> Plan | None:
        check_head(branch, head.commit_id, options.expected_head)
        commits = ReadAhead(warehouse, objects, [branch, source, warehouse.default_branch])
        bases = merge_bases(commits, head.commit_id, source_id)
        if bases == [source_id]:
            return None
        base = base_tree(objects, bases, collide=of_bases.collide)
        theirs = objects.commit(source_id).tree
        moved = moved_reads(objects, base, head.commit.tree, theirs, options.unchanged)
        step = Step(base, theirs, f"{source!r} into {target!r}", contents, moved)
        result = apply_steps(objects, head.commit.tree, [step], options, files)
        metadata = {
            "mainstem.merge.base": " ".join(to_hex(base) for base in bases),
            "mainstem.merge.source": to_hex(source_id),
            **({"mainstem.merge.squash": "true"} if squash else {}),
        }
        told = Told(message, metadata, () if squash else (source_id,))
        compared = Compared("squash" if squash else "merge", bases, [source_id])
        return make_plan(objects, head, result, told, compared, options, files)

    return _carry_out(warehouse, branch, build, options, caller, "merge", MoveKind.MERGE, source_id)


def cherry_pick(
    warehouse: Warehouse,
    revisions: Sequence[str],
    target: str,
    *,
    options: Options,
    caller: Caller,
    report: Report = unreported,
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
    files = MergeFiles(warehouse, dry_run=options.dry_run, keeps=len(ids) > 1)
    forbidden = find_inside_refusal(warehouse, branch)
    terms = [Terms(each, Purpose.PICK, options.isolation, forbidden) for each in ids]
    contents = [Contents(settle_inside(files, each), report) for each in terms]

    def build(objects: Objects, head: Head) -> Plan | None:
        check_head(branch, head.commit_id, options.expected_head)
        steps = [
            Step(parent_tree(objects, each), each.tree, f"commit {to_hex(commit_id)}", settled)
            for commit_id, each, settled in zip(ids, picked, contents, strict=True)
        ]
        result = apply_steps(objects, head.commit.tree, steps, options, files)
        metadata = {"mainstem.cherry-pick.commits": " ".join(to_hex(each) for each in ids)}
        told = Told(_pick_message(picked), metadata)
        compared = Compared("cherry-pick", picked[0].parents[:1], ids)
        return make_plan(objects, head, result, told, compared, options, files)

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
    files = MergeFiles(warehouse, dry_run=options.dry_run, keeps=False)
    message = f'Revert "{subject}"\n\nThis takes back commit {to_hex(commit_id)}.'

    def build(objects: Objects, head: Head) -> Plan | None:
        check_head(branch, head.commit_id, options.expected_head)
        before = parent_tree(objects, reverted)
        described = f"the opposite of {to_hex(commit_id)}"
        step = Step(reverted.tree, before, described, Contents(unmerged))
        result = apply_steps(objects, head.commit.tree, [step], options, files)
        told = Told(message, {"mainstem.revert.commit": to_hex(commit_id)})
        compared = Compared("revert", [commit_id], reverted.parents[:1])
        return make_plan(objects, head, result, told, compared, options, files)

    return _carry_out(warehouse, branch, build, options, caller, "revert")


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
