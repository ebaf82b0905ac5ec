"""Table refs: the branches and tags inside a table."""

import pytest

from catalog.iceberg.merging.shapes.refs import merge_refs
from tests.iceberg.merging.tables import apply, commit, set_ref, snapshot, table


def ref(name, number, kind="tag", **members):
    return commit(set_ref(name, number, kind, **members))


def gone(name):
    return commit({"action": "remove-snapshot-ref", "ref-name": name})


BASE = apply(table(), snapshot(1), snapshot(2), ref("rel", 1), ref("dev", 1, "branch"))


def merge(ours, theirs, known=(1, 2)):
    found = merge_refs(BASE, apply(BASE, *ours), apply(BASE, *theirs), known=set(known))
    return {name: each["snapshot-id"] for name, each in found.refs.items()}, found


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        ([ref("a", 1)], [ref("b", 2)], {"rel": 1, "dev": 1, "a": 1, "b": 2}),
        ([gone("rel")], [gone("dev")], {}),
        ([ref("dev", 2, "branch")], [ref("dev", 2, "branch")], {"rel": 1, "dev": 2}),
        ([gone("rel")], [gone("rel")], {"dev": 1}),
        ([], [ref("dev", 2, "branch")], {"rel": 1, "dev": 2}),
    ],
)
def test_refs_go_each_its_way(ours, theirs, expected):
    refs, found = merge(ours, theirs)
    assert refs == expected
    assert found.problems == ()


@pytest.mark.parametrize(
    ("ours", "theirs", "code", "words"),
    [
        ([ref("dev", 2, "branch")], [gone("dev")], "ref-changed-twice", "removed on the source"),
        ([gone("dev")], [ref("dev", 2, "branch")], "ref-changed-twice", "removed on the target"),
        ([ref("a", 1)], [ref("a", 2)], "ref-changed-twice", "Both sides changed the table ref a"),
        ([ref("a", 1)], [ref("a", 1, "branch")], "ref-changed-twice", "differently"),
        ([], [snapshot(3), ref("a", 3)], "ref-cannot-move", "snapshot 3, which the target does"),
        ([], [snapshot(3), ref("dev", 3, "branch")], "ref-cannot-move", "table branch dev"),
    ],
)
def test_refs_that_do_not_go_together(ours, theirs, code, words):
    _, found = merge(ours, theirs)
    assert [each.code for each in found.problems] == [code]
    assert words in found.problems[0].detail


def test_a_ref_may_move_to_a_snapshot_that_is_adopted():
    refs, _ = merge([], [snapshot(3), ref("a", 3)], known=(1, 2, 3))
    assert refs["a"] == 3


def test_retention_of_main_is_the_targets_own():
    theirs = commit(set_ref("main", 2, min_snapshots_to_keep=3))
    refs, found = merge([], [theirs])
    assert "main" not in refs
    assert found.notes == (
        "The retention of the table's main branch was not taken: it is the target's own.",
    )
