"""Tables that both sides changed, merged inside: written and read by pyiceberg."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from pyiceberg.types import StringType

from catalog.errors import MergeConflicts, StalePlan
from catalog.files.cache import ByteCache
from catalog.governance.protections import Rules
from catalog.iceberg.merging.files import Isolation
from catalog.iceberg.parsing import parse_updates
from catalog.operations.changes import TableChange, commit_table
from catalog.operations.merge import Merged, Options, cherry_pick, merge, revert
from catalog.operations.merging.contents import Progress
from catalog.operations.merging.outcomes import Decided
from catalog.operations.protections import put_protection
from catalog.operations.tables import create_table
from catalog.versioning.ids import to_hex
from catalog.versioning.objects import EntryKind
from tests.lakes import CALLER, Lake, arrow
from tests.operations.conftest import BASE


def merged(lake: Lake, source: str = "work", target: str = "main", **options: Any) -> Merged:
    extra = {name: options.pop(name) for name in ("squash", "report") if name in options}
    return merge(lake.warehouse, source, target, options=Options(**options), caller=CALLER, **extra)


def outcome(done: Merged) -> Decided:
    (only,) = done.outcomes
    return only


def codes(refused: pytest.ExceptionInfo[MergeConflicts]) -> list[str]:
    (conflict,) = refused.value.facts["conflicts"]
    return [cause.code for cause in conflict.causes]


def files(lake: Lake) -> set[str]:
    folder = Path(lake.warehouse.location.removeprefix("file://"))
    return {str(path) for path in folder.rglob("*") if path.is_file()}


def test_appends_of_both_sides_are_both_there(parted: Lake):
    parted.append((3, "mon", 30))
    parted.append((4, "mon", 40), branch="work")
    done = outcome(merged(parted))
    assert parted.rows() == [*BASE, (3, "mon", 30), (4, "mon", 40)]
    assert done.rule == "inside-table"
    assert done.inside is not None
    (taken,) = done.inside.snapshots
    assert taken.operation == "append"
    assert taken.changes["added-records"] == 1
    assert taken.origin == parted.table(branch="work").current_snapshot().snapshot_id
    snapshot = parted.table().current_snapshot()
    assert taken.snapshot_id == snapshot.snapshot_id
    assert snapshot.summary["mainstem.origin-commit"] == parted.head("work")


@pytest.mark.parametrize("source", ["77", "raw@77"])
def test_a_job_may_note_in_a_snapshot_what_it_read(parted: Lake, source: str):
    """Iceberg's cherry-picks name a snapshot of the same table under this name."""
    for branch, row in (("main", (3, "mon", 30)), ("work", (4, "mon", 40))):
        noted = {"source-snapshot-id": source}
        parted.table(branch=branch).append(arrow([row]), snapshot_properties=noted)
    merged(parted)
    assert parted.rows() == [*BASE, (3, "mon", 30), (4, "mon", 40)]


def test_what_a_job_noted_stays_where_its_snapshot_is_taken_as_it_is(parted: Lake):
    noted = {"source-snapshot-id": "raw@77"}
    parted.table(branch="work").append(arrow([(3, "mon", 30)]), snapshot_properties=noted)
    with parted.table().transaction() as change:
        change.set_properties({"set.by": "main"})
    done = outcome(merged(parted))
    assert done.inside is not None
    snapshot = parted.table().current_snapshot()
    assert done.inside.snapshots[0].origin == snapshot.snapshot_id
    assert snapshot.summary["source-snapshot-id"] == "raw@77"
    assert parted.rows() == [*BASE, (3, "mon", 30)]


def test_overwrites_of_different_partitions_go_together(parted: Lake):
    parted.table().dynamic_partition_overwrite(arrow([(3, "mon", 30)]))
    parted.table(branch="work").dynamic_partition_overwrite(arrow([(4, "tue", 40)]))
    merged(parted)
    assert parted.rows() == [(3, "mon", 30), (4, "tue", 40)]


