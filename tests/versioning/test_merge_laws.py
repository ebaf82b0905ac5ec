"""What holds for every merge of trees, against a model over dicts that knows nothing of the code.

Histories are drawn as work on a sound tree: names are held once, and by namespaces that exist.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.versioning.keys import Key
from catalog.versioning.merge import merge_trees
from catalog.versioning.object_store import ObjectCache, Objects
from catalog.versioning.objects import Entry, EntryKind
from catalog.versioning.outcomes import (
    Collision,
    Conflict,
    ConflictReason,
    Resolution,
    TreeMerge,
)
from catalog.versioning.tree import apply, empty_tree, scan

State = dict[Key, Entry]

NAMESPACES: list[Key] = [("m",), ("n",), ("m", "k")]
NAMES = st.sampled_from(["a", "b", "c"])
PLACES = st.tuples(st.sampled_from(NAMESPACES), NAMES).map(lambda pair: (*pair[0], pair[1]))
KEYS = PLACES | st.sampled_from(NAMESPACES)
STEPS = st.tuples(
    st.sampled_from(["namespace", "property", "write", "write", "drop", "drop", "rename"]),
    KEYS,
    KEYS,
    st.integers(1, 3),
)
WORK = st.lists(STEPS, max_size=6)
RESOLUTIONS: list[Resolution] = ["auto", "fail", "ours", "theirs"]
ASKED = st.dictionaries(KEYS, st.sampled_from(RESOLUTIONS), max_size=4)


class Clash(Exception):
    """The model's word for conflicts."""


def worked(state: State, work: list[tuple[str, Key, Key, int]], who: str) -> State:
    """Do what of the work is possible; `who` makes new things differ, but not changes."""
    state = dict(state)
    for step, (what, key, other, number) in enumerate(work):
        housed = len(key) == 1 or is_namespace(state.get(key[:-1]))
        match what:
            case "namespace" if housed and key not in state and key in NAMESPACES:
                state[key] = Entry(EntryKind.NAMESPACE, f"{who}{step}")
            case "property" if is_namespace(state.get(key)):
                properties = {**state[key].properties, f"p{number % 2}": str(number)}
                state[key] = replace(state[key], properties=properties)
            case "write" if key in state and not is_namespace(state[key]):
                state[key] = replace(state[key], metadata_location=f"v{number}")
            case "write" if housed and key not in state and len(key) > 1:
                state[key] = Entry(EntryKind.TABLE, f"{who}{step}", "v0")
            case "drop" if key in state and not any(k[:-1] == key for k in state):
                del state[key]
            case "rename" if key in state and not is_namespace(state[key]):
                if other not in state and len(other) > 1 and is_namespace(state.get(other[:-1])):
                    state[other] = state.pop(key)
    return state


def is_namespace(entry: Entry | None) -> bool:
    return entry is not None and entry.kind is EntryKind.NAMESPACE


@st.composite
def histories(draw: Any) -> tuple[State, State, State]:
    first: State = {
        ("m",): Entry(EntryKind.NAMESPACE, "m"),
        ("n",): Entry(EntryKind.NAMESPACE, "n"),
        ("m", "a"): Entry(EntryKind.TABLE, "first", "v0"),
        ("n", "b"): Entry(EntryKind.TABLE, "second", "v0"),
    }
    base = worked(first, draw(WORK), "base")
    return base, worked(base, draw(WORK), "ours"), worked(base, draw(WORK), "theirs")


# The model


def modelled(base: State, ours: State, theirs: State) -> State:
    """Merge by the rules, one thing after another, then hold the names against each other."""
    before, left, right = map(places, (base, ours, theirs))
    result: State = {}
    for thing in before.keys() | left.keys() | right.keys():
        place = three_way(before.get(thing), left.get(thing), right.get(thing))
        if place is not None:
            key, entry = place
            if key in result:
                raise Clash
            result[key] = entry
    if not sound(result):
        raise Clash
    return result


def thing_of(key: Key, entry: Entry) -> tuple[EntryKind, str | Key]:
    """A table is what its uuid says, whatever its name; a namespace is what its name says."""
    return entry.kind, key if is_namespace(entry) else entry.uuid


def places(state: State) -> dict[tuple[EntryKind, str | Key], tuple[Key, Entry]]:
    return {thing_of(key, entry): (key, entry) for key, entry in state.items()}


def alike(one: Any, other: Any) -> bool:
    """Whether two places hold the same; whoever made a namespace, it is the same."""
    if one is None or other is None or not is_namespace(one[1]):
        return one == other
    return (one[0], one[1].properties) == (other[0], other[1].properties)


def without_makers(state: State) -> State:
    return {
        key: replace(entry, uuid="") if is_namespace(entry) else entry
        for key, entry in state.items()
    }


