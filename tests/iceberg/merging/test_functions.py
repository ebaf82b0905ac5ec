"""Functions: definitions by the types of their parameters, properties by key."""

import copy

import pytest

from catalog.iceberg.functions import next_function
from catalog.iceberg.merging.shapes.functions import merge_functions

UUID = "fa6506c3-7681-40c8-86dc-e36561f83385"


def definition(*types, sql="x"):
    representation = {"type": "sql", "sql": sql, "dialect": "spark"}
    return {
        "parameters": [{"name": f"p{n}", "type": each} for n, each in enumerate(types)],
        "return-type": "int",
        "versions": [{"version-id": 1, "timestamp-ms": 1, "representations": [representation]}],
        "current-version-id": 1,
        "function-type": "udf",
    }


def function(*definitions, base=None, now_ms=1, **members):
    request = {"definitions": list(definitions), **members}
    return next_function(base, request, location="s3://b/f", function_uuid=UUID, now_ms=now_ms)


BASE = function(definition("int"), definition("long"), properties={"a": "1"})


def merge(ours, theirs):
    sides = [copy.deepcopy(each) for each in (BASE, ours, theirs)]
    result = merge_functions(*sides)
    assert sides == [BASE, ours, theirs]
    return result


def after(*definitions, **members):
    return function(*definitions, base=BASE, now_ms=2, **members)


def test_definitions_of_both_sides_are_joined():
    ours = after(definition("int", sql="o"), definition("long"), properties={"a": "1", "o": "1"})
    theirs = after(definition("int"), definition("string"), properties={"a": "2"})
    result = merge(ours, theirs)
    assert [each["definition-id"] for each in result["definitions"]] == ["int", "string"]
    assert result["definitions"][0]["versions"][0]["representations"][0]["sql"] == "o"
    assert result["properties"] == {"a": "2", "o": "1"}
    assert len(result["definition-log"]) == 2


def test_a_merge_with_a_side_that_did_nothing_is_the_other_side():
    side = after(definition("int", sql="o"), definition("string"), doc="d")
    assert merge(side, BASE) == side
    assert merge(BASE, side) == side


@pytest.mark.parametrize(
    ("ours", "theirs", "code"),
    [
        (
            after(definition("int", sql="o"), definition("long")),
            after(definition("int", sql="t"), definition("long")),
            "function-changed-twice",
        ),
        (after(definition("int")), after(definition("long")), "function-changed-twice"),
        (after(definition("int"), doc="o"), after(definition("int"), doc="t"),
         "member-changed-twice"),
        (after(definition("int"), properties={"a": "2"}),
         after(definition("int"), properties={"a": "3"}), "property-conflict"),
    ],
)  # fmt: skip
def test_changes_of_a_function_that_do_not_go_together(ours, theirs, code):
    assert [each.code for each in merge(ours, theirs)] == [code]
