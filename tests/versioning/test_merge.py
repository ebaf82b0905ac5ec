"""Three-way merges of trees, case by case; the laws are in `test_merge_laws.py`.

A table is its letter and a version: `a1` is table `a` as it was first, `a2` the same after a
change. All lie in the namespace `ns` unless a case is about namespaces.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from catalog.errors import Corruption
from catalog.versioning.ids import ObjectId
from catalog.versioning.keys import Key
from catalog.versioning.merge import merge_trees
from catalog.versioning.object_store import ObjectCache, Objects
from catalog.versioning.objects import Entry, EntryKind
from catalog.versioning.outcomes import (
    Action,
    Cause,
    Collision,
    Conflict,
    ConflictReason,
    Outcome,
    Resolution,
)
from catalog.versioning.tree import apply, empty_tree, scan

State = dict[Key, Entry]


def thing(text: str, kind: EntryKind = EntryKind.TABLE) -> Entry:
    """Return the table (or view) `a` in version 1 for `a1`."""
    return Entry(kind, f"uuid-{text[0]}", f"file:///{text[0]}/{text[1:]}.metadata.json")


def namespace(name: str = "ns", **properties: str) -> Entry:
    return Entry(EntryKind.NAMESPACE, f"uuid-of-{name}", properties=properties)


def lake(**tables: str) -> State:
    """Return a tree with these tables in the namespace `ns`."""
    return {("ns",): namespace()} | {("ns", name): thing(text) for name, text in tables.items()}


@dataclass(frozen=True)
class Result:
    """What a merge made: the whole tree, None with conflicts."""

    state: State | None
    outcomes: tuple[Outcome, ...]
    conflicts: tuple[Conflict, ...]

    @property
    def reasons(self) -> dict[str, ConflictReason]:
        return {".".join(each.key): each.reason for each in self.conflicts}

    @property
    def actions(self) -> dict[str, tuple[Action, bool]]:
        return {".".join(each.key): (each.action, each.resolved) for each in self.outcomes}


def clash(collisions: Sequence[Collision]) -> list[Conflict]:
    return [
        Conflict(
            each.key, ConflictReason.BOTH_CHANGED, "content", each.base, each.ours, each.theirs
        )
        for each in collisions
    ]


def merged(base: State, ours: State, theirs: State, collide=clash, **asked: Resolution) -> Result:
    """Merge with resolutions by dotted name, `default` for the rest; dots are written `__`."""
    objects = Objects(lambda ids: {}, ObjectCache(1 << 24))

    def root(state: State) -> ObjectId:
        return apply(objects, empty_tree(objects), state)

    def resolve(key: Key) -> Resolution:
        return asked.get("__".join(key), asked.get("default", "auto"))

    done = merge_trees(
        objects, root(base), root(ours), root(theirs), collide=collide, resolve=resolve
    )
    tree = done.tree or apply(objects, root(ours), done.edits)
    state = None if done.conflicts else dict(scan(objects, tree))
    return Result(state, done.outcomes, done.conflicts)


def test_what_one_side_alone_changed_is_taken():
    #   ours    a2 b1 c1 d1    (a changed)
    #   theirs  a1 b2 --  d1 e1  (b changed, c dropped, e created)
    result = merged(
        lake(a="a1", b="b1", c="c1", d="d1"),
        lake(a="a2", b="b1", c="c1", d="d1"),
        lake(a="a1", b="b2", d="d1", e="e1"),
    )
    assert result.state == lake(a="a2", b="b2", d="d1", e="e1")
    assert result.actions == {
        "ns.b": (Action.THEIRS, False),
        "ns.c": (Action.THEIRS, False),
        "ns.e": (Action.THEIRS, False),
    }


def test_what_both_sides_made_alike_is_taken_once():
    result = merged(lake(a="a1", b="b1", c="c1"), lake(a="a2", d="b1"), lake(a="a2", d="b1"))
    assert result.state == lake(a="a2", d="b1")
    assert set(result.actions.values()) == {(Action.BOTH, False)}


def test_an_outcome_tells_the_thing_on_every_side():
    result = merged(lake(a="a1"), lake(a="a1", b="b1"), lake(x="a2"))
    assert result.outcomes == (
        Outcome(("ns", "x"), Action.THEIRS, thing("a1"), thing("a1"), thing("a2"), thing("a2")),
    )


# Content that both sides changed


def test_a_table_that_both_changed_conflicts_with_all_three_entries():
    #   base a1 -- ours a2
    #         \--- theirs a3
    result = merged(lake(a="a1"), lake(a="a2"), lake(a="a3"))
    assert result.conflicts == (
        Conflict(
            ("ns", "a"),
            ConflictReason.BOTH_CHANGED,
            "content",
            thing("a1"),
            thing("a2"),
            thing("a3"),
        ),
    )


def test_all_conflicts_are_found_at_once_and_sorted_by_key():
    result = merged(
        lake(a="a1", b="b1", c="c1"), lake(a="a2", b="b2", d="d1"), lake(a="a3", c="c3", d="e1")
    )
    assert list(result.reasons.items()) == [
        ("ns.a", ConflictReason.BOTH_CHANGED),
        ("ns.b", ConflictReason.CHANGED_AND_DROPPED),
        ("ns.c", ConflictReason.CHANGED_AND_DROPPED),
        ("ns.d", ConflictReason.BOTH_CREATED),
    ]


def test_content_is_merged_by_the_callback_where_both_changed_it():
    calls = []

    def collide(collisions):
        calls.append(collisions)
        return [thing(f"{each.key[-1]}9") for each in collisions]

    sides = (
        lake(a="a1", b="b1", c="c1"),
        lake(a="a2", b="b2", c="c2"),
        lake(a="a3", b="b1", c="c3"),
    )
    result = merged(*sides, collide)
    asked = [Collision(("ns", x), thing(f"{x}1"), thing(f"{x}2"), thing(f"{x}3")) for x in "ac"]
    assert calls == [asked]
    assert result.state == lake(a="a9", b="b2", c="c9")
    assert result.actions == {"ns.a": (Action.MERGED, False), "ns.c": (Action.MERGED, False)}


def test_what_cannot_be_merged_conflicts_and_says_why_beside_what_can():
    cause = Cause("rows-gone", "The rows are gone")

    def collide(collisions):
        return [thing("a9"), collisions[1].conflict("content", (cause,))]

    sides = lake(a="a1", b="b1"), lake(a="a2", b="b2"), lake(a="a3", b="b3")
    result = merged(*sides, collide)
    assert result.reasons == {"ns.b": ConflictReason.BOTH_CHANGED}
    assert result.conflicts[0].causes == (cause,)


def test_nothing_is_asked_where_nothing_collides():
    def collide(collisions):
        raise AssertionError(collisions)

    sides = lake(a="a1", b="b1", c="c1"), lake(a="a2", b="b1", c="c2"), lake(a="a1", b="b2")
    assert merged(*sides, collide).reasons == {"ns.c": ConflictReason.CHANGED_AND_DROPPED}


def test_a_rename_here_and_merged_content_go_together():
    result = merged(lake(a="a1"), lake(x="a2"), lake(a="a3"), lambda asked: [thing("a9")])
    assert result.state == lake(x="a9")


def test_content_merged_into_another_table_is_a_broken_promise():
    with pytest.raises(Corruption, match="something else"):
        merged(lake(a="a1"), lake(a="a2"), lake(a="a3"), lambda asked: [thing("b1")])


def test_a_view_that_both_changed_conflicts():
    base, ours, theirs = (
        lake() | {("ns", "v"): thing(text, EntryKind.VIEW)} for text in ("v1", "v2", "v3")
    )
    assert merged(base, ours, theirs).reasons == {"ns.v": ConflictReason.BOTH_CHANGED}


def test_fail_refuses_even_what_could_be_merged():
    #   base a1 -- ours x:a1 (renamed)
    #         \--- theirs a:a2 (changed)
    sides = lake(a="a1", b="b1"), lake(x="a1", b="b1"), lake(a="a2", b="b2")
    assert merged(*sides).state == lake(x="a2", b="b2")
    assert merged(*sides, default="fail").reasons == {"ns.x": ConflictReason.BOTH_CHANGED}
    assert merged(*sides, ns__b="fail").state == lake(x="a2", b="b2")


# Drops


@pytest.mark.parametrize("swapped", [False, True])
def test_a_drop_against_a_change_conflicts(swapped: bool):
    #   base a1 -- ours a2
    #         \--- theirs (dropped)
    sides = [lake(a="a2"), lake()]
    if swapped:
        sides.reverse()
    result = merged(lake(a="a1"), *sides)
    assert result.reasons == {"ns.a": ConflictReason.CHANGED_AND_DROPPED}
    changer = "source" if swapped else "target"
    assert f"changed on the {changer}" in result.conflicts[0].detail


@pytest.mark.parametrize("swapped", [False, True])
def test_a_drop_against_a_rename_conflicts_under_the_new_name(swapped: bool):
    #   base a:a1 -- ours x:a1
    #           \--- theirs (dropped)
    sides = [lake(x="a1"), lake()]
    if swapped:
        sides.reverse()
    result = merged(lake(a="a1"), *sides)
    assert result.reasons == {"ns.x": ConflictReason.RENAMED_AND_DROPPED}


def test_a_drop_against_the_same_drop_is_a_drop():
    assert merged(lake(a="a1", b="b1"), lake(b="b1"), lake(b="b1")).state == lake(b="b1")


def test_a_drop_and_another_creation_under_the_name_against_a_change_conflicts():
    #   base a:a1 -- ours a:a2
    #           \--- theirs a:b1 (another table under the name)
    result = merged(lake(a="a1"), lake(a="a2"), lake(a="b1"))
    assert result.reasons == {"ns.a": ConflictReason.CHANGED_AND_DROPPED}


def test_a_replacement_of_what_the_other_side_left_alone_is_taken():
    assert merged(lake(a="a1"), lake(a="a1", c="c1"), lake(a="b1")).state == lake(a="b1", c="c1")


# Renames


@pytest.mark.parametrize("swapped", [False, True])
def test_a_rename_is_followed_where_the_other_side_changed_the_table(swapped: bool):
    #   base a:a1 -- ours x:a1
    #           \--- theirs a:a2
    sides = [lake(x="a1"), lake(a="a2")]
    if swapped:
        sides.reverse()
    result = merged(lake(a="a1"), *sides)
    assert result.state == lake(x="a2")
    assert result.actions == {"ns.x": (Action.MERGED, False)}


def test_a_rename_on_both_sides_to_one_name_is_a_rename():
    assert merged(lake(a="a1"), lake(x="a2"), lake(x="a1")).state == lake(x="a2")


def test_a_rename_on_both_sides_to_two_names_conflicts():
    #   base a:a1 -- ours x:a1
    #           \--- theirs y:a1
    result = merged(lake(a="a1"), lake(x="a1"), lake(y="a1"))
    assert result.reasons == {"ns.x": ConflictReason.RENAMED_DIFFERENTLY}
    assert "ns.x on the target and ns.y on the source" in result.conflicts[0].detail


def test_two_tables_that_swap_their_names_on_one_side_are_followed():
    #   base a:a1 b:b1 -- ours a:b1 b:a1
    #                \--- theirs a:a2 b:b1
    result = merged(lake(a="a1", b="b1"), lake(a="b1", b="a1"), lake(a="a2", b="b1"))
    assert result.state == lake(a="b1", b="a2")


def test_renames_in_a_circle_against_renames_out_of_it_conflict():
    #   base a:a1 b:b1 -- ours a:b1 b:a1
    #                \--- theirs x:a1 b:b1
    result = merged(lake(a="a1", b="b1"), lake(a="b1", b="a1"), lake(x="a1", b="b1"))
    assert result.reasons == {"ns.b": ConflictReason.RENAMED_DIFFERENTLY}


def test_two_tables_renamed_to_one_name_conflict():
    #   base a:a1 b:b1 -- ours x:a1 b:b1
    #                \--- theirs a:a1 x:b1
    result = merged(lake(a="a1", b="b1"), lake(x="a1", b="b1"), lake(a="a1", x="b1"))
    assert result.reasons == {"ns.x": ConflictReason.NAME_TAKEN}


@pytest.mark.parametrize("swapped", [False, True])
def test_a_rename_to_a_name_under_which_the_other_side_created_conflicts(swapped: bool):
    #   base a:a1 -- ours x:a1
    #           \--- theirs a:a1 x:b1
    sides = [lake(x="a1"), lake(a="a1", x="b1")]
    if swapped:
        sides.reverse()
    assert merged(lake(a="a1"), *sides).reasons == {"ns.x": ConflictReason.NAME_TAKEN}


def test_a_name_that_a_rename_left_may_be_given_anew_on_the_other_side():
    #   base a:a1 -- ours x:a1
    #           \--- theirs a:a2, and nothing else can take `a` there
    result = merged(lake(a="a1"), lake(x="a1", a="b1"), lake(a="a2"))
    assert result.state == lake(x="a2", a="b1")


@pytest.mark.parametrize("swapped", [False, True])
def test_one_table_registered_under_two_names_is_told_apart_by_them(swapped: bool):
    #   base a:a1 b:a1 (registered twice) -- ours a:a2 b:a1
    #                                   \--- theirs a:a1 b:a3
    sides = [lake(a="a2", b="a1"), lake(a="a1", b="a3")]
    if swapped:
        sides.reverse()
    assert merged(lake(a="a1", b="a1"), *sides).state == lake(a="a2", b="a3")


def test_one_table_registered_under_two_names_may_change_under_both():
    #   base a:a1 b:a1 (registered twice) -- ours a:a1 b:a1 c:c1
    #                                   \--- theirs a:a2 b:a3
    base = lake(a="a1", b="a1")
    result = merged(base, lake(a="a1", b="a1", c="c1"), lake(a="a2", b="a3"))
    assert result.state == lake(a="a2", b="a3", c="c1")


def test_one_table_registered_again_on_one_side_stays_under_both_names():
    #   base a:a1 -- ours a:a1 b:a1
    #           \--- theirs a:a2
    result = merged(lake(a="a1"), lake(a="a1", b="a1"), lake(a="a2"))
    assert result.state == lake(a="a2", b="a1")


# Creations


def test_two_creations_of_one_name_conflict():
    #   base -- ours a:b1
    #      \--- theirs a:c1
    result = merged(lake(), lake(a="b1"), lake(a="c1"))
    assert result.reasons == {"ns.a": ConflictReason.BOTH_CREATED}
    assert result.conflicts[0].ours == thing("b1")
    assert result.conflicts[0].theirs == thing("c1")
    assert result.conflicts[0].base is None


def test_a_table_and_a_view_of_one_name_conflict():
    view = {("ns", "a"): thing("v1", EntryKind.VIEW)}
    result = merged(lake(), lake(a="a1"), lake() | view)
    assert result.reasons == {"ns.a": ConflictReason.BOTH_CREATED}
    assert "one table on the target, another view on the source" in result.conflicts[0].detail


def test_one_table_registered_on_both_sides_in_two_states_is_merged_without_a_base():
    calls = []

    def collide(collisions):
        calls.extend(collisions)
        return [thing("a3")]

    assert merged(lake(), lake(a="a1"), lake(a="a2"), collide).state == lake(a="a3")
    assert calls == [Collision(("ns", "a"), None, thing("a1"), thing("a2"))]


def test_one_table_registered_under_two_names_on_two_sides_conflicts():
    result = merged(lake(), lake(a="a1"), lake(b="a1"))
    assert result.reasons == {"ns.a": ConflictReason.RENAMED_DIFFERENTLY}


# Namespaces


def test_properties_of_a_namespace_are_merged_one_by_one():
    #   base   p=1 q=1 r=1
    #   ours   p=2 q=1 r=1 s=1
    #   theirs p=1 q=3     s=1 t=1
    result = merged(
        {("ns",): namespace(p="1", q="1", r="1")},
        {("ns",): namespace(p="2", q="1", r="1", s="1")},
        {("ns",): namespace(p="1", q="3", s="1", t="1")},
    )
    assert result.state == {("ns",): namespace(p="2", q="3", s="1", t="1")}


@pytest.mark.parametrize(("ours", "theirs"), [("2", "3"), ("2", None), (None, "3")])
def test_a_property_that_both_changed_differently_conflicts(ours: str | None, theirs: str | None):
    def having(value: str | None) -> State:
        return {("ns",): namespace(**({} if value is None else {"p": value}), q="1")}

    result = merged(having("1"), having(ours), having(theirs))
    assert result.reasons == {"ns": ConflictReason.PROPERTY_CONFLICT}
    assert "property p" in result.conflicts[0].detail


def created(uuid: str, **properties: str) -> State:
    """Return a tree with the namespace `m`, by whom it was created."""
    return {("m",): namespace(uuid, **properties)}


def test_a_namespace_created_on_both_sides_is_one_and_keeps_the_targets_uuid():
    #   base -- ours m (p=1), m.a:a1
    #      \--- theirs m (q=1), m.b:b1
    ours = created("one", p="1") | {("m", "a"): thing("a1")}
    theirs = created("two", q="1") | {("m", "b"): thing("b1")}
    result = merged({}, ours, theirs)
    assert result.state == created("one", p="1", q="1") | {
        ("m", "a"): thing("a1"),
        ("m", "b"): thing("b1"),
    }
    assert result.actions == {"m": (Action.MERGED, False), "m.b": (Action.THEIRS, False)}


def test_a_namespace_created_alike_on_both_sides_is_the_same_on_both():
    result = merged({}, created("one", p="1"), created("two", p="1"))
    assert result.state == created("one", p="1")
    assert result.actions == {"m": (Action.BOTH, False)}


def test_two_values_of_one_property_of_a_namespace_created_twice_conflict():
    sides = {}, created("one", p="1", q="1"), created("two", p="2", q="1")
    result = merged(*sides)
    assert result.reasons == {"m": ConflictReason.PROPERTY_CONFLICT}
    assert result.conflicts[0].base is None
    assert "property p" in result.conflicts[0].detail
    assert merged(*sides, m="ours").state == sides[1]
    assert merged(*sides, m="theirs").state == sides[2]
    assert merged(*sides, m="fail").reasons == {"m": ConflictReason.BOTH_CHANGED}


def test_a_namespace_that_an_earlier_merge_made_one_goes_on_by_its_name():
    #   main  o -- m:one ---- merge m:one ------ m:one (p=1)
    #         \             /                    (the base is the source's m:two)
    #   day    -- m:two ----------- m:two (q=1)
    result = merged(created("two"), created("one", p="1"), created("two", q="1"))
    assert result.state == created("one", p="1", q="1")
    #   The source drops it: on the target it is what it was on the base, but for the uuid.
    assert merged(created("two"), created("one"), {}).state == {}
    filled = created("one") | {("m", "a"): thing("a1")}
    assert merged(created("two"), filled, {}).reasons == {"m": ConflictReason.NAMESPACE_NOT_EMPTY}
    changed = merged(created("two"), created("one", p="1"), {})
    assert changed.reasons == {"m": ConflictReason.CHANGED_AND_DROPPED}


def test_a_namespace_dropped_and_created_anew_is_the_namespace_of_that_name():
    #   base m:one (p=1) -- ours m:one (p=1, r=1), m.a:a1
    #                  \--- theirs m:two (q=1)
    base, ours = created("one", p="1"), created("one", p="1", r="1") | {("m", "a"): thing("a1")}
    theirs = created("two", q="1")
    assert merged(base, ours, theirs).state == created("one", q="1", r="1") | {
        ("m", "a"): thing("a1")
    }
    assert merged(base, theirs, ours).state == created("two", q="1", r="1") | {
        ("m", "a"): thing("a1")
    }
    assert merged(base, created("one", p="2"), theirs).reasons == {
        "m": ConflictReason.PROPERTY_CONFLICT
    }


def test_a_namespace_dropped_here_and_created_anew_there_stays_if_it_was_changed():
    #   base m:one (p=1) -- ours (dropped)
    #                  \--- theirs m:two, with or without what is new
    base = created("one", p="1")
    assert merged(base, {("n",): namespace("n")}, created("two", p="1")).state == {
        ("n",): namespace("n")
    }
    assert merged(base, {}, created("two")).reasons == {"m": ConflictReason.CHANGED_AND_DROPPED}
    filled = created("two", p="1") | {("m", "a"): thing("a1")}
    assert merged(base, {("n",): namespace("n")}, filled).reasons == {
        "m.a": ConflictReason.NAMESPACE_DROPPED
    }


def test_a_table_and_a_namespace_created_under_one_name_conflict():
    result = merged({}, created("one"), {("m",): thing("a1")})
    assert result.reasons == {"m": ConflictReason.BOTH_CREATED}
    assert "one namespace on the target, another table on the source" in result.conflicts[0].detail


def test_a_namespace_brought_back_leaves_the_merged_ones_around_it_as_they_are():
    #   base m, m.k -- ours m (p=1)
    #             \--- theirs m (q=1), m.k, m.k.a:a1
    k = {("m", "k"): namespace("k")}
    theirs = created("one", q="1") | k | {("m", "k", "a"): thing("a1")}
    result = merged(created("one") | k, created("one", p="1"), theirs, m__k="theirs")
    assert result.state == created("one", p="1", q="1") | k | {("m", "k", "a"): thing("a1")}


def test_a_table_created_in_a_namespace_that_the_target_dropped_conflicts():
    #   base ns -- ours (dropped)
    #         \--- theirs ns, ns.a:a1
    result = merged(lake(), {}, lake(a="a1"))
    assert result.reasons == {"ns.a": ConflictReason.NAMESPACE_DROPPED}
    assert "the target has no namespace ns" in result.conflicts[0].detail


def test_a_namespace_dropped_by_the_source_that_the_target_filled_conflicts():
    #   base ns -- ours ns, ns.a:a1
    #         \--- theirs (dropped)
    result = merged(lake(), lake(a="a1", b="b1"), {})
    assert result.reasons == {"ns": ConflictReason.NAMESPACE_NOT_EMPTY}
    assert "has ns.a and 1 more in it" in result.conflicts[0].detail


def test_a_rename_into_a_namespace_that_the_other_side_dropped_conflicts():
    #   base m, ns.a:a1 -- ours ns.a:a1 (m dropped)
    #                 \--- theirs m.a:a1
    m = {("m",): namespace("m")}
    moved = lake() | m | {("m", "a"): thing("a1")}
    assert merged(lake(a="a1") | m, lake(a="a1"), moved).reasons == {
        "m.a": ConflictReason.NAMESPACE_DROPPED
    }
    assert merged(lake(a="a1") | m, moved, lake(a="a1")).reasons == {
        "m": ConflictReason.NAMESPACE_NOT_EMPTY
    }


def test_a_rename_into_a_dropped_namespace_is_found_where_its_content_was_merged_too():
    #   base m, ns.a:a1 -- ours m.a:a1
    #                 \--- theirs ns.a:a2 (m dropped)
    m = {("m",): namespace("m")}
    result = merged(lake(a="a1") | m, lake() | m | {("m", "a"): thing("a1")}, lake(a="a2"))
    assert result.reasons == {"m": ConflictReason.NAMESPACE_NOT_EMPTY}


def test_a_namespace_dropped_with_all_that_it_held_is_dropped():
    assert merged(lake(a="a1"), lake(a="a1") | {("m",): namespace("m")}, {}).state == {
        ("m",): namespace("m")
    }


def test_a_table_in_the_place_of_a_namespace_that_was_filled_conflicts():
    #   base ns -- ours ns, ns.a:a1
    #         \--- theirs ns:b1 (a table)
    result = merged(lake(), lake(a="a1"), {("ns",): thing("b1")})
    assert result.reasons == {"ns": ConflictReason.NAMESPACE_NOT_EMPTY}


def test_nested_namespaces_dropped_on_one_side_and_filled_on_the_other_conflict():
    #   base m, m.n -- ours (both dropped)
    #             \--- theirs m, m.n, m.n.a:a1
    base = {("m",): namespace("m"), ("m", "n"): namespace("n")}
    filled = base | {("m", "n", "a"): thing("a1")}
    assert merged(base, {}, filled).reasons == {"m.n.a": ConflictReason.NAMESPACE_DROPPED}
    assert set(merged(base, filled, {}).reasons) == {"m", "m.n"}


# Resolutions


def test_ours_and_theirs_take_that_side_of_what_both_changed():
    sides = lake(a="a1", b="b1"), lake(a="a2", b="b2"), lake(a="a3", b="b3", c="c1")
    result = merged(*sides, ns__a="ours", ns__b="theirs")
    assert result.state == lake(a="a2", b="b3", c="c1")
    assert result.actions == {
        "ns.a": (Action.OURS, True),
        "ns.b": (Action.THEIRS, True),
        "ns.c": (Action.THEIRS, False),
    }


@pytest.mark.parametrize(("resolution", "expected"), [("ours", lake(a="a2")), ("theirs", lake())])
def test_the_chosen_side_of_a_drop_against_a_change_is_taken_with_its_drop(resolution, expected):
    sides = lake(a="a1"), lake(a="a2"), lake()
    assert merged(*sides, ns__a=resolution).state == expected


@pytest.mark.parametrize(
    ("resolution", "expected"), [("ours", lake(x="a2")), ("theirs", lake(y="a3"))]
)
def test_the_chosen_side_of_two_renames_is_taken_with_its_name(resolution, expected):
    sides = lake(a="a1"), lake(x="a2"), lake(y="a3")
    assert merged(*sides, ns__x=resolution).state == expected


@pytest.mark.parametrize(
    ("resolution", "expected"), [("ours", lake(x="a1")), ("theirs", lake(a="a2"))]
)
def test_a_side_is_taken_whole_where_a_rename_meets_a_change(resolution, expected):
    sides = lake(a="a1"), lake(x="a1"), lake(a="a2")
    assert merged(*sides, default=resolution).state == expected


@pytest.mark.parametrize(
    ("resolution", "expected"), [("ours", lake(a="b1")), ("theirs", lake(a="c1"))]
)
def test_the_chosen_creation_of_two_is_the_only_one_left(resolution, expected):
    assert merged(lake(), lake(a="b1"), lake(a="c1"), ns__a=resolution).state == expected


@pytest.mark.parametrize(
    ("resolution", "expected"),
    [("ours", lake(x="a1", b="b1")), ("theirs", lake(a="a1", x="b1"))],
)
def test_a_name_for_two_goes_to_the_chosen_side_and_the_other_keeps_its_old_one(
    resolution, expected
):
    #   base a:a1 b:b1 -- ours x:a1 b:b1
    #                \--- theirs a:a1 x:b1
    sides = lake(a="a1", b="b1"), lake(x="a1", b="b1"), lake(a="a1", x="b1")
    assert merged(*sides, ns__x=resolution).state == expected


def test_a_dropped_namespace_is_brought_back_for_what_is_taken_from_theirs():
    sides = lake(), {}, lake(a="a1")
    assert merged(*sides, ns__a="theirs").state == lake(a="a1")
    assert merged(*sides, ns="theirs").state == lake(a="a1")
    assert merged(*sides, ns__a="ours").state == {}


def test_all_namespaces_around_what_is_taken_from_theirs_are_brought_back():
    base = {("m",): namespace("m"), ("m", "n"): namespace("n")}
    filled = base | {("m", "n", "a"): thing("a1")}
    assert merged(base, {}, filled, m__n__a="theirs").state == filled


def test_a_namespace_is_not_brought_back_where_its_name_was_given_away_for_ours():
    #   base m -- ours m:b1 (a table)
    #        \--- theirs m, m.a:a1
    base = {("m",): namespace("m")}
    sides = base, {("m",): thing("b1")}, base | {("m", "a"): thing("a1")}
    assert merged(*sides, m__a="theirs", m="theirs").state == sides[2]
    assert merged(*sides, m__a="ours").state == sides[1]
    assert merged(*sides, m__a="theirs", m="ours").reasons == {
        "m": ConflictReason.NAME_TAKEN,
        "m.a": ConflictReason.NAMESPACE_DROPPED,
    }


def test_resolutions_that_send_two_tables_to_one_name_conflict():
    #   base m, ns.a:a1 -- ours ns.a:a1 (m dropped)
    #                 \--- theirs m.a:a1 ns.a:b1
    # For ours a1 goes back to the name that is to be given to b1 for theirs.
    m = {("m",): namespace("m")}
    theirs = lake(a="b1") | m | {("m", "a"): thing("a1")}
    result = merged(lake(a="a1") | m, lake(a="a1"), theirs, m__a="ours", ns__a="theirs")
    assert result.reasons == {"ns.a": ConflictReason.NAME_TAKEN}


def test_a_filled_namespace_is_kept_for_ours_and_never_emptied_for_theirs():
    sides = lake(), lake(a="a1"), {}
    assert merged(*sides, ns="ours").state == lake(a="a1")
    assert merged(*sides, ns__a="ours").state == lake(a="a1")
    assert merged(*sides, default="theirs").reasons == {"ns": ConflictReason.NAMESPACE_NOT_EMPTY}


def test_the_chosen_side_of_a_namespace_is_taken_with_all_its_properties():
    sides = [{("ns",): namespace(p=value, q=value)} for value in "123"]
    assert merged(*sides, ns="ours").state == sides[1]
    assert merged(*sides, ns="theirs").state == sides[2]


def test_a_resolution_says_nothing_where_one_side_alone_changed():
    result = merged(lake(a="a1"), lake(a="a1", b="b1"), lake(a="a2"), default="ours")
    assert result.state == lake(a="a2", b="b1")
