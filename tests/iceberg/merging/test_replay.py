"""Histories of hand-made files, merged: which files are live, and what deletes from them."""

import itertools

import pytest

from catalog.errors import Corruption
from catalog.iceberg.manifests.entries import Entry
from catalog.iceberg.merging.files import FileChanges, Isolation, Step
from catalog.iceberg.merging.lineage import Purpose
from catalog.iceberg.merging.replaying.invariants import Vectors
from catalog.iceberg.merging.replaying.places import lost_targets
from catalog.iceberg.merging.results import TableConflict, TableMerge
from catalog.iceberg.merging.table import merge_table
from catalog.iceberg.metadata import completed, written
from tests.iceberg.merging.handmade import (
    History,
    data,
    equality_deletes,
    live,
    position_deletes,
    rows,
    vector,
)

NEW_IDS = itertools.count(7_000_000)


def merge(base, ours, theirs, isolation=Isolation.SERIALIZABLE, purpose=Purpose.MERGE):
    files = dict(ours.files)

    def write(path, content):
        assert path not in files
        files[path] = content

    found = merge_table(
        base.metadata,
        ours.metadata,
        theirs.metadata,
        read=files.__getitem__,
        write=write,
        now_ms=1_000_000,
        new_snapshot_id=NEW_IDS.__next__,
        isolation=isolation,
        origin_commit="c" * 64,
        purpose=purpose,
    )
    if isinstance(found, TableMerge):
        ours.files.update(files)
        assert completed(written(found.metadata)) == found.metadata
    return found


def merged(base, ours, theirs, **options):
    found = merge(base, ours, theirs, **options)
    assert isinstance(found, TableMerge), found
    return found.metadata


def codes(found):
    assert isinstance(found, TableConflict), found
    return {problem.code for problem in found.problems}


def fork(version=2, *files):
    base = History(version).commit("append", *files)
    return base, base.fork(), base.fork()


def numbers(metadata, files):
    return {entry.file.file_path: entry.sequence_number for entry in live(metadata, files)}


def test_appends_of_both_sides_are_live_under_numbers_of_their_own():
    base, ours, theirs = fork(2, data("a"))
    ours.commit("append", data("x"))
    theirs.commit("append", data("b")).commit("append", data("c"))
    result = merged(base, ours, theirs)
    assert rows(result, ours.files) == {"a": [], "x": [], "b": [], "c": []}
    assert numbers(result, ours.files) == {"a": 1, "x": 2, "b": 3, "c": 4}
    assert result["last-sequence-number"] == 4


def test_entries_carry_the_ids_of_the_snapshots_that_they_came_with():
    base, ours, theirs = fork(2, data("a"))
    ours.commit("append", data("x", day=9))
    theirs.commit("append", data("b")).commit("overwrite", data("c"), removed=[data("a")])
    result = merged(base, ours, theirs)
    new = [each["snapshot-id"] for each in result["snapshots"][-2:]]
    found = {entry.file.file_path: entry.snapshot_id for entry in live(result, ours.files)}
    assert (found["b"], found["c"]) == tuple(new)


def test_files_that_theirs_added_itself_can_be_removed_by_a_later_snapshot():
    base, ours, theirs = fork(2, data("a"))
    ours.commit("append", data("x", day=9))
    theirs.commit("append", data("b"), data("c")).commit(
        "overwrite", data("d"), removed=[data("b")]
    )
    theirs.commit("delete", removed=[data("c")])
    result = merged(base, ours, theirs)
    assert rows(result, ours.files) == {"a": [], "x": [], "d": []}


def test_files_are_removed_from_manifests_that_ours_wrote_again():
    base, ours, theirs = fork(2, data("a", day=1), data("b", day=2), data("c", day=3))
    ours.commit("delete", removed=[data("a", day=1)])
    theirs.commit("delete", removed=[data("b", day=2)])
    result = merged(base, ours, theirs)
    assert rows(result, ours.files) == {"c": []}
    assert numbers(result, ours.files) == {"c": 1}