def test_both_rewrote_one_partition(parted: Lake):
    parted.table().dynamic_partition_overwrite(arrow([(3, "mon", 30)]))
    parted.table(branch="work").dynamic_partition_overwrite(arrow([(4, "mon", 40)]))
    before = parted.head()
    with pytest.raises(MergeConflicts) as refused:
        merged(parted)
    (conflict,) = refused.value.facts["conflicts"]
    assert conflict.reason == "both-changed"
    assert codes(refused)
    assert "mon" in conflict.detail
    assert parted.head() == before
    assert parted.rows() == [(2, "tue", 20), (3, "mon", 30)]


def test_rows_added_where_the_source_deleted_need_a_weaker_isolation(parted: Lake):
    parted.append((3, "mon", 30))
    parted.delete("id = 1", branch="work")
    with pytest.raises(MergeConflicts):
        merged(parted)
    with pytest.raises(MergeConflicts):
        merged(parted, isolation=Isolation.SERIALIZABLE)
    merged(parted, isolation=Isolation.SNAPSHOT)
    assert parted.rows() == [(2, "tue", 20), (3, "mon", 30)]


def test_a_table_says_itself_how_strictly_it_is_merged(lake: Lake):
    commands = ("delete", "update", "merge")
    levels = {f"write.{command}.isolation-level": "snapshot" for command in commands}
    lake.create(properties=levels)
    lake.append(*BASE)
    lake.branch("work")
    lake.append((3, "mon", 30))
    lake.delete("id = 1", branch="work")
    with pytest.raises(MergeConflicts):
        merged(lake, isolation=Isolation.SERIALIZABLE)
    done = outcome(merged(lake))
    assert done.inside is not None
    assert done.inside.isolation == "snapshot"
    assert lake.rows() == [(2, "tue", 20), (3, "mon", 30)]


def test_a_new_column_and_rows_under_a_new_name_go_together(parted: Lake):
    with parted.table(branch="work").update_schema() as update:
        update.add_column("note", StringType())
    parted.append((3, "mon", 30))
    parted.at().rename_table("ns.t", "ns.renamed")
    done = outcome(merged(parted))
    assert done.key == ("ns", "renamed")
    assert done.inside is not None
    assert [(part["part"], part["name"], part["change"]) for part in done.inside.parts] == [
        ("column", "note", "added")
    ]
    assert parted.rows("renamed") == [(*row, None) for row in (*BASE, (3, "mon", 30))]


def test_properties_are_merged_without_new_snapshots(parted: Lake):
    for branch in ("main", "work"):
        with parted.table(branch=branch).transaction() as change:
            change.set_properties({f"set.by.{branch}": "1"})
    merged(parted)
    properties = parted.table().properties
    assert (properties["set.by.main"], properties["set.by.work"]) == ("1", "1")
    assert properties["gc.enabled"] == "false"
    assert len(parted.table().snapshots()) == 1


def test_the_metadata_log_goes_on_from_the_target(parted: Lake):
    parted.append((3, "mon", 30))
    parted.append((4, "mon", 40), branch="work")
    before = parted.table()
    merged(parted)
    after = parted.table()
    assert after.metadata.metadata_log[-1].metadata_file == before.metadata_location
    assert after.metadata_location.startswith(f"{before.location()}/metadata/")
    assert after.metadata.last_updated_ms >= before.metadata.last_updated_ms
    assert after.history()[-1].snapshot_id == after.current_snapshot().snapshot_id


def told(done: Merged) -> list[dict[str, Any]]:
    """Return outcomes without what a dry run cannot know: new files, new snapshots."""
    documents = [asdict(each) for each in done.outcomes]
    for document in documents:
        document["result"].pop("metadata_location")
        document["result"]["facts"].pop("snapshot-id", None)
        for taken in document["inside"]["snapshots"]:
            taken.pop("snapshot_id")
    return documents


def test_a_dry_run_tells_what_the_merge_does_and_writes_nothing(parted: Lake):
    parted.append((3, "mon", 30))
    parted.append((4, "mon", 40), branch="work")
    parted.delete("id = 2", branch="work")
    before = files(parted)
    dry = merged(parted, dry_run=True)
    assert files(parted) == before
    assert outcome(dry).result.metadata_location is None
    assert [taken.snapshot_id for taken in outcome(dry).inside.snapshots] == [None, None]
    assert dry.changes[0].after.metadata_location is None
    done = merged(parted, plan_id=dry.plan_id)
    assert done.plan_id == dry.plan_id
    assert told(done) == told(dry)
    assert parted.rows() == [(1, "mon", 10), (3, "mon", 30), (4, "mon", 40)]


