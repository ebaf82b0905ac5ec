"""The page on merging names every reason and every rule, and no other."""

import re
from pathlib import Path

import pytest

from catalog.errors import StalePlan
from catalog.operations.merging.outcomes import Rule, check_plan
from catalog.versioning.outcomes import ConflictReason

PAGE = Path(__file__).parents[2] / "docs" / "merge.md"


def named(section: str) -> list[str]:
    text = PAGE.read_text(encoding="utf-8").partition(f"## {section}\n")[2].partition("\n## ")[0]
    return re.findall(r"^\| `([a-z-]+)` \|", text, re.MULTILINE)


def test_the_page_names_every_rule():
    assert sorted(named("What goes together")) == sorted(Rule)


def test_the_page_names_every_reason_of_a_conflict():
    assert sorted(named("What conflicts")) == sorted(ConflictReason)


def test_any_plan_is_as_good_as_another_to_whom_names_none():
    check_plan(None, "a")
    check_plan("a", "a")
    with pytest.raises(StalePlan):
        check_plan("b", "a")