def test_several_steps_take_from_one_manifest():
    base, ours, theirs = fork(2, *(data(name, day=place) for place, name in enumerate("abcd")))
    ours.commit("append", data("x", day=9))
    for place, name in enumerate("abc"):
        theirs.commit("delete", removed=[data(name, day=place)])
    result = merged(base, ours, theirs)
    assert rows(result, ours.files) == {"d": [], "x": []}


def test_upserts_of_one_key_in_several_snapshots_leave_one_row():
    base, ours, theirs = fork(2, data("a"))
    ours.commit("append", data("x", day=9))
    for name in "bcd":
        theirs.commit("overwrite", data(name), equality_deletes(f"e{name}"))
    result = merged(base, ours, theirs)
    assert rows(result, ours.files) == {
        "a": ["eb", "ec", "ed"],
        "x": [],
        "b": ["ec", "ed"],
        "c": ["ed"],
        "d": [],
    }


def test_deletes_by_position_follow_the_files_they_came_with():
    base, ours, theirs = fork(2, data("a"))
    ours.commit("append", data("x", day=9))
    theirs.commit("append", data("b")).commit("delete", position_deletes("p", "b"))
    theirs.commit("delete", position_deletes("q", "a"))
    result = merged(base, ours, theirs)
    assert rows(result, ours.files) == {"a": ["q"], "x": [], "b": ["p"]}


def test_a_vector_takes_the_place_of_the_one_before():
    base, ours, theirs = fork(3, data("a"), data("b", day=2))
    for side in (base,):
        side.commit("delete", vector("v", "a", offset=4), vector("v", "b", day=2, offset=44))
    ours, theirs = base.fork(), base.fork()
    ours.commit("append", data("x", day=9))
    theirs.commit("delete", vector("w", "a"), removed=[vector("v", "a", offset=4)])
    result = merged(base, ours, theirs)
    assert rows(result, ours.files) == {"a": ["w"], "b": ["v"], "x": []}


def test_row_ids_are_given_anew_and_never_twice():
    base, ours, theirs = fork(3, data("a"))
    ours.commit("append", data("x", day=9))
    theirs.commit("append", data("b"), data("c")).commit("append", data("d"))
    result = merged(base, ours, theirs)
    ids = {entry.file.file_path: entry.first_row_id for entry in live(result, ours.files)}
    assert ids == {"a": 0, "x": 10, "b": 20, "c": 30, "d": 40}
    assert result["next-row-id"] == 50
    assert [each.get("added-rows") for each in result["snapshots"][-2:]] == [20, 10]
    assert [each.get("first-row-id") for each in result["snapshots"][-2:]] == [20, 40]


def test_row_ids_stay_where_manifests_are_written_again():
    base, ours, theirs = fork(3, data("a"), data("b", day=2), data("c", day=3))
    ours.commit("append", data("x", day=9))
    theirs.commit("delete", removed=[data("a")])
    result = merged(base, ours, theirs)
    ids = {entry.file.file_path: entry.first_row_id for entry in live(result, ours.files)}
    assert ids == {"b": 10, "c": 20, "x": 30}
    # Java counts the rows of a manifest that it writes again too.
    assert result["next-row-id"] == 60


def test_explicit_numbers_are_those_of_the_snapshots_they_mean():
    """A compaction keeps the number of the state that it read."""
    base, ours, theirs = fork(2, data("a"))
    ours.commit("append", data("x", day=9)).commit("append", data("y", day=9))
    theirs.commit("append", data("b"))
    theirs.commit("replace", (data("c"), 2), removed=[data("b")])
    result = merged(base, ours, theirs)
    assert numbers(result, ours.files) == {"a": 1, "x": 2, "y": 3, "c": 4}


def test_an_explicit_number_before_the_fork_is_kept():
    base, ours, theirs = fork(2, data("a"), data("b"))
    ours.commit("append", data("x", day=9))
    theirs.commit("replace", (data("c"), 1), removed=[data("a"), data("b")])
    result = merged(base, ours, theirs)
    assert numbers(result, ours.files) == {"c": 1, "x": 2}


