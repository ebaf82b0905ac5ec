"""What differs between two releases: by namespace, and as DuckDB reads both side by side."""

import importlib
from collections import defaultdict
from pathlib import Path
from typing import Any

import duckdb
from rich.console import Console
from rich.table import Table
from rich.text import Text

_EXTENSIONS = ("avro", "httpfs", "iceberg")
QUERY = """\
SELECT split, is_malignant,
       count(older.biopsy_id) AS older, count(newer.biopsy_id) AS newer,
       count(*) FILTER (WHERE older.biopsy_id IS NULL) AS added,
       round(avg(newer.radius_mean), 3) AS radius_mean
FROM newer.training.training_v2_7d AS newer
LEFT JOIN older.training.training_v2_7d AS older USING (biopsy_id, split, is_malignant)
GROUP BY ALL ORDER BY ALL"""


def show_diff(console: Console, changes: list[dict[str, Any]]) -> None:
    """Print the changes of tables, namespace by namespace."""
    namespaces: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for change in changes:
        if change["kind"] == "table":
            namespaces[".".join(change["key"][:-1])].append(change)
    shown = _table("Namespace", "Tables", "Modified", "Added", "Removed", "Same table as before")
    for namespace, inside in sorted(namespaces.items()):
        kinds = [change["change"] for change in inside]
        counts = [kinds.count(kind) for kind in ("modified", "added", "removed")]
        kept = sum(1 for change in inside if _is_same_table(change))
        shown.add_row(namespace, *(f"{count:,}" for count in (len(inside), *counts, kept)))
    console.print(shown)


def show_side_by_side(console: Console, uri: str, *, older: str, newer: str) -> None:
    """Print a query over a table as it is in two releases, and what DuckDB answers."""
    statements = [
        f"ATTACH 'lake@{release}' AS {name} "
        f"(TYPE iceberg, ENDPOINT '{uri}', AUTHORIZATION_TYPE 'none');"
        for name, release in (("older", older), ("newer", newer))
    ]
    # Not wrapped, so that it can be copied.
    console.print(Text("\n".join([*statements, f"{QUERY};"]), style="cyan"), soft_wrap=True)
    with duckdb.connect() as connection:
        load_iceberg(connection)
        for statement in statements:
            connection.execute(statement)
        answer = connection.execute(QUERY)
        shown = _table(*(str(column[0]) for column in answer.description or ()))
        for row in answer.fetchall():
            shown.add_row(*(f"{value:,}" if type(value) is int else str(value) for value in row))
    console.print(shown)


def load_iceberg(connection: duckdb.DuckDBPyConnection) -> None:
    """Load DuckDB's extensions from their packages, without a download."""
    for name in _EXTENSIONS:
        package = Path(importlib.import_module(f"duckdb_extension_{name}").__file__ or "")
        (found,) = package.parent.glob(f"extensions/*/{name}.duckdb_extension")
        connection.execute(f"LOAD '{found}'")


def _is_same_table(change: dict[str, Any]) -> bool:
    before, after = change.get("from"), change.get("to")
    return bool(before and after and before["uuid"] == after["uuid"])


def _table(first: str, *others: str) -> Table:
    shown = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    shown.add_column(first)
    for column in others:
        shown.add_column(column, justify="right")
    return shown
