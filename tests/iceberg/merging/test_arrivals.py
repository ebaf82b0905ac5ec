"""Paths, numbers, row ids, jobs and rewrites of theirs that do or do not fit on ours."""

import pytest

from catalog.iceberg.merging.checks.reasons import Reason
from catalog.iceberg.merging.files import Isolation, file_key
from catalog.iceberg.merging.isolation import isolation_of
from tests.iceberg.merging.by_hand import (
    BY_MONTH,
    SCHEMA,
    THEIRS,
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
    replace_partitions,
    table,
    upsert,
    vector,
)

F1, F2 = data("f1", ids=(1, 3)), data("f2", day=2, ids=(4, 6))
FAR = append(data("far", day=30))
V3 = {"theirs": table(3), "merged": table(3)}


def test_a_file_that_both_registered_is_there_once() -> None:
    verdict = judged([append(data("same"))], [append(data("same"), data("other"))])
    assert not verdict.problems
    (step,) = verdict.steps
    assert set(step.changes.added) == {("other", None)}


def test_a_path_that_means_two_files_is_a_conflict() -> None:
    verdict = judged([append(data("same"))], [append(data("same", rows=11))])
    assert codes(verdict) == {Reason.SAME_PATH.value}
    verdict = judged([overwrite([data("same", day=5)])], [append(data("same", day=5))])
    assert codes(verdict) == {Reason.SAME_PATH.value}


def test_numbers_must_mean_something_on_ours() -> None:
    compacted = compact([data("g", sequence=77)], [F1])
    assert judged([FAR], [compacted]).left_out == {THEIRS + 2}
    assert not judged([FAR], [compacted], numbers={1: 1, 77: 3}).left_out
    # The number of theirs' own snapshot before.
    own = [append(data("t")), compact([data("g", sequence=2)], [data("t")])]
    assert not judged([FAR], own).left_out
    assert codes(judged([FAR], [append(data("t", sequence=77))])) == {Reason.UNKNOWN_NUMBER.value}


def test_new_rows_under_an_old_number_are_in_reach_of_ours_deletes() -> None:
    ours = upsert(equality("oe", ids=(1, 1)))
    hit = append(data("t", sequence=1, ids=(1, 9)))
    assert codes(judged([ours], [hit])) == {Reason.SAME_KEYS.value}
    assert not judged([ours], [append(data("t", sequence=1, ids=(2, 9)))]).problems


def test_a_compaction_that_stays_in_reach_is_not_only_theirs() -> None:
    """What ours deleted by key in it would come back when theirs rewrites it."""
    ours = upsert(equality("oe", ids=(1, 1)))
    theirs = [
        compact([data("g", sequence=1)], [F1]),
        overwrite([data("t")], [data("g", sequence=1)]),
    ]
    assert codes(judged([ours], theirs)) == {Reason.ROWS_DELETED.value}


def test_specs_must_be_known() -> None:
    verdict = judged([], [append(data("t", spec_id=77, partition=(1,)))])
    assert codes(verdict) == {Reason.UNKNOWN_SPEC.value}


def test_files_of_theirs_are_judged_under_the_specs_of_the_result() -> None:
    ours = append(data("o", spec_id=BY_MONTH, partition=(0,)))
    # Theirs calls the spec by month 9.
    theirs = overwrite(
        [data("t", spec_id=9, partition=(0,))], [data("f", spec_id=9, partition=(0,))]
    )
    verdict = judged([ours], [theirs], spec_ids={9: BY_MONTH})
    assert codes(verdict) == {Reason.ROWS_ADDED.value}
    other = append(data("o", spec_id=BY_MONTH, partition=(5,)))
    (step,) = judged([other], [theirs], spec_ids={9: BY_MONTH}).steps
    assert step.changes.added["t", None].spec_id == 9


ROW_IDS = {
    "own rows rewritten": [append(data("t")), overwrite([data("t2")], [data("t", sequence=2)])],
    "own rows updated": [append(data("t")), overwrite([vector("v", "t"), data("t2")])],
}


