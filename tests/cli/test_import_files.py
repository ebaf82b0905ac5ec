"""`mainstem import files`: folders of Parquet files become tables, in place."""

from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyiceberg.catalog import Catalog, load_catalog

from catalog.foreign import files

DAY = "as_of_date=2026-11-23"
NEXT = "as_of_date=2026-11-24"


@pytest.fixture
def here(lake) -> Iterator[Catalog]:
    """The default branch as pyiceberg has it."""
    uri = f"{lake.server}/iceberg"
    with closing(load_catalog("here", type="rest", uri=uri, warehouse=lake.warehouse)) as opened:
        yield opened


@pytest.fixture
def folder(lake) -> Path:
    """A folder in the warehouse, empty."""
    made = lake.directory / "warehouse" / "lake" / "scans"
    made.mkdir(parents=True)
    return made


def write(folder: Path, path: str, *, int96: bool = False, **columns: Any) -> None:
    place = folder / path
    place.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), place, use_deprecated_int96_timestamps=int96)


def outcomes(document) -> dict[str, str]:
    return {each["path"]: each["reason"] or each["outcome"] for each in document["files"]}


def rows(here: Catalog, table: str = "lab.scans") -> list[dict[str, Any]]:
    read = here.load_table(table).scan().to_arrow().to_pylist()
    return sorted(read, key=lambda row: str(row["id"]))


def test_folders_that_name_a_column_partition_the_table(lake, here, folder) -> None:
    write(folder, f"{DAY}/a.parquet", id=pa.array([1, 2], pa.int32()))
    write(folder, f"{NEXT}/b.parquet", id=pa.array([3], pa.int64()), site=["Bonn"])
    write(folder, "as_of_date=__HIVE_DEFAULT_PARTITION__/c.parquet", id=[4])
    (folder / "_SUCCESS").touch()
    before = len(lake.ok("log")["commits"])
    document = lake.ok("import", "files", str(folder), "--table", "lab.scans", "-m", "Take over")
    assert set(outcomes(document).values()) == {"added"}
    expected = [
        {"id": 1, "site": None, "as_of_date": date(2026, 11, 23)},
        {"id": 2, "site": None, "as_of_date": date(2026, 11, 23)},
        {"id": 3, "site": "Bonn", "as_of_date": date(2026, 11, 24)},
        {"id": 4, "site": None, "as_of_date": None},
    ]
    assert rows(here) == expected
    table = here.load_table("lab.scans")
    found = table.scan("as_of_date = '2026-11-24'").to_arrow().to_pylist()
    assert found == expected[2:3]
    assert table.properties["gc.enabled"] == "false"
    commits = lake.ok("log")["commits"]
    # The namespace's commit, and one for the table with its files.
    assert len(commits) == before + 2
    assert commits[0]["message"] == "Take over"
    assert [commit["author"] for commit in commits[:2]] == ["Ada Byron"] * 2
    assert commits[0]["metadata"]["import.folder"] == folder.as_uri()


def test_duckdb_reads_a_column_that_only_folders_tell(lake, folder) -> None:
    write(folder, f"{DAY}/site=K%C3%B6ln/a.parquet", id=[1, 2])
    write(folder, f"{NEXT}/site=__HIVE_DEFAULT_PARTITION__/b.parquet", id=[3])
    lake.ok("import", "files", str(folder), "--table", "lab.scans")
    result = lake.run("sql", "SELECT * FROM lab.scans ORDER BY id", "--format", "csv")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.splitlines() == [
        "id,as_of_date,site",
        "1,2026-11-23,Köln",
        "2,2026-11-23,Köln",
        "3,2026-11-24,",
    ]


def test_a_second_run_adds_what_is_new(lake, here, folder) -> None:
    write(folder, f"{DAY}/a.parquet", id=[1])
    arguments = ("import", "files", str(folder), "--table", "lab.scans")
    lake.ok(*arguments)
    head = lake.head("main")
    assert set(outcomes(lake.ok(*arguments)).values()) == {"unchanged"}
    assert lake.head("main") == head
    write(folder, f"{NEXT}/b.parquet", id=[2])
    only = ("import", "files", str(folder / NEXT), "--table", "lab.scans")
    assert outcomes(lake.ok(*only)) == {f"{NEXT}/b.parquet": "added"}
    assert [row["id"] for row in rows(here)] == [1, 2]


def test_a_file_that_the_table_removed_does_not_come_back(lake, here, folder) -> None:
    write(folder, f"{DAY}/a.parquet", id=[1, 2])
    write(folder, f"{NEXT}/b.parquet", id=[3])
    arguments = ("import", "files", str(folder), "--table", "lab.scans")
    lake.ok(*arguments)
    here.load_table("lab.scans").delete("id = 1")
    here.load_table("lab.scans").delete("id = 3")
    document = lake.ok(*arguments)
    assert set(outcomes(document).values()) == {"unchanged"}
    assert [row["id"] for row in rows(here)] == [2]


