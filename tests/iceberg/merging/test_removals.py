"""Delete files that theirs dropped, and which of them ours may not lose."""

from catalog.iceberg.merging.checks.reasons import Reason
from catalog.iceberg.merging.files import FileKey
from tests.iceberg.merging.by_hand import (
    Did,
    append,
    changes,
    codes,
    compact,
    data,
    delete,
    equality,
    judged,
    overwrite,
    positions,
    table,
    vector,
)

OLD = equality("e0", sequence=1)
LATE = positions("p0", "f2", day=2, sequence=1)
F1, F2 = data("f1"), data("f2", day=2)
V3 = {"theirs": table(3), "merged": table(3)}


def dropping(*deletes: object) -> Did:
    """Append, and drop delete files that are older than all data, as Java does."""
    return Did("append", (data("t", day=9),), deletes)  # type: ignore[arg-type]


def dropped(ours: list[Did], theirs: list[Did], **members: object) -> set[FileKey]:
    verdict = judged(ours, theirs, **members)
    assert not verdict.problems
    return {key for step in verdict.steps for key in step.changes.removed_deletes}


def test_what_theirs_dropped_is_dropped() -> None:
    assert dropped([append(data("o"))], [dropping(OLD)]) == {("e0", None)}


def test_what_a_file_of_a_pick_still_needs_stays() -> None:
    """Theirs had removed the file before the commit that is picked, ours has it still."""
    difference = changes([data("f1", sequence=0)], [])
    assert dropped([], [dropping(OLD)], difference=difference) == set()


def test_what_a_compaction_that_was_left_out_had_applied_stays() -> None:
    ours = overwrite([data("o2", day=2)], [F2])
    theirs = [compact([data("g", day=2)], [F2]), dropping(OLD)]
    assert dropped([ours], theirs) == set()


def test_position_deletes_stay_as_long_as_their_file() -> None:
    assert dropped([], [dropping(LATE)]) == set()
    assert dropped([], [overwrite([data("t2", day=2)], [F2, LATE])]) == {("p0", None)}
    renewed = delete(positions("p1", "f2", day=2), removed=[LATE])
    assert dropped([], [renewed]) == {("p0", None)}


def test_what_ours_has_dropped_already_is_not_dropped_twice() -> None:
    assert dropped([dropping(OLD)], [Did("append", (data("t8"),), (OLD,))]) == set()


def test_a_vector_that_goes_alone_would_bring_rows_back() -> None:
    verdict = judged([append(data("o"))], [dropping(vector("v", "f1", sequence=1))], **V3)
    assert codes(verdict) == {Reason.UNDELETED.value}
