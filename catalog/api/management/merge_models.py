"""What requests for merges, cherry-picks and reverts hold, and their answers look like."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from catalog.api.management.detail_models import PartChange
from catalog.api.management.fields import (
    Answer,
    AnyRevision,
    CommitId,
    Line,
    Metadata,
    RequestBody,
    Text,
)
from catalog.api.management.models import ChangeAnswer, KeyLevels, Kind, SideAnswer

Strategy = Literal["auto", "fail", "ours", "theirs"]
Action = Literal["ours", "theirs", "both", "merged"]
Rule = Literal[
    "changed-on-source",
    "same-on-both",
    "rename-and-change",
    "properties",
    "successor",
    "inside-table",
    "inside-view",
    "inside-function",
    "strategy",
]
Isolation = Annotated[
    Literal["serializable", "snapshot"] | None,
    Field(
        description="How strictly tables are merged inside. By default each table's own strictest"
        " `write.*.isolation-level`: `serializable`, if it has none.",
    ),
]
PlanId = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9a-f]{64}$"),
    Field(description="Of a dry run: do exactly what it said, or answer 409."),
]


class StrategyRequest(RequestBody):
    """What to do with a table that changed on both sides; `ours` is the target's side."""

    default: Strategy = "auto"
    tables: dict[Line, Strategy] = Field(
        default={},
        description="For single keys, levels joined by dots.",
        examples=[{"features.slides": "theirs"}],
    )


class ChangesRequest(RequestBody):
    """What every request has in common that brings changes to the branch `target`."""

    target: Line = Field(examples=["main"])
    message: Text | None = None
    author: Line | None = None
    metadata: Metadata = Field(default_factory=dict)
    strategy: StrategyRequest = StrategyRequest()
    dry_run: bool = Field(
        default=False, description="Answer as the request would without this; change nothing."
    )
    expected_target_head: Line | None = Field(
        default=None, description="Go on only onto this: a commit id, or its first digits."
    )
    plan_id: PlanId | None = None


class MergeRequest(ChangesRequest):
    """A merge of `source` into the branch `target`."""

    source: AnyRevision
    isolation: Isolation = None
    squash: bool = Field(default=False, description="One parent: the source is not recorded.")
    unchanged: Annotated[list[Line], Field(max_length=10_000)] = Field(
        default=[],
        description="What the source read, levels joined by dots: a conflict if the target has"
        " changed it since the base.",
        examples=[["staging.slides"]],
    )


class CherryPickRequest(ChangesRequest):
    """Commits whose changes against their first parents to apply to `target`, as one commit."""

    commit_ids: Annotated[list[AnyRevision], Field(min_length=1, max_length=1000)]
    isolation: Isolation = None


class RevertRequest(ChangesRequest):
    """A commit whose changes against its first parent to take back on `target`."""

    commit_id: AnyRevision


class ResolutionAnswer(Answer):
    """Which side a key took that had changed on both."""

    key: KeyLevels
    action: Action


class SnapshotTakenAnswer(Answer):
    """A snapshot of the source that a table has now on top of the target's."""

    origin: int = Field(description="Its id where it was made first.")
    snapshot_id: int | None = Field(
        description="Its id on the target: the same if the target had made none of its own; null in"
        " a dry run that would make one."
    )
    operation: str = Field(examples=["append"])
    changes: dict[str, int] = Field(
        description="What its summary counts.",
        examples=[{"added-data-files": 1, "added-records": 40, "added-files-size": 1276}],
    )


class InsideAnswer(Answer):
    """What merging inside a table, view or function does."""

    isolation: Literal["serializable", "snapshot"] | None = Field(
        description="Null but for a table."
    )
    parts: list[PartChange] = Field(
        description="The parts of the target's metadata that are not as they were."
    )
    snapshots: list[SnapshotTakenAnswer]
    left_out: list[int] = Field(
        description="Snapshots of the source that change no row and do not fit: compactions."
    )
    notes: list[str] = Field(description="Sentences that people should read.")


class OutcomeAnswer(Answer):
    """What becomes of one table, view or namespace that the source changed."""

    key: KeyLevels = Field(description="The new name where a side renamed it.")
    kind: Kind
    action: Action
    rule: Rule
    base: SideAnswer | None
    ours: SideAnswer | None
    theirs: SideAnswer | None
    result: SideAnswer | None = Field(
        description="Null where it is not there afterwards. In a dry run what is merged inside has"
        " no `metadata_location` yet."
    )
    inside: InsideAnswer | None


class CauseAnswer(Answer):
    """One of the things for which the contents of a table do not go together."""

    code: str = Field(examples=["undecided-base"])
    detail: str


class ConflictAnswer(Answer):
    """Two changes that do not go together."""

    key: KeyLevels
    reason: str = Field(examples=["both-changed"])
    detail: str
    base: SideAnswer | None
    ours: SideAnswer | None
    theirs: SideAnswer | None
    causes: list[CauseAnswer] = Field(description="All that was found inside a table or view.")


class MergeAnswer(Answer):
    """What a merge did, or in a dry run would do."""

    commit_id: CommitId | None = Field(
        description="The target's head afterwards; null in a dry run that would make a commit."
    )
    base_commit_id: CommitId | None = Field(
        description="The best common ancestor; the first one where there are several."
    )
    source_commit_id: CommitId | None
    previous_commit_id: CommitId = Field(description="The target's head before.")
    changes: list[ChangeAnswer] = Field(description="What changes on the target.")
    resolutions: list[ResolutionAnswer]
    conflicts: list[ConflictAnswer] = Field(description="Empty: conflicts are answered with 409.")
    outcomes: list[OutcomeAnswer]
    plan_id: str | None = Field(
        description="What identifies all of this, to be named by a merge that carries out the dry"
        " run; null where there is nothing to do."
    )
