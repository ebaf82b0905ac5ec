import contextlib
import re
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from catalog.errors import InvalidInput
from catalog.versioning.ids import object_id
from catalog.versioning.revisions import (
    Ancestor,
    At,
    IdPrefix,
    Name,
    Parent,
    Revision,
    check_ref_name,
    check_warehouse_name,
    decode_prefix,
    encode_prefix,
    parse_revision,
    split_revision,
)

GOOD = ["main", "ingest/2026-11-23", "release/2026-11-23", "a.@", "x.40", "ü/ß", "a@b", "deadbee"]
BAD = [
    "",
    "/a",
    "a/",
    "a//b",
    "a..b",
    "a@{b",
    "a b",
    "a~b",
    "a^b",
    "a:b",
    "a?b",
    "a*b",
    "a[b",
    "a\\b",
    "a\tb",
    "a.",
    "a.lock",
    "a.lock/b",
    ".a",
    "a/.b",
    "-a",
    "HEAD",
    "@",
    "deadbeef",
    "DEADBEEF",
    "0" * 64,
    "x" * 256,
    "\ud800",
]


@pytest.mark.parametrize("name", GOOD)
def test_name_of_a_ref_is_accepted(name):
    assert check_ref_name(name) == name


@pytest.mark.parametrize("name", BAD)
def test_name_of_a_ref_is_refused(name):
    with pytest.raises(InvalidInput):
        check_ref_name(name)


@pytest.mark.parametrize("name", ["", "a.b", "-a", "a/b", "ä", "a" * 64])
def test_name_of_a_warehouse_is_refused(name):
    with pytest.raises(InvalidInput):
        check_warehouse_name(name)


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("main", Revision(Name("main"))),
        ("3f2a9c1e77", Revision(IdPrefix("3f2a9c1e77"))),
        ("3F2A9C1E", Revision(IdPrefix("3f2a9c1e"))),
        ("main~3", Revision(Name("main"), (Ancestor(3),))),
        ("main~", Revision(Name("main"), (Ancestor(1),))),
        ("main^2~1", Revision(Name("main"), (Parent(2), Ancestor(1)))),
        ("deadbeef^", Revision(IdPrefix("deadbeef"), (Parent(1),))),
        ("main@{now}", Revision(Name("main"), (At(None),))),
        (
            "a/b@{2026-11-20T08:00:00Z}~2",
            Revision(Name("a/b"), (At(datetime(2026, 11, 20, 8, tzinfo=UTC)), Ancestor(2))),
        ),
        ("main@{2026-11-20}", Revision(Name("main"), (At(datetime(2026, 11, 20, tzinfo=UTC)),))),
    ],
)
def test_revision_is_parsed(text, parsed):
    assert parse_revision(text) == parsed


@pytest.mark.parametrize(
    "text",
    ["", "~1", "main~x", "main@{", "main@{never}", "main~1@{now}", "deadbeef@{now}", "main^^x",
     "main~999999999999", "main@{now}@{now}", "a b"],
)  # fmt: skip
def test_revision_is_refused(text):
    with pytest.raises(InvalidInput):
        parse_revision(text)


@given(st.text())
def test_any_text_is_a_revision_or_invalid_input(text):
    with contextlib.suppress(InvalidInput):
        parse_revision(text)


@pytest.mark.parametrize(
    ("text", "parts"),
    [("t", ("t", None)), ("t@a/b", ("t", "a/b")), ("lake@main@{now}", ("lake", "main@{now}"))],
)
def test_revision_is_split_at_the_first_at_sign(text, parts):
    assert split_revision(text) == parts


@given(st.text(min_size=1, max_size=40))
@example("a.@")
@example("x.40")
@example("a.b..40"[:3])
def test_prefix_of_a_branch_survives(name):
    try:
        check_ref_name(name)
    except InvalidInput:
        return
    prefix = encode_prefix("lake", branch=name)
    assert re.fullmatch(r"[A-Za-z0-9._~-]+", prefix)
    decoded = decode_prefix(prefix)
    assert (decoded.warehouse, decoded.branch, decoded.commit) == ("lake", name, None)


def test_prefix_of_a_commit_survives():
    commit = object_id(b"x")
    decoded = decode_prefix(encode_prefix("lake", commit=commit))
    assert (decoded.warehouse, decoded.branch, decoded.commit) == ("lake", None, commit)


@given(st.text(max_size=30))
def test_any_text_is_a_prefix_or_invalid_input(text):
    with contextlib.suppress(InvalidInput):
        decode_prefix(text)
