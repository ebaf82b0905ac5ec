"""Figures: what was measured, of what, in which unit; and the goal, where there is one."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

MILLIS = "ms"
RATE = "per s"
BYTES = "bytes"
MEBIBYTES = "MiB"
COUNT = "count"
# What is measured without a database: its figures are of entries of manifests, not of tables.
ENTRIES = "entries"


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured quantity: the best and the median of its samples.

    The machine's noise only ever adds to a time, so the best is nearest to what the work costs.
    """

    operation: str
    server: str
    database: str
    tables: int
    unit: str
    best: float
    median: float
    samples: int

    def to_json(self) -> dict[str, Any]:
        """Return the figure as plain data."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Place:
    """What figures are taken of: a server with its database and the size of the lake."""

    server: str
    database: str
    tables: int

    def figure(self, operation: str, unit: str, samples: Iterable[float]) -> Figure:
        """Sum up samples."""
        values = list(samples)
        best = max(values) if unit == RATE else min(values)
        return Figure(
            operation,
            self.server,
            self.database,
            self.tables,
            unit,
            round(best, 3),
            round(median(values), 3),
            len(values),
        )


# What is to be reached, in the unit of the figure, whatever the size of the lake.
GOALS: Mapping[str, str] = {
    "create branch": "2 ms",
    "loadTable warm, 1 client": "0.55 ms",
    "loadTable warm, 16 clients": "bare / 2",
    "loadTable 100 snapshots, 16 clients": "bare / 2, 5 × peer",
    "commit one table, 1 client": "3 × peer",
    "commit 200 tables in turn, 1 client": "3 × peer",
    "commit own tables, 8 clients": "3 × peer",
    "commits given up": "0",
    "transaction over 200 tables": "peer / 4",
    "merge 200 neighbours, target unmoved": "5 ms",
    "merge 200 neighbours, target moved": "8 ms",
    "merge 200 scattered, target unmoved": "5 ms",
    "merge 200 scattered, target moved": "20 ms, 50 ms at 100,000",
    "diff of 200": "5 ms",
    "log of 100": "3 ms",
}