def test_what_does_not_fit_is_left_out_and_told(lake, here, folder) -> None:
    write(folder, f"{DAY}/a.parquet", id=[1], as_of_date=[date(2026, 11, 23)])
    write(folder, f"{DAY}/b.parquet", id=["two"])
    write(folder, f"{DAY}/c.parquet", id=[3], as_of_date=[date(2026, 11, 30)])
    write(folder, f"{DAY}/d.parquet", id=pa.array([], pa.int64()))
    write(folder, f"{DAY}/e.parquet", id=pa.array([5], pa.uint64()))
    (folder / DAY / "f.parquet").write_bytes(b"half")
    write(folder, "g.parquet", id=[7])
    write(folder, f"{DAY}/k.parquet", id=[11], int96=True, at=pa.array([0], pa.timestamp("us")))
    write(folder, "data/h.parquet", id=[8])
    (folder / "notes.csv").write_text("id")
    arguments = ("import", "files", str(folder), "--table", "lab.scans", "--json")
    result = lake.run(*arguments)
    assert result.exit_code == 1
    assert outcomes(result.document) == {
        f"{DAY}/a.parquet": "added",
        f"{DAY}/b.parquet": "other-type",
        f"{DAY}/c.parquet": "partition-disagrees",
        f"{DAY}/d.parquet": "no-rows",
        f"{DAY}/e.parquet": "unsupported-type",
        f"{DAY}/f.parquet": "unreadable",
        f"{DAY}/k.parquet": "unsupported-type",
        "data/h.parquet": "engines-folder",
        "g.parquet": "other-partitions",
        "notes.csv": "not-parquet",
    }
    assert [row["id"] for row in rows(here)] == [1]
    write(folder, f"{NEXT}/i.parquet", id=[9], more=[1])
    write(folder, "as_of_date=today/j.parquet", id=[10])
    write(folder, f"{DAY}/{NEXT}/l.parquet", id=[12])
    later = outcomes(lake.run(*arguments).document)
    assert later[f"{NEXT}/i.parquet"] == "other-columns"
    assert later["as_of_date=today/j.parquet"] == "partition-value"
    assert later[f"{DAY}/{NEXT}/l.parquet"] == "other-partitions"
    assert later[f"{DAY}/a.parquet"] == "unchanged"


def test_a_long_text_in_a_file_is_held_against_its_folder_whole(lake, here, folder) -> None:
    site = "Universitätsklinikum-Heidelberg"
    write(folder, f"site={site}/a.parquet", id=[1], site=[site])
    write(folder, f"site={site}/b.parquet", id=[2], site=[site + "-2"])
    result = lake.run("import", "files", str(folder), "--table", "lab.scans", "--json")
    assert outcomes(result.document) == {
        f"site={site}/a.parquet": "added",
        f"site={site}/b.parquet": "partition-disagrees",
    }


def test_a_type_can_be_given(lake, here, folder) -> None:
    write(folder, "batch=7/a.parquet", id=[1])
    arguments = ("import", "files", str(folder), "--table", "lab.scans")
    lake.ok(*arguments, "--partition-type", "batch=string")
    assert rows(here) == [{"id": 1, "batch": "7"}]
    assert lake.run(*arguments, "--partition-type", "batch=blob").exit_code == 2
    again = lake.ok(*arguments, "--partition-type", "batch=string")
    assert set(outcomes(again).values()) == {"unchanged"}


@pytest.mark.parametrize("imported", [False, True])
def test_a_type_that_would_have_no_effect_is_refused(lake, folder, imported) -> None:
    write(folder, "batch=7/site=Bonn/a.parquet", id=[1], batch=pa.array([7], pa.int32()))
    arguments = ("import", "files", str(folder), "--table", "lab.scans")
    if imported:
        lake.ok(*arguments)
    head = lake.head("main")
    for given, told in (
        ("batch=string", "batch is to be of type string, but is int already"),
        ("id=int", "id is to be of type int, but no folder tells its values"),
        ("Site=string", "Site is to be of type string, but no folder tells its values"),
    ):
        refused = lake.run(*arguments, "--partition-type", given)
        assert refused.exit_code == 4
        assert told in refused.stderr
    assert lake.head("main") == head
    lake.ok(*arguments, "--partition-type", "batch=int", "--partition-type", "site=string")


def test_a_dry_run_tells_the_same_and_changes_nothing(lake, folder) -> None:
    write(folder, "a.parquet", id=[1])
    (folder / "b.parquet").write_bytes(b"")
    before = lake.head("main")
    arguments = ("import", "files", str(folder), "--table", "lab.scans", "--json")
    told = lake.run(*arguments, "--dry-run")
    assert lake.head("main") == before
    assert told.exit_code == 1
    assert lake.run(*arguments).document["files"] == told.document["files"]


