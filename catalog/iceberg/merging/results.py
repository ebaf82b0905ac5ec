"""What comes of a merge inside a table."""

from dataclasses import dataclass, field

from catalog.iceberg.merging.problems import Problem
from catalog.iceberg.metadata import Metadata


@dataclass(frozen=True, slots=True)
class ReplayedSnapshot:
    """A snapshot of theirs, and what the one that stands for it on the target did."""

    origin: int
    snapshot_id: int
    operation: str
    added_data_files: int
    removed_data_files: int
    added_delete_files: int
    removed_delete_files: int
    added_records: int
    removed_records: int


@dataclass(frozen=True, slots=True)
class MergeReport:
    """What a merge inside a table did.

    `adopted` are snapshots that were taken with their own ids, since the target had none of its
    own. `left_out` are rewrites of the source that do not fit and change no row. `notes` are
    sentences that people should read.
    """

    replayed: tuple[ReplayedSnapshot, ...] = ()
    adopted: tuple[int, ...] = ()
    left_out: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TableMerge:
    """Merged metadata, completed; the metadata log and the name of its file are still the target's.

    It is the target's own object if there was nothing to take.
    """

    metadata: Metadata
    report: MergeReport = field(default_factory=MergeReport)


@dataclass(frozen=True, slots=True)
class TableConflict:
    """Why two sides of a table do not go together; all reasons that were found."""

    problems: tuple[Problem, ...]
