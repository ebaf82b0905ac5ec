"""Bases and operations, carried out by Spark on branches of one warehouse."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.engines.lake import Lake, Spark
from tests.engines.merging.operations import Step, Table
from tests.engines.merging.states import BASE, GONE, Place, Row, updated
from tests.engines.merging.upserts import Upsert, upsert

_COLUMNS = "id BIGINT NOT NULL, day DATE, v INT, note STRING"
_PROPERTIES = {
    # MERGE writes deletes, DELETE and UPDATE copy files: so one table shows both.
    "write.merge.mode": "merge-on-read",
    "write.distribution-mode": "none",
}


class Writer:
    """Writes tables of the namespace `m`, on any branch."""

    def __init__(self, lake: Lake, spark: Spark) -> None:
        self.lake, self.spark = lake, spark
        self.catalog = spark.attach(lake)
        self.iceberg = lake.pyiceberg()
        spark.sql(f"CREATE NAMESPACE {self.catalog}.m")

    def name(self, table: str, branch: str = "main") -> str:
        """Return how Spark calls a table on a branch."""
        return f"{self.catalog}.m.`{table}@{branch}`"

    def create(self, table: Table) -> None:
        """Make a table of three files, in the first of which a row is deleted."""
        name = self.name(table.name)
        if not table.version:
            self.spark.sql(f"CREATE VIEW {name} AS SELECT * FROM {self.catalog}.m.v2")
            return
        wanted = _PROPERTIES | {"format-version": str(table.version)}
        properties = ", ".join(f"'{key}' = '{value}'" for key, value in wanted.items())
        self.spark.sql(
            f"CREATE TABLE {name} ({_COLUMNS}) {table.layout} TBLPROPERTIES ({properties})"
        )
        keys = {each["id"]: each for each in (*BASE.rows, *GONE)}
        for chosen in ((1, 2, 3, 9), (4, 5, 6, 7, 8)):
            self._insert(name, [keys[key] for key in chosen])
        if table.version > 1:
            self.spark.sql(
                f"MERGE INTO {name} t USING (SELECT 9L AS id) s ON t.id = s.id"
                " WHEN MATCHED THEN DELETE"
            )
        else:
            self.spark.sql(f"DELETE FROM {name} WHERE id = 9")

    def carry_out(self, step: Step, table: str, branch: str) -> None:
        """Do on a branch what a step says."""
        operation, place = step.operation, step.place
        if operation.rolls_back:
            name = f"{table}@{branch}"
            *_, before, _ = self.iceberg.load_table(("m", name)).snapshots()
            self.spark.sql(
                f"CALL {self.catalog}.system.rollback_to_snapshot"
                f"('m.`{name}`', {before.snapshot_id})"
            )
        elif operation.required:
            self._require(table, branch, operation.required)
        elif operation.sql:
            names = {"t": self.name(table, branch), "named": f"m.`{table}@{branch}`"}
            statements = operation.sql.format(**names, catalog=self.catalog, **vars(place))
            with self._settings(operation.settings):
                self.spark.sql(*statements.split("; "))
        elif operation.renamed:
            before, after = (("m", f"{name}@{branch}") for name in (table, operation.renamed))
            self.iceberg.rename_table(before, after)
        else:
            self._upsert(table, branch, place)

    def _require(self, table: str, branch: str, column: str) -> None:
        found = self.iceberg.load_table(("m", f"{table}@{branch}"))
        with found.update_schema(allow_incompatible_changes=True) as update:
            update.update_column(column, required=True)

    @contextmanager
    def _settings(self, wanted: dict[str, str]) -> Iterator[None]:
        for key, value in wanted.items():
            self.spark.session.conf.set(key, value)
        yield
        for key in wanted:
            self.spark.session.conf.unset(key)

    def _upsert(self, table: str, branch: str, place: Place) -> None:
        """Replace a row by key: what a model updates."""
        rows = [dict(each) for each in updated(BASE, place).rows if each["id"] == place.row]
        upsert(self.lake, Upsert(table, branch, place.row, rows, {"flink.job-id": place.side}))

    def _insert(self, name: str, rows: list[Row]) -> None:
        values = ", ".join(
            f"({each['id']}L, DATE '{each['day']}', {each['v']}, '{each['note']}')" for each in rows
        )
        self.spark.sql(f"INSERT INTO {name} SELECT /*+ COALESCE(1) */ * FROM VALUES {values}")
