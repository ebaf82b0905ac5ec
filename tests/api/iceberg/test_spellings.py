"""One place has many spellings: whichever a client uses, files lie where engines look for them."""

from pathlib import Path
from typing import Any

import pytest

from tests.api.conftest import Lake

# The server's files are looked at, and the folder that it was started in.
pytestmark = pytest.mark.parametrize("backing", ["local"], indirect=True, scope="session")

SCHEMA = {"type": "struct", "fields": [{"id": 1, "name": "id", "type": "long", "required": True}]}
TABLE = "/namespaces/ns/tables/a"
SPELLINGS = [
    "file:{root}/new",
    "{root}/new",
    "file://localhost{root}/new",
    "FILE://{root}/new/",
    "file://{root}//new",
    "file://{root}/./new",
]
STEP_UP = "file://{root}/link/../new"
spelled = pytest.mark.parametrize("spelling", SPELLINGS)
located = pytest.mark.parametrize("spelling", [*SPELLINGS, STEP_UP])


@pytest.fixture
def root(lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The warehouse's folder; in it a link, from which `..` leads elsewhere than its text says."""
    started_in = tmp_path / "started-in"
    started_in.mkdir()
    monkeypatch.chdir(started_in)
    root = Path(lake.get("")["location"].removeprefix("file://"))
    (root / "below" / "it").mkdir(parents=True)
    (root / "link").symlink_to(root / "below" / "it")
    return root


def check(root: Path, answer: dict[str, Any]) -> None:
    """Check that the new metadata file lies where its location says, and nowhere else."""
    location = answer["metadata-location"]
    assert location.startswith(f"file://{root}/new/")
    assert Path(location.removeprefix("file://")).is_file()
    assert list(Path.cwd().iterdir()) == []
    assert not (root / "below" / "new").exists()


@located
def test_a_table_moves_to_where_its_new_location_is(lake: Lake, root: Path, spelling: str) -> None:
    move = {"action": "set-location", "location": spelling.format(root=root)}
    moved = lake.iceberg("POST", "main", TABLE, {"requirements": [], "updates": [move]})
    check(root, moved)
    assert moved["metadata"]["location"] == f"file://{root}/new"
    assert lake.iceberg("GET", "main", TABLE)["metadata"] == moved["metadata"]


@located
def test_a_view_moves_to_where_its_new_location_is(lake: Lake, root: Path, spelling: str) -> None:
    lake.view("v")
    move = {"action": "set-location", "location": spelling.format(root=root)}
    body = {"requirements": [], "updates": [move]}
    moved = lake.iceberg("POST", "main", "/namespaces/ns/views/v", body)
    check(root, moved)
    assert moved["metadata"]["location"] == f"file://{root}/new"


@spelled
def test_metadata_goes_where_a_property_sends_it(lake: Lake, root: Path, spelling: str) -> None:
    path = {"write.metadata.path": spelling.format(root=root)}
    body = {"name": "c", "schema": SCHEMA, "properties": path}
    check(root, lake.iceberg("POST", "main", "/namespaces/ns/tables", body))
    check(root, lake.write("a", **path))
    lake.branch("side")
    lake.write("a", "side", x="1")
    lake.write("a", y="2")
    lake.merge("side")
    assert lake.properties("a") == {"x": "1", "y": "2"}
    check(root, lake.iceberg("GET", "main", TABLE))


@pytest.mark.parametrize(
    "name",
    [
        "write.metadata.path",
        "write.data.path",
        "write.object-storage.path",
        "write.folder-storage.path",
    ],
)
def test_a_path_that_readers_understand_differently_is_refused(
    lake: Lake, root: Path, name: str
) -> None:
    lake.write("a", status=400, **{name: STEP_UP.format(root=root)})
    body = {"name": "c", "schema": SCHEMA, "properties": {name: STEP_UP.format(root=root)}}
    lake.iceberg("POST", "main", "/namespaces/ns/tables", body, 400)
    assert lake.tables() == ["a", "b"]
