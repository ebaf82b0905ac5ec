"""The notebook of examples, run from top to bottom on a server with two small releases."""

from collections.abc import Iterator
from pathlib import Path

import nbformat
import pyarrow as pa
import pytest
from nbclient import NotebookClient

from catalog.client import connect
from tests.servers import serve

pytestmark = pytest.mark.slow

NOTEBOOK = Path(__file__).parents[2] / "examples" / "notebooks" / "release.ipynb"
TABLE = "training.training_v2_7d"
SCHEMA = pa.schema(
    [("biopsy_id", pa.int64()), ("is_malignant", pa.bool_()), ("radius_mean", pa.float64())]
)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serve(tmp_path_factory.mktemp("lake")) as address:
        with connect(address, author="Ada Byron") as lake:
            main = lake.branch().iceberg()
            main.create_namespace("training")
            table = main.create_table(TABLE, SCHEMA)
            table.append(rows((1, True), (2, False), (3, False)))
            lake.release("release/2026-11-22", message="The first")
            table.overwrite(rows((1, True), (2, True), (4, False), (5, False)))
            lake.release("release/2026-11-23")
        yield address


def rows(*labels: tuple[int, bool]) -> pa.Table:
    columns = [[number for number, _ in labels], [label for _, label in labels]]
    return pa.table([*columns, [10.0 + number for number in columns[0]]], schema=SCHEMA)


@pytest.fixture(scope="module")
def cells(address: str) -> list[nbformat.NotebookNode]:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("MAINSTEM_SERVER", address)
        NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def text(cells: list[nbformat.NotebookNode], begin: str) -> str:
    """Give what the cell shows that holds a piece of code."""
    [cell] = [cell for cell in cells if begin in cell.source]
    return "\n".join(output["data"].get("text/plain", "") for output in cell.outputs)


def test_it_shows_what_changed_between_two_releases(cells) -> None:
    assert "The first" in text(cells, "lake.releases()")
    assert text(cells, "lake.diff(").split()[-2:] == ["modified", "1"]
    lines = [line.split() for line in text(cells, "summary.to_frame()").splitlines()]
    found = {line[0]: int(line[1]) for line in lines if len(line) == 2}
    assert found == {"before": 3, "after": 4, "added": 2, "removed": 1, "relabelled": 1}
    assert "Ada Byron" in text(cells, "lake.log(")


def test_it_draws(cells) -> None:
    [plot] = [cell for cell in cells if "plt.show()" in cell.source]
    assert [list(output["data"])[-1] for output in plot.outputs] == ["image/png"]


def test_it_is_kept_without_outputs() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    assert all(not cell.outputs for cell in notebook.cells if cell.cell_type == "code")
