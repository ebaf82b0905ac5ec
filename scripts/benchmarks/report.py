"""Figures as a table, sizes side by side so that the shape is seen; or as JSON."""

import sys
from collections.abc import Mapping, Sequence

import orjson
from rich.console import Console
from rich.table import Table

from benchmarks.figures import ENTRIES, GOALS, RATE, Figure


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
    of_files = database == ENTRIES
    table = Table(title="Mainstem's manifests" if of_files else f"Mainstem on {database}")
    table.add_column("operation")
    table.add_column("unit")
    for size in sizes:
        table.add_column(f"{size:,} {ENTRIES if of_files else 'tables'}", justify="right")
    table.add_column("goal; Mainstem's speed over the other's")
    for operation in dict.fromkeys(figure.operation for figure in figures):
        of_operation = [figure for figure in figures if figure.operation == operation]
        for server in dict.fromkeys(figure.server for figure in of_operation):
            found = {figure.tables: figure for figure in of_operation if figure.server == server}
            cells = [_cell(found.get(size)) for size in sizes]
            if server == "mainstem":
                name, remark = operation, GOALS.get(operation, "")
            else:
                name, remark = f"  {server}", _ratios(of_operation, found)
            table.add_row(name, of_operation[0].unit, *cells, remark)
    return table


def _cell(figure: Figure | None) -> str:
    return f"{_number(figure.best)} / {_number(figure.median)}" if figure else "–"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _ratios(figures: Sequence[Figure], others: Mapping[int, Figure]) -> str:
    """Say how many times as fast Mainstem was on the same lakes, by best and median."""
    said = []
    for ours in figures:
        other = others.get(ours.tables)
        if ours.server == "mainstem" and other is not None and other.best:
            pairs = [(ours.best, other.best), (ours.median, other.median)]
            if ours.unit != RATE:
                pairs = [(theirs, own) for own, theirs in pairs]
            said.append(" / ".join(f"{_number(over / under)}×" for over, under in pairs))
    return ", ".join(said)
