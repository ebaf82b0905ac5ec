"""Spark, DuckDB and pyiceberg read many tables on many branches, each in as few steps as it can."""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

from tests.engines.lake import Duck, Lake, Rows, Spark

Read = dict[str, list[dict[str, Any]]]
_AT_ONCE, _THREADS = 25, 4


class Readers:
    """The three engines on one warehouse; what they read is called `table@branch`."""

    def __init__(self, lake: Lake, spark: Spark, duck: Duck) -> None:
        self.spark, self.duck = spark, duck
        self.catalog = spark.attach(lake)
        self.alias = f"readers_{self.catalog}"
        duck.attach(lake, "main", self.alias)
        self.iceberg = lake.pyiceberg()

    def by_spark(self, names: Sequence[str]) -> Read:
        """Return the rows of each table, in order."""
        # Adaptive execution makes a job of its own of every table; most time goes into planning.
        self.spark.session.conf.set("spark.sql.adaptive.enabled", "false")
        batches = [names[start : start + _AT_ONCE] for start in range(0, len(names), _AT_ONCE)]
        with ThreadPoolExecutor(_THREADS) as threads:
            rows = [row for found in threads.map(self._by_spark, batches) for row in found]
        self.spark.session.conf.unset("spark.sql.adaptive.enabled")
        return _by_name(names, rows)

    def _by_spark(self, names: Sequence[str]) -> Rows:
        row = "to_json(struct(*), map('ignoreNullFields', 'false'))"
        tables = (f"SELECT '{name}', {row} FROM {self.catalog}.m.`{name}`" for name in names)
        return self.spark.sql(" UNION ALL ".join(tables))

    def by_duckdb(self, names: Sequence[str]) -> Read:
        """Return the rows of each table, in order; DuckDB fails at unions with empty tables."""
        tables = (f"SELECT '{name}', to_json(t) FROM {self.alias}.m.\"{name}\" t" for name in names)
        return _by_name(names, [row for table in tables for row in self.duck.sql(table)])

    def by_pyiceberg(self, names: Sequence[str]) -> Read:
        """Return the rows of each table, in order."""
        return {name: self.read_pyiceberg(name) for name in names}

    def read_pyiceberg(self, name: str) -> list[dict[str, Any]]:
        rows = self.iceberg.load_table(("m", name)).scan().to_arrow().to_pylist()
        return in_order(rows)


def in_order(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rows as JSON has them, in an order that does not depend on who read them."""
    plain = [
        {key: str(value) if isinstance(value, date) else value for key, value in row.items()}
        for row in rows
    ]
    return sorted(plain, key=lambda row: json.dumps(row, sort_keys=True))


def _by_name(names: Sequence[str], rows: Rows) -> Read:
    found: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for name, row in rows:
        found[name].append(json.loads(row))
    return {name: in_order(found[name]) for name in names}
