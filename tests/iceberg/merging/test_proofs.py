"""What a merged shape asks of the files of a side."""

from typing import Any

import pytest

from catalog.iceberg.merging.owed import Claim, Owed, Side
from catalog.iceberg.merging.problems import Problem
from tests.iceberg.merging.by_hand import (
    AMOUNT,
    BY_BUCKET,
    BY_DAY,
    DAY,
    ID,
    SITE,
    Did,
    append,
    codes,
    data,
    delete,
    equality,
    judged,
    positions,
    upsert,
    vector,
)


def owed(claim: Claim, **which: int) -> Owed:
    return Owed(claim, Side.THEIRS, Problem(claim.value, "Why."), **which)


def written(**schema: Any) -> Did:
    return append(data("t", **schema))


COUNTED = {"null_value_counts": {SITE: 0}, "value_counts": {SITE: 10}}
# A claim, what proves it, what does not.
CASES = {
    Claim.NO_DATA_FILES: ({}, delete(positions("p", "f1")), written()),
    Claim.NO_NULLS: ({"field_id": SITE}, written(**COUNTED), written()),
    Claim.NO_EQUALITY_DELETES: (
        {"field_id": SITE},
        upsert(equality("e", columns=(ID,), ids=(1, 1))),
        upsert(equality("e", columns=(ID, SITE))),
    ),
    Claim.NO_POSITION_DELETES: (
        {},
        upsert(equality("e"), vector("v", "f1")),
        delete(positions("p", "f1")),
    ),
    Claim.NOT_PARTITIONED_BY: (
        {"field_id": DAY},
        append(data("t", spec_id=BY_BUCKET, partition=(1,))),
        written(),
    ),
    Claim.NO_REWRITES: ({}, written(), upsert(data("t"), equality("e"))),
    Claim.SPEC_NOT_USED: (
        {"spec_id": BY_DAY},
        append(data("t", spec_id=BY_BUCKET, partition=(1,))),
        delete(positions("p", "f1")),
    ),
}


@pytest.mark.parametrize("claim", CASES)
def test_a_claim_holds_if_the_files_prove_it(claim: Claim) -> None:
    which, proof, counterexample = CASES[claim]
    assert claim.value not in codes(judged([], [proof], owed=[owed(claim, **which)]))
    assert claim.value in codes(judged([], [counterexample], owed=[owed(claim, **which)]))


def test_rows_that_are_gone_again_need_no_proof() -> None:
    theirs = [written(), delete(removed=[data("t", sequence=2)])]
    assert not judged([], theirs, owed=[owed(Claim.NO_DATA_FILES)]).problems


def test_a_column_of_nulls_only_is_no_proof() -> None:
    all_null = written(null_value_counts={SITE: 10}, value_counts={SITE: 10})
    claim = owed(Claim.NO_NULLS, field_id=SITE)
    assert judged([], [all_null], owed=[claim]).problems == (claim.problem,)


def test_a_column_was_not_written_if_no_schema_and_no_metric_has_it() -> None:
    new = 9
    claim = owed(Claim.NOT_WRITTEN, field_id=new)
    with_schema = {"schema_id": 0}
    assert not judged([], [written()], owed=[claim], **with_schema).problems
    metric = written(value_counts={new: 1})
    assert judged([], [metric], owed=[claim], **with_schema).problems
    assert judged([], [written()], owed=[claim], schema_id=7).problems
    assert judged([], [written()], owed=[owed(Claim.NOT_WRITTEN, field_id=AMOUNT)]).problems


def test_claims_on_ours_are_held_against_ours() -> None:
    claim = Owed(Claim.NO_DATA_FILES, Side.OURS, Problem("required", "Why."))
    assert not judged([], [written()], owed=[claim]).problems
    assert judged([written()], [], owed=[claim]).problems == (claim.problem,)