def test_a_plan_is_stale_once_the_table_has_moved(parted: Lake):
    parted.append((3, "mon", 30))
    parted.append((4, "mon", 40), branch="work")
    dry = merged(parted, dry_run=True)
    parted.append((5, "mon", 50))
    with pytest.raises(StalePlan):
        merged(parted, plan_id=dry.plan_id)


def test_a_commit_tells_what_was_merged_inside(parted: Lake):
    parted.append((3, "mon", 30))
    parted.append((4, "mon", 40), branch="work")
    done = merged(parted)
    commit = parted.warehouse.objects().commit(done.commit_id)
    (said,) = orjson.loads(commit.metadata["mainstem.merge.resolutions"])
    assert (said["key"], said["rule"]) == (["ns", "t"], "inside-table")
    assert said["inside"]["snapshots"] == 1
    assert said["inside"]["totals"]["added-records"] == 1


def test_only_what_is_new_comes_with_a_merge_after_a_squash(parted: Lake):
    #   main  o --- a --- s --- m
    #          \         /     /
    #   work    b -------- c --       s squashes b
    parted.append((3, "mon", 30))
    parted.append((4, "mon", 40), branch="work")
    merged(parted, squash=True)
    parted.append((5, "tue", 50), branch="work")
    done = outcome(merged(parted))
    assert len(done.inside.snapshots) == 1
    assert parted.rows() == [*BASE, (3, "mon", 30), (4, "mon", 40), (5, "tue", 50)]


def test_branches_may_be_merged_back_and_forth(parted: Lake):
    expected = list(BASE)
    for number in range(3):
        rows = (10 + number, "mon", 0), (20 + number, "tue", 0)
        parted.append(rows[0])
        parted.append(rows[1], branch="work")
        expected += rows
        merged(parted, "work", "main")
        parted.append((30 + number, "wed", 0))
        expected.append((30 + number, "wed", 0))
        parted.append((40 + number, "thu", 0), branch="work")
        expected.append((40 + number, "thu", 0))
        merged(parted, "main", "work")
        assert parted.rows(branch="work") == sorted(expected)
    merged(parted, "work", "main")
    assert parted.rows() == sorted(expected)
    assert merged(parted, "main", "work").commit_id is not None


def pick(lake: Lake, *revisions: str, target: str = "main", **options: Any) -> Merged:
    return cherry_pick(lake.warehouse, revisions, target, options=Options(**options), caller=CALLER)


def test_a_commit_is_picked_without_those_before_it(parted: Lake):
    parted.append((3, "mon", 30))
    parted.append((4, "mon", 40), branch="work")
    parted.append((5, "tue", 50), branch="work")
    pick(parted, "work")
    assert parted.rows() == [*BASE, (3, "mon", 30), (5, "tue", 50)]
    again = pick(parted, "work")
    assert again.commit_id == again.previous
    merged(parted)
    assert parted.rows() == [*BASE, (3, "mon", 30), (4, "mon", 40), (5, "tue", 50)]


def test_a_commit_that_deletes_what_is_not_there_is_not_picked(parted: Lake):
    parted.append((3, "mon", 30))
    parted.append((4, "tue", 40), branch="work")
    parted.delete("id = 4", branch="work")
    with pytest.raises(MergeConflicts) as refused:
        pick(parted, "work")
    assert codes(refused)


def test_a_dry_run_of_several_picks_builds_each_on_the_one_before(parted: Lake):
    parted.append((3, "mon", 30))
    parted.append((4, "mon", 40), branch="work")
    parted.append((5, "tue", 50), branch="work")
    before = files(parted)
    dry = pick(parted, "work~1", "work", dry_run=True)
    assert files(parted) == before
    done = pick(parted, "work~1", "work", plan_id=dry.plan_id)
    assert len(done.outcomes) == len(dry.outcomes) == 2
    assert parted.rows() == [*BASE, (3, "mon", 30), (4, "mon", 40), (5, "tue", 50)]


