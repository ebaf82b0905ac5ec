from hypothesis import given
from hypothesis import strategies as st

from catalog.versioning.diff import changed_keys, diff
from catalog.versioning.keys import decode_key, encode_key
from catalog.versioning.object_store import ObjectCache, Objects
from catalog.versioning.objects import ChangeKind, Entry, EntryKind, Node
from catalog.versioning.tree import (
    apply,
    children,
    empty_tree,
    get,
    get_many,
    is_border,
    scan,
)

# Few distinct names, so that edits meet; enough of them for trees of several levels.
LEVELS = st.integers(0, 399).map(lambda number: f"t{number:03d}")
KEYS = st.one_of(LEVELS.map(lambda name: (name,)), st.tuples(st.sampled_from("abc"), LEVELS))
ENTRIES = st.integers(0, 5).map(
    lambda number: Entry(EntryKind.TABLE, f"uuid-{number}", f"file:///t/{number}.metadata.json")
)
STATES = st.dictionaries(KEYS, ENTRIES, max_size=300)
EDITS = st.dictionaries(KEYS, st.none() | ENTRIES, max_size=120)


def fresh() -> Objects:
    return Objects(lambda ids: {}, ObjectCache(1 << 26))


def edited(state: dict, edits: dict) -> dict:
    return {key: entry for key, entry in (state | edits).items() if entry is not None}


@given(STATES, st.lists(EDITS, max_size=4))
def test_tree_holds_what_a_dict_holds(state, rounds):
    objects = fresh()
    root = apply(objects, empty_tree(objects), state)
    for edits in rounds:
        root = apply(objects, root, edits)
        state = edited(state, edits)
        assert dict(scan(objects, root)) == state
        assert list(scan(objects, root)) == sorted(state.items())
        asked = [*edits, ("never", "there")]
        assert get_many(objects, root, asked) == {key: state[key] for key in asked if key in state}
        for key in edits:
            assert get(objects, root, key) == state.get(key)


@given(STATES, st.lists(EDITS, max_size=4))
def test_shape_is_independent_of_edit_order(state, rounds):
    objects = fresh()
    root = apply(objects, empty_tree(objects), state)
    for edits in rounds:
        root = apply(objects, root, edits)
        state = edited(state, edits)
    at_once = fresh()
    assert apply(at_once, empty_tree(at_once), state) == root


@given(STATES, STATES)
def test_edits_back_and_forth_return_to_the_same_root(before, after):
    objects = fresh()
    first = apply(objects, empty_tree(objects), before)
    there = {key: after.get(key) for key in before.keys() | after.keys()}
    second = apply(objects, first, there)
    back = {key: before.get(key) for key in before.keys() | after.keys()}
    assert apply(objects, second, back) == first


@given(STATES)
def test_removing_everything_leaves_the_empty_tree(state):
    objects = fresh()
    root = apply(objects, empty_tree(objects), state)
    assert apply(objects, root, dict.fromkeys(state)) == empty_tree(objects)


@given(STATES, EDITS)
def test_diff_leads_from_one_tree_to_the_other(state, edits):
    objects = fresh()
    before = apply(objects, empty_tree(objects), state)
    after = apply(objects, before, edits)
    target = edited(state, edits)
    changed = list(changed_keys(objects, before, after))
    assert [key for key, _, _ in changed] == sorted(
        key for key in state.keys() | target.keys() if state.get(key) != target.get(key)
    )
    assert all((old, new) == (state.get(key), target.get(key)) for key, old, new in changed)
    assert apply(objects, before, {key: new for key, _, new in changed}) == after


@given(STATES, STATES)
def test_diff_of_unrelated_trees_names_every_difference(left, right):
    objects = fresh()
    first = apply(objects, empty_tree(objects), left)
    second = apply(objects, empty_tree(objects), right)
    found = {key: (old, new) for key, old, new in changed_keys(objects, first, second)}
    assert found == {
        key: (left.get(key), right.get(key))
        for key in left.keys() | right.keys()
        if left.get(key) != right.get(key)
    }


@given(STATES)
def test_children_are_those_directly_inside(state):
    objects = fresh()
    root = apply(objects, empty_tree(objects), state)
    for namespace in ((), ("a",), ("t001",), ("nowhere",)):
        depth = len(namespace) + 1
        expected = sorted(
            (key, entry)
            for key, entry in state.items()
            if len(key) == depth and key[:-1] == namespace
        )
        assert list(children(objects, root, namespace)) == expected
        for key, _ in expected[:3]:
            rest = [item for item in expected if item[0] > key]
            assert list(children(objects, root, namespace, after=key[-1])) == rest


