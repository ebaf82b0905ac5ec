"""`mainstem import` and `mainstem export` with real catalogs on the other side."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pytest
from pyiceberg.catalog import Catalog, load_catalog
from pyiceberg.catalog.rest import RestCatalog
from pyiceberg.catalog.sql import SqlCatalog

from tests.servers import serve

VIEW = {
    "name": "v",
    "schema": {"type": "struct", "fields": []},
    "view-version": {
        "version-id": 1,
        "timestamp-ms": 1,
        "schema-id": 0,
        "summary": {},
        "default-namespace": ["raw"],
        "representations": [{"type": "sql", "dialect": "spark", "sql": "SELECT 1 AS id"}],
    },
    "properties": {},
}
ROWS = pa.table({"id": pa.array([1, 2], pa.int64())})


@contextmanager
def closing_catalog(name: str, **properties: str) -> Iterator[Catalog]:
    opened = load_catalog(name, **properties)
    try:
        yield opened
    finally:
        opened.close()


def sql_options(directory: Path) -> list[str]:
    properties = {
        "type": "sql",
        "uri": f"sqlite:///{directory}/other.db",
        "warehouse": (directory / "warehouse" / "other").as_uri(),
    }
    return [f"--property={key}={value}" for key, value in properties.items()]


def target_properties(directory: Path) -> dict[str, str]:
    return {
        "type": "sql",
        "uri": f"sqlite:///{directory}/target.db",
        "warehouse": (directory / "target").as_uri(),
    }


def target_options(directory: Path) -> list[str]:
    return [f"--property={key}={value}" for key, value in target_properties(directory).items()]


@pytest.fixture
def other(tmp_path: Path) -> Iterator[SqlCatalog]:
    """A catalog in SQLite whose files lie in the warehouse: `features.slides`, `raw.scans`."""
    properties = dict(option.split("=", 2)[1:] for option in sql_options(tmp_path))
    made = load_catalog("other", **properties)
    assert isinstance(made, SqlCatalog)
    for name in ("features.slides", "raw.scans"):
        made.create_namespace(name.split(".")[0], {"owner": "lab"})
        made.create_table(name, ROWS.schema).append(ROWS)
    yield made
    made.close()


@pytest.fixture
def here(lake) -> Iterator[RestCatalog]:
    """The default branch as pyiceberg has it."""
    opened = load_catalog(
        "here", type="rest", uri=f"{lake.server}/iceberg", warehouse=lake.warehouse
    )
    yield opened
    opened.close()


def outcomes(document) -> dict[str, str]:
    return {".".join(each["key"]): each["outcome"] for each in document["names"]}


def test_an_sql_catalog_is_imported_in_one_commit(lake, other, here) -> None:
    before = lake.head("main")
    document = lake.ok("import", "catalog", "other", *sql_options(lake.directory))
    assert outcomes(document) == dict.fromkeys(
        ["features", "features.slides", "raw", "raw.scans"], "added"
    )
    (commit, _) = lake.ok("log")["commits"]
    assert commit["commit_id"] == document["commit_id"] == lake.head("main")
    assert commit["parent_ids"] == [before]
    assert commit["metadata"]["mainstem.import.catalog"] == "other"
    assert here.load_table("raw.scans").scan().to_arrow() == ROWS
    assert here.load_namespace_properties("raw")["owner"] == "lab"
    again = lake.ok("import", "catalog", "other", *sql_options(lake.directory))
    assert set(outcomes(again).values()) == {"unchanged"}
    assert again["commit_id"] == document["commit_id"]


def test_a_pattern_chooses_tables_and_the_namespaces_that_hold_them(lake, other) -> None:
    options = [*sql_options(lake.directory), "--table", "feat*.sl*", "-m", "Take features over"]
    document = lake.ok("import", "catalog", "other", *options)
    assert outcomes(document) == {"features": "added", "features.slides": "added"}
    assert lake.ok("log")["commits"][0]["message"] == "Take features over"


def test_a_pattern_that_matches_nothing_ends_with_3(lake, other) -> None:
    options = [*sql_options(lake.directory), "--table", "slides"]
    result = lake.run("import", "catalog", "other", *options)
    assert result.exit_code == 3
    assert "'slides'" in result.stderr


def test_a_dry_run_reports_and_changes_nothing(lake, other) -> None:
    before = lake.head("main")
    options = [*sql_options(lake.directory), "--dry-run"]
    result = lake.run("import", "catalog", "other", *options)
    assert result.exit_code == 0
    assert "added\ttable\tfeatures.slides\t-\t" in result.stdout
    assert lake.head("main") == before


def test_what_is_left_out_is_told_and_ends_with_1(lake, other, here) -> None:
    location = other.load_table("raw.scans").metadata_location
    Path(location.removeprefix("file://")).unlink()
    result = lake.run("import", "catalog", "other", *sql_options(lake.directory))
    assert result.exit_code == 1
    (line,) = [line for line in result.stdout.splitlines() if line.startswith("left-out")]
    assert line.split("\t")[1:4] == ["table", "raw.scans", "unreadable"]
    assert here.list_tables("features") == [("features", "slides")]


def test_a_table_is_followed_with_update(lake, other, here) -> None:
    lake.ok("import", "catalog", "other", *sql_options(lake.directory))
    other.load_table("raw.scans").append(ROWS)
    late = lake.run("import", "catalog", "other", *sql_options(lake.directory))
    assert late.exit_code == 1
    assert "moved-on" in late.stdout
    document = lake.ok("import", "catalog", "other", *sql_options(lake.directory), "--update")
    assert outcomes(document)["raw.scans"] == "updated"
    assert here.load_table("raw.scans").scan().to_arrow().num_rows == 4


def test_a_catalog_that_cannot_be_opened_ends_with_5(lake) -> None:
    options = ["--property=type=rest", "--property=uri=http://127.0.0.1:9"]
    result = lake.run("import", "catalog", "nowhere", *options)
    assert result.exit_code == 5
    assert "'nowhere'" in result.stderr


def test_a_catalog_that_is_not_configured_ends_with_5(lake) -> None:
    result = lake.run("import", "catalog", "unheard-of")
    assert result.exit_code == 5
    assert "'unheard-of'" in result.stderr


@pytest.mark.slow
def test_another_server_is_imported_with_its_views(lake, here, http) -> None:
    directory = lake.directory / "warehouse" / "theirs"
    directory.mkdir(parents=True)
    with serve(directory) as address:
        theirs = f"{address}/iceberg"
        with closing_catalog("theirs", type="rest", uri=theirs) as source:
            source.create_namespace("raw")
            source.create_namespace("raw.deep")
            source.create_table("raw.deep.scans", ROWS.schema).append(ROWS)
        prefix = http.get(f"{theirs}/v1/config").json()["overrides"]["prefix"]
        made = http.post(f"{theirs}/v1/{prefix}/namespaces/raw/views", json=VIEW)
        assert made.status_code == 200, made.text
        uri = theirs.replace("http://", "http://user:secret@")
        options = ["--property=type=rest", f"--property=uri={uri}"]
        document = lake.ok("import", "catalog", "theirs", *options)
    assert set(outcomes(document).items()) == {
        ("raw", "added"),
        ("raw.deep", "added"),
        ("raw.deep.scans", "added"),
        ("raw.v", "added"),
    }
    assert here.load_table("raw.deep.scans").scan().to_arrow() == ROWS
    assert here.load_view("raw.v").sql_for("spark").sql == "SELECT 1 AS id"
    metadata = lake.ok("log")["commits"][0]["metadata"]
    assert metadata["mainstem.import.uri"] == theirs


@pytest.fixture
def exported(lake, here) -> Iterator[SqlCatalog]:
    """Export `day.slides` to an empty catalog in SQLite, and give that."""
    here.create_namespace("day", {"owner": "lab"})
    here.create_table("day.slides", ROWS.schema).append(ROWS)
    with closing_catalog("target", **target_properties(lake.directory)) as target:
        document = lake.ok("export", "target", *target_options(lake.directory))
        assert outcomes(document) == {"day": "added", "day.slides": "added"}
        assert document["commit_id"] == lake.head("main")
        yield target


def test_a_revision_is_exported_where_its_files_lie(lake, here, exported) -> None:
    there = exported.load_table("day.slides")
    assert there.metadata_location == here.load_table("day.slides").metadata_location
    assert there.scan().to_arrow() == ROWS
    assert exported.load_namespace_properties("day")["owner"] == "lab"


def test_an_export_again_changes_nothing(lake, exported) -> None:
    document = lake.ok("export", "target", *target_options(lake.directory))
    assert outcomes(document) == {"day": "unchanged", "day.slides": "unchanged"}


def test_a_release_is_exported_as_it_was(lake, here, tmp_path) -> None:
    here.create_namespace("day")
    table = here.create_table("day.slides", ROWS.schema)
    table.append(ROWS)
    lake.ok("tag", "create", "release/1")
    table.append(ROWS)
    lake.ok("export", "target", "--at", "release/1", *target_options(lake.directory))
    with closing_catalog("target", **target_properties(lake.directory)) as target:
        assert target.load_table("day.slides").scan().to_arrow() == ROWS


def test_a_dry_run_of_an_export_changes_nothing(lake, here) -> None:
    here.create_namespace("day")
    here.create_table("day.slides", ROWS.schema)
    document = lake.ok("export", "target", "--dry-run", *target_options(lake.directory))
    assert outcomes(document) == {"day": "added", "day.slides": "added"}
    with closing_catalog("target", **target_properties(lake.directory)) as target:
        assert target.list_namespaces() == []


def test_a_catalog_that_cannot_follow_keeps_the_earlier_state(lake, here, exported) -> None:
    here.load_table("day.slides").append(ROWS)
    for options, reason in (([], "moved-on"), (["--update"], "no-updates")):
        result = lake.run("export", "target", *options, *target_options(lake.directory))
        assert result.exit_code == 1
        assert f"left-out\ttable\tday.slides\t{reason}\t" in result.stdout
    assert exported.load_table("day.slides").scan().to_arrow() == ROWS


def test_an_export_overwrites_nothing_of_others(lake, here, exported) -> None:
    exported.load_table("day.slides").append(ROWS)
    here.create_table("day.scans", ROWS.schema)
    exported.create_table("day.scans", ROWS.schema)
    result = lake.run("export", "target", "--update", *target_options(lake.directory))
    assert result.exit_code == 1
    assert "table\tday.slides\tdiverged\t" in result.stdout
    assert "table\tday.scans\tname-taken\t" in result.stdout
    assert exported.load_table("day.slides").scan().to_arrow().num_rows == 4


@pytest.mark.slow
def test_a_rest_catalog_gets_views_and_follows(lake, here) -> None:
    here.create_namespace("raw")
    here.create_table("raw.scans", ROWS.schema).append(ROWS)
    config = lake.http.get(f"{lake.server}/iceberg/v1/config", params={"warehouse": lake.warehouse})
    views = f"{lake.server}/iceberg/v1/{config.json()['overrides']['prefix']}/namespaces/raw/views"
    assert lake.http.post(views, json=VIEW).status_code == 200
    with serve(lake.directory, MAINSTEM_DEFAULT_LOCATION=lake.directory.as_uri()) as address:
        theirs = f"{address}/iceberg"
        options = ["--property=type=rest", f"--property=uri={theirs}"]
        first = lake.ok("export", "theirs", *options)
        assert set(outcomes(first).values()) == {"added"}
        here.load_table("raw.scans").append(ROWS)
        second = lake.ok("export", "theirs", "--update", *options)
        assert outcomes(second) == {
            "raw": "unchanged",
            "raw.scans": "updated",
            "raw.v": "unchanged",
        }
        with closing_catalog("theirs", type="rest", uri=theirs) as target:
            assert target.load_table("raw.scans").scan().to_arrow().num_rows == 4
            assert target.load_view("raw.v").sql_for("spark").sql == "SELECT 1 AS id"