def after_the_first_plan(act: Callable[[], object]) -> Callable[[Progress], None]:
    """Return a report that acts once all contents are settled, before the plan lands."""
    waiting = [act]

    def report(progress: Progress) -> None:
        if progress.done == progress.total and waiting:
            waiting.pop()()

    return report


def test_a_merge_is_made_anew_where_the_table_moves_meanwhile(parted: Lake):
    parted.append((3, "mon", 30))
    parted.append((4, "mon", 40), branch="work")
    report = after_the_first_plan(lambda: parted.append((5, "tue", 50)))
    merged(parted, report=report)
    assert parted.rows() == [*BASE, (3, "mon", 30), (4, "mon", 40), (5, "tue", 50)]
    assert [each.sequence_number for each in parted.table().snapshots()] == [1, 2, 3, 4]


def test_a_merge_conflicts_where_the_table_moves_so_meanwhile(parted: Lake):
    parted.append((3, "mon", 30))
    parted.delete("id = 2", branch="work")
    report = after_the_first_plan(lambda: parted.append((5, "tue", 50)))
    with pytest.raises(MergeConflicts):
        merged(parted, report=report)
    assert parted.rows() == [*BASE, (3, "mon", 30), (5, "tue", 50)]


def test_a_table_is_not_merged_again_because_another_moves(parted: Lake):
    parted.create("other")
    parted.append((3, "mon", 30))
    parted.append((4, "mon", 40), branch="work")
    told: list[Progress] = []
    interrupt = after_the_first_plan(lambda: parted.append((1, "mon", 1), name="other"))

    def report(progress: Progress) -> None:
        told.append(progress)
        interrupt(progress)

    merged(parted, report=report)
    assert [(each.done, each.total) for each in told] == [(0, 1), (1, 1)]
    assert parted.rows("other") == [(1, "mon", 1)]
    assert parted.rows() == [*BASE, (3, "mon", 30), (4, "mon", 40)]


def test_a_writer_that_was_under_way_goes_on_after_the_merge(parted: Lake):
    parted.append((3, "mon", 30))
    parted.append((4, "mon", 40), branch="work")
    with parted.table().transaction() as change:
        change.append(arrow([(5, "tue", 50)]))
        merged(parted)
    assert parted.rows() == [*BASE, (3, "mon", 30), (4, "mon", 40), (5, "tue", 50)]


def test_all_conflicts_of_all_tables_are_told_and_no_table_is_changed(parted: Lake):
    parted.create("other")
    parted.append(*BASE, name="other")
    parted.branch("both")
    for name in ("t", "other"):
        parted.table(name).dynamic_partition_overwrite(arrow([(3, "mon", 30)]))
        parted.table(name, "both").dynamic_partition_overwrite(arrow([(4, "mon", 40)]))
    parted.create("fine", branch="both")
    before = parted.head()
    with pytest.raises(MergeConflicts) as refused:
        merged(parted, "both")
    conflicts = refused.value.facts["conflicts"]
    assert [each.key for each in conflicts] == [("ns", "other"), ("ns", "t")]
    assert all(each.causes for each in conflicts)
    assert parted.head() == before
    assert parted.rows() == parted.rows("other") == [(2, "tue", 20), (3, "mon", 30)]


def test_a_protection_makes_a_conflict_of_what_would_be_merged_inside(parted: Lake):
    parted.append((3, "mon", 30))
    parted.append((4, "mon", 40), branch="work")
    rules = Rules(merge_inside_tables=False)
    put_protection(parted.warehouse, "main", rules, caller=CALLER)
    with pytest.raises(MergeConflicts, match="merge_inside_tables") as refused:
        merged(parted)
    assert codes(refused) == ["merging-inside-forbidden"]
    merged(parted, tables={"ns.t": "theirs"})
    assert parted.rows() == [*BASE, (4, "mon", 40)]