@given(STATES, st.binary(max_size=6), st.binary(max_size=6))
def test_scan_keeps_to_its_range(state, start, stop):
    objects = fresh()
    root = apply(objects, empty_tree(objects), state)
    expected = [item for item in sorted(state.items()) if start <= encode_key(item[0]) < stop]
    assert list(scan(objects, root, start=start, stop=stop)) == expected


@given(STATES)
def test_every_node_ends_at_a_border_or_at_the_end(state):
    objects = fresh()
    root = apply(objects, empty_tree(objects), state)
    level = [objects.node(root)]
    while level:
        last = level[-1]
        for node in level:
            assert not any(is_border(node.level, key) for key in node.keys[:-1])
            assert node is last or is_border(node.level, node.keys[-1])
        level = [objects.node(child) for node in level if node.level for child in node.values]


def test_an_edit_of_one_key_among_many_writes_one_node_a_level(objects):
    state = {
        ("ns", f"t{number:05d}"): Entry(EntryKind.TABLE, f"uuid-{number}", f"l{number}")
        for number in range(20_000)
    }
    root = apply(objects, empty_tree(objects), state)
    objects.publish()
    after = apply(objects, root, {("ns", "t10000"): Entry(EntryKind.TABLE, "uuid", "new")})
    levels = [objects.node(after).level + 1]
    assert len(objects.staged) == levels[0]


def test_a_tree_reads_the_same_after_it_was_stored(objects, reopened):
    state = {("ns", f"t{n}"): Entry(EntryKind.VIEW, f"u{n}", facts={"n": n}) for n in range(500)}
    root = apply(objects, empty_tree(objects), state)
    assert dict(scan(reopened(objects), root)) == state


@given(st.lists(st.text(min_size=1).filter(lambda text: "\0" not in text), min_size=1))
def test_keys_survive_their_encoding(levels):
    try:
        encoded = encode_key(tuple(levels))
    except Exception:
        assert any("\ud800" <= character <= "\udfff" for level in levels for character in level)
        return
    assert decode_key(encoded) == tuple(levels)


def table(uuid: str, location: str = "l") -> Entry:
    return Entry(EntryKind.TABLE, uuid, location)


def changes(objects: Objects, before: dict, after: dict) -> list:
    first = apply(objects, empty_tree(objects), before)
    second = apply(objects, empty_tree(objects), after)
    return [(c.change, c.key, c.from_key) for c in diff(objects, first, second)]


def test_diff_pairs_a_rename_by_uuid(objects):
    assert changes(objects, {("a",): table("1")}, {("b",): table("1", "other")}) == [
        (ChangeKind.RENAMED, ("b",), ("a",))
    ]


def test_diff_shows_two_tables_that_changed_names(objects):
    before = {("a",): table("1"), ("b",): table("2")}
    after = {("a",): table("2"), ("b",): table("1")}
    assert changes(objects, before, after) == [
        (ChangeKind.RENAMED, ("a",), ("b",)),
        (ChangeKind.RENAMED, ("b",), ("a",)),
    ]


def test_diff_shows_a_name_taken_over_by_a_rename(objects):
    before = {("a",): table("1"), ("b",): table("2")}
    assert changes(objects, before, {("b",): table("1")}) == [
        (ChangeKind.RENAMED, ("b",), ("a",)),
        (ChangeKind.REMOVED, ("b",), None),
    ]


def test_diff_shows_a_name_used_again_after_a_rename(objects):
    after = {("a",): table("2"), ("b",): table("1")}
    assert changes(objects, {("a",): table("1")}, after) == [
        (ChangeKind.ADDED, ("a",), None),
        (ChangeKind.RENAMED, ("b",), ("a",)),
    ]


def test_diff_shows_a_table_made_anew_as_modified(objects):
    assert changes(objects, {("a",): table("1")}, {("a",): table("2")}) == [
        (ChangeKind.MODIFIED, ("a",), None)
    ]


def test_the_empty_tree_is_a_leaf_without_items(objects):
    assert objects.node(empty_tree(objects)) == Node(0, (), ())
