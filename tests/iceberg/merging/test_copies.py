"""Snapshots that name another one in `source-snapshot-id`: copies of it, or not."""

from tests.iceberg.merging.handmade import data, rows
from tests.iceberg.merging.test_replay import codes, fork, merge, merged


def current(history):
    return next(
        each
        for each in history.metadata["snapshots"]
        if each["snapshot-id"] == history.metadata["current-snapshot-id"]
    )


def staged(history, *files):
    """Add a snapshot that is not current, as one that waits to be audited; return its id."""
    aside = history.fork()
    aside.commit("append", *files)
    snapshot = current(aside)
    history.metadata["snapshots"] = [*history.metadata["snapshots"], snapshot]
    history.metadata["last-sequence-number"] = snapshot["sequence-number"]
    return snapshot["snapshot-id"]


def naming(snapshot_id):
    return {"source-snapshot-id": str(snapshot_id)}


def test_an_id_of_another_table_makes_no_two_appends_one():
    """Jobs note what they read, and two of them read one snapshot of the raw table."""
    base, ours, theirs = fork(2, data("a"))
    ours.commit("append", data("x"), **naming(77))
    theirs.commit("append", data("b"), **naming(77))
    assert set(rows(merged(base, ours, theirs), ours.files)) == {"a", "x", "b"}


def test_an_id_of_another_table_at_the_base_hides_no_append():
    base, _, _ = fork(2, data("a"))
    base.commit("append", data("p"), **naming(77))
    ours, theirs = base.fork(), base.fork()
    ours.commit("append", data("x"))
    theirs.commit("append", data("b"), **naming(77))
    assert set(rows(merged(base, ours, theirs), ours.files)) == {"a", "p", "x", "b"}


def test_rows_that_are_written_again_are_no_copy_of_what_was_read():
    """A job restores rows from the table's own history, and says from which snapshot."""
    base, ours, theirs = fork(2, data("a"), data("z", day=3))
    restored = naming(current(base)["snapshot-id"])
    ours.commit("append", data("x", day=2))
    theirs.commit("delete", removed=[data("a")]).commit("append", data("b"), **restored)
    found = merged(base, ours, theirs)
    assert set(rows(found, ours.files)) == {"x", "z", "b"}


def test_both_published_one_staged_snapshot():
    base, _, _ = fork(2, data("a"))
    source = naming(staged(base, data("p")))
    ours, theirs = base.fork(), base.fork()
    ours.commit("append", data("x", day=2)).commit("append", data("p"), **source)
    theirs.commit("append", data("p"), **source)
    found = merge(base, ours, theirs)
    assert set(rows(found.metadata, ours.files)) == {"a", "x", "p"}
    assert found.report.replayed == ()


def test_what_was_published_on_both_sides_stays_one_change_in_later_merges():
    base, _, _ = fork(2, data("a"))
    source = naming(staged(base, data("p")))
    ours, theirs = base.fork(), base.fork()
    ours.commit("append", data("p"), **source)
    theirs.commit("append", data("p"), **source)
    ours.metadata = merged(base, ours, theirs)
    merged_at = theirs.fork()
    theirs.commit("append", data("b"))
    assert set(rows(merged(merged_at, ours, theirs), ours.files)) == {"a", "p", "b"}


def test_the_summary_of_a_merge_that_a_client_copies_makes_no_copy():
    base, ours, theirs = fork(2, data("a"))
    ours.commit("append", data("x"))
    theirs.commit("append", data("b"))
    ours.adopt(merged(base, ours, theirs))
    at_merge = theirs.fork()
    said = {
        name: value
        for name, value in current(ours)["summary"].items()
        if name in ("source-snapshot-id", "mainstem.origin-commit")
    }
    assert len(said) == 2
    ours.commit("append", data("y"))
    theirs.commit("append", data("c"), **said)
    found = merged(at_merge, ours, theirs)
    assert set(rows(found, ours.files)) == {"a", "b", "x", "y", "c"}


def test_one_id_for_two_snapshots_is_a_conflict():
    base, ours, theirs = fork(2, data("a"))
    ours.commit("append", data("x"))
    theirs.commit("append", data("b"))
    current(theirs)["snapshot-id"] = current(ours)["snapshot-id"]
    theirs.metadata |= {name: ours.metadata[name] for name in ("current-snapshot-id", "refs")}
    assert codes(merge(base, ours, theirs)) == {"snapshot-id-taken"}


def test_a_snapshot_made_anew_under_its_id_is_a_conflict():
    """Also where ours has no snapshots of its own, and theirs' would be taken as they are."""
    base, ours, theirs = fork(2, data("a"))
    ours.metadata["properties"] = {"p": "1"}
    current(theirs)["manifest-list"] = "memory:t/metadata/other.avro"
    assert codes(merge(base, ours, theirs)) == {"snapshot-id-taken"}