def three_way(before: Any, left: Any, right: Any) -> Any:
    if left == before:
        return right
    if alike(left, right) or alike(right, before):
        return left
    if alike(left, before):
        return right
    if left is None or right is None:
        raise Clash
    key, entry = before or (None, None)
    name = pick(key, left[0], right[0])
    if left[1].kind is EntryKind.NAMESPACE:
        return name, merged_properties(entry, left[1], right[1])
    return name, pick(entry, left[1], right[1])


def pick(before: Any, left: Any, right: Any) -> Any:
    if left == right or right == before:
        return left
    if left == before:
        return right
    raise Clash


def merged_properties(before: Entry | None, left: Entry, right: Entry) -> Entry:
    old = before.properties if before is not None else {}
    values = {
        name: pick(old.get(name), left.properties.get(name), right.properties.get(name))
        for name in {*old, *left.properties, *right.properties}
    }
    kept = {name: value for name, value in values.items() if value is not None}
    return replace(left, properties=kept)


def sound(state: State) -> bool:
    housed = all(len(key) == 1 or is_namespace(state.get(key[:-1])) for key in state)
    return housed and len(places(state)) == len(state)


# What is held against it


def merge(
    base: State, ours: State, theirs: State, asked: Mapping[Key, Resolution] = {}, default="auto"
) -> tuple[State, TreeMerge]:
    """Return the merged tree, which means nothing with conflicts, and what was said of it."""
    objects = Objects(lambda ids: {}, ObjectCache(1 << 24))
    roots = [apply(objects, empty_tree(objects), state) for state in (base, ours, theirs)]
    done = merge_trees(objects, *roots, collide=clash, resolve=lambda key: asked.get(key, default))
    tree = done.tree or apply(objects, roots[1], done.edits)
    return dict(scan(objects, tree)), done


def clash(collisions: Sequence[Collision]) -> list[Conflict]:
    return [
        Conflict(
            each.key, ConflictReason.BOTH_CHANGED, "content", each.base, each.ours, each.theirs
        )
        for each in collisions
    ]


@given(histories())
@settings(max_examples=400)
def test_a_merge_makes_what_the_model_makes_and_conflicts_where_it_does(history):
    state, done = merge(*history)
    try:
        expected = modelled(*history)
    except Clash:
        assert done.conflicts
    else:
        assert not done.conflicts
        assert state == expected


@given(histories(), st.sampled_from(["auto", "fail"]))
def test_swapping_the_sides_makes_the_same_and_conflicts_alike(history, default):
    base, ours, theirs = history
    state, done = merge(base, ours, theirs, default=default)
    mirrored, mirror = merge(base, theirs, ours, default=default)
    assert bool(done.conflicts) == bool(mirror.conflicts)
    # Of a namespace that both sides made, each way keeps the uuid that it has on its target.
    assert done.conflicts or without_makers(state) == without_makers(mirrored)


@given(histories(), ASKED, st.sampled_from(RESOLUTIONS))
def test_where_one_side_changed_nothing_the_other_is_the_result(history, asked, default):
    base, ours, theirs = history
    for left, right, expected in ((base, theirs, theirs), (ours, base, ours), (ours, ours, ours)):
        state, done = merge(base, left, right, asked, default)
        assert not done.conflicts
        assert state == expected
        assert not any(each.resolved for each in done.outcomes)


@given(histories(), ASKED, st.sampled_from(RESOLUTIONS))
@settings(max_examples=300)
def test_resolutions_make_a_sound_tree_of_what_the_sides_hold(history, asked, default):
    base, ours, theirs = history
    state, done = merge(base, ours, theirs, asked, default)
    if done.conflicts:
        return
    assert sound(state)
    before, left, right, result = map(places, (base, ours, theirs, state))
    resolved = {
        thing_of(each.key, entry)
        for each in done.outcomes
        if each.resolved
        for entry in (each.base, each.ours, each.theirs)
        if entry is not None
    }
    for thing in before.keys() | left.keys() | right.keys():
        sides = before.get(thing), left.get(thing), right.get(thing)
        place = result.get(thing)
        if thing in resolved:
            assert place in sides[1:]
        else:
            assert place == three_way(*sides)


@given(histories(), ASKED, st.sampled_from(RESOLUTIONS))
def test_only_a_name_that_theirs_took_drops_what_only_ours_has(history, asked, default):
    base, ours, theirs = history
    state, done = merge(base, ours, theirs, asked, default)
    if done.conflicts:
        return
    kept = {entry.uuid for entry in state.values()}
    known = {entry.uuid for entry in (*base.values(), *theirs.values())}
    for key, entry in ours.items():
        if entry.uuid not in kept | known:
            assert state[key] == theirs[key]


@given(histories())
def test_a_side_chosen_for_all_settles_every_conflict_but_of_a_namespace_to_be_emptied(history):
    base, ours, theirs = history
    _, done = merge(base, ours, theirs, default="ours")
    assert not done.conflicts
    _, done = merge(base, ours, theirs, default="theirs")
    assert {each.reason for each in done.conflicts} <= {ConflictReason.NAMESPACE_NOT_EMPTY}
