"""Histories are drawn: base, then what ours and what theirs made of it. A' is a copy of A."""

import pytest

from catalog.errors import ValidationFailed
from catalog.iceberg.merging.copies import list_location
from catalog.iceberg.merging.lineage import Lineage, Purpose, line_up

IDS = {name: number for number, name in enumerate("ABCDEFGHXYZ", start=1)}


def snapshot_id(name):
    """Copies of A are A', with another id."""
    return IDS[name[0]] + 100 * name.count("'")


def history(text, *, operations=None, expired=""):
    """Make a table whose current snapshot ends a line such as `A B' C`."""
    snapshots = []
    for number, name in enumerate(text.split(), start=1):
        summary = {"operation": (operations or {}).get(name, "append")}
        if "'" in name:
            summary["source-snapshot-id"] = str(snapshot_id(name[0]))
            summary["mainstem.origin-commit"] = "c0ffee"
        snapshot = {
            "snapshot-id": snapshot_id(name),
            "sequence-number": number,
            "timestamp-ms": number,
            "manifest-list": list_location(name, snapshot_id(name)),
            "summary": summary,
        }
        if snapshots:
            snapshot["parent-snapshot-id"] = snapshots[-1]["snapshot-id"]
        snapshots.append(snapshot)
    current = snapshots[-1]["snapshot-id"] if snapshots else None
    gone = {snapshot_id(name) for name in expired.split()}
    kept = [each for each in snapshots if each["snapshot-id"] not in gone]
    return {"snapshots": kept, "current-snapshot-id": current}


def replayed(found):
    return names(each for each in found.theirs if each["snapshot-id"] not in found.passed)


def names(snapshots):
    found = {number: name for name, number in IDS.items()}
    return " ".join(
        found[each["snapshot-id"] % 100] + "'" * (each["snapshot-id"] // 100) for each in snapshots
    )


def line(base, ours, theirs, purpose=Purpose.MERGE):
    sides = [history(each) if isinstance(each, str) else each for each in (base, ours, theirs)]
    return line_up(*sides, purpose, unread)


def unread(path):
    """No file is read for what merges wrote."""
    raise AssertionError(path)


def codes(found):
    assert isinstance(found, list), found
    return [problem.code for problem in found]


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "own", "steps"),
    [
        ("A", "A B", "A C D", "B", "C D"),
        ("A", "A B", "A", "B", ""),
        ("A", "A", "A C", "", "C"),
        ("", "B", "C", "B", "C"),
        ("", "B", "", "B", ""),
        # The branch was merged before: main holds copies of B and C.
        ("A B C", "A X B' C' Y", "A B C D", "X Y", "D"),
        # Main is merged back into the branch.
        ("A B", "A B C", "A X B' Y", "C", "X Y"),
        # And then the branch into main again.
        ("A X B' Y", "A X B' Y Z", "A B C X' Y' D", "Z", "C D"),
        # A squashed merge leaves the old base, yet B and C are on the target.
        ("A", "A X B' C'", "A B C D", "X", "D"),
        # C was picked; its own order comes too late.
        ("A", "A C'", "A B C D", "", "B D"),
        # The target was advanced to B with its own id, by a squash.
        ("A", "A B X", "A B C", "X", "C"),
        # Both picked one staged snapshot.
        ("A", "A X'", "A X''", "", ""),
    ],
)
def test_steps_are_what_the_target_has_not_taken(base, ours, theirs, own, steps):
    found = line(base, ours, theirs)
    assert isinstance(found, Lineage)
    assert (names(found.ours), replayed(found)) == (own, steps)


def test_theirs_saw_all_that_came_before_its_first_step():
    assert names([line("A", "A X B'", "A B C").seen]) == "B"
    assert names([line("A", "A X", "A B C").seen]) == "A"
    assert line("", "X", "B").seen is None


def test_what_the_target_has_of_theirs_in_another_order_is_told():
    found = line("A", "A C'", "A B C D")
    assert found.passed == {IDS["C"]}
    assert names(found.theirs) == "B C D"
    assert names([found.seen]) == "A"


def test_numbers_of_theirs_are_ours_by_origin():
    found = line("A", "A X B' Y", "A B C")
    assert found.numbers == {1: 1, 2: 3}
    assert found.shared_number == 1
    assert found.origins[IDS["C"]] == IDS["C"]


