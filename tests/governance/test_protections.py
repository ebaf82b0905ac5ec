"""Protections: what a pattern matches, how rules are read, the verdict on each kind of move."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.errors import InvalidInput
from catalog.governance.protections import (
    CheckState,
    MoveKind,
    RefMove,
    Rules,
    check_name,
    check_pattern,
    matches,
    verdict,
)

EVERY_KIND = list(MoveKind)


def judged(rules: dict[str, Rules], kind: MoveKind, ref: str = "main", **checks: str) -> str | None:
    refusal = verdict(rules, RefMove(kind, ref, "some-operation"), checks)
    return None if refusal is None else refusal.rule


@pytest.mark.parametrize(
    ("pattern", "ref"),
    [
        ("main", "main"),
        ("release/*", "release/2026-11-23"),
        ("*", "main"),
        ("m?in", "main"),
        ("*/*", "team/work"),
        ("release/2026-*", "release/2026-11-23"),
        ("**", "main"),
        ("**", "a/b/c"),
        ("release/**", "release/a"),
        ("release/**", "release/a/b"),
        ("**/main", "main"),
        ("**/main", "team/a/main"),
        ("a/**/z", "a/z"),
        ("a/**/z", "a/b/c/z"),
        ("v1.0", "v1.0"),
        ("größe-*", "größe-1"),
    ],
)
def test_pattern_matches(pattern: str, ref: str) -> None:
    assert matches(check_pattern(pattern), ref)


@pytest.mark.parametrize(
    ("pattern", "ref"),
    [
        ("main", "maintenance"),
        ("main", "Main"),
        ("main", "domain"),
        ("release/*", "release"),
        ("release/*", "release/a/b"),
        ("release/*", "prerelease/a"),
        ("*", "a/b"),
        ("m?in", "m/in"),
        ("release/**", "release"),
        ("**/main", "team/domain"),
        ("a/**/z", "az"),
        ("v1.0", "v1x0"),
        ("a+", "aa"),
    ],
)
def test_pattern_does_not_match(pattern: str, ref: str) -> None:
    assert not matches(check_pattern(pattern), ref)


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "a//b",
        "/a",
        "a/",
        "a b",
        "a[bc]",
        "a**",
        "**b/c",
        "a..b",
        "a@{b",
        "a\n",
        "x" * 256,
        "a:b",
    ],
)
def test_a_pattern_that_cannot_be_is_refused(pattern: str) -> None:
    with pytest.raises(InvalidInput):
        check_pattern(pattern)


@given(st.from_regex(r"[a-z0-9._-]{1,8}(/[a-z0-9._-]{1,8}){0,3}", fullmatch=True))
@settings(max_examples=100, deadline=None)
def test_a_name_without_wildcards_matches_itself_alone(name: str) -> None:
    assert matches(name, name)
    assert not matches(name, name + "x")
    assert matches("**", name)
    assert matches("*", name) == ("/" not in name)
    assert matches(re.sub("[^/]", "?", name), name)


def test_without_rules_every_move_passes() -> None:
    assert [judged({}, kind) for kind in EVERY_KIND] == [None] * len(EVERY_KIND)


def test_rules_of_another_pattern_do_not_apply() -> None:
    rules = {"release/*": Rules(True, ("dbt",), 0, True, True)}
    assert [judged(rules, kind) for kind in EVERY_KIND] == [None] * len(EVERY_KIND)


@pytest.mark.parametrize(
    ("rules", "refused"),
    [
        (
            Rules(require_merge=True),
            {
                MoveKind.COMMIT: "require_merge",
                MoveKind.RESET: "require_merge",
                MoveKind.DELETE: "require_merge",
            },
        ),
        (
            Rules(required_checks=("dbt",)),
            {
                MoveKind.COMMIT: "required_checks",
                MoveKind.MERGE: "required_checks",
                MoveKind.RESET: "required_checks",
                MoveKind.DELETE: "required_checks",
            },
        ),
        (
            Rules(forbid_delete=True),
            {MoveKind.DELETE: "forbid_delete", MoveKind.DELETE_TAG: "forbid_delete"},
        ),
        (Rules(forbid_reset=True), {MoveKind.RESET: "forbid_reset"}),
        (Rules(merge_inside_tables=False), {}),
        (Rules(), {}),
    ],
)
@pytest.mark.parametrize("kind", EVERY_KIND)
def test_each_rule_refuses_these_moves_and_no_others(
    rules: Rules, refused: dict[MoveKind, str], kind: MoveKind
) -> None:
    assert judged({"main": rules}, kind) == refused.get(kind)


@pytest.mark.parametrize("kind", [MoveKind.MERGE, MoveKind.RESET])
def test_what_has_passed_all_required_checks_is_let_in(kind: MoveKind) -> None:
    rules = {"main": Rules(required_checks=("dbt", "soda"))}
    assert judged(rules, kind, dbt="success", soda="success", other="failure") is None


@pytest.mark.parametrize("state", [CheckState.PENDING, CheckState.FAILURE])
def test_a_check_that_is_not_green_refuses_by_name_and_state(state: CheckState) -> None:
    refusal = verdict(
        {"main": Rules(required_checks=("dbt", "soda", "rows"))},
        RefMove(MoveKind.MERGE, "main", "merge"),
        {"dbt": state, "soda": "success"},
    )
    assert refusal is not None
    assert refusal.rule == "required_checks"
    assert f"dbt is {state.value}, rows is missing on the head of the source" in refusal.detail
    assert "soda" not in refusal.detail


def test_all_matching_protections_apply() -> None:
    rules = {"**": Rules(forbid_reset=True), "m*": Rules(required_checks=("dbt",)), "main": Rules()}
    assert judged(rules, MoveKind.RESET, dbt="success") == "forbid_reset"
    assert judged(rules, MoveKind.MERGE) == "required_checks"
    assert judged(rules, MoveKind.MERGE, dbt="success") is None


def test_a_refused_direct_commit_is_told_how_to_do_it() -> None:
    refusal = verdict(
        {"main": Rules(require_merge=True)}, RefMove(MoveKind.COMMIT, "main", "drop-table"), {}
    )
    assert refusal is not None
    assert refusal.pattern == "main"
    for words in ("'main'", "require_merge", "drop-table", "create a branch", "merge"):
        assert words in refusal.detail


@pytest.mark.parametrize("kind", [MoveKind.MERGE, MoveKind.COMMIT])
def test_what_was_merged_inside_tables_is_refused_where_that_is_forbidden(kind: MoveKind) -> None:
    move = RefMove(kind, "main", "merge", merges_inside=True)
    assert verdict({"main": Rules(), "other": Rules(merge_inside_tables=False)}, move, {}) is None
    refusal = verdict({"**": Rules(), "m*": Rules(merge_inside_tables=False)}, move, {})
    assert refusal is not None
    assert (refusal.rule, refusal.pattern) == ("merge_inside_tables", "m*")
    assert "merge_inside_tables" in refusal.detail


def test_rules_survive_their_json() -> None:
    rules = Rules(True, ("dbt", "soda"), 0, True, True, False)
    assert Rules.from_json(rules.to_json()) == rules
    assert Rules.from_json({}) == Rules()


@pytest.mark.parametrize(
    ("document", "named"),
    [
        ({"require_merge": 1}, "require_merge"),
        ({"forbid_delete": "yes"}, "forbid_delete"),
        ({"forbid_reset": None}, "forbid_reset"),
        ({"merge_inside_tables": 0}, "merge_inside_tables"),
        ({"required_approvals": True}, "required_approvals"),
        ({"required_approvals": 1}, "required_approvals"),
        ({"required_approvals": -1}, "required_approvals"),
        ({"required_checks": "dbt"}, "required_checks"),
        ({"required_checks": [""]}, "name"),
        ({"required_checks": [1]}, "name"),
        ({"required_checks": ["dbt", "dbt"]}, "twice"),
        ({"require_merges": True}, "require_merges"),
    ],
)
def test_rules_that_cannot_be_are_refused_by_name(document: dict[str, object], named: str) -> None:
    with pytest.raises(InvalidInput, match=named):
        Rules.from_json(document)


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "x" * 256, 3, None])
def test_a_name_that_no_check_can_have_is_refused(name: object) -> None:
    with pytest.raises(InvalidInput):
        check_name(name)
