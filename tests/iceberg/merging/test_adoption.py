"""Theirs' snapshots taken as they are, where ours has none of its own, and where that would lie."""

import itertools

from catalog.iceberg.merging.files import Isolation
from catalog.iceberg.merging.results import TableConflict, TableMerge
from catalog.iceberg.merging.table import merge_table
from tests.iceberg.merging.handmade import SCHEMA, History, data

NEW_IDS = itertools.count(8_000_000)


def merge(base: History, ours: History, theirs: History) -> TableMerge | TableConflict:
    return merge_table(
        base.metadata,
        ours.metadata,
        theirs.metadata,
        read=ours.files.__getitem__,
        write=ours.files.__setitem__,
        now_ms=1_000_000,
        new_snapshot_id=NEW_IDS.__next__,
        isolation=Isolation.SERIALIZABLE,
        origin_commit="c" * 64,
    )


def replaced(history: History) -> History:
    """Begin the table anew, as CREATE OR REPLACE TABLE does: its first snapshot has no parent."""
    history.metadata["current-snapshot-id"] = None
    history.heads = []
    return history.commit("append", data("new"))


def test_a_table_that_theirs_replaced_is_a_conflict_with_any_change_of_ours() -> None:
    base = History().commit("append", data("f1"))
    ours, theirs = base.fork(), replaced(base.fork())
    ours.metadata["properties"] = {"owner": "lab"}
    found = merge(base, ours, theirs)
    assert isinstance(found, TableConflict)
    assert [problem.code for problem in found.problems] == ["source-rolled-back"]


def test_a_rollback_of_theirs_is_taken_where_ours_has_no_snapshot() -> None:
    base = History().commit("append", data("f1")).commit("append", data("f2"))
    ours, theirs = base.fork(), base.fork()
    ours.metadata["properties"] = {"owner": "lab"}
    first = base.metadata["snapshots"][0]["snapshot-id"]
    theirs.metadata["current-snapshot-id"] = first
    theirs.metadata["refs"] = {"main": {"snapshot-id": first, "type": "branch"}}
    found = merge(base, ours, theirs)
    assert isinstance(found, TableMerge)
    assert found.metadata["current-snapshot-id"] == first
    assert found.metadata["properties"] == {"owner": "lab"}


def test_row_ids_collide_with_nobody_where_ours_gave_none() -> None:
    """What the merged shape asks of files is asked, and nothing else."""
    base = History(3).commit("append", data("f1"))
    ours, theirs = base.fork(), base.fork()
    changed = [*SCHEMA["fields"], {"id": 3, "name": "x", "required": False, "type": "string"}]
    theirs.metadata["schemas"] = [SCHEMA, SCHEMA | {"schema-id": 1, "fields": changed}]
    theirs.metadata["current-schema-id"] = 1
    theirs.metadata["last-column-id"] = 3
    ours.metadata["schemas"] = [
        SCHEMA,
        SCHEMA | {"schema-id": 1, "fields": [SCHEMA["fields"][1]]},
    ]
    ours.metadata["current-schema-id"] = 1
    theirs.commit("append", data("t")).commit("overwrite", data("t2"), removed=[data("t")])
    found = merge(base, ours, theirs)
    assert isinstance(found, TableMerge), found
    assert found.report.adopted