def test_one_snapshot_stands_in_the_log_for_all_that_were_replayed():
    base, ours, theirs = fork(2, data("a"))
    ours.commit("append", data("x"))
    theirs.commit("append", data("b")).commit("append", data("c"))
    result = merged(base, ours, theirs)
    log, before = result["snapshot-log"], ours.metadata["snapshot-log"]
    assert log[:-1] == before
    assert log[-1]["snapshot-id"] == result["current-snapshot-id"]
    assert result["refs"]["main"]["snapshot-id"] == result["current-snapshot-id"]


def test_parents_form_one_chain():
    base, ours, theirs = fork(2, data("a"))
    ours.commit("append", data("x"))
    theirs.commit("append", data("b")).commit("append", data("c"))
    snapshots = merged(base, ours, theirs)["snapshots"]
    parents = [each.get("parent-snapshot-id") for each in snapshots]
    assert parents == [None, *(each["snapshot-id"] for each in snapshots[:-1])]
    moments = [each["timestamp-ms"] for each in snapshots]
    assert moments == sorted(set(moments))


def test_summaries_count_what_was_replayed():
    base, ours, theirs = fork(3, data("a"), data("b", day=2))
    theirs.commit(
        "overwrite",
        data("c", rows=7),
        vector("v", "b", day=2),
        removed=[data("a")],
        **{"total-records": "999", "manifests-created": "3", "spark.app.id": "app-1"},
    )
    ours.commit("append", data("x", day=9))
    snapshot = merged(base, ours, theirs)["snapshots"][-1]
    assert snapshot["summary"] == {
        "operation": "overwrite",
        "spark.app.id": "app-1",
        "added-files-size": "1040",
        "added-data-files": "1",
        "added-dvs": "1",
        "added-delete-files": "1",
        "added-records": "7",
        "added-position-deletes": "1",
        "removed-files-size": "1000",
        "deleted-data-files": "1",
        "deleted-records": "10",
        "changed-partition-count": "2",
        "total-data-files": "3",
        "total-records": "27",
        "source-snapshot-id": str(theirs.metadata["current-snapshot-id"]),
        "mainstem.origin-commit": "c" * 64,
    }


def test_nothing_is_written_where_theirs_has_nothing_new():
    base, ours, theirs = fork(2, data("a"))
    ours.commit("append", data("x"))
    before = dict(ours.files)
    assert merged(base, ours, theirs) == ours.metadata
    assert ours.files == before


def test_snapshots_are_adopted_with_their_ids_where_ours_has_none_of_its_own():
    base, ours, theirs = fork(3, data("a"))
    theirs.commit("append", data("b")).commit("append", data("c"))
    before = dict(ours.files)
    found = merge(base, ours, theirs)
    assert found.metadata["snapshots"] == theirs.metadata["snapshots"]
    assert found.metadata["snapshot-log"] == theirs.metadata["snapshot-log"]
    assert found.metadata["next-row-id"] == theirs.metadata["next-row-id"]
    assert found.report.adopted == tuple(
        each["snapshot-id"] for each in theirs.metadata["snapshots"][1:]
    )
    assert ours.files == before


def test_branches_are_merged_back_and_forth():
    """main: a x B' y      branch: a b c, then main merged back, then d."""
    fork_point, main, branch = fork(2, data("a"))
    main.commit("append", data("x"))
    branch.commit("append", data("b"))
    at_first = branch.fork()
    main.metadata = merged(fork_point, main, branch)
    branch.commit("append", data("c"))
    second = merged(at_first, main, branch)
    assert set(rows(second, main.files)) == {"a", "x", "b", "c"}
    back = merged(at_first, branch, main)
    assert set(rows(back, main.files)) == {"a", "b", "c", "x"}
    assert len(back["snapshots"]) == 4


