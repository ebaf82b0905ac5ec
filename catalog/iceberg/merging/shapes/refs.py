"""Three-way merge of table refs: the branches and tags inside a table, by name."""

from collections.abc import Collection
from dataclasses import dataclass

from catalog.iceberg.merging.problems import Problem
from catalog.iceberg.merging.shapes.three_way import ABSENT, CLASH, choose
from catalog.iceberg.metadata import MAIN, Metadata

REF_CHANGED_TWICE = "ref-changed-twice"
REF_CANNOT_MOVE = "ref-cannot-move"


@dataclass(frozen=True, slots=True)
class MergedRefs:
    """The table refs of the result but `main`, with what speaks against it and what to tell."""

    refs: Metadata
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]


def merge_refs(
    base: Metadata, ours: Metadata, theirs: Metadata, *, known: Collection[int]
) -> MergedRefs:
    """Merge the table refs of completed metadata; `known` are the snapshots of the result.

    A ref that theirs moved must point to one of these: of a snapshot that is replayed, the exact
    state does not exist in the result.
    """
    sides = [_refs(metadata) for metadata in (base, ours, theirs)]
    refs: Metadata = {}
    problems = []
    for name in dict.fromkeys((*sides[1], *sides[2], *sides[0])):
        before, left, right = (side.get(name, ABSENT) for side in sides)
        chosen = choose(before, left, right)
        if chosen is CLASH:
            problems.append(Problem(REF_CHANGED_TWICE, _clash(name, left, right)))
        elif chosen is ABSENT:
            continue
        elif chosen is not left and chosen["snapshot-id"] not in known:
            problems.append(Problem(REF_CANNOT_MOVE, _cannot_move(name, chosen)))
        else:
            refs[name] = chosen
    return MergedRefs(refs, tuple(problems), _notes(base, ours, theirs))


def _refs(metadata: Metadata) -> Metadata:
    return {name: ref for name, ref in metadata["refs"].items() if name != MAIN}


def _clash(name: str, ours: object, theirs: object) -> str:
    if ABSENT in (ours, theirs):
        remover, keeper = ("target", "source") if ours is ABSENT else ("source", "target")
        return f"The table ref {name} was removed on the {remover} and changed on the {keeper}."
    return f"Both sides changed the table ref {name}, differently."


def _cannot_move(name: str, ref: Metadata) -> str:
    return (
        f"The table {ref['type']} {name} of the source points to the snapshot"
        f" {ref['snapshot-id']}, which the target does not have; its changes get a new snapshot"
        " there. Remove the ref on the source, and create it again after the merge."
    )


def _notes(base: Metadata, ours: Metadata, theirs: Metadata) -> tuple[str, ...]:
    before, left, right = (_retention(metadata) for metadata in (base, ours, theirs))
    if right in (before, left):
        return ()
    return ("The retention of the table's main branch was not taken: it is the target's own.",)


def _retention(metadata: Metadata) -> Metadata:
    main = metadata["refs"].get(MAIN) or {}
    return {name: value for name, value in main.items() if name != "snapshot-id"}
