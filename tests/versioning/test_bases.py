"""The tree that a merge is taken against, above all where history criss-crosses."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.versioning.bases import base_tree, parent_tree
from catalog.versioning.graph import merge_bases
from catalog.versioning.ids import ObjectId
from catalog.versioning.keys import Key
from catalog.versioning.merge import merge_trees
from catalog.versioning.object_store import ObjectCache, Objects
from catalog.versioning.objects import Commit, Entry, EntryKind
from catalog.versioning.outcomes import Collision, Conflict, ConflictReason, TreeMerge
from catalog.versioning.tree import apply, empty_tree, scan

Tables = dict[str, str]

NOW = datetime(2026, 11, 23, tzinfo=UTC)
NS: dict[Key, Entry] = {("ns",): Entry(EntryKind.NAMESPACE, "ns")}


class History:
    """Commits by name; a table is a letter and a version, `a1`, under its name.

    `m` is no table but a namespace with a property; every commit that has it made it anew.
    """

    def __init__(self) -> None:
        self.objects = Objects(lambda ids: {}, ObjectCache(1 << 24))
        self.ids: dict[str, ObjectId] = {}

    def commit(self, name: str, *parents: str, **tables: str) -> ObjectId:
        state = NS | {
            ("ns", key): Entry(EntryKind.TABLE, text[0], f"file:///{text}.json")
            for key, text in tables.items()
            if key != "m"
        }
        if "m" in tables:
            state[("m",)] = Entry(EntryKind.NAMESPACE, f"by-{name}", properties={"p": tables["m"]})
        ids = tuple(self.ids[parent] for parent in parents)
        generations = [self.objects.commit(each).generation for each in ids]
        tree = apply(self.objects, empty_tree(self.objects), state)
        self.ids[name] = self.objects.put_commit(
            Commit(tree, ids, 1 + max(generations, default=-1), "", "", NOW, name, {}, ())
        )
        return self.ids[name]

    def tables(self, tree: ObjectId) -> Tables:
        found = dict(scan(self.objects, tree))
        tables = {
            key[-1]: (entry.metadata_location or "")[8:-5]
            for key, entry in found.items()
            if entry.kind is EntryKind.TABLE
        }
        return tables | ({"m": found[("m",)].properties["p"]} if ("m",) in found else {})

    def bases(self, ours: str, theirs: str) -> list[ObjectId]:
        return merge_bases(self.objects.commits, self.ids[ours], self.ids[theirs])

    def base(self, ours: str, theirs: str) -> ObjectId:
        return base_tree(self.objects, self.bases(ours, theirs), collide=clash)

    def merge(self, ours: str, theirs: str) -> tuple[Tables | None, TreeMerge]:
        left, right = (self.objects.commit(self.ids[name]).tree for name in (ours, theirs))
        done = merge_trees(
            self.objects,
            self.base(ours, theirs),
            left,
            right,
            collide=clash,
            resolve=lambda key: "auto",
        )
        tree = done.tree or apply(self.objects, left, done.edits)
        return (None if done.conflicts else self.tables(tree)), done

    def merged(self, ours: str, theirs: str) -> Tables | dict[str, ConflictReason]:
        """Return the tables of the merge or, with conflicts, their reasons; both ways alike."""
        tables, done = self.merge(ours, theirs)
        mirrored, mirror = self.merge(theirs, ours)
        assert tables == mirrored
        assert bool(done.conflicts) == bool(mirror.conflicts)
        return {".".join(e.key): e.reason for e in done.conflicts} if tables is None else tables


def clash(collisions: Sequence[Collision]) -> list[Conflict]:
    return [
        Conflict(
            each.key, ConflictReason.BOTH_CHANGED, "content", each.base, each.ours, each.theirs
        )
        for each in collisions
    ]


@pytest.fixture
def history() -> History:
    return History()


def test_the_tree_of_a_single_base_is_its_own(history: History):
    #   o -- x
    #     \- y
    base = history.commit("o", a="a1")
    history.commit("x", "o", a="a2")
    history.commit("y", "o", a="a3")
    assert history.base("x", "y") == history.objects.commit(base).tree


def test_histories_without_a_common_commit_meet_on_the_empty_tree(history: History):
    history.commit("x", a="a1")
    history.commit("y", b="b1")
    assert history.base("x", "y") == empty_tree(history.objects)


def test_the_tree_before_a_commit_is_its_first_parents(history: History):
    first = history.commit("o", a="a1")
    history.commit("x", "o", a="a2")
    merge = history.commit("m", "o", "x", a="a3")
    objects = history.objects
    assert parent_tree(objects, objects.commit(merge)) == objects.commit(first).tree
    assert parent_tree(objects, objects.commit(first)) == empty_tree(objects)


def test_what_both_lines_merged_cleanly_is_decided(history: History):
    #   o --- x --- xy --- ours       xy and yx each merged the other line:
    #     \      X                    x changed a, y changed b.
    #      \- y --- yx --- theirs
    history.commit("o", a="a1", b="b1")
    history.commit("x", "o", a="a2", b="b1")
    history.commit("y", "o", a="a1", b="b2")
    history.commit("xy", "x", "y", a="a2", b="b2")
    history.commit("yx", "y", "x", a="a2", b="b2")
    history.commit("ours", "xy", a="a3", b="b2")
    history.commit("theirs", "yx", a="a2", b="b3")
    assert history.bases("ours", "theirs") == sorted([history.ids["x"], history.ids["y"]])
    assert history.tables(history.base("ours", "theirs")) == {"a": "a2", "b": "b2"}
    assert history.merged("ours", "theirs") == {"a": "a3", "b": "b3"}


def criss_cross(history: History, *, ours: Tables, theirs: Tables) -> None:
    #   o:a1 --- x:a2 --- ours        Both x and y changed a, and whoever merged settled it.
    #        \        X
    #         \- y:a3 --- theirs
    history.commit("o", a="a1")
    history.commit("x", "o", a="a2")
    history.commit("y", "o", a="a3")
    history.commit("ours", "x", "y", **ours)
    history.commit("theirs", "y", "x", **theirs)


def test_what_was_settled_alike_on_both_lines_is_not_asked_again(history: History):
    criss_cross(history, ours={"a": "a2"}, theirs={"a": "a2"})
    assert history.merged("ours", "theirs") == {"a": "a2"}


def test_what_was_settled_differently_conflicts_and_neither_side_wins_unseen(history: History):
    # Against x alone theirs would win, against y alone ours.
    criss_cross(history, ours={"a": "a2"}, theirs={"a": "a3"})
    assert history.merged("ours", "theirs") == {"ns.a": ConflictReason.BOTH_CHANGED}


def test_a_drop_that_settled_it_on_one_line_conflicts(history: History):
    criss_cross(history, ours={"a": "a2"}, theirs={})
    assert history.merged("ours", "theirs") == {"ns.a": ConflictReason.CHANGED_AND_DROPPED}


def test_a_drop_that_settled_it_on_both_lines_stays(history: History):
    criss_cross(history, ours={}, theirs={})
    assert history.merged("ours", "theirs") == {}


def test_a_conflict_below_leaves_all_else_decided(history: History):
    #   As above; moreover x created b, and theirs changed it after its merge.
    history.commit("o", a="a1")
    history.commit("x", "o", a="a2", b="b1")
    history.commit("y", "o", a="a3")
    history.commit("ours", "x", "y", a="a2", b="b1")
    history.commit("theirs", "y", "x", a="a2", b="b2")
    assert history.merged("ours", "theirs") == {"a": "a2", "b": "b2"}


def test_two_names_that_were_settled_differently_conflict(history: History):
    #   x renamed a to p, y to q; ours took p, theirs q.
    history.commit("o", a="a1")
    history.commit("x", "o", p="a1")
    history.commit("y", "o", q="a1")
    history.commit("ours", "x", "y", p="a1")
    history.commit("theirs", "y", "x", q="a1")
    assert history.merged("ours", "theirs") == {"ns.p": ConflictReason.RENAMED_DIFFERENTLY}


def test_a_name_that_was_settled_alike_stays_and_a_change_of_the_table_is_taken(history: History):
    history.commit("o", a="a1", b="b1")
    history.commit("x", "o", p="a1", b="b1")
    history.commit("y", "o", q="a1", b="b1")
    history.commit("ours", "x", "y", p="a1", b="b2")
    history.commit("theirs", "y", "x", p="a1", b="b1")
    assert history.merged("ours", "theirs") == {"p": "a1", "b": "b2"}


def test_one_name_for_two_tables_that_was_settled_differently_conflicts(history: History):
    #   x created n as table b, y as table c.
    history.commit("o", a="a1")
    history.commit("x", "o", a="a1", n="b1")
    history.commit("y", "o", a="a1", n="c1")
    history.commit("ours", "x", "y", a="a1", n="b1")
    history.commit("theirs", "y", "x", a="a1", n="c1")
    assert history.merged("ours", "theirs") != {"a": "a1", "n": "b1"}
    assert history.merge("ours", "theirs")[1].conflicts


def test_criss_crosses_upon_each_other_end(history: History):
    #   Every merge of one line into the other is a criss-cross over the one before.
    history.commit("l0", a="a1", b="b1")
    history.commit("r0", "l0", a="a1", b="b2")
    history.commit("l1", "l0", a="a2", b="b1")
    history.ids["r1"] = history.ids["r0"]
    for turn in range(1, 45):
        left, right = f"l{turn}", f"r{turn}"
        history.commit(f"l{turn + 1}", left, right, a=f"a{turn}", b="b2")
        history.commit(f"r{turn + 1}", right, left, a="a0", b="b2")
    assert len(history.bases("l45", "r45")) == 2
    assert history.merged("l45", "r45") == {"ns.a": ConflictReason.BOTH_CHANGED}


def test_a_namespace_that_both_lines_made_is_decided(history: History):
    #   As above; x and y each made m, and ours changed it after its merge.
    history.commit("o", a="a1")
    history.commit("x", "o", a="a1", m="1")
    history.commit("y", "o", a="a1", m="1")
    history.commit("ours", "x", "y", a="a1", m="2")
    history.commit("theirs", "y", "x", a="a2", m="1")
    assert history.merged("ours", "theirs") == {"a": "a2", "m": "2"}


def test_a_namespace_that_was_settled_differently_conflicts(history: History):
    #   x made m with p=1, y with p=2; ours kept the one, theirs the other.
    history.commit("o", a="a1")
    history.commit("x", "o", a="a1", m="1")
    history.commit("y", "o", a="a1", m="2")
    history.commit("ours", "x", "y", a="a1", m="1")
    history.commit("theirs", "y", "x", a="a1", m="2")
    assert history.merged("ours", "theirs") == {"m": ConflictReason.PROPERTY_CONFLICT}


def test_a_namespace_that_was_settled_by_a_drop_here_conflicts(history: History):
    #   x changed m, y dropped it; ours kept it, theirs left it dropped.
    history.commit("o", a="a1", m="1")
    history.commit("x", "o", a="a1", m="2")
    history.commit("y", "o", a="a1")
    history.commit("ours", "x", "y", a="a1", m="2")
    history.commit("theirs", "y", "x", a="a1")
    assert history.merged("ours", "theirs") == {"m": ConflictReason.CHANGED_AND_DROPPED}


@st.composite
def graphs(draw) -> list[tuple[list[int], Tables]]:
    """Commits with one or two parents, each holding some version of a, b and m, or none."""
    tables = st.fixed_dictionaries(
        {}, optional={name: st.sampled_from([f"{name}{n}" for n in range(3)]) for name in "abm"}
    )
    commits = [([], draw(tables))]
    for number in range(1, draw(st.integers(3, 9))):
        parents = draw(
            st.lists(
                st.integers(max(0, number - 3), number - 1), min_size=1, max_size=2, unique=True
            )
        )
        commits.append((parents, draw(tables)))
    return commits


@given(graphs())
@settings(max_examples=200)
def test_no_side_wins_that_no_base_lets_win(graph):
    history = History()
    for number, (parents, tables) in enumerate(graph):
        history.commit(str(number), *map(str, parents), **tables)
    ours, theirs = str(len(graph) - 1), str(len(graph) - 2)
    result = history.merged(ours, theirs)
    if history.merge(ours, theirs)[0] is None:
        return
    bases = [graph[int(history_name(history, base))][1] for base in history.bases(ours, theirs)]
    left, right = graph[-1][1], graph[-2][1]
    for name in "abm":
        sides = left.get(name), right.get(name)
        assert result.get(name) in sides
        if sides[0] != sides[1]:
            loser = sides[1] if result.get(name) == sides[0] else sides[0]
            assert loser in [base.get(name) for base in bases]


def history_name(history: History, commit_id: ObjectId) -> str:
    return next(name for name, each in history.ids.items() if each == commit_id)
