"""From the text of a revision to a commit."""

import re
from dataclasses import dataclass
from typing import assert_never

from catalog.clock import format_time
from catalog.errors import NoSuchRevision, ReadOnlyRevision
from catalog.operations.warehouses import Warehouse
from catalog.store import commits, refs
from catalog.store.engine import read
from catalog.versioning.ids import ObjectId, to_hex
from catalog.versioning.object_store import Objects
from catalog.versioning.revisions import Ancestor, At, IdPrefix, Name, Parent, parse_revision

_SHORT_ID = re.compile(r"[0-9a-fA-F]{4,7}")


@dataclass(frozen=True, slots=True)
class Resolved:
    """A commit, and the branch that was named if the revision is a live, writable one."""

    commit_id: ObjectId
    branch: str | None = None

    def writable(self, text: str) -> str:
        """Return the branch to write to; the text, what the revision was called.

        Raises:
            ReadOnlyRevision: if the revision is a tag, a commit or a moment.
        """
        if self.branch is None:
            raise ReadOnlyRevision(
                f"Revision {text!r} is read-only: only a branch can be written to;"
                " create one from it, or name a branch",
                revision=text,
            )
        return self.branch


def resolve(warehouse: Warehouse, text: str | None = None) -> Resolved:
    """Resolve a revision; None stands for the warehouse's default branch.

    Raises:
        InvalidInput: if the text is no revision.
        NoSuchRevision: if nothing, or more than one commit, answers to it.
    """
    if text is None:
        text = warehouse.default_branch
    revision = parse_revision(text)
    branch = None
    match revision.base:
        case Name(name):
            ref = _find_ref(warehouse, name, text)
            commit_id = ref.commit_id
            if ref.kind is refs.RefKind.BRANCH and not revision.steps:
                branch = ref.name
        case IdPrefix(prefix):
            commit_id = _by_prefix(warehouse, prefix)
        case _:
            assert_never(revision.base)
    objects = warehouse.objects()
    for step in revision.steps:
        match step:
            case At(moment):
                if not isinstance(revision.base, Name):
                    raise NoSuchRevision(f"{text}: only a branch has a reflog", revision=text)
                if moment is not None:
                    commit_id = _head_at(warehouse, revision.base.name, step, text)
            case Ancestor(count):
                for _ in range(count):
                    commit_id = _parent(objects, commit_id, 1, text)
            case Parent(number):
                commit_id = _parent(objects, commit_id, number, text)
            case _:
                assert_never(step)
    return Resolved(commit_id, branch)


def head_of(warehouse: Warehouse, branch: str) -> ObjectId:
    """Return the head of a branch: the one read that is never cached.

    Raises:
        NoSuchRevision: if the warehouse has no such branch.
    """
    found = read(
        warehouse.catalog.engine,
        lambda connection: refs.find_commit_id(connection, warehouse.id, branch),
    )
    if found is None:
        raise _unknown(warehouse, branch)
    return found


def has_commit(warehouse: Warehouse, commit_id: ObjectId) -> bool:
    """Say whether the commit belongs to this warehouse."""
    return read(
        warehouse.catalog.engine,
        lambda connection: commits.contains(connection, warehouse.id, commit_id),
    )


def _unknown(warehouse: Warehouse, text: str) -> NoSuchRevision:
    reason = "no branch or tag is called so, and no commit id begins with it"
    if _SHORT_ID.fullmatch(text):
        reason = "no branch or tag is called so, and of a commit id at least 8 digits are needed"
    return NoSuchRevision(
        f"Revision {text!r} does not exist in warehouse {warehouse.name!r}: {reason}",
        revision=text,
    )


def _find_ref(warehouse: Warehouse, name: str, text: str) -> refs.Ref:
    ref = read(
        warehouse.catalog.engine, lambda connection: refs.find(connection, warehouse.id, name)
    )
    if ref is None:
        raise _unknown(warehouse, text)
    return ref


def _by_prefix(warehouse: Warehouse, prefix: str) -> ObjectId:
    found = read(
        warehouse.catalog.engine,
        lambda connection: commits.find_by_prefix(connection, warehouse.id, prefix),
    )
    if not found:
        raise _unknown(warehouse, prefix)
    if len(found) > 1:
        candidates = [to_hex(commit_id) for commit_id in found]
        raise NoSuchRevision(
            f"Commit id prefix {prefix!r} is ambiguous: {', '.join(candidates)}; give more digits",
            revision=prefix,
            candidates=candidates,
        )
    return found[0]


def _head_at(warehouse: Warehouse, name: str, step: At, text: str) -> ObjectId:
    moment = step.moment
    assert moment is not None
    found = read(
        warehouse.catalog.engine,
        lambda connection: refs.head_at(connection, warehouse.id, name, moment),
    )
    if found is None:
        begun = read(
            warehouse.catalog.engine,
            lambda connection: refs.begun_at(connection, warehouse.id, name),
        )
        since = "" if begun is None or begun < moment else f"; it begins at {format_time(begun)}"
        raise NoSuchRevision(
            f"{text}: by its reflog {name!r} did not exist at that moment{since}", revision=text
        )
    return found


def _parent(objects: Objects, commit_id: ObjectId, number: int, text: str) -> ObjectId:
    parents = objects.commit(commit_id).parents
    if number == 0:
        return commit_id
    if number > len(parents):
        found = {0: "no parent", 1: "one parent"}.get(len(parents), f"{len(parents)} parents")
        asked = "" if number == 1 else f", so there is no parent {number}"
        raise NoSuchRevision(
            f"{text}: commit {to_hex(commit_id)[:12]} has {found}{asked}", revision=text
        )
    return parents[number - 1]
