"""The merges of the cells, made through the management interface."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from tests.engines.lake import Lake
from tests.engines.merging.cases import Cell


@dataclass(frozen=True)
class Made:
    """A merge that was asked for, and its answer."""

    cell: Cell
    branch: str
    answer: dict[str, Any]

    @property
    def read(self) -> str | None:
        """What engines read to see its rows; none if the table is gone, or it was refused."""
        return self.cell.read_at(self.branch) if self.clean else None

    @property
    def clean(self) -> bool:
        return not self.answer["conflicts"]

    @property
    def left_out(self) -> bool:
        """Whether something of theirs was left out that changes no row."""
        return any(
            each["inside"] and each["inside"]["left_out"] for each in self.answer["outcomes"]
        )

    @property
    def codes(self) -> set[str]:
        """Why it was refused."""
        return set(_codes(self.answer["conflicts"]))


def _codes(conflicts: Iterable[dict[str, Any]]) -> Iterator[str]:
    for conflict in conflicts:
        yield from [cause["code"] for cause in conflict["causes"]] or [conflict["reason"]]


def make(lake: Lake, cells: Iterable[Cell], isolation: str | None = None) -> list[Made]:
    """Make the merge of each cell, on a branch of its own."""
    return [_make(lake, cell, isolation) for cell in cells]


def _make(lake: Lake, cell: Cell, isolation: str | None) -> Made:
    branch = f"merged/{isolation}/{cell.name}"
    lake.branch(branch, cell.ours.branch)
    url = f"{lake.server}/api/v1/warehouses/{lake.warehouse}/merges"
    body = {"source": cell.theirs.branch, "target": branch, "isolation": isolation}
    response = lake.http.post(url, json=body)
    assert response.status_code in (200, 409), (branch, response.text)
    return Made(cell, branch, response.json())
