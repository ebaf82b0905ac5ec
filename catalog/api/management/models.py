"""What requests hold and answers look like; the fixed names are those of the design page."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from catalog.api.management.detail_models import DetailAnswer, TotalsAnswer, WithDetail
from catalog.api.management.fields import (
    Answer,
    AnyRevision,
    CommitId,
    Limit,
    Line,
    Metadata,
    PageToken,
    QueryString,
    RequestBody,
    Text,
)

KeyLevels = Annotated[
    list[str],
    Field(description="Namespace levels and name.", examples=[["features", "slides"]]),
]
Kind = Literal["namespace", "table", "view", "function"]


class LocationRequest(RequestBody):
    """A further location of a warehouse, in a store of its own."""

    location: Line = Field(examples=["abfss://slides@hospital.dfs.core.windows.net/lake"])
    storage: dict[str, Text] = Field(default={}, description="Iceberg FileIO properties.")


class LocationAnswer(Answer):
    """A further location of a warehouse; secrets among its storage properties are left out."""

    location: str
    storage: dict[str, str]


class WarehouseRequest(RequestBody):
    """A warehouse to create."""

    name: Line = Field(examples=["lake"])
    location: Line = Field(
        description="Where its files lie unless a namespace or a table has a place under another"
        " of its locations; it never changes.",
        examples=["s3://lake/warehouse"],
    )
    default_branch: Line = "main"
    storage: dict[str, Text] = Field(
        default={},
        description="Iceberg FileIO properties.",
        examples=[{"s3.endpoint": "http://minio:9000", "s3.path-style-access": "true"}],
    )
    locations: list[LocationRequest] = Field(default=[], description="Further locations.")


class WarehousePatch(RequestBody):
    """What of a warehouse to change; members left out stay."""

    default_branch: Line | None = None
    storage: dict[str, Text] | None = Field(
        default=None, description="Replaces all storage properties."
    )
    locations: list[LocationRequest] = Field(
        default=[],
        description="Further locations: new ones are added, those that are there get these storage"
        " properties, those left out stay.",
    )


class WarehouseAnswer(Answer):
    """A warehouse; secrets among its storage properties are left out."""

    name: str
    location: str
    default_branch: str
    storage: dict[str, str]
    locations: list[LocationAnswer]


class WarehousesAnswer(Answer):
    """All warehouses, by name."""

    warehouses: list[WarehouseAnswer]


class RefsQuery(QueryString):
    """Which branches or tags to list."""

    prefix: Annotated[str, StringConstraints(max_length=255)] = ""
    limit: Limit = 100
    page_token: PageToken | None = None


class BranchRequest(RequestBody):
    """A branch to create; it costs the same however large the lake is."""

    name: Line = Field(examples=["ingest/2026-11-23"])
    start: AnyRevision = Field(alias="from")


class BranchAnswer(Answer):
    """A branch and its head."""

    name: str
    commit_id: CommitId
    created_at: datetime
    created_by: str


class BranchesAnswer(Answer):
    """A page of branches, by name."""

    branches: list[BranchAnswer]
    next_page_token: str | None


class ResetRequest(RequestBody):
    """Where to move a branch."""

    to: AnyRevision
    expected_head: Line | None = Field(
        default=None, description="Move only from here: a commit id, or its first digits."
    )


class TagRequest(RequestBody):
    """A tag to create; it never moves."""

    name: Line = Field(examples=["release/2026-11-23"])
    at: AnyRevision
    message: Text = ""
    metadata: Metadata = Field(default_factory=dict)


class TagAnswer(BranchAnswer):
    """A tag, its commit, and what was said of it."""

    message: str
    metadata: dict[str, str]


class TagsAnswer(Answer):
    """A page of tags, by name."""

    tags: list[TagAnswer]
    next_page_token: str | None


class CommitsQuery(QueryString):
    """Which commits to list: those that pass every filter."""

    ref: AnyRevision | None = Field(
        default=None, description="Where to begin. Default: the default branch."
    )
    table: Line | None = Field(
        default=None,
        description="Only commits that changed this table, view or namespace, levels joined by"
        " dots: through renames, and of a merge that took over a parent's state only those of that"
        " parent. At a revision that lacks it, what was last called so.",
        examples=["features.slides"],
    )
    author: Line | None = Field(default=None, description="Only commits of exactly this author.")
    since: Line | None = Field(default=None, description="Only commits at this time or later.")
    until: Line | None = Field(default=None, description="Only commits at this time or earlier.")
    first_parent: bool = Field(
        default=False,
        description="Leave out what came by merges: the commits and merges of the branch itself.",
    )
    limit: Limit = 100
    page_token: PageToken | None = None


class CommitSummary(Answer):
    """A commit."""

    commit_id: CommitId
    parent_ids: list[CommitId]
    author: str = Field(description="Who made the change, as the client claims.")
    committer: str = Field(description="Who authenticated.")
    committed_at: datetime
    message: str
    metadata: dict[str, str]
    changed_count: int = Field(description="How many keys it changed against its first parent.")


class CommitsAnswer(Answer):
    """A page of commits, newest first."""

    commits: list[CommitSummary]
    next_page_token: str | None = Field(
        description="A page may be short, or empty, and yet have a next one, where few commits of"
        " a long history pass the filters."
    )


class SideAnswer(Answer):
    """What one side of a merge holds."""

    kind: Kind
    uuid: str
    metadata_location: str | None
    facts: dict[str, int | str] = Field(examples=[{"total-records": 569}])
    properties: dict[str, str] = Field(description="Of a namespace.")


class EntryAnswer(SideAnswer):
    """What a revision holds for a key."""

    key: KeyLevels


class ChangeAnswer(Answer):
    """How a key differs between two trees."""

    key: KeyLevels
    kind: Kind
    change: Literal["added", "removed", "modified", "renamed"]
    before: EntryAnswer | None = Field(
        default=None, alias="from", description="Left out where the key was added."
    )
    to: EntryAnswer | None = Field(default=None, description="Left out where the key was removed.")
    detail: DetailAnswer | None = Field(
        default=None, description="Where `detail` was asked for, of the first 10,000 changes."
    )


class CommitQuery(QueryString):
    """How much to tell of a commit."""

    detail: WithDetail = False


class CommitAnswer(CommitSummary):
    """A commit and what it changed against its first parent."""

    tree_id: str = Field(description="The id of all content: equal content has an equal id.")
    generation: int
    changes: list[ChangeAnswer]
    totals: TotalsAnswer | None = Field(default=None, description="Where `detail` was asked for.")


class DiffQuery(QueryString):
    """The two revisions to compare."""

    before: AnyRevision = Field(alias="from")
    to: AnyRevision
    detail: WithDetail = False


class DiffAnswer(Answer):
    """The changes that lead from one revision to the other, by key."""

    from_commit_id: CommitId
    to_commit_id: CommitId
    changes: list[ChangeAnswer]
    totals: TotalsAnswer | None = Field(default=None, description="Where `detail` was asked for.")


class BlameQuery(QueryString):
    """Whose parts to tell of."""

    ref: AnyRevision | None = Field(default=None, description="Default: the default branch.")
    table: Line = Field(
        description="A table, view, function or namespace, levels joined by dots.",
        examples=["features.slides"],
    )


class BlamedPart(Answer):
    """A part as it is, and the commit that brought it to that."""

    part: str = Field(
        description="`table` (or `view` …) stands for its creation, `name` for what it is called,"
        " `snapshot` for its data.",
        examples=["table", "name", "column", "property", "partition-spec", "snapshot"],
    )
    name: str = Field(examples=["box.left"])
    field_id: int | None = Field(default=None, description="Of a column of a table.")
    value: Any
    commit: CommitSummary | None = Field(
        description="Null where the trail is too long, or a metadata file on it is gone."
    )


class BlameAnswer(Answer):
    """All parts of a table, view, function or namespace."""

    commit_id: CommitId
    key: KeyLevels
    kind: Kind
    uuid: str
    complete: bool = Field(description="Whether the commit of every part was found.")
    parts: list[BlamedPart]


class ReflogQuery(QueryString):
    """Which branch's moves to list."""

    branch: Line | None = Field(default=None, description="Default: the default branch.")
    limit: Limit = 100
    page_token: PageToken | None = None


