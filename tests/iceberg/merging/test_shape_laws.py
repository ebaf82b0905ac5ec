"""Laws of the merge of shapes, held against a model that is a dict by field id and attribute."""

import copy
from dataclasses import dataclass
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from pyiceberg.table.metadata import TableMetadataUtil

from catalog.iceberg.merging.owed import Claim
from catalog.iceberg.merging.shapes.shape import MergedShapes, merge_shapes
from catalog.iceberg.metadata import default_sort_order, default_spec, written
from tests.iceberg.merging.tables import (
    add,
    apply,
    change,
    check_valid,
    column,
    columns,
    current,
    drop,
    field,
    identify,
    names,
    partition,
    promote,
    put,
    rename,
    reorder,
    snapshot,
    sort,
    struct,
    table,
    unset,
)

BASE = [
    field(1, "id", "long", required=True, origin="id"),
    field(2, "v", "int", origin="v"),
    field(3, "name", origin="name"),
    field(4, "f", "float", origin="f"),
    field(5, "s", struct(field(6, "x", "int", origin="x"), field(7, "y", origin="y")), origin="s"),
]
PROMOTED = {"int": "long", "float": "double"}


@dataclass(frozen=True)
class Draw:
    """One edit as numbers, so that it shrinks; what cannot be done to a table is left out."""

    what: str
    where: int
    how: int


KINDS = (
    *("add", "share", "nest", "drop", "rename", "promote", "require", "doc", "move"),
    *("identify", "partition", "sort", "put", "unset", "snapshot"),
)
EDITS = st.lists(
    st.builds(
        Draw,
        st.sampled_from(KINDS),
        st.integers(0, 7),
        st.integers(0, 3),
    ),
    max_size=5,
)


def edited(base: dict[str, Any], draws: list[Draw], side: str) -> dict[str, Any]:
    """Return the table after the edits; each field says where it came from (`origin`)."""
    result = base
    for number, draw in enumerate(draws):
        edit = as_edit(result, draw, f"{side}{number}")
        result = result if edit is None else apply(result, edit)
    return result


def as_edit(now: dict[str, Any], draw: Draw, label: str) -> Any:
    held = columns(now)
    target = held[draw.where % len(held)]
    name = target["name"]
    taken = {each["name"] for each in held}
    match draw.what:
        case "add":
            return add(label, ["int", "string"][draw.how % 2], origin=label)
        case "share":
            shared = f"shared{draw.how}"
            return None if shared in taken else add(shared, "int", origin=shared)
        case "nest":
            if not isinstance(target["type"], dict):
                return None
            number = now["last-column-id"] + 1
            inner = [*target["type"]["fields"], field(number, label, origin=label)]
            return change(name, type=struct(*inner))
        case "drop":
            used = set(current(now).get("identifier-field-ids", ()))
            for item in (default_spec(now), default_sort_order(now)):
                used |= {each["source-id"] for each in item["fields"]}
            # The columns that both sides may have go one way only, or all could.
            return None if target["id"] in used or name == "id" else drop(name)
        case "rename":
            new = f"{target['origin']}_{draw.how}"
            return None if new in taken else rename(name, new)
        case "promote":
            kind = target["type"]
            return promote(name, PROMOTED[kind]) if str(kind) in PROMOTED else None
        case "require":
            return change(name, required=True)
        case "doc":
            return change(name, doc=str(draw.how))
        case "move":
            order = names(now)
            order.insert(draw.how % len(order), order.pop(draw.where % len(order)))
            return reorder(*order)
        case "identify":
            return identify(name) if target["required"] and target["type"] == "long" else None
        case "partition":
            return partition((name, "identity")) if target["type"] in ("int", "string") else None
        case "sort":
            return None if isinstance(target["type"], dict) else sort(name)
        case "put":
            return put(**{f"p{draw.where}": str(draw.how)})
        case "unset":
            return unset(f"p{draw.where}")
        case _:
            return snapshot(int.from_bytes(label.encode(), "big"))


def flat(fields: list[dict[str, Any]], parent: int = 0) -> dict[int, dict[str, Any]]:
    """The model of a schema: the attributes of each field by id, its place aside."""
    found = {}
    for each in fields:
        nested = each["type"]["fields"] if isinstance(each["type"], dict) else []
        kind = "struct" if nested else each["type"]
        found[each["id"]] = {**each, "type": kind, "parent": parent}
        found |= flat(nested, each["id"])
    return found


def naive(base: dict, ours: dict, theirs: dict) -> dict | None:
    """Merge dicts of dicts by key, and by key again; None where both sides changed one value."""
    merged = {}
    for key in ours.keys() | theirs.keys():
        before, left, right = base.get(key), ours.get(key), theirs.get(key)
        if right in (before, left):
            chosen = left
        elif left == before:
            chosen = right
        elif isinstance(left, dict) and isinstance(right, dict) and isinstance(before, dict):
            chosen = naive(before, left, right)
            if chosen is None:
                return None
        else:
            return None
        if chosen is not None:
            merged[key] = chosen
    return merged


