"""Locations: one spelling, containment by segments, new ones."""

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.errors import InvalidInput
from catalog.iceberg.locations import (
    contains,
    new_location,
    normalise,
    strip_trailing_slashes,
)


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("/a/b", "file:///a/b"),
        ("file:/a/b", "file:///a/b"),
        ("file:///a/b/", "file:///a/b"),
        ("FILE://localhost/a//b/./c/../", "file:///a/b"),
        ("//a", "file:///a"),
        ("/", "file:///"),
        ("/a/..", "file:///"),
        ("file:///", "file:///"),
        ("s3://Bucket/A/b/", "s3://Bucket/A/b"),
        ("S3A://b/a", "s3://b/a"),
        ("s3n://b", "s3://b"),
        ("s3://b/", "s3://b"),
        ("s3://b/a%2Fb/%2e%2e/c d", "s3://b/a%2Fb/%2e%2e/c d"),
        ("abfss://Files@Acc.DFS.core.windows.net/x", "abfss://Files@acc.dfs.core.windows.net/x"),
        ("gs://b/x/./y", "gs://b/x/y"),
    ],
)
def test_a_place_has_one_spelling(location, expected):
    assert normalise(location) == expected
    assert normalise(expected) == expected


@pytest.mark.parametrize(
    "location",
    [
        "",
        "a/b",
        "./a",
        "file:a",
        "file://host/a",
        "file://",
        "file://localhost",
        "s3:/b/a",
        "s3:///a",
        "s3://",
        "s3://../a",
        "C:\\a",
        "s3://b/a?x=1",
        "s3://b/a#x",
        "/a\0b",
        "/a\nb",
        "s3://b/a\x7f",
        "/a/../../b",
        "s3://b/..",
        "s3://b/a/../../c/x",
    ],
)
def test_what_is_no_location_is_refused(location):
    with pytest.raises(InvalidInput):
        normalise(location)


@pytest.mark.parametrize(
    ("parent", "child", "inside"),
    [
        ("s3://b/a", "s3://b/a/b", True),
        ("s3://b/a/", "s3a://b/a", True),
        ("/a/b", "/a/bc", False),
        ("s3://b/a", "s3://b/a/../c", False),
        ("s3://b/a", "s3://b/A/x", False),
        ("s3://b", "s3://bb/a", False),
        ("s3://b", "s3://B/a", False),
        ("s3://b", "s3://b/a", True),
        ("s3://b/a", "gs://b/a/x", False),
        ("/", "/etc", True),
        ("/", "/", True),
        ("file:///w", "/w/x", True),
        ("/w/x", "/w", False),
    ],
)
def test_containment_goes_by_segments(parent, child, inside):
    assert contains(parent, child) is inside


def test_a_new_location_names_namespace_and_table():
    assert new_location("s3://b/w/", ("a", "b", "t"), "1f2e") == "s3://b/w/a/b/t-1f2e"
    assert new_location("/w", ("t",), "1f2e") == "/w/t-1f2e"


SAFE = set(string.ascii_letters + string.digits + "/._-%")
NAMES = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), min_size=1)


@settings(max_examples=100, deadline=None)
@given(st.lists(NAMES | st.sampled_from([".", "..", "a/b", "%", "x" * 500]), min_size=1))
def test_a_new_location_lies_in_the_warehouse_whatever_the_names(levels):
    location = new_location("s3://b/w", tuple(levels), "1f2e3d4c")
    assert normalise(location) == location
    assert contains("s3://b/w", location)
    assert location.endswith("-1f2e3d4c")
    assert set(location.removeprefix("s3://")) <= set(
        string.ascii_letters + string.digits + "/._-%"
    )
    assert len(location) < 700
    depth = len(location.removeprefix("s3://b/w/").split("/"))
    assert depth == min(len(levels), 9)


@settings(max_examples=200, deadline=None)
@given(st.text("ab/.:%@ \0", max_size=12) | st.text(max_size=20).map("s3://b/".__add__))
def test_normalising_is_idempotent_or_refuses(text):
    try:
        once = normalise(text)
    except InvalidInput:
        return
    assert normalise(once) == once
    assert contains(once, text)
    assert ".." not in once.split("/")


@pytest.mark.parametrize(
    ("location", "expected"),
    [("s3://b/t//", "s3://b/t"), ("s3://", "s3://"), ("s3://b", "s3://b"), ("/", "")],
)
def test_slashes_are_stripped_but_not_from_a_bare_scheme(location, expected):
    assert strip_trailing_slashes(location) == expected
