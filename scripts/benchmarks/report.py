"""Figures as a table, sizes side by side so that the shape is seen; or as JSON."""

import sys
from collections.abc import Sequence

import orjson
from rich.console import Console
from rich.table import Table

from benchmarks.figures import GOALS, Figure


def show(figures: Sequence[Figure], *, as_json: bool) -> None:
    """Print all figures."""
    if as_json:
        document = {"figures": [figure.to_json() for figure in figures]}
        sys.stdout.buffer.write(orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n")
        return
    console = Console(width=None if sys.stdout.isatty() else 140)
    for database in dict.fromkeys(figure.database for figure in figures):
        console.print(_table(database, [each for each in figures if each.database == database]))
    console.print("Each cell: best / median of all rounds. Compare figures of one run only.")


def _table(database: str, figures: Sequence[Figure]) -> Table:
    sizes = sorted({figure.tables for figure in figures})
    table = Table(title=f"Mainstem on {database}")
    table.add_column("operation")
    table.add_column("unit")
    for size in sizes:
        table.add_column(f"{size:,} tables", justify="right")
    table.add_column("goal")
    for operation, server, unit in dict.fromkeys(
        (figure.operation, figure.server, figure.unit) for figure in figures
    ):
        cells = [_cell(figures, operation, server, size) for size in sizes]
        name, goal = operation, GOALS.get(operation, "")
        if server != "mainstem":
            name, goal = f"  {server}", ""
        table.add_row(name, unit, *cells, goal)
    return table


def _cell(figures: Sequence[Figure], operation: str, server: str, size: int) -> str:
    for figure in figures:
        if (figure.operation, figure.server, figure.tables) == (operation, server, size):
            return f"{_number(figure.best)} / {_number(figure.median)}"
    return "–"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