@pytest.mark.parametrize("case", ROW_IDS)
def test_rows_that_theirs_added_and_rewrote_have_ids_of_others(case: str) -> None:
    verdict = judged([FAR], ROW_IDS[case], **V3)
    assert codes(verdict) == {Reason.SAME_ROW_IDS.value}
    assert not judged([FAR], ROW_IDS["own rows rewritten"]).problems


def test_rows_of_the_base_keep_their_ids() -> None:
    theirs = [overwrite([data("t")], [data("f1", sequence=1)])]
    assert not judged([FAR], theirs, **V3).problems
    # Unless they gave them ids each for itself, after an upgrade.
    upgraded = {**V3, "shared_row_ids": False}
    assert codes(judged([FAR], theirs, **upgraded)) == {Reason.SAME_ROW_IDS.value}
    # Or theirs has them by a copy of ours' snapshot.
    copied = [overwrite([data("t")], [data("f1", sequence=5)])]
    assert codes(judged([FAR], copied, **V3)) == {Reason.SAME_ROW_IDS.value}


def test_a_compaction_of_rows_that_theirs_added_is_left_out_for_their_ids() -> None:
    theirs = [append(data("t")), compact([data("g")], [data("t", sequence=2)])]
    verdict = judged([FAR], theirs, **V3)
    assert verdict.left_out == {THEIRS + 3}
    assert [set(step.changes.added) for step in verdict.steps] == [{("t", None)}]


def test_a_stream_that_writes_both_rows_and_deletes_of_them_rewrites_none() -> None:
    theirs = [overwrite([data("t"), vector("v", "t")])]
    assert not judged([FAR], theirs, **V3).problems


JOBS = {
    "flink": {"flink.job-id": "j", "flink.operator-id": "o"},
    "spark": {"spark.sql.streaming.queryId": "q"},
    "kafka": {"kafka.connect.offsets.topic.group": "7"},
}


def by(job: str, did: Did) -> Did:
    return did.saying(**JOBS[job])


@pytest.mark.parametrize("job", JOBS)
def test_a_job_may_write_to_one_side_only(job: str) -> None:
    ours, theirs = append(data("o")), append(data("t"))
    assert codes(judged([by(job, ours)], [by(job, theirs)])) == {Reason.SAME_STREAM.value}
    assert not judged([ours], [by(job, theirs)]).problems
    other = {"flink": "spark", "spark": "kafka", "kafka": "flink"}[job]
    assert not judged([by(other, ours)], [by(job, theirs)]).problems


def test_an_audited_write_is_published_once() -> None:
    ours = append(data("o")).saying(published_wap_id="w")
    again = append(data("t")).saying(**{"wap.id": "w"})
    assert codes(judged([ours], [again])) == {Reason.SAME_WAP_ID.value}
    same = append(data("o")).saying(**{"wap.id": "w"})
    verdict = judged([ours], [same])
    assert not verdict.problems
    assert not any(step.changes.added for step in verdict.steps)


def test_a_rewrite_that_others_build_on_cannot_be_left_out() -> None:
    ours = overwrite([data("o")], [F1])
    rewritten = compact([data("g")], [F1])
    for later in (
        overwrite([data("t")], [data("g", sequence=2)]),
        delete(positions("p", "g")),
        delete(positions("p", "a", "z")),
    ):
        verdict = judged([ours], [rewritten, later], Isolation.SNAPSHOT)
        assert Reason.LEFT_OUT.value in codes(verdict)
    verdict = judged([ours], [rewritten, compact([data("h")], [data("g", sequence=2)])])
    assert verdict.left_out == {THEIRS + 2, THEIRS + 3}
    assert not verdict.problems


def test_deletes_by_key_after_a_rewrite_to_another_spec_need_it() -> None:
    ours = overwrite([data("o")], [F1])
    rewritten = compact([data("g", spec_id=BY_MONTH, partition=(0,))], [F1])
    later = upsert(equality("e", spec_id=BY_MONTH, partition=(0,), ids=(50, 50)))
    assert Reason.LEFT_OUT.value in codes(judged([ours], [rewritten, later]))