def test_folders_that_are_something_else_are_refused(lake, folder, tmp_path) -> None:
    write(folder, "a.parquet", id=[1])
    outside = tmp_path / "outside"
    write(outside, "a.parquet", id=[1])
    dry = lake.run("import", "files", str(outside), "--table", "lab.scans", "--dry-run")
    assert dry.exit_code == 4
    assert "add-location" in dry.stderr
    refused = lake.run("import", "files", str(outside), "--table", "lab.scans")
    assert refused.exit_code == 4
    lake.ok("import", "files", str(folder), "--table", "lab.scans")
    elsewhere = lake.run("import", "files", str(folder.parent), "--table", "lab.scans")
    assert elsewhere.exit_code == 4
    assert "only what lies in it" in elsewhere.stderr
    again = lake.run("import", "files", str(folder), "--table", "lab.twice")
    assert again.exit_code == 4
    assert "Iceberg table" in again.stderr
    write(folder.parent / "delta", "_delta_log/a.parquet", id=[1])
    delta = lake.run("import", "files", str(folder.parent / "delta"), "--table", "lab.delta")
    assert delta.exit_code == 4
    assert "Delta" in delta.stderr
    nowhere = lake.run("import", "files", str(folder / "nowhere"), "--table", "lab.none")
    assert nowhere.exit_code == 4


def test_a_table_made_of_a_folder_is_written_to_and_merged_as_any(lake, here, folder) -> None:
    write(folder, f"{DAY}/a.parquet", id=[1, 2])
    lake.ok("import", "files", str(folder), "--table", "lab.scans")
    lake.ok("branch", "create", "ingest/one")
    uri, warehouse = f"{lake.server}/iceberg", f"{lake.warehouse}@ingest/one"
    with closing(load_catalog("there", type="rest", uri=uri, warehouse=warehouse)) as there:
        new = {"id": pa.array([3], pa.int64()), "as_of_date": [date(2026, 11, 24)]}
        there.load_table("lab.scans").append(pa.table(new))
    here.load_table("lab.scans").delete("id = 1")
    lake.ok("merge", "ingest/one")
    assert [row["id"] for row in rows(here)] == [2, 3]


def test_reading_with_duckdb_alone_gives_the_same(lake, folder) -> None:
    """DuckDB's own reading of Hive's folders is the judge of what was meant."""
    write(folder, f"{DAY}/batch=1/a.parquet", id=[1, 2])
    write(folder, f"{NEXT}/batch=2/b.parquet", id=[3])
    lake.ok("import", "files", str(folder), "--table", "lab.scans")
    with duckdb.connect() as plain:
        place = f"{folder}/*/*/*.parquet"
        query = "SELECT id, as_of_date, batch FROM read_parquet(?, hive_partitioning = true)"
        meant = plain.execute(f"{query} ORDER BY id", [place]).fetchall()
    printed = lake.run("sql", "SELECT * FROM lab.scans ORDER BY id", "--format", "csv").stdout
    assert printed.splitlines()[1:] == [",".join(map(str, row)) for row in meant]


def test_names_that_differ_only_in_case_are_not_made_columns(lake, folder) -> None:
    write(folder, f"{DAY}/a.parquet", id=[1])
    write(folder, f"{DAY}/b.parquet", ID=[2])
    arguments = ("import", "files", str(folder), "--table", "lab.scans", "--dry-run", "--json")
    result = lake.run(*arguments)
    assert result.exit_code == 1
    assert "other-case" in result.stdout
    write(folder, f"{DAY}/a.parquet", id=[1], AS_OF_DATE=["2026-11-23"])
    result = lake.run(*arguments)
    assert result.exit_code not in (0, 1)
    assert "AS_OF_DATE only in case" in result.stderr


def test_names_that_clients_would_cut_are_left_out(lake, here, folder) -> None:
    write(folder, "slide#1.parquet", id=[1])
    write(folder, "slide?2.parquet", id=[2])
    write(folder, "slide 3.parquet", id=[3])
    result = lake.run("import", "files", str(folder), "--table", "lab.scans")
    assert result.exit_code == 1
    assert result.stdout.count("unsupported-name") == 2
    assert rows(here) == [{"id": 3}]
    result = lake.run("import", "files", f"{folder}#1", "--table", "lab.more")
    assert "#1 has # or ?" in result.stderr
    assert result.exit_code not in (0, 1)


def test_of_two_imports_at_once_one_is_refused(lake, here, folder, monkeypatch) -> None:
    write(folder, f"{DAY}/a.parquet", id=[1])
    arguments = ("import", "files", str(folder), "--table", "lab.scans")
    lake.ok(*arguments)
    write(folder, f"{NEXT}/b.parquet", id=[2])
    read = files._data_files

    def overtaken(*given: Any) -> Any:
        monkeypatch.setattr(files, "_data_files", read)
        lake.ok(*arguments)
        return read(*given)

    monkeypatch.setattr(files, "_data_files", overtaken)
    assert lake.run(*arguments).exit_code not in (0, 1)
    assert [row["id"] for row in rows(here)] == [1, 2]
    assert set(outcomes(lake.ok(*arguments)).values()) == {"unchanged"}
