"""Branches, tags and the reflog, on every database."""

from datetime import timedelta

import pytest

from catalog.errors import AlreadyExists
from catalog.store import refs
from catalog.store.refs import Ref, RefKind
from tests.store.conftest import NOW, add_ref, add_warehouse, identifier

FIRST, SECOND, THIRD = identifier("first"), identifier("second"), identifier("third")


def test_what_was_stored_is_found(connection, warehouse) -> None:
    stored = refs.insert(
        connection,
        warehouse,
        name="release/ä 🚀",
        kind=RefKind.TAG,
        commit_id=SECOND,
        created_at=NOW,
        created_by="Zoë",
        message="first\nsecond",
        metadata={"ticket": "Ü-1"},
    )
    assert refs.find(connection, warehouse, "release/ä 🚀") == stored
    assert stored == Ref(
        "release/ä 🚀", RefKind.TAG, SECOND, NOW, "Zoë", "first\nsecond", {"ticket": "Ü-1"}
    )


def test_what_is_not_there_is_none(connection, warehouse) -> None:
    assert refs.find(connection, warehouse, "work") is None
    assert refs.find(connection, warehouse + 1, "main") is None
    assert refs.find_commit_id(connection, warehouse, "MAIN") is None


@pytest.mark.parametrize("kind", RefKind)
def test_a_branch_and_a_tag_cannot_share_a_name(connection, warehouse, kind) -> None:
    with pytest.raises(AlreadyExists, match="Branch already exists: main"):
        add_ref(connection, warehouse, "main", "second", kind)
    assert refs.find_commit_id(connection, warehouse, "main") == FIRST


def test_the_same_name_in_another_warehouse_is_another_ref(connection, warehouse) -> None:
    other = add_warehouse(connection, "other")
    refs.compare_and_swap(connection, other, "main", expected=FIRST, commit_id=SECOND)
    assert refs.find_commit_id(connection, warehouse, "main") == FIRST


def test_a_branch_moves_only_from_where_it_is(connection, warehouse) -> None:
    def move(expected, to) -> bool:
        return refs.compare_and_swap(connection, warehouse, "main", expected=expected, commit_id=to)

    assert not move(SECOND, THIRD)
    assert refs.find_commit_id(connection, warehouse, "main") == FIRST
    assert move(FIRST, SECOND)
    assert not move(FIRST, THIRD)
    assert refs.find_commit_id(connection, warehouse, "main") == SECOND


def test_a_tag_never_moves(connection, warehouse) -> None:
    add_ref(connection, warehouse, "v1", "first", RefKind.TAG)
    moved = refs.compare_and_swap(connection, warehouse, "v1", expected=FIRST, commit_id=SECOND)
    assert not moved
    assert refs.find_commit_id(connection, warehouse, "v1") is None
    found = refs.find(connection, warehouse, "v1")
    assert found is not None
    assert found.commit_id == FIRST


def test_a_ref_is_deleted_only_from_where_it_is(connection, warehouse) -> None:
    add_ref(connection, warehouse, "work", "second")
    assert not refs.delete(connection, warehouse, "work", expected=FIRST)
    assert refs.delete(connection, warehouse, "work", expected=SECOND)
    assert not refs.delete(connection, warehouse, "work", expected=SECOND)
    assert refs.find(connection, warehouse, "work") is None


def listed(connection, warehouse, kind=RefKind.BRANCH, **page) -> list[str]:
    return [ref.name for ref in refs.list_(connection, warehouse, kind, **page)]


def test_refs_are_listed_by_their_bytes_whatever_the_language(connection, warehouse) -> None:
    for name in ("b", "B", "a/z", "a-z", "ä", "Z", "a"):
        add_ref(connection, warehouse, name, "first")
    add_ref(connection, warehouse, "tag", "first", RefKind.TAG)
    assert listed(connection, warehouse) == ["B", "Z", "a", "a-z", "a/z", "b", "main", "ä"]
    assert listed(connection, warehouse, RefKind.TAG) == ["tag"]


def test_pages_go_on_behind_the_last_name(connection, warehouse) -> None:
    for name in ("a", "b", "c"):
        add_ref(connection, warehouse, name, "first")
    assert listed(connection, warehouse, limit=2) == ["a", "b"]
    assert listed(connection, warehouse, after="b", limit=2) == ["c", "main"]
    assert listed(connection, warehouse, after="main", limit=2) == []


@pytest.mark.parametrize("prefix", ["in", "in/", "In", "%", "in_", "in\U0010ffff", "\ud7ff"])
def test_a_prefix_is_taken_to_the_letter(connection, warehouse, prefix) -> None:
    names = ["in", "in/a", "inx", "In/b", "io", "%", "in\U0010ffff1", "\ud7ffx", "\ue000"]
    for name in names:
        add_ref(connection, warehouse, name, "first")
    expected = sorted(name for name in names if name.startswith(prefix))
    assert listed(connection, warehouse, prefix=prefix) == expected


def log(connection, warehouse, branch, commit, minutes) -> None:
    refs.append_reflog(
        connection,
        warehouse,
        branch=branch,
        commit_id=commit,
        previous_commit_id=None,
        at=NOW + timedelta(minutes=minutes),
        by="Ada",
        operation="commit",
    )


def test_the_reflog_is_read_newest_first_and_by_branch(connection, warehouse) -> None:
    log(connection, warehouse, "main", SECOND, 1)
    log(connection, warehouse, "work", THIRD, 2)
    log(connection, warehouse, "work", None, 3)
    entries = refs.list_reflog(connection, warehouse)
    assert [(each.branch, each.commit_id) for each in entries] == [
        ("work", None),
        ("work", THIRD),
        ("main", SECOND),
    ]
    assert entries[-1].at == NOW + timedelta(minutes=1)
    older = refs.list_reflog(connection, warehouse, branch="work", before=entries[0].id)
    assert older == [entries[1]]
    assert refs.list_reflog(connection, warehouse, limit=1) == entries[:1]


def test_where_a_branch_was_at_a_moment(connection, warehouse) -> None:
    log(connection, warehouse, "main", FIRST, 0)
    log(connection, warehouse, "main", SECOND, 1)
    log(connection, warehouse, "main", THIRD, 1)
    log(connection, warehouse, "main", None, 2)

    def at(minutes: float):
        return refs.head_at(connection, warehouse, "main", NOW + timedelta(minutes=minutes))

    assert [at(-1), at(0), at(0.5), at(1), at(2)] == [None, FIRST, FIRST, THIRD, None]


def test_whether_a_branch_was_ever_at_a_commit(connection, warehouse) -> None:
    log(connection, warehouse, "main", SECOND, 0)
    assert refs.reflog_has(connection, warehouse, "main", SECOND)
    assert not refs.reflog_has(connection, warehouse, "main", THIRD)
    assert not refs.reflog_has(connection, warehouse, "work", SECOND)
