"""What answers tell of the changes within a table, a view or a namespace."""

from typing import Annotated, Any, Literal

from pydantic import Field

from catalog.api.management.fields import Answer

WithDetail = Annotated[
    bool,
    Field(
        description="Tell what changed within each table, view and namespace, which reads their"
        " metadata, and sum it up in `totals`."
    ),
]


class PartChange(Answer):
    """How one part of a table, view, function or namespace differs.

    Columns of a table that stayed are known by their field id, through renames; those of one that
    was dropped and made anew, and those of a view, by their name.
    """

    part: str = Field(examples=["column", "property", "partition-spec", "sort-order", "sql"])
    name: str = Field(description="As it is called now, or was last.", examples=["box.left"])
    change: Literal["added", "removed", "modified"]
    field_id: int | None = Field(default=None, description="Of a column.")
    before: Any = Field(default=None, alias="from")
    to: Any = None
    aspects: list[Literal["renamed", "type", "required", "doc", "default"]] | None = Field(
        default=None, description="What of a modified column differs."
    )


class Totals(Answer):
    """How much a state of a table holds."""

    rows: int = Field(description="With those that delete files take away.")
    files: int
    bytes: int
    delete_files: int


class Movement(Answer):
    """What was added and removed; rows that a compaction only wrote anew are neither."""

    rows_added: int
    rows_removed: int
    files_added: int
    files_removed: int
    bytes_added: int
    bytes_removed: int
    delete_files_added: int
    delete_files_removed: int


class SnapshotAnswer(Answer):
    """A snapshot between two states."""

    snapshot_id: int
    timestamp_ms: int
    operation: str


class DataChange(Answer):
    """How much data of a table changed, from what its snapshots say of themselves.

    `rows_added` and the like stand here unless `basis` is `totals`: then neither state's snapshot
    is an ancestor of the other's, or the snapshots between do not tell, and `difference` is all.
    """

    basis: Literal["same", "snapshots", "created", "dropped", "replaced", "totals"]
    exact: bool = Field(
        description="False where delete files make the numbers of rows bounds, not counts."
    )
    rows_added: int | None = None
    rows_removed: int | None = None
    files_added: int | None = None
    files_removed: int | None = None
    bytes_added: int | None = None
    bytes_removed: int | None = None
    delete_files_added: int | None = None
    delete_files_removed: int | None = None
    before: Totals | None = Field(description="Null where its snapshot does not tell.")
    after: Totals | None
    difference: Totals | None
    snapshots_added: int
    snapshots_removed: int = Field(description="Those that were gone back behind.")
    snapshots: list[SnapshotAnswer] = Field(description="The newest 100 of them.")


class DetailAnswer(Answer):
    """What changed within a table, view, function or namespace."""

    parts: list[PartChange] | None = None
    data: DataChange | None = Field(default=None, description="Of a table.")
    unreadable: str | None = Field(
        default=None, description="Why its metadata could not be read; nothing else is said then."
    )


class Differences(Totals):
    """Summed differences of the tables of which no more is known."""

    tables: int


class TotalsAnswer(Movement):
    """The data of all changed tables summed up."""

    tables: int
    exact: bool
    by_difference: Differences
    unreadable: int = Field(description="Of so many changes the metadata could not be read.")
    left_out: int = Field(description="Of so many changes no detail is told: they are too many.")
