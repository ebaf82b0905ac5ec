"""Tables of two branches that were merged into each other at once, and go on after that.

main  o --- a --- m --- c --- ?       m merged b, and w merged a, neither knowing of the other:
        \\      X             /        a and b are both merge bases of what comes later.
work     \\--- b --- w --- d -/
"""

from pathlib import Path

import pytest
from pyiceberg.types import StringType

from catalog.errors import MergeConflicts
from catalog.operations.merge import Merged, Options, merge, revert
from catalog.versioning.ids import to_hex
from tests.lakes import CALLER, Lake
from tests.operations.conftest import BASE


def bring(lake: Lake, source: str, target: str, **options: object) -> Merged:
    return merge(lake.warehouse, source, target, options=Options(**options), caller=CALLER)


def cross(lake: Lake, **options: object) -> None:
    """Merge each branch as it is now into the other; the options are for `work`."""
    main, work = lake.head("main"), lake.head("work")
    bring(lake, work, "main")
    bring(lake, main, "work", **options)


def codes(refused: pytest.ExceptionInfo[MergeConflicts]) -> set[str]:
    return {c.code for conflict in refused.value.facts["conflicts"] for c in conflict.causes}


def files(lake: Lake) -> set[Path]:
    folder = Path(lake.warehouse.location.removeprefix("file://"))
    return {path for path in folder.rglob("*") if path.is_file()}


def test_appends_of_both_lines_are_there_once(parted: Lake):
    parted.append((3, "mon", 30))
    parted.append((4, "mon", 40), branch="work")
    cross(parted)
    parted.append((5, "mon", 50))
    parted.append((6, "mon", 60), branch="work")
    before = files(parted)
    dry = bring(parted, "work", "main", dry_run=True)
    assert files(parted) == before
    (told,) = dry.outcomes
    assert told.base is None
    assert told.inside is not None
    assert len(told.inside.snapshots) == 1
    done = bring(parted, "work", "main", plan_id=dry.plan_id)
    rows = [*BASE, (3, "mon", 30), (4, "mon", 40), (5, "mon", 50), (6, "mon", 60)]
    assert parted.rows() == rows
    # The result, its manifest, its list, and nothing of what the base was merged to.
    assert len(files(parted) - before) == 3
    bring(parted, "main", "work")
    assert parted.rows(branch="work") == rows
    assert done.outcomes[0].base is None


def test_lines_may_cross_again_and_again(parted: Lake):
    rows = list(BASE)
    for number in range(3, 9, 2):
        new = (number, "mon", 0), (number + 1, "tue", 0)
        parted.append(new[0])
        parted.append(new[1], branch="work")
        rows += new
        cross(parted)
    assert parted.rows() == parted.rows(branch="work") == rows
    parted.delete("id = 3", branch="work")
    bring(parted, "work", "main")
    rows.remove((3, "mon", 0))
    assert parted.rows() == rows


def test_columns_and_properties_of_both_lines_go_together(parted: Lake):
    with parted.table().update_schema() as update:
        update.add_column("note", StringType())
    parted.append((4, "mon", 40), branch="work")
    cross(parted)
    with parted.table().transaction() as change:
        change.set_properties({"set.by": "main"})
    with parted.table(branch="work").update_schema() as update:
        update.rename_column("note", "remark")
    parted.append((5, "tue", 50), branch="work")
    bring(parted, "work", "main")
    table = parted.table()
    assert table.schema().column_names == ["id", "day", "value", "remark"]
    assert table.properties["set.by"] == "main"
    assert parted.rows() == [(*row, None) for row in (*BASE, (4, "mon", 40), (5, "tue", 50))]


def test_what_one_line_would_not_have_is_a_conflict(parted: Lake):
    parted.append((3, "mon", 30))
    parted.append((4, "mon", 40), branch="work")
    # Work keeps its own table, without main's row.
    cross(parted, default="ours")
    parted.append((5, "mon", 50))
    parted.append((6, "mon", 60), branch="work")
    for source, target in (("work", "main"), ("main", "work")):
        with pytest.raises(MergeConflicts) as refused:
            bring(parted, source, target)
        assert codes(refused) <= {"target-rolled-back", "source-rolled-back"}


def test_what_was_taken_back_on_one_line_does_not_return(parted: Lake):
    parted.append((3, "mon", 30))
    parted.append((4, "mon", 40), branch="work")
    main, work = parted.head("main"), parted.head("work")
    merged = bring(parted, work, "main")
    bring(parted, main, "work")
    assert merged.commit_id is not None
    revert(parted.warehouse, to_hex(merged.commit_id), "main", options=Options(), caller=CALLER)
    parted.append((5, "mon", 50))
    parted.append((6, "mon", 60), branch="work")
    with pytest.raises(MergeConflicts) as refused:
        bring(parted, "work", "main")
    assert codes(refused) == {"target-rolled-back"}
    assert parted.rows() == [*BASE, (3, "mon", 30), (5, "mon", 50)]


def test_what_conflicted_and_was_settled_differently_is_a_conflict_again(parted: Lake):
    parted.delete("id = 1")
    parted.append((3, "mon", 30), branch="work")
    main, work = parted.head("main"), parted.head("work")
    bring(parted, work, "main", default="ours")
    bring(parted, main, "work", default="ours")
    with pytest.raises(MergeConflicts) as refused:
        bring(parted, "work", "main")
    assert codes(refused)
    assert parted.rows() == [(2, "tue", 20)]
