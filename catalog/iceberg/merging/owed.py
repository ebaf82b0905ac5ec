"""What must hold of the files for a merged shape to be right, as plain data.

The shape of a table is merged without a look at its files. Where the result is right only if the
files of one side are, it owes the proof, and names the problem that there is without it.
"""

from dataclasses import dataclass
from enum import StrEnum

from catalog.iceberg.merging.problems import Problem


class Side(StrEnum):
    """Whose files are meant: those added since the base by ours, or by theirs."""

    OURS = "ours"
    THEIRS = "theirs"


class Claim(StrEnum):
    """What is claimed of the files that a side added. What cannot be proven does not hold.

    NO_DATA_FILES: none of its data files is live at its head (a new column is required).
    NO_NULLS: each data file of it that is live at its head tells that it holds no null in
        `field_id`: a null count of zero and, where the writer counts them, values.
    NOT_WRITTEN: none of its snapshots since the base, live or not, can have added a data or delete
        file that was written with `field_id`: the schema that each such snapshot names is in the
        side's own metadata and lacks the field; and no count, bound or equality id names it.
    NO_EQUALITY_DELETES: none of its snapshots added an equality delete, or, where `field_id` is
        set, none that has it among its equality ids.
    NO_POSITION_DELETES: none of its snapshots added a position delete file; vectors are none.
    NOT_PARTITIONED_BY: none of its snapshots added a data or delete file in a spec of the side's
        own metadata one of whose fields has `field_id` as a source (void ones do not count).
    NO_REWRITES: none of its snapshots took rows away while any added rows, as an update does that
        writes the rest of a row again.
    SPEC_NOT_USED: none of its snapshots added a file under the spec `spec_id` of its own metadata.
    """

    NO_DATA_FILES = "no-data-files"
    NO_NULLS = "no-nulls"
    NOT_WRITTEN = "not-written"
    NO_EQUALITY_DELETES = "no-equality-deletes"
    NO_POSITION_DELETES = "no-position-deletes"
    NOT_PARTITIONED_BY = "not-partitioned-by"
    NO_REWRITES = "no-rewrites"
    SPEC_NOT_USED = "spec-not-used"


@dataclass(frozen=True, slots=True)
class Owed:
    """One claim of the files of one side, and what the problem is if it does not hold.

    Ids are those of the side's own metadata, as its files have them.
    """

    claim: Claim
    side: Side
    problem: Problem
    field_id: int | None = None
    spec_id: int | None = None