def shape(metadata: dict[str, Any]) -> Any:
    """What a table's shape means, whatever its parts are numbered."""
    schema = current(metadata)
    spec = [(each["source-id"], each["transform"]) for each in default_spec(metadata)["fields"]]
    order = [each["source-id"] for each in default_sort_order(metadata)["fields"]]
    identifiers = set(schema.get("identifier-field-ids", ()))
    return schema["fields"], identifiers, spec, order, metadata["properties"]


VERSIONS = st.sampled_from([1, 2, 3])
STARTS = {
    version: apply(table(*BASE, version=version), put(p0="0", p1="1"), snapshot(1))
    for version in (1, 2, 3)
}


def sides(version: int, ours: list[Draw], theirs: list[Draw]) -> tuple[dict, dict, dict]:
    start = STARTS[version]
    return start, edited(start, ours, "o"), edited(start, theirs, "t")


@given(VERSIONS, EDITS)
@settings(max_examples=80, deadline=None)
def test_a_merge_with_a_side_that_did_nothing_is_the_other_side(version, draws):
    base, one, _ = sides(version, draws, [])
    left = merge_shapes(base, one, base)
    assert isinstance(left, MergedShapes)
    assert left.metadata == one
    right = merge_shapes(base, base, one)
    assert isinstance(right, MergedShapes)
    assert shape(right.metadata) == shape(one)
    assert all(each.claim is not Claim.NOT_WRITTEN for each in right.owed)
    twice = merge_shapes(base, one, one)
    assert isinstance(twice, MergedShapes)
    assert twice.metadata == one
    assert twice.owed == ()


@given(VERSIONS, EDITS, EDITS)
@settings(max_examples=150, deadline=None)
def test_no_field_id_means_two_things_and_every_result_is_valid(version, ours, theirs):
    base, one, two = sides(version, ours, theirs)
    before = copy.deepcopy((base, one, two))
    result = merge_shapes(base, one, two)
    assert (base, one, two) == before
    if not isinstance(result, MergedShapes):
        return
    check_valid(result.metadata)
    TableMetadataUtil.parse_obj(written(result.metadata))
    origins: dict[int, str] = {}
    for schema in result.metadata["schemas"]:
        for field_id, found in flat(schema["fields"]).items():
            assert origins.setdefault(field_id, found["origin"]) == found["origin"]
            assert field_id <= result.metadata["last-column-id"]
    # Ours' ids are published: its files are read by them.
    merged = flat(current(result.metadata)["fields"])
    for field_id, found in flat(current(one)["fields"]).items():
        assert merged.get(field_id, found)["origin"] == found["origin"]


@given(VERSIONS, EDITS, EDITS)
@settings(max_examples=120, deadline=None)
def test_the_mirror_of_a_merge_has_the_same_problems(version, ours, theirs):
    base, one, two = sides(version, ours, theirs)
    result, mirror = merge_shapes(base, one, two), merge_shapes(base, two, one)
    assert isinstance(result, list) == isinstance(mirror, list)
    if isinstance(result, list) and isinstance(mirror, list):
        assert {each.code for each in result} == {each.code for each in mirror}
    elif isinstance(result, MergedShapes) and isinstance(mirror, MergedShapes):
        assert sorted(names(result.metadata)) == sorted(names(mirror.metadata))
        assert result.metadata["properties"] == mirror.metadata["properties"]


ATTRIBUTES = EDITS.map(
    lambda draws: [
        each
        for each in draws
        if each.what in ("drop", "rename", "promote", "require", "doc", "put")
    ]
)


@given(VERSIONS, ATTRIBUTES, ATTRIBUTES)
@settings(max_examples=120, deadline=None)
def test_fields_merge_as_a_dict_by_id_and_attribute_does(version, ours, theirs):
    base, one, two = sides(version, ours, theirs)
    result = merge_shapes(base, one, two)
    expected = naive(*(flat(current(each)["fields"]) for each in (base, one, two)))
    properties = naive(*(each["properties"] for each in (base, one, two)))
    if expected is None or properties is None:
        assert isinstance(result, list)
    elif isinstance(result, list):
        # What the model does not know of: the names of columns, and that one must be left.
        assert {each.code for each in result} <= {"column-name-taken", "no-columns-left"}
    else:
        assert flat(current(result.metadata)["fields"]) == expected
        assert result.metadata["properties"] == properties


@given(VERSIONS, EDITS)
@settings(max_examples=60, deadline=None)
def test_edits_of_other_fields_survive_on_both_sides(version, draws):
    """Ours edits what is there; theirs adds one column and says something of it."""
    base, one, _ = sides(version, [each for each in draws if each.what != "move"], [])
    two = apply(base, add("t_new", "long", origin="t_new"), change("t_new", doc="mine"))
    result = merge_shapes(base, one, two)
    assert isinstance(result, MergedShapes)
    merged = result.metadata
    assert column(merged, "t_new")["doc"] == "mine"
    assert [each for each in columns(merged) if each["name"] != "t_new"] == columns(one)