def test_a_file_that_is_gone_from_the_target_is_a_conflict():
    base, ours, theirs = fork(2, data("a"))
    ours.commit("delete", removed=[data("a")])
    theirs.commit("overwrite", data("b"), removed=[data("a")])
    assert isinstance(merge(base, ours, theirs), TableConflict)


def test_files_sorted_by_an_order_whose_id_means_another_here_are_a_conflict():
    base, ours, theirs = fork(2, data("a"))
    ours.commit("append", data("x"))
    theirs.commit("append", data("b", sort_order_id=1))
    for side, column in ((ours, 1), (theirs, 2)):
        field = {"source-id": column, "transform": "identity", "direction": "asc"}
        order = {"order-id": 1, "fields": [field | {"null-order": "nulls-first"}]}
        side.metadata["sort-orders"] = [*side.metadata["sort-orders"], order]
    assert codes(merge(base, ours, theirs)) == {"sort-order-id-taken"}


def test_a_target_of_deletes_that_is_not_there_is_found_by_the_files_alone():
    step = Step({}, FileChanges({}, {}, {("p", None): entry_of(position_deletes("p", "a"))}, {}))
    not_live = {("a", None): entry_of(data("a")), ("b", None): entry_of(data("b"))}
    assert [problem.code for problem in lost_targets([step], not_live)] == ["not-live"]
    added = FileChanges({("a", None): not_live["a", None]}, {}, {}, {})
    assert lost_targets([Step({}, added), step], not_live) == []


def entry_of(file):
    return Entry(file, 0, 1, 1, True, None)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"format-version": 4}, "format-version-unsupported"),
        ({"table-uuid": "other"}, "other-table"),
    ],
)
def test_what_is_not_understood_is_a_conflict(change, code):
    base, ours, theirs = fork(2, data("a"))
    ours.commit("append", data("x"))
    theirs.commit("append", data("b"))
    theirs.metadata |= change
    assert codes(merge(base, ours, theirs)) == {code}


def test_a_damaged_manifest_is_a_conflict_and_nothing_is_written():
    base, ours, theirs = fork(2, data("a"))
    ours.commit("append", data("x"))
    theirs.commit("append", data("b"))
    path = theirs.heads[0][0]["path"]
    theirs.files[path] = theirs.files[path][:-40]
    before = dict(ours.files)
    assert codes(merge(base, ours, theirs)) == {"unreadable"}
    assert ours.files == before


def upgraded(history):
    """Upgrade a table of v2 to v3, as a property change does: no snapshot is made."""
    history.metadata |= {"format-version": 3, "next-row-id": 0}
    history.version = 3


@pytest.mark.parametrize("sides", [("ours",), ("theirs",), ("ours", "theirs")])
def test_an_upgrade_to_row_ids_gives_them_to_all_files_once(sides):
    base, ours, theirs = fork(2, data("a"))
    for name, side in (("ours", ours), ("theirs", theirs)):
        if name in sides:
            upgraded(side)
    ours.commit("append", data("x", day=9))
    theirs.commit("append", data("b"), data("c"))
    result = merged(base, ours, theirs)
    assert result["format-version"] == 3
    ids = {entry.file.file_path: entry.first_row_id for entry in live(result, ours.files)}
    taken = sorted(ids.values())
    assert ids.keys() == {"a", "x", "b", "c"}
    assert all(later - before == 10 for before, later in itertools.pairwise(taken))
    assert taken[-1] + 10 <= result["next-row-id"]


def test_rows_that_got_their_ids_on_each_side_alone_are_not_rewritten():
    """An upgrade gives no ids; the next snapshot does, to all rows that are there."""
    base = History(2).commit("append", data("a"))
    upgraded(base)
    ours, theirs = base.fork(), base.fork()
    ours.commit("append", data("x", rows=3, day=2))
    theirs.commit("append", data("b", rows=7, day=3))
    merged(base, ours, theirs)
    # The rewritten rows have the ids stored that they have on the source.
    theirs.commit("overwrite", data("a2"), removed=[data("a")])
    assert codes(merge(base, ours, theirs)) == {"row-identities-collide"}


