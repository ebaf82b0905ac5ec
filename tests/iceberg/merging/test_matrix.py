"""Each kind of change by ours against each by theirs, safe and not."""

import pytest

from catalog.iceberg.merging.checks.reasons import Reason
from catalog.iceberg.merging.files import Isolation, file_key
from tests.iceberg.merging.by_hand import (
    BY_MONTH,
    THEIRS,
    UNPARTITIONED,
    Did,
    append,
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

F1 = data("f1", day=1, ids=(1, 3))
F2 = data("f2", day=2, ids=(4, 6))
ROWS1 = data("rows1", day=1, ids=(7, 7))
ROWS3 = data("rows3", day=3, ids=(8, 8))
V3 = {"theirs": table(3), "merged": table(3)}


def over(name: str, *removed: object, day: int = 1) -> Did:
    """Rewrite files of a day (copy-on-write)."""
    return overwrite([data(name, day=day)], removed)  # type: ignore[arg-type]


CHANGED = {Reason.CHANGED_ON_BOTH_SIDES.value}
COMPACTED = {Reason.COMPACTED.value}
ADDED = {Reason.ROWS_ADDED.value}
DELETED = {Reason.ROWS_DELETED.value}
BOTH_DELETED = {Reason.ROWS_DELETED_ON_BOTH_SIDES.value}
VECTORS = {Reason.TWO_VECTORS.value}
KEYS = {Reason.SAME_KEYS.value}
EMPTIED = {Reason.TABLE_EMPTIED.value}
OLD = {Reason.OLD_DELETES.value}
CLEAN: set[str] = set()
LEFT_OUT = "left out"

PD1 = positions("p1", "f1")
PD2 = positions("p2", "f2", day=2)
DV1 = vector("v1", "f1")
DV2 = vector("v2", "f2", day=2)
EQ1 = equality("e1", ids=(1, 1))
EQ2 = equality("e2", day=2, ids=(4, 4))
TRUNCATE = delete(removed=[F1, F2]).saying(total_data_files="0")

OURS_AP1, OURS_AP3 = append(ROWS1), append(ROWS3)
OURS_RP1 = replace_partitions([data("o1")], [F1])
OURS_OW1 = over("o1", F1)
OURS_PD1 = delete(positions("op1", "f1"))
OURS_PD1_UPDATE = overwrite([positions("op1", "f1"), data("orow")])
OURS_DV1 = delete(vector("ov1", "f1"))
OURS_EQ1 = upsert(equality("oe1", ids=(1, 1)), data("orow", ids=(1, 1)))
OURS_CO1 = compact([data("og1")], [F1])
OLD_PD = positions("old", "f1", sequence=1)
OURS_XP1 = compact([positions("oq1", "f1")], [OLD_PD])
OURS_XM = compact()
OURS_TR = TRUNCATE

THEIR_AP = append(data("t1", ids=(9, 9)))
THEIR_RP1 = replace_partitions([data("t1")], [F1])
THEIR_RP2 = replace_partitions([data("t2", day=2)], [F2])
THEIR_RP9 = replace_partitions([data("t9", day=9)])
THEIR_OW1, THEIR_OW2 = over("t1", F1), over("t2", F2, day=2)
THEIR_PD1, THEIR_PD2 = delete(PD1), delete(PD2)
THEIR_PD1_UPDATE = overwrite([PD1, data("trow")])
THEIR_DV1, THEIR_DV2 = delete(DV1), delete(DV2)
THEIR_EQ1 = upsert(EQ1, data("trow", ids=(1, 1)))
THEIR_EQ2 = upsert(EQ2, data("trow", day=2, ids=(4, 4)))
THEIR_CO1 = compact([data("tg1")], [F1])
THEIR_CO2 = compact([data("tg2", day=2)], [F2])
THEIR_XP1 = compact([positions("tq1", "f1")], [OLD_PD])
THEIR_XM = compact()

# ours, theirs, what speaks against it; LEFT_OUT where theirs' rewrite is not taken.
CELLS = {
    # Ours appended.
    "AP×AP": (OURS_AP1, THEIR_AP, CLEAN),
    "AP×RP same": (OURS_AP1, THEIR_RP1, ADDED),
    "AP×RP other": (OURS_AP1, THEIR_RP2, CLEAN),
    "AP×RP new": (OURS_AP1, THEIR_RP9, CLEAN),
    "AP×OW same": (OURS_AP1, THEIR_OW1, ADDED),
    "AP×OW other": (OURS_AP1, THEIR_OW2, CLEAN),
    "AP×PD same": (OURS_AP1, THEIR_PD1, ADDED),
    "AP×PD other": (OURS_AP1, THEIR_PD2, CLEAN),
    "AP×EQ same key": (append(data("rows", ids=(1, 1))), THEIR_EQ1, KEYS),
    "AP×EQ other key": (OURS_AP1, THEIR_EQ1, CLEAN),
    "AP×EQ no bounds": (append(data("rows")), THEIR_EQ1, KEYS),
    "AP×EQ other day": (append(data("rows", day=3)), THEIR_EQ1, CLEAN),
    "AP×CO": (OURS_AP1, THEIR_CO1, CLEAN),
    "AP×XP": (OURS_AP1, THEIR_XP1, CLEAN),
    "AP×XM": (OURS_AP1, THEIR_XM, LEFT_OUT),
    "AP×TR": (OURS_AP3, TRUNCATE, EMPTIED),
    # Ours replaced a partition.
    "RP×AP": (OURS_RP1, THEIR_AP, CLEAN),
    "RP×RP same": (OURS_RP1, THEIR_RP1, CHANGED | ADDED),
    "RP×RP other": (OURS_RP1, THEIR_RP2, CLEAN),
    "RP×OW same": (OURS_RP1, THEIR_OW1, CHANGED | ADDED),
    "RP×OW other": (OURS_RP1, THEIR_OW2, CLEAN),
    "RP×PD same": (OURS_RP1, THEIR_PD1, CHANGED | ADDED),
    "RP×PD other": (OURS_RP1, THEIR_PD2, CLEAN),
    "RP×EQ same": (OURS_RP1, THEIR_EQ1, KEYS),
    "RP×EQ other": (OURS_RP1, THEIR_EQ2, CLEAN),
    "RP×EQ other keys": (
        replace_partitions([data("o1", ids=(7, 9))], [data("f1", ids=(7, 9))]),
        THEIR_EQ1,
        CLEAN,
    ),
    "RP×CO same": (OURS_RP1, THEIR_CO1, LEFT_OUT),
    "RP×CO other": (OURS_RP1, THEIR_CO2, CLEAN),
    "RP×XP": (OURS_RP1, THEIR_XP1, LEFT_OUT),
    "RP×XM": (OURS_RP1, THEIR_XM, LEFT_OUT),
    "RP×TR": (OURS_RP1, TRUNCATE, CHANGED | EMPTIED),
    # Ours rewrote files.
    "OW×AP": (OURS_OW1, THEIR_AP, CLEAN),
    "OW×RP": (OURS_OW1, THEIR_RP1, CHANGED | ADDED),
    "OW×OW same": (OURS_OW1, THEIR_OW1, CHANGED | ADDED),
    "OW×OW other": (OURS_OW1, THEIR_OW2, CLEAN),
    "OW×PD same": (OURS_OW1, THEIR_PD1, CHANGED | ADDED),
    "OW×PD deleted whole": (delete(removed=[F1]), THEIR_PD1, CLEAN),
    "OW×PD deleted whole, update": (delete(removed=[F1]), THEIR_PD1_UPDATE, CHANGED),
    "OW×EQ same": (OURS_OW1, THEIR_EQ1, KEYS),
    "OW×EQ other": (OURS_OW1, THEIR_EQ2, CLEAN),
    "OW×CO same": (OURS_OW1, THEIR_CO1, LEFT_OUT),
    "OW×CO other": (OURS_OW1, THEIR_CO2, CLEAN),
    "OW×XP": (OURS_OW1, THEIR_XP1, LEFT_OUT),
    "OW×XM": (OURS_OW1, THEIR_XM, LEFT_OUT),
    "OW×TR": (OURS_OW1, TRUNCATE, CHANGED | EMPTIED),
    # Ours deleted by position.
    "PD×AP": (OURS_PD1, THEIR_AP, CLEAN),
    "PD×RP same": (OURS_PD1, THEIR_RP1, DELETED),
    "PD×RP other": (OURS_PD1, THEIR_RP2, CLEAN),
    "PD×OW same": (OURS_PD1, THEIR_OW1, DELETED),
    "PD×OW other": (OURS_PD1, THEIR_OW2, CLEAN),
    "PD×PD both pure": (OURS_PD1, THEIR_PD1, CLEAN),
    "PD×PD ours updated": (OURS_PD1_UPDATE, THEIR_PD1, BOTH_DELETED | ADDED),
    "PD×PD theirs updated": (OURS_PD1, THEIR_PD1_UPDATE, BOTH_DELETED),
    "PD×EQ": (OURS_PD1, THEIR_EQ1, KEYS),
    "PD×EQ other": (OURS_PD1, THEIR_EQ2, CLEAN),
    "PD×CO same": (OURS_PD1, THEIR_CO1, LEFT_OUT),
    "PD×CO other": (OURS_PD1, THEIR_CO2, CLEAN),
    "PD×XP": (OURS_PD1, THEIR_XP1, CLEAN),
    "PD×XM": (OURS_PD1, THEIR_XM, LEFT_OUT),
    "PD×TR": (OURS_PD1, TRUNCATE, DELETED),
    # Ours upserted.
    "EQ×AP": (OURS_EQ1, THEIR_AP, CLEAN),
    "EQ×RP same": (OURS_EQ1, THEIR_RP1, DELETED | ADDED),
    "EQ×RP other": (OURS_EQ1, THEIR_RP2, CLEAN),
    "EQ×OW same": (OURS_EQ1, THEIR_OW1, DELETED | ADDED),
    "EQ×OW other": (OURS_EQ1, THEIR_OW2, CLEAN),
    "EQ×PD same": (OURS_EQ1, THEIR_PD1, BOTH_DELETED | ADDED),
    "EQ×PD other": (OURS_EQ1, THEIR_PD2, CLEAN),
    "EQ×EQ same key": (OURS_EQ1, THEIR_EQ1, KEYS),
    "EQ×EQ other key": (
        OURS_EQ1,
        upsert(equality("e1", ids=(2, 2)), data("trow", ids=(2, 2))),
        CLEAN,
    ),
    "EQ×EQ other day": (OURS_EQ1, THEIR_EQ2, CLEAN),
    "EQ×CO newer": (OURS_EQ1, THEIR_CO1, LEFT_OUT),
    "EQ×CO old number": (OURS_EQ1, compact([data("tg1", sequence=1)], [F1]), CLEAN),
    "EQ×CO other": (OURS_EQ1, THEIR_CO2, CLEAN),
    "EQ×XP": (OURS_EQ1, THEIR_XP1, CLEAN),
    "EQ×XM": (OURS_EQ1, THEIR_XM, LEFT_OUT),
    "EQ×TR": (OURS_EQ1, TRUNCATE, DELETED | EMPTIED),
    # Ours compacted.
    "CO×AP": (OURS_CO1, THEIR_AP, CLEAN),
    "CO×RP": (OURS_CO1, THEIR_RP1, COMPACTED),
    "CO×OW same": (OURS_CO1, THEIR_OW1, COMPACTED),
    "CO×OW other": (OURS_CO1, THEIR_OW2, CLEAN),
    "CO×PD same": (OURS_CO1, THEIR_PD1, COMPACTED),
    "CO×PD other": (OURS_CO1, THEIR_PD2, CLEAN),
    "CO×EQ": (OURS_CO1, THEIR_EQ1, CLEAN),
    "CO×CO same": (OURS_CO1, THEIR_CO1, LEFT_OUT),
    "CO×CO other": (OURS_CO1, THEIR_CO2, CLEAN),
    "CO×XP": (OURS_CO1, THEIR_XP1, LEFT_OUT),
    "CO×XM": (OURS_CO1, THEIR_XM, LEFT_OUT),
    "CO×TR": (OURS_CO1, TRUNCATE, COMPACTED),
    # Ours rewrote position deletes.
    "XP×AP": (OURS_XP1, THEIR_AP, CLEAN),
    "XP×RP": (OURS_XP1, THEIR_RP1, CLEAN),
    "XP×OW": (OURS_XP1, THEIR_OW1, CLEAN),
    "XP×PD": (OURS_XP1, THEIR_PD1, CLEAN),
    "XP×EQ": (OURS_XP1, THEIR_EQ1, CLEAN),
    "XP×CO": (OURS_XP1, THEIR_CO1, CLEAN),
    "XP×XP": (OURS_XP1, THEIR_XP1, LEFT_OUT),
    "XP×XM": (OURS_XP1, THEIR_XM, LEFT_OUT),
    "XP×TR": (OURS_XP1, TRUNCATE, CLEAN),
    # Ours rewrote manifests.
    "XM×OW": (OURS_XM, THEIR_OW1, CLEAN),
    "XM×PD": (OURS_XM, THEIR_PD1, CLEAN),
    "XM×EQ": (OURS_XM, THEIR_EQ1, CLEAN),
    "XM×CO": (OURS_XM, THEIR_CO1, CLEAN),
    "XM×XM": (OURS_XM, THEIR_XM, LEFT_OUT),
    "XM×TR": (OURS_XM, TRUNCATE, CLEAN),
    # Ours removed everything.
    "TR×AP": (OURS_TR, THEIR_AP, CLEAN),
    "TR×RP new": (OURS_TR, THEIR_RP9, CLEAN),
    "TR×RP": (OURS_TR, THEIR_RP1, CHANGED),
    "TR×OW": (OURS_TR, THEIR_OW1, CHANGED),
    "TR×PD": (OURS_TR, THEIR_PD1, CLEAN),
    "TR×PD update": (OURS_TR, THEIR_PD1_UPDATE, CHANGED),
    "TR×EQ same": (OURS_TR, THEIR_EQ1, KEYS),
    "TR×EQ other": (
        OURS_TR,
        upsert(equality("e", ids=(50, 50)), data("trow", ids=(50, 50))),
        CLEAN,
    ),
    "TR×CO": (OURS_TR, THEIR_CO1, LEFT_OUT),
    "TR×XP": (OURS_TR, THEIR_XP1, LEFT_OUT),
    "TR×XM": (OURS_TR, THEIR_XM, LEFT_OUT),
    "TR×TR": (OURS_TR, TRUNCATE, CLEAN),
}

# The same with deletion vectors, in format version 3.
VECTOR_CELLS = {
    "AP×DV same": (OURS_AP1, THEIR_DV1, ADDED),
    "AP×DV other": (OURS_AP1, THEIR_DV2, CLEAN),
    "RP×DV same": (OURS_RP1, THEIR_DV1, CHANGED | ADDED),
    "OW×DV same": (OURS_OW1, THEIR_DV1, CHANGED | ADDED),
    "OW×DV deleted whole": (delete(removed=[F1]), THEIR_DV1, CLEAN),
    "PD×DV": (OURS_PD1, THEIR_DV1, VECTORS),
    "DV×AP": (OURS_DV1, THEIR_AP, CLEAN),
    "DV×RP same": (OURS_DV1, THEIR_RP1, DELETED),
    "DV×RP other": (OURS_DV1, THEIR_RP2, CLEAN),
    "DV×OW same": (OURS_DV1, THEIR_OW1, DELETED),
    "DV×OW other": (OURS_DV1, THEIR_OW2, CLEAN),
    "DV×PD": (OURS_DV1, THEIR_PD2, OLD),
    "DV×DV same": (OURS_DV1, THEIR_DV1, VECTORS),
    "DV×DV other": (OURS_DV1, THEIR_DV2, CLEAN),
    "DV×EQ": (OURS_DV1, THEIR_EQ1, KEYS),
    "DV×CO": (OURS_DV1, THEIR_CO1, LEFT_OUT),
    "DV×XP": (OURS_DV1, compact([vector("tq", "f1")], [OLD_PD]), LEFT_OUT),
    "DV×TR": (OURS_DV1, TRUNCATE, DELETED),
    "EQ×DV same": (OURS_EQ1, THEIR_DV1, BOTH_DELETED | ADDED),
    "EQ×DV other": (OURS_EQ1, THEIR_DV2, CLEAN),
    "CO×DV": (OURS_CO1, THEIR_DV1, COMPACTED),
    "XP×DV": (compact([vector("oq", "f1")], [OLD_PD]), THEIR_DV1, VECTORS),
    "XP×OW": (compact([vector("oq", "f1")], [OLD_PD]), THEIR_OW1, VECTORS),
    "XM×DV": (OURS_XM, THEIR_DV1, CLEAN),
    "TR×DV": (OURS_TR, THEIR_DV1, CLEAN),
}


@pytest.mark.parametrize("cell", CELLS)
def test_cells_of_version_2(cell: str) -> None:
    check(*CELLS[cell])


@pytest.mark.parametrize("cell", VECTOR_CELLS)
def test_cells_of_version_3(cell: str) -> None:
    check(*VECTOR_CELLS[cell], **V3)


def check(did: Did, then: Did, expected: set[str] | str, **members: object) -> None:
    verdict = judged([did], [then], **members)
    if expected == LEFT_OUT:
        assert codes(verdict) == CLEAN
        assert verdict.left_out == {THEIRS + 2}
        assert verdict.steps == ()
        assert len(verdict.notes) == 1
    else:
        assert codes(verdict) == expected, verdict.problems
        assert verdict.left_out == frozenset()


SNAPSHOT_CELLS = {
    "AP×RP": (OURS_AP1, THEIR_RP1),
    "AP×OW": (OURS_AP1, THEIR_OW1),
    "AP×PD": (OURS_AP1, THEIR_PD1),
}


@pytest.mark.parametrize("cell", SNAPSHOT_CELLS)
def test_snapshot_isolation_does_not_mind_new_rows(cell: str) -> None:
    ours, theirs = SNAPSHOT_CELLS[cell]
    assert codes(judged([ours], [theirs], Isolation.SNAPSHOT)) == CLEAN


@pytest.mark.parametrize("cell", [*CELLS, *VECTOR_CELLS])
def test_snapshot_isolation_only_leaves_out_the_check_of_new_rows(cell: str) -> None:
    ours, theirs, expected = (CELLS | VECTOR_CELLS)[cell]
    members = V3 if cell in VECTOR_CELLS else {}
    verdict = judged([ours], [theirs], Isolation.SNAPSHOT, **members)
    assert codes(verdict) == (set() if expected == LEFT_OUT else set(expected) - ADDED)


def test_what_a_deleted_file_needs_no_more_is_not_replayed() -> None:
    verdict = judged([delete(removed=[F1])], [delete(PD1, PD2)])
    (step,) = verdict.steps
    assert set(step.changes.added_deletes) == {file_key(PD2)}


def test_a_file_that_both_deleted_is_not_removed_twice() -> None:
    verdict = judged([delete(removed=[F1])], [delete(removed=[F1, F2])])
    assert codes(verdict) == CLEAN
    (step,) = verdict.steps
    assert set(step.changes.removed) == {file_key(F2)}


def test_two_deletes_are_no_union_where_an_insert_stands_beside_them() -> None:
    """DuckDB and others update in two snapshots, the second of which writes the new rows."""
    verdict = judged([OURS_PD1, append(data("new"))], [THEIR_PD1], Isolation.SNAPSHOT)
    assert codes(verdict) == BOTH_DELETED
    verdict = judged([OURS_PD1], [append(data("new")), THEIR_PD1], Isolation.SNAPSHOT)
    assert codes(verdict) == BOTH_DELETED


def test_a_deleted_file_whose_rows_may_have_moved_counts() -> None:
    verdict = judged([delete(removed=[F1]), append(ROWS3)], [THEIR_PD1], Isolation.SNAPSHOT)
    assert codes(verdict) == CHANGED


def test_a_compaction_of_theirs_does_not_hide_that_rows_of_the_base_were_deleted() -> None:
    first, second = data("g1"), data("g2")
    theirs = [compact([first], [F1]), compact([second], [first]), over("t1", second)]
    assert codes(judged([OURS_AP1], theirs)) == ADDED
    assert codes(judged([OURS_AP1], [*theirs[:2], delete(positions("p", "g2"))])) == ADDED
    assert codes(judged([OURS_AP3], theirs)) == CLEAN


def test_a_compaction_of_rows_that_theirs_added_itself_reads_no_others() -> None:
    own, compacted = data("t1", ids=(9, 9)), data("g1")
    theirs = [append(own), compact([compacted], [own]), over("t2", compacted)]
    assert codes(judged([OURS_AP1], theirs)) == CLEAN


def test_a_vector_that_theirs_took_away_with_its_file_is_no_second_reason() -> None:
    old = vector("v0", "f1", sequence=1)
    ours = delete(vector("v1", "f1"), removed=[old])
    theirs = overwrite([data("t1")], [F1, old])
    assert codes(judged([ours], [theirs], **V3)) == DELETED
    assert codes(judged([ours], [delete(removed=[old])], **V3)) == VECTORS


def test_unpartitioned_tables_conflict_with_any_new_row() -> None:
    whole = data("u1", spec_id=UNPARTITIONED)
    theirs = overwrite([data("t", spec_id=UNPARTITIONED)], [whole])
    ours = append(data("o", spec_id=UNPARTITIONED, ids=(900, 900)))
    assert codes(judged([ours], [theirs])) == ADDED
    assert codes(judged([ours], [theirs], Isolation.SNAPSHOT)) == CLEAN


def test_new_rows_under_another_spec_are_compared_by_their_ranges() -> None:
    # Day 40 is in February, day 1 in January 1970.
    january = data("o", spec_id=BY_MONTH, partition=(0,))
    march = data("o", spec_id=BY_MONTH, partition=(2,))
    assert codes(judged([append(january)], [THEIR_OW1])) == ADDED
    assert codes(judged([append(march)], [THEIR_OW1])) == CLEAN
