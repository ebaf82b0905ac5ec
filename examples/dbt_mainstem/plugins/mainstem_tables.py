"""A dbt-duckdb plugin: DuckDB computes a table, and one Iceberg commit puts it in place.

DuckDB has no `create or replace` for Iceberg tables; its DELETE keeps the old data files and adds
delete files to them. So DuckDB writes the rows to a Parquet file, and pyiceberg puts them into the
table: columns and rows change in the same commit, old files leave the table, and the table keeps
its uuid, its location and its history. A reader sees the table before or after, never without rows.
"""

import atexit
import importlib
import tempfile
import warnings
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from dbt.adapters.duckdb.plugins import BasePlugin
from dbt_common.invocation import get_invocation_id
from pyiceberg.catalog import Catalog, load_catalog
from pyiceberg.exceptions import NoSuchTableError, TableAlreadyExistsError
from pyiceberg.table import Table

_AUTHOR = "X-Mainstem-Author"
_INVOCATION = "dbt-invocation-id"
_EXTENSIONS = ("avro", "httpfs", "iceberg")
# What Iceberg lets a column become (https://iceberg.apache.org/spec/#schema-evolution); a column
# of any other new type is dropped and added again, as another column of the same name.
_PROMOTIONS = {
    (pa.int32(), pa.int64()),
    (pa.float32(), pa.float64()),
}


class Plugin(BasePlugin):
    """Put what DuckDB computed into a table of the branch that dbt works on."""

    def initialize(self, plugin_config: dict[str, Any]) -> None:
        """Remember where the catalog is; dbt parses a project without a server, too."""
        self._address = {"uri": plugin_config["uri"], "warehouse": plugin_config["warehouse"]}
        self._author = plugin_config.get("author", "")
        self._credential = plugin_config.get("credential", "")
        self._tokens = f"{plugin_config['uri']}/v1/oauth/tokens"
        self._catalog: Catalog | None = None
        # A table that was empty before has nothing to delete, and that is well.
        warnings.filterwarnings("ignore", "Delete operation did not match any records")
        self._scratch = tempfile.TemporaryDirectory(prefix="mainstem-")
        atexit.register(self._scratch.cleanup)

    def configure_connection(self, conn: Any) -> None:
        """Load DuckDB's extensions from their packages, and have it say who commits.

        The secret that it makes is for the profile to attach the catalog with.
        """
        for name in _EXTENSIONS:
            package = Path(importlib.import_module(f"duckdb_extension_{name}").__file__ or "")
            (found,) = package.parent.glob(f"extensions/*/{name}.duckdb_extension")
            conn.execute(f"LOAD '{found}'")
        headers = {
            _AUTHOR: self._author,
            f"X-Mainstem-Metadata-{_INVOCATION}": get_invocation_id(),
        }
        shown = ", ".join(f"{_quoted(name)}: {_quoted(text)}" for name, text in headers.items())
        conn.execute(
            f"CREATE SECRET mainstem (TYPE iceberg, {self._access()}, "
            f"EXTRA_HTTP_HEADERS MAP {{{shown}}})"
        )

    def configure_cursor(self, cursor: Any) -> None:
        """Tell the macro where it may write a table's rows on their way."""
        cursor.execute(f"SET VARIABLE mainstem_scratch = {_quoted(self._scratch.name)}")

    def store(self, target_config: Any) -> None:
        """Replace the rows of a table, or create it, by one commit."""
        relation = target_config.relation
        name = (relation.schema, relation.identifier)
        path = Path(target_config.location.path)
        put = _put if target_config.config.get("exists", True) else _put_new
        try:
            with pq.ParquetFile(path) as rows:
                put(self._connected(), name, rows, _said_of(".".join(name)))
        finally:
            path.unlink()

    def _connected(self) -> Catalog:
        if self._catalog is None:
            # The HTTP library takes text as Latin-1, and the header is UTF-8.
            properties = {f"header.{_AUTHOR}": self._author.encode().decode("latin-1")}
            if self._credential:
                properties["credential"] = self._credential
                properties["oauth2-server-uri"] = self._tokens
            self._catalog = load_catalog("mainstem", type="rest", **self._address, **properties)
        return self._catalog

    def _access(self) -> str:
        """Return what DuckDB's secret says of who we are."""
        client, _, secret = self._credential.partition(":")
        if not client:
            # Without a token DuckDB makes no secret, and headers come from secrets only.
            return "TOKEN 'none'"
        identity = f"CLIENT_ID {_quoted(client)}, CLIENT_SECRET {_quoted(secret)}"
        return f"{identity}, OAUTH2_SERVER_URI {_quoted(self._tokens)}"


def _said_of(model: str) -> dict[str, str]:
    """Return what the commit of a model says; Mainstem reads it in the snapshot's summary."""
    return {
        "mainstem.message": f"dbt builds {model}",
        "mainstem.metadata.dbt-model": model,
        f"mainstem.metadata.{_INVOCATION}": get_invocation_id(),
    }


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _put(
    catalog: Catalog, name: tuple[str, str], rows: pq.ParquetFile, said: dict[str, str]
) -> None:
    try:
        table = catalog.load_table(name)
    except NoSuchTableError:
        _create(catalog, name, rows, said)
    else:
        _replace(table, rows, said)


def _put_new(
    catalog: Catalog, name: tuple[str, str], rows: pq.ParquetFile, said: dict[str, str]
) -> None:
    try:
        _create(catalog, name, rows, said)
    except TableAlreadyExistsError:
        _replace(catalog.load_table(name), rows, said)


def _create(
    catalog: Catalog, name: tuple[str, str], rows: pq.ParquetFile, said: dict[str, str]
) -> None:
    with catalog.create_table_transaction(name, rows.schema_arrow) as creation:
        creation.append(_reader(rows), snapshot_properties=said)


def _replace(table: Table, rows: pq.ParquetFile, said: dict[str, str]) -> None:
    wanted = rows.schema_arrow
    with table.transaction() as change:
        gone = _columns_to_drop(table.schema().as_arrow(), wanted)
        if gone:
            with change.update_schema(allow_incompatible_changes=True) as columns:
                for column in gone:
                    columns.delete_column(column)
        with change.update_schema() as columns:
            columns.union_by_name(wanted)
        change.overwrite(_reader(rows), snapshot_properties=said)


def _columns_to_drop(current: pa.Schema, wanted: pa.Schema) -> list[str]:
    kept = set(wanted.names)
    return [
        field.name
        for field in current
        if field.name not in kept or not _becomes(field.type, wanted.field(field.name).type)
    ]


def _becomes(current: pa.DataType, wanted: pa.DataType) -> bool:
    before, after = _plain(current), _plain(wanted)
    if pa.types.is_nested(before) or pa.types.is_nested(after):
        return before.id == after.id
    if pa.types.is_decimal(before) and pa.types.is_decimal(after):
        return before.scale == after.scale and before.precision <= after.precision
    return before == after or (before, after) in _PROMOTIONS


def _plain(kind: pa.DataType) -> pa.DataType:
    """Arrow has two layouts of one Iceberg type."""
    if pa.types.is_large_string(kind):
        return pa.string()
    if pa.types.is_large_binary(kind):
        return pa.binary()
    return pa.list_(kind.value_type) if pa.types.is_large_list(kind) else kind


def _reader(rows: pq.ParquetFile) -> pa.RecordBatchReader:
    return pa.RecordBatchReader.from_batches(rows.schema_arrow, rows.iter_batches())