def test_position_deletes_of_an_old_version_do_not_go_into_a_table_that_was_upgraded():
    base, ours, theirs = fork(2, data("a"))
    upgraded(ours)
    ours.commit("append", data("x", day=9))
    theirs.commit("delete", position_deletes("p", "a"))
    assert isinstance(merge(base, ours, theirs), TableConflict)


def test_a_compaction_that_does_not_fit_is_left_out_and_told():
    base, ours, theirs = fork(2, data("a"), data("b"), data("c", day=2))
    ours.commit("delete", removed=[data("a")])
    theirs.commit("append", data("d", day=2))
    theirs.commit("replace", data("e", rows=20), removed=[data("a"), data("b")])
    theirs.commit("append", data("f", day=2))
    found = merge(base, ours, theirs)
    assert rows(found.metadata, ours.files) == {"b": [], "c": [], "d": [], "f": []}
    left_out = theirs.metadata["snapshots"][2]["snapshot-id"]
    assert found.report.left_out == (left_out,)
    assert [each.operation for each in found.report.replayed] == ["append", "append"]


def test_theirs_delete_of_what_its_left_out_compaction_wrote_is_a_conflict():
    base, ours, theirs = fork(2, data("a"), data("b"))
    ours.commit("delete", removed=[data("a")])
    theirs.commit("replace", data("e", rows=20), removed=[data("a"), data("b")])
    theirs.commit("delete", position_deletes("p", "e"))
    assert isinstance(merge(base, ours, theirs), TableConflict)


def test_a_vector_of_both_sides_for_one_file_is_a_conflict():
    base, ours, theirs = fork(3, data("a"))
    ours.commit("delete", vector("v", "a"))
    theirs.commit("delete", vector("w", "a"))
    for isolation in Isolation:
        assert isinstance(merge(base, ours, theirs, isolation=isolation), TableConflict)


def test_two_vectors_for_one_file_are_never_handed_over():
    vectors = Vectors([entry_of(vector("v", "a"))])
    with pytest.raises(Corruption, match="two deletion vectors"):
        vectors.take(FileChanges({}, {}, {("w", 4): entry_of(vector("w", "a"))}, {}))


def test_staged_and_rolled_back_snapshots_of_theirs_are_adopted_with_the_rest():
    base, ours, theirs = fork(2, data("a"))
    theirs.commit("append", data("b"))
    abandoned = theirs.metadata["current-snapshot-id"]
    first = theirs.metadata["snapshots"][0]["snapshot-id"]
    theirs.metadata |= {
        "current-snapshot-id": first,
        "refs": {"main": {"snapshot-id": first, "type": "branch"}},
        "snapshot-log": [
            *theirs.metadata["snapshot-log"],
            {"timestamp-ms": 3, "snapshot-id": first},
        ],
    }
    result = merged(base, ours, theirs)
    assert result["current-snapshot-id"] == first
    assert abandoned in [each["snapshot-id"] for each in result["snapshots"]]


def test_taking_a_commit_back_where_only_properties_changed_since():
    """The opposite of a commit: its own state is the base, the one before it is theirs."""
    before = History(2).commit("append", data("a"))
    after = before.fork().commit("append", data("b"))
    ours = after.fork()
    ours.metadata["properties"] = {"k": "v"}
    result = merged(after, ours, before)
    assert rows(result, ours.files) == {"a": []}
    assert result["properties"] == {"k": "v"}
    assert result["last-sequence-number"] == 2
    assert result["snapshot-log"][-1]["snapshot-id"] == result["current-snapshot-id"]


def test_the_metadata_path_of_the_table_is_where_files_are_written():
    base, ours, theirs = fork(2, data("a"))
    for side in (base, ours, theirs):
        side.metadata["properties"] = {"write.metadata.path": "memory:t/elsewhere/"}
    ours.commit("append", data("x"))
    theirs.commit("append", data("b"))
    result = merged(base, ours, theirs)
    assert result["snapshots"][-1]["manifest-list"].startswith("memory:t/elsewhere/snap-")
