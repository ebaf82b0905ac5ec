"""What the two sides of a merge do to a table: in words, in SQL, and as a plain model has it.

A table is called by its format version and how it is partitioned. In SQL, `{t}` stands for the
table, `{named}` for its name in a call, the other names for the place where a side works.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.engines.merging.states import (
    OTHER,
    SAME,
    Effect,
    Place,
    State,
    added,
    added_with,
    all_replaced,
    called,
    day_deleted,
    day_replaced,
    deleted,
    dropped,
    emptied,
    merged,
    named,
    nothing,
    recreated,
    replaced,
    rolled_back,
    told,
    updated,
)

PARTITIONED, FLAT = "PARTITIONED BY (days(day))", ""


@dataclass(frozen=True)
class Table:
    """A table that both sides begin with."""

    name: str
    words: str
    version: int
    """The format's; a view has none."""
    layout: str = PARTITIONED


TABLES = {
    each.name: each
    for each in (
        Table("v1", "v1, partitioned by day", 1),
        Table("v2", "v2, partitioned by day", 2),
        Table("v2flat", "v2, not partitioned", 2, FLAT),
        Table("v3", "v3, partitioned by day", 3),
        Table("view", "a view", 0),
    )
}


@dataclass(frozen=True, eq=False)
class Operation:
    """One thing that a side does. Without SQL it is written by hand."""

    name: str
    words: str
    effect: Effect
    sql: str = ""
    whole: bool = False
    """Whether it works on the whole table, so that the place makes no difference."""
    settings: dict[str, str] = field(default_factory=dict)
    required: str | None = None
    """The column that it makes required, which Spark refuses to do."""
    renamed: str | None = None
    """The new name that it gives the table."""

    rolls_back: bool = False
    """Whether it takes back the last snapshot of the base."""

    def places(self) -> Iterator[Place]:
        """Give where theirs do it: in the partition that ours worked in, and in another."""
        yield SAME
        if not self.whole:
            yield OTHER


@dataclass(frozen=True)
class Step:
    """An operation at a place."""

    operation: Operation
    place: Place

    @property
    def slug(self) -> str:
        return f"{self.operation.name}-{self.place.row}"

    def effect(self, state: State) -> State:
        """Return what it makes of a state."""
        return self.operation.effect(state, self.place)


_DAY = "DATE '{day}'"
_ROW = "SELECT {new}L AS id, DATE '{day}' AS day, 1 AS v, '{side}' AS note"
_DYNAMIC = {"spark.sql.sources.partitionOverwriteMode": "dynamic"}
_STATIC = {"spark.sql.sources.partitionOverwriteMode": "static"}


def _call(procedure: str, where: str = "") -> str:
    clause = f'where => "{where}", ' if where else ""
    return (
        f"CALL {{catalog}}.system.{procedure}"
        f"(table => '{{named}}', {clause}options => map('rewrite-all', 'true'))"
    )


def _shape(name: str, words: str, effect: Effect, sql: str = "", **more: str) -> Operation:
    return Operation(name, words, effect, f"ALTER TABLE {{t}} {sql}" if sql else "", True, **more)