class ReflogEntry(Answer):
    """One move of a branch."""

    commit_id: CommitId | None = Field(description="Null where the branch was deleted.")
    previous_commit_id: CommitId | None = Field(description="Null where it was created.")
    at: datetime
    by: str
    operation: str = Field(examples=["merge", "update-table", "reset"])


class ReflogAnswer(Answer):
    """A page of a branch's moves, newest first; it outlives the branch."""

    entries: list[ReflogEntry]
    next_page_token: str | None


class CheckRequest(RequestBody):
    """A verdict on a commit."""

    name: Line = Field(examples=["dbt"])
    state: Literal["pending", "success", "failure"]
    summary: Text = ""
    details_url: (
        Annotated[
            str, StringConstraints(max_length=2048, pattern=r"^https?://[^\s\x00-\x20\x7f]+$")
        ]
        | None
    ) = None


class CheckAnswer(Answer):
    """The latest verdict that a check gave on a commit."""

    name: str
    state: Literal["pending", "success", "failure"]
    summary: str
    details_url: str | None
    commit_id: CommitId
    at: datetime
    by: str


class ChecksAnswer(Answer):
    """The latest verdict of every check on a commit, by name."""

    checks: list[CheckAnswer]


class ProtectionRequest(RequestBody):
    """The rules of a protection; what is left out is not asked for."""

    require_merge: bool = Field(
        default=False, description="Only merges change the branch, nothing direct."
    )
    required_checks: list[str] = Field(
        default=[], description="What comes in must have passed these checks."
    )
    required_approvals: int = Field(default=0, description="0 until there are reviews.")
    forbid_delete: bool = False
    forbid_reset: bool = False
    merge_inside_tables: bool = Field(
        default=True,
        description="False makes a conflict of each table that both sides of a merge changed.",
    )


class ProtectionAnswer(ProtectionRequest):
    """The rules on refs that match a pattern."""

    pattern: str = Field(examples=["release/*"])


class ProtectionsAnswer(Answer):
    """All protections, by pattern."""

    protections: list[ProtectionAnswer]