@pytest.mark.parametrize(
    ("ours", "theirs", "crossed"),
    [
        ("A X B'", "A B C D", set()),
        # X came after B on theirs, and before it on ours.
        ("A X B'", "A B X' C", {2, 3}),
        # B is replayed behind X, and so is C; what they read at X' lies between them.
        ("A X", "A B X' C", {2, 3}),
        ("A X", "A X' B C", set()),
    ],
)
def test_numbers_of_another_order_mean_no_moment(ours, theirs, crossed):
    assert line("A", ours, theirs).crossed == crossed


def test_the_origin_of_a_copy_of_a_copy_is_the_first():
    theirs = history("A B' C")
    copy = theirs["snapshots"][2]
    copy["summary"] |= {
        "source-snapshot-id": str(snapshot_id("B'")),
        "mainstem.origin-commit": "c0ffee",
    }
    copy["manifest-list"] = list_location("C", snapshot_id("C"))
    found = line("A", "A B", theirs)
    assert replayed(found) == ""


def test_a_rollback_below_the_base_is_not_undone():
    assert codes(line("A B", "A X", "A B C")) == ["target-rolled-back"]
    assert codes(line("A B", "A B X", "A C")) == ["source-rolled-back"]


def test_what_a_squashed_merge_brought_and_a_rollback_took_does_not_return():
    ours = history("A B' C'")
    ours["current-snapshot-id"] = snapshot_id("A")
    assert codes(line("A", ours, "A B C")) == ["target-rolled-back"]


def test_a_snapshot_that_was_staged_at_the_base_may_be_published_by_theirs():
    base = history("A B")
    base["current-snapshot-id"] = snapshot_id("A")
    ours = {**history("A X"), "snapshots": [*history("A X")["snapshots"], base["snapshots"][1]]}
    assert names(line(base, ours, "A B").theirs) == "B"


def test_a_table_replaced_from_nothing_was_rolled_back():
    assert codes(line("A B", "A B X", "C")) == ["source-rolled-back"]


def test_a_pick_needs_nothing_of_its_base_on_the_target():
    found = line("A B", "A X", "A B C", Purpose.PICK)
    assert (names(found.ours), replayed(found)) == ("X", "C")


def test_rewrites_of_the_base_may_be_absent_for_they_change_no_row():
    """An earlier merge left out the compaction R = B."""
    base = history("A B C", operations={"B": "replace"})
    theirs = history("A B C D", operations={"B": "replace"})
    found = line(base, "A X C'", theirs)
    assert (names(found.ours), replayed(found)) == ("X", "D")


def test_a_rewrite_of_the_base_that_theirs_left_out_is_ours_own():
    """Main compacted by R = C, which the branch left out when it took main's B over."""
    operations = {"C": "replace"}
    base = history("A B C", operations=operations)
    found = line(base, history("A B C X", operations=operations), "A Y B' D")
    assert (names(found.ours), replayed(found)) == ("C X", "Y D")


def test_snapshots_that_another_side_still_has_are_not_lost():
    found = line("A B", history("A B X", expired="A B"), history("A B C", expired="A"))
    assert (names(found.ours), replayed(found)) == ("X", "C")


@pytest.mark.parametrize(
    ("ours", "theirs", "code"),
    [
        (history("A X Y", expired="X"), history("A B"), "target-expired"),
        (history("A X"), history("A B C", expired="B"), "source-expired"),
    ],
)
def test_a_hole_after_the_base_cannot_be_told(ours, theirs, code):
    assert code in codes(line("A", ours, theirs))


def test_histories_that_are_told_without_their_beginning_are_compared_where_they_meet():
    base = history("A B", expired="A")
    found = line(base, history("A B X", expired="A"), history("A B C", expired="A"))
    assert (names(found.ours), replayed(found)) == ("X", "C")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"summary": {"operation": "merge"}}, "unknown-operation"),
        ({"summary": None}, "unknown-operation"),
        ({"manifest-list": None}, "no-manifest-list"),
        ({"key-id": "k1"}, "encrypted"),
    ],
)
@pytest.mark.parametrize("side", ["ours", "theirs"])
def test_snapshots_of_unexpected_shape_are_not_guessed_at(side, change, code):
    sides = {"ours": history("A X"), "theirs": history("A B")}
    sides[side]["snapshots"][-1] |= change
    assert codes(line("A", **sides)) == [code]


def test_a_current_snapshot_that_is_not_there_is_an_error():
    with pytest.raises(ValidationFailed, match="current snapshot 3"):
        line("A", history("A B C", expired="C"), "A B")


def test_a_circle_of_parents_ends():
    theirs = history("A B C")
    theirs["snapshots"][0]["parent-snapshot-id"] = snapshot_id("C")
    found = line("A", "A X", theirs)
    assert replayed(found) == "B C"