_ROWS = (
    Operation("append", "append", added, f"INSERT INTO {{t}} (id, day, v, note) {_ROW}"),
    *(
        Operation(
            f"append-{column}",
            f"append a row with a value in `{column}`",
            added_with(**{column: "x"}),
            f"INSERT INTO {{t}} (id, day, v, note, {column}) {_ROW}, 'x'",
        )
        for column in ("email", "phone")
    ),
    Operation(
        "append-null",
        "append a row whose `note` is null",
        added_with(note=None),
        "INSERT INTO {t} VALUES ({new}L, DATE '{day}', 1, NULL)",
    ),
    Operation(
        "replace",
        "replace the partition",
        day_replaced,
        f"INSERT OVERWRITE {{t}} {_ROW}",
        settings=_DYNAMIC,
    ),
    Operation(
        "replace-all",
        "replace all rows",
        all_replaced,
        f"INSERT OVERWRITE {{t}} {_ROW}",
        whole=True,
        settings=_STATIC,
    ),
    Operation("delete", "delete a row, by copy", deleted, "DELETE FROM {t} WHERE id = {row}"),
    Operation(
        "update",
        "update a row, by copy",
        updated,
        "UPDATE {t} SET v = {value}, note = '{side}' WHERE id = {row}",
    ),
    Operation(
        "delete-day",
        "delete the whole partition",
        day_deleted,
        f"DELETE FROM {{t}} WHERE day = {_DAY}",
    ),
    Operation(
        "mark",
        "delete a row, by position",
        deleted,
        "MERGE INTO {t} t USING (SELECT {row}L AS id) s ON t.id = s.id WHEN MATCHED THEN DELETE",
    ),
    Operation(
        "merge",
        "MERGE: update a row and insert one, by position",
        merged,
        "MERGE INTO {t} t USING (SELECT {row}L AS id UNION ALL SELECT {new}L) s"
        " ON t.id = s.id WHEN MATCHED THEN UPDATE SET v = {value}, note = '{side}'"
        f" WHEN NOT MATCHED THEN INSERT (id, day, v, note) VALUES (s.id, {_DAY}, 1, '{{side}}')",
    ),
    Operation("upsert", "upsert by key, as Flink does", updated),
    Operation(
        "compact",
        "compact data files",
        nothing,
        _call("rewrite_data_files", f"day = {_DAY}"),
    ),
    Operation(
        "compact-deletes",
        "compact position deletes",
        nothing,
        _call("rewrite_position_delete_files"),
        whole=True,
    ),
    Operation(
        "manifests",
        "rewrite manifests",
        nothing,
        "CALL {catalog}.system.rewrite_manifests('{named}', false)",
        whole=True,
    ),
    Operation("roll-back", "roll back", rolled_back, whole=True, rolls_back=True),
    Operation("truncate", "delete all rows", emptied, "DELETE FROM {t}", whole=True),
)
_SHAPES = (
    _shape("add-email", "add a column", named(email="email"), "ADD COLUMN email STRING"),
    _shape("add-phone", "add another column", named(phone="phone"), "ADD COLUMN phone STRING"),
    _shape("drop-note", "drop a column", named(note=None), "DROP COLUMN note"),
    _shape("drop-v", "drop another column", named(v=None), "DROP COLUMN v"),
    _shape("rename-note", "rename a column", named(note="remark"), "RENAME COLUMN note TO remark"),
    _shape(
        "rename-note-otherwise",
        "rename that column otherwise",
        named(note="comment"),
        "RENAME COLUMN note TO comment",
    ),
    _shape("rename-v", "rename another column", named(v="value"), "RENAME COLUMN v TO value"),
    _shape(
        "promote-v", "promote a column", told("type of v", "long"), "ALTER COLUMN v TYPE BIGINT"
    ),
    _shape("require-note", "make a column required", told("required", {4}), required="note"),
    _shape(
        "property",
        "set a property",
        told("team", "a"),
        "SET TBLPROPERTIES ('team' = 'a')",
    ),
    _shape(
        "property-otherwise",
        "set that property otherwise",
        told("team", "b"),
        "SET TBLPROPERTIES ('team' = 'b')",
    ),
    _shape(
        "property-besides",
        "set another property",
        told("stage", "raw"),
        "SET TBLPROPERTIES ('stage' = 'raw')",
    ),
    _shape("spec", "change partitions", told("buckets", 4), "ADD PARTITION FIELD bucket(4, id)"),
    _shape(
        "spec-otherwise",
        "change partitions otherwise",
        told("buckets", 8),
        "ADD PARTITION FIELD bucket(8, id)",
    ),
    _shape("sort", "change the order", told("sorted by", 1), "WRITE LOCALLY ORDERED BY id"),
    _shape(
        "sort-otherwise",
        "change the order otherwise",
        told("sorted by", 2),
        "WRITE LOCALLY ORDERED BY day",
    ),
    _shape("tag", "tag a snapshot", told("tag kept for days", 7), "CREATE TAG eod RETAIN 7 DAYS"),
    _shape(
        "tag-otherwise",
        "tag it otherwise",
        told("tag kept for days", 9),
        "CREATE TAG eod RETAIN 9 DAYS",
    ),
    _shape("branch", "branch in the table", told("branch", True), "CREATE BRANCH audit"),
    _shape(
        "upgrade", "upgrade to v3", told("version", 3), "SET TBLPROPERTIES ('format-version' = '3')"
    ),
)
_TABLES = (
    Operation("rename", "rename the table", called("moved"), whole=True, renamed="moved"),
    Operation(
        "rename-otherwise", "rename it otherwise", called("away"), whole=True, renamed="away"
    ),
    Operation("drop", "drop the table", dropped, "DROP TABLE {t}", whole=True),
    Operation(
        "recreate",
        "drop it and create another",
        recreated,
        f"DROP TABLE {{t}}; CREATE TABLE {{t}} AS {_ROW}",
        whole=True,
    ),
    Operation(
        "replace-table",
        "CREATE OR REPLACE TABLE",
        replaced,
        f"CREATE OR REPLACE TABLE {{t}} AS {_ROW}",
        whole=True,
    ),
)
_VIEWS = (
    Operation(
        "view-query",
        "replace the query",
        named(day=None, note=None),
        "CREATE OR REPLACE VIEW {t} AS SELECT id, v FROM {catalog}.m.v2",
        whole=True,
    ),
    Operation(
        "view-query-otherwise",
        "replace the query otherwise",
        named(day=None, v=None),
        "CREATE OR REPLACE VIEW {t} AS SELECT id, note FROM {catalog}.m.v2",
        whole=True,
    ),
    *(
        Operation(
            name,
            words,
            told(key, value),
            f"ALTER VIEW {{t}} SET TBLPROPERTIES ('{key}' = '{value}')",
            whole=True,
        )
        for name, words, key, value in (
            ("view-property", "set a property", "team", "a"),
            ("view-property-otherwise", "set that property otherwise", "team", "b"),
            ("view-property-besides", "set another property", "stage", "raw"),
        )
    ),
)
OPERATIONS = {each.name: each for each in (*_ROWS, *_SHAPES, *_TABLES, *_VIEWS)}