def view_properties(lake: Lake, branch: str, **properties: str) -> dict[str, str]:
    """Set properties of the view `ns.v`, and return all that it has."""
    updates = parse_updates([{"action": "set-properties", "updates": properties}])
    change = TableChange(("ns", "v"), [], updates, EntryKind.VIEW)
    changed = commit_table(lake.warehouse, branch, change, caller=CALLER)
    found: dict[str, str] = orjson.loads(changed.metadata)["properties"]
    return found


def test_views_are_merged_inside_too(parted: Lake):
    version = {
        "version-id": 1,
        "timestamp-ms": 1,
        "schema-id": 0,
        "summary": {},
        "default-namespace": ["ns"],
        "representations": [{"type": "sql", "sql": "SELECT 1", "dialect": "spark"}],
    }
    schema = {"type": "struct", "fields": []}
    request = {"name": "v", "schema": schema, "view-version": version, "properties": {}}
    create_table(parted.warehouse, "main", ("ns", "v"), request, caller=CALLER, kind=EntryKind.VIEW)
    parted.branch("views")
    view_properties(parted, "main", main="1")
    view_properties(parted, "views", views="1")
    done = outcome(merged(parted, "views"))
    assert done.rule == "inside-view"
    assert [part["name"] for part in done.inside.parts] == ["views"]
    assert view_properties(parted, "main") == {"main": "1", "views": "1"}


def test_the_revert_of_a_merge_inside_gives_the_target_back(parted: Lake):
    parted.append((3, "mon", 30))
    parted.append((4, "mon", 40), branch="work")
    done = merged(parted)
    revert(parted.warehouse, to_hex(done.commit_id), "main", options=Options(), caller=CALLER)
    assert parted.rows() == [*BASE, (3, "mon", 30)]
    parted.append((5, "tue", 50), branch="work")
    with pytest.raises(MergeConflicts) as refused:
        merged(parted)
    assert codes(refused)


@pytest.mark.parametrize("data", [None, b"", b"Obj\x01", b"Obj\x01" + bytes(40), b"{}"])
@pytest.mark.parametrize("which", ["snap-*.avro", "*-m0.avro"])
def test_a_manifest_that_cannot_be_read_is_a_conflict(parted: Lake, data: bytes | None, which: str):
    parted.append((3, "mon", 30))
    before = files(parted)
    parted.append((4, "mon", 40), branch="work")
    (broken,) = [path for path in files(parted) - before if Path(path).match(which)]
    Path(broken).unlink()
    if data is not None:
        Path(broken).write_bytes(data)
    with pytest.raises(MergeConflicts) as refused:
        merged(parted)
    assert codes(refused) == ["unreadable"]


@pytest.mark.parametrize("side", ["base", "theirs"])
def test_a_metadata_file_that_is_gone_is_a_conflict(parted: Lake, side: str):
    parted.append((3, "mon", 30))
    base = parted.table(branch="work").metadata_location
    parted.append((4, "mon", 40), branch="work")
    location = base if side == "base" else parted.table(branch="work").metadata_location
    Path(location.removeprefix("file://")).unlink()
    forgetful = replace(parted.warehouse.catalog, metadata=ByteCache(0))
    with pytest.raises(MergeConflicts) as refused:
        merged(replace(parted, warehouse=replace(parted.warehouse, catalog=forgetful)))
    assert codes(refused) == ["unreadable"]


def test_merges_and_commits_that_race_lose_nothing(parted: Lake):
    for number in range(3):
        parted.branch(f"b{number}")
        parted.append((10 + number, "mon", number), branch=f"b{number}")

    def commit(number: int) -> None:
        parted.append((20 + number, "tue", number))

    def bring(number: int) -> None:
        merged(parted, f"b{number}")

    with ThreadPoolExecutor(6) as pool:
        work = [pool.submit(act, number) for number in range(3) for act in (commit, bring)]
        for each in work:
            each.result()
    added = [(10 + number, "mon", number) for number in range(3)]
    added += [(20 + number, "tue", number) for number in range(3)]
    assert parted.rows() == sorted([*BASE, *added])
    numbers = [each.sequence_number for each in parted.table().snapshots()]
    assert numbers == list(range(1, 8))
