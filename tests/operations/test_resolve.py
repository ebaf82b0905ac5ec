"""From the text of a revision to a commit, on a small history with known times."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from catalog.errors import InvalidInput, NoSuchRevision, ReadOnlyRevision
from catalog.operations.callers import Caller
from catalog.operations.commit import Plan, commit
from catalog.operations.merge import Options, merge
from catalog.operations.refs import create_branch, create_tag, delete_branch, reset_branch
from catalog.operations.resolve import resolve
from catalog.operations.warehouses import Warehouse
from catalog.store import commits
from catalog.store.engine import Connection, transact
from catalog.versioning.ids import ObjectId, to_hex
from catalog.versioning.objects import Entry, EntryKind

CALLER = Caller("test")
START = datetime(2030, 1, 1, tzinfo=UTC)


def put(warehouse: Warehouse, name: str, branch: str) -> ObjectId:
    plan = Plan({(name,): Entry(EntryKind.TABLE, name, f"file:///{name}")}, f"Write {name}")
    done = commit(warehouse, branch, lambda objects, head: plan, caller=CALLER, operation="edit")
    return done.commit_id


def found(warehouse: Warehouse, text: str) -> ObjectId:
    return resolve(warehouse, text).commit_id


def at(warehouse: Warehouse, hour: int) -> Warehouse:
    """Return the warehouse at some hour of the first day of 2030."""
    moment = START + timedelta(hours=hour)
    return replace(warehouse, catalog=replace(warehouse.catalog, clock=lambda: moment))


def test_parents_and_ancestors_are_counted_as_in_git(warehouse: Warehouse):
    #   main  root -- a -- m -- c      m is a merge of b.
    #            \       /
    #   day       ---- b
    root = found(warehouse, "main")
    create_branch(warehouse, "day", "main", caller=CALLER)
    a = put(warehouse, "a", "main")
    b = put(warehouse, "b", "day")
    m = merge(warehouse, "day", "main", options=Options(), caller=CALLER).commit_id
    c = put(warehouse, "c", "main")
    for text, expected in {
        "main": c,
        "main~0": c,
        "main^0": c,
        "main~": m,
        "main^": m,
        "main~1": m,
        "main~2": a,
        "main~1^1": a,
        "main~1^2": b,
        "main~^2~1": root,
        "main~3": root,
        "main~2^": root,
        to_hex(c)[:12] + "~1": m,
        to_hex(c).upper(): c,
    }.items():
        assert found(warehouse, text) == expected, text
    for text, words in {
        "main~4": "has no parent$",
        "main^2": "has one parent, so there is no parent 2",
        "main~1^3": "has 2 parents",
        "nowhere": "no branch or tag is called so",
        "0" * 10: "no commit id begins with it",
        to_hex(c)[:7]: "of a commit id at least 8 digits are needed",
    }.items():
        with pytest.raises(NoSuchRevision, match=words):
            resolve(warehouse, text)


def test_an_ambiguous_prefix_is_refused_by_name_with_the_candidates(warehouse: Warehouse):
    twins = [ObjectId(bytes.fromhex("abcdef0123") + bytes([each]) * 27) for each in (1, 2)]

    def insert(connection: Connection) -> None:
        commits.insert(connection, warehouse.id, twins)

    transact(warehouse.catalog.engine, insert)
    with pytest.raises(NoSuchRevision, match="'abcdef01' is ambiguous") as refused:
        resolve(warehouse, "ABCDEF01~1")
    assert refused.value.facts["candidates"] == [to_hex(twin) for twin in twins]
    with pytest.raises(NoSuchRevision, match="ambiguous"):
        resolve(warehouse, "abcdef0123")
    assert found(warehouse, "abcdef012301") == twins[0]


def test_only_the_plain_name_of_a_branch_can_be_written_to(warehouse: Warehouse):
    create_tag(warehouse, "v1", "main", caller=CALLER)
    assert resolve(warehouse, "main").writable("main") == "main"
    for text in ("v1", "main~0", "main@{now}", to_hex(found(warehouse, "main"))):
        with pytest.raises(ReadOnlyRevision, match=re.escape(repr(text))) as refused:
            resolve(warehouse, text).writable(text)
        assert refused.value.facts == {"revision": text}


def test_a_moment_is_where_the_branch_stood_then_whatever_moved_it_since(warehouse: Warehouse):
    root = found(warehouse, "main")
    create_branch(at(warehouse, 1), "day", "main", caller=CALLER)
    a = put(at(warehouse, 2), "a", "day")
    b = put(at(warehouse, 3), "b", "day")
    reset_branch(at(warehouse, 4), "day", to_hex(a), caller=CALLER)
    delete_branch(at(warehouse, 5), "day", caller=CALLER)
    create_branch(at(warehouse, 6), "day", to_hex(b), caller=CALLER)
    for moment, expected in {
        "01:00:00Z": root,
        "01:59:59.999999Z": root,
        "02:00:00Z": a,
        "03:30:00Z": b,
        "05:30:00+02:00": b,
        "04:00:00Z": a,
        "06:00:00Z": b,
    }.items():
        assert found(warehouse, f"day@{{2030-01-01T{moment}}}") == expected, moment
    assert found(warehouse, "day@{2030-01-01T03:00:00Z}~2") == root
    assert found(warehouse, "day@{now}") == b
    for moment in ("2029-12-31", "2030-01-01T00:59:59Z", "2030-01-01T05:30:00Z"):
        with pytest.raises(NoSuchRevision, match="did not exist at that moment") as refused:
            resolve(warehouse, f"day@{{{moment}}}")
        began = "it begins at 2030-01-01T01:00:00" in refused.value.message
        assert began is (moment < "2030-01-01T01")


def test_a_moment_of_a_commit_or_of_an_ancestor_means_nothing(warehouse: Warehouse):
    head = to_hex(found(warehouse, "main"))
    for text in (f"{head}@{{now}}", "main~1@{now}", "main@{yesterday}"):
        with pytest.raises(InvalidInput):
            resolve(warehouse, text)
