"""Views: versions by content, properties by key."""

import copy

import pytest

from catalog.iceberg.merging.shapes.views import merge_views
from catalog.iceberg.parsing import parse_updates
from catalog.iceberg.view_updates import update_view
from catalog.iceberg.views import check_view
from tests.iceberg.merging.tables import field

NOW = 5_000


def version(sql, **members):
    return {
        "version-id": 1,
        "timestamp-ms": NOW,
        "schema-id": 0,
        "summary": {},
        "default-namespace": ["a"],
        "representations": [{"type": "sql", "sql": sql, "dialect": "spark"}],
        **members,
    }


def schema(*names):
    fields = [field(number, name) for number, name in enumerate(names, 1)]
    return {"type": "struct", "schema-id": 0, "fields": fields}


BASE = {
    "view-uuid": "fa6506c3-7681-40c8-86dc-e36561f83385",
    "format-version": 1,
    "location": "s3://b/v",
    "properties": {"a": "1", "b": "1"},
    "schemas": [schema("x")],
    "current-version-id": 1,
    "versions": [version("select 1")],
    "version-log": [{"timestamp-ms": 1_000, "version-id": 1}],
}


def update(*updates):
    return lambda view: update_view(view, parse_updates(list(updates)), now_ms=NOW)


def query(sql, columns=("x",), **members):
    return update(
        {"action": "add-schema", "schema": schema(*columns)},
        {"action": "add-view-version", "view-version": version(sql, **members) | {"schema-id": -1}},
        {"action": "set-current-view-version", "view-version-id": -1},
    )


def put(**properties):
    return update({"action": "set-properties", "updates": properties})


def with_member(name, value):
    return lambda view: {**view, name: value}


def made(edits):
    view = copy.deepcopy(BASE)
    for edit in edits:
        view = edit(view)
    return view


def merge(ours, theirs):
    sides = [copy.deepcopy(BASE), made(ours), made(theirs)]
    before = copy.deepcopy(sides)
    result = merge_views(*sides)
    assert sides == before
    if isinstance(result, dict):
        check_view(result)
    return result


def sql_of(view):
    current = next(
        each for each in view["versions"] if each["version-id"] == view["current-version-id"]
    )
    return current["representations"][0]["sql"]


def test_a_query_on_one_side_and_properties_on_the_other_go_together():
    for ours, theirs in (([query("q")], [put(a="2")]), ([put(a="2")], [query("q")])):
        result = merge(ours, theirs)
        assert sql_of(result) == "q"
        assert result["properties"] == {"a": "2", "b": "1"}
        assert [each["version-id"] for each in result["version-log"]] == [1, 2]


def test_a_version_of_theirs_gets_a_free_id():
    back = update({"action": "set-current-view-version", "view-version-id": 1})
    result = merge([query("q"), back], [query("r", ("x", "y"))])
    assert sql_of(result) == "r"
    assert [each["version-id"] for each in result["versions"]] == [1, 2, 3]
    assert [each["schema-id"] for each in result["versions"]] == [0, 0, 1]
    assert [each["name"] for each in result["schemas"][1]["fields"]] == ["x", "y"]


def test_the_same_query_on_both_sides_is_one_version():
    result = merge([query("q")], [query("q", summary={"by": "theirs"})])
    assert len(result["versions"]) == 2


def test_the_query_that_came_after_the_other_is_taken():
    """A squashed merge brought theirs' first query, and theirs went on."""
    base, first = made([]), made([query("q")])
    second = query("r", ("x", "y"), **{"timestamp-ms": NOW + 1})(first)
    for ours, theirs in ((put(a="2")(first), second), (second, put(a="2")(first))):
        result = merge_views(base, ours, theirs)
        assert isinstance(result, dict)
        check_view(result)
        assert sql_of(result) == "r"
        assert result["properties"]["a"] == "2"
        assert [each["version-id"] for each in result["version-log"]] == [1, 2, 3]


def test_a_query_that_was_set_back_meanwhile_conflicts_with_the_next():
    back = update({"action": "set-current-view-version", "view-version-id": 1})
    base, first = made([query("q")]), made([query("q")])
    second = query("r", **{"timestamp-ms": NOW + 1})(first)
    for ours, theirs in ((back(first), second), (second, back(first)), (made([]), second)):
        found = merge_views(base, ours, theirs)
        assert [each.code for each in found] == ["view-changed-twice"]


def test_a_view_that_theirs_set_back_is_set_back():
    result = merge_views(
        made([query("q")]),
        made([query("q"), put(a="2")]),
        made([])
        | {
            "versions": made([query("q")])["versions"],
        },
    )
    assert isinstance(result, dict)
    assert sql_of(result) == "select 1"
    assert [each["version-id"] for each in result["version-log"]] == [1, 2, 1]


@pytest.mark.parametrize(
    ("ours", "theirs", "code"),
    [
        (query("q"), query("r"), "view-changed-twice"),
        (query("q", ("x",)), query("q", ("y",)), "view-changed-twice"),
        (put(a="2"), put(a="3"), "property-conflict"),
        (with_member("new", 1), with_member("new", 2), "member-changed-twice"),
        (
            update({"action": "set-location", "location": "s3://b/o"}),
            update({"action": "set-location", "location": "s3://b/t"}),
            "location-changed-twice",
        ),
    ],
)
def test_changes_of_a_view_that_do_not_go_together(ours, theirs, code):
    result = merge([ours], [theirs])
    assert [each.code for each in result] == [code]


def test_members_that_nobody_knows_survive():
    result = merge([with_member("o", 1)], [with_member("t", {"x": 2})])
    assert (result["o"], result["t"]) == (1, {"x": 2})


def test_a_merge_with_a_side_that_did_nothing_is_the_other_side():
    ours = made([query("q"), put(c="3")])
    assert merge_views(BASE, ours, BASE) == ours
    theirs = merge_views(BASE, BASE, ours)
    assert theirs == ours