def test_a_rewrite_with_more_rows_than_before_is_no_rewrite() -> None:
    theirs = compact([data("g", rows=11)], [F1])
    assert codes(judged([append(data("o"))], [theirs])) == {Reason.ROWS_ADDED.value}
    ours = compact([data("g", day=2, rows=11)], [F2])
    touching = overwrite([data("t", day=2)], [data("x", day=2)])
    assert codes(judged([ours], [touching])) == {Reason.ROWS_ADDED.value}


def test_what_ours_compacted_of_its_own_rows_is_still_new() -> None:
    ours = [append(data("o")), compact([data("g")], [data("o", sequence=2)])]
    assert codes(judged(ours, [overwrite([data("t")], [F1])])) == {Reason.ROWS_ADDED.value}


def test_what_ours_added_and_deleted_again_is_nothing() -> None:
    ours = [append(data("o")), delete(removed=[data("o", sequence=2)])]
    assert not judged(ours, [overwrite([data("t")], [F1])]).problems


def test_a_change_that_ours_has_already_is_only_there_for_its_place() -> None:
    """Ours has the second snapshot of theirs, which theirs made after the first."""
    theirs = [overwrite([data("t")], [F1]), append(data("late"))]
    # Its rows come before those of the first now, which never saw them.
    assert codes(judged([], theirs, passed=[1])) == {Reason.ROWS_ADDED.value}
    verdict = judged([], [*theirs[::-1]], passed=[0])
    assert not verdict.problems
    assert [step.snapshot["snapshot-id"] for step in verdict.steps] == [THEIRS + 3]


def test_rows_that_a_later_change_deleted_may_not_come_after_it() -> None:
    theirs = [append(data("t", ids=(1, 1))), upsert(equality("e", ids=(1, 1)))]
    assert codes(judged([], theirs, passed=[1])) == {Reason.OUT_OF_ORDER.value}
    apart = [append(data("t", ids=(2, 2))), upsert(equality("e", ids=(1, 1)))]
    assert not judged([], apart, passed=[1]).problems


def test_a_pick_builds_on_deletes_that_ours_must_have() -> None:
    difference = changes([], [positions("p0", "f1", sequence=0)])
    picked = overwrite([data("t")], [F1])
    assert codes(judged([], [picked], difference=difference)) == {Reason.DELETES_MISSING.value}


def test_remarks_name_what_people_should_look_at() -> None:
    ours = replace_partitions([data("o")], [F1])
    (note,) = judged([ours], [append(data("t"))]).notes
    assert "partition day=1970-01-02" in note
    keyed = SCHEMA | {"identifier-field-ids": [1]}
    (note,) = judged(
        [append(data("o", ids=(1, 5)))],
        [append(data("t", ids=(5, 9)))],
        merged=table(schemas=[keyed]),
    ).notes
    assert "one key may be there twice" in note
    assert not judged(
        [append(data("o", ids=(1, 4)))],
        [append(data("t", ids=(5, 9)))],
        merged=table(schemas=[keyed]),
    ).notes


def test_thousands_of_files_are_one_problem() -> None:
    files = [data(f"f{number}", day=number % 5) for number in range(3000)]
    verdict = judged([overwrite([], files)], [overwrite([], files)])
    (problem,) = verdict.problems
    assert "3,000 files of partitions day=1970-01-01" in problem.detail
    assert "and 2 more" in problem.detail
    assert file_key(files[0]) == ("f0", None)


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        ({}, Isolation.SERIALIZABLE),
        ({"delete": "snapshot"}, Isolation.SERIALIZABLE),
        (dict.fromkeys(("delete", "update", "merge"), "snapshot"), Isolation.SNAPSHOT),
        (dict.fromkeys(("delete", "update", "merge"), "SNAPSHOT"), Isolation.SNAPSHOT),
        (
            {"delete": "snapshot", "update": "snapshot", "merge": "serializable"},
            Isolation.SERIALIZABLE,
        ),
    ],
)
def test_the_strictest_level_of_a_table_counts(levels: dict[str, str], expected: Isolation) -> None:
    properties = {f"write.{command}.isolation-level": level for command, level in levels.items()}
    assert isolation_of(properties) is expected
