"""Merge, cherry-pick and revert, against a real server."""

from contextlib import closing

import pyarrow as pa
import pytest
from pyiceberg.catalog import load_catalog
from pyiceberg.types import StringType

from catalog.cli.client import Client
from catalog.cli.failures import ExitCode, Failure, Refused, Unreachable

ROWS = pa.table({"id": [1, 2]})


@pytest.fixture
def conflicting(branched):
    """Both `main` and `work` rewrite day.slides from the same base."""
    branched.ingest("main", "slides", 50)
    return branched


def rows(lake, revision: str, table: str) -> int:
    root = lake.ok("log", revision, "-n", "1000")["commits"][-1]["commit_id"]
    for change in lake.ok("diff", root, revision)["changes"]:
        if change["key"] == ["day", table]:
            return int(change["to"]["facts"]["total-records"])
    raise AssertionError(table)


def test_a_merge_moves_everything_by_a_commit_of_two_parents(branched) -> None:
    before = [branched.head("main"), branched.head("work")]
    merged = branched.ok("merge", "work", "-m", "Take it", "--metadata", "ticket=7")
    commit = branched.ok("show", "main")
    assert commit["commit_id"] == merged["commit_id"]
    assert commit["parent_ids"] == before
    assert commit["message"] == "Take it"
    assert commit["author"] == "Ada Byron"
    assert commit["metadata"]["ticket"] == "7"
    assert rows(branched, "main", "slides") == 1350


def test_a_merge_goes_into_the_branch_that_is_named(branched) -> None:
    branched.ok("branch", "create", "next", "--from", "main")
    merged = branched.ok("merge", "work", "--into", "next")
    assert branched.head("next") == merged["commit_id"]
    assert branched.head("main") != merged["commit_id"]


def test_a_dry_run_changes_nothing(branched) -> None:
    before = branched.head("main")
    result = branched.run("merge", "work", "--dry-run")
    assert result.exit_code == 0
    assert "day.scans" in result.stdout
    assert branched.head("main") == before


def test_nothing_to_merge_says_so(branched) -> None:
    branched.ok("merge", "work")
    before = branched.head("main")
    result = branched.run("merge", "work")
    assert result.exit_code == 0
    assert "nothing to do" in result.stdout
    assert branched.head("main") == before


@pytest.mark.parametrize("dry", [[], ["--dry-run"]])
def test_conflicts_are_listed_and_end_with_1(conflicting, dry: list[str]) -> None:
    before = conflicting.head("main")
    result = conflicting.run("merge", "work", "--strategy", "fail", *dry)
    assert result.exit_code == 1
    assert result.stdout.startswith("day.slides\t")
    assert "1 conflict" in result.stderr
    assert conflicting.head("main") == before


def test_conflicts_as_json_are_one_document(conflicting) -> None:
    result = conflicting.run("merge", "work", "--strategy", "fail", "--json")
    assert result.exit_code == 1
    assert [each["key"] for each in result.document["conflicts"]] == [["day", "slides"]]


@pytest.mark.parametrize(("strategy", "expected"), [("ours", 50), ("theirs", 1350)])
def test_a_strategy_settles_all_tables(conflicting, strategy: str, expected: int) -> None:
    conflicting.ok("merge", "work", "--strategy", strategy)
    assert rows(conflicting, "main", "slides") == expected


@pytest.mark.parametrize(("strategy", "expected"), [("ours", 50), ("theirs", 1350)])
def test_a_strategy_settles_one_table(conflicting, strategy: str, expected: int) -> None:
    conflicting.ok("merge", "work", "--strategy", "fail", "--table", f"day.slides={strategy}")
    assert rows(conflicting, "main", "slides") == expected


def test_a_settled_table_is_shown(conflicting) -> None:
    result = conflicting.run("merge", "work", "--table", "day.slides=ours")
    assert "day.slides\tours" in result.stdout.splitlines()


def test_a_squash_has_one_parent(branched) -> None:
    merged = branched.ok("merge", "work", "--squash")
    assert len(branched.ok("show", merged["commit_id"])["parent_ids"]) == 1


def test_a_head_that_moved_ends_with_6(branched) -> None:
    before = branched.head("main")
    result = branched.run("merge", "work", "--expected-head", branched.head("work"))
    assert result.exit_code == 6
    assert branched.head("main") == before


def test_a_plan_of_a_dry_run_is_shown_and_carried_out(branched) -> None:
    plan = branched.ok("merge", "work", "--dry-run")["plan_id"]
    assert f"--plan {plan}" in branched.run("merge", "work", "--dry-run").stdout
    merged = branched.ok("merge", "work", "--plan", plan)
    assert branched.head("main") == merged["commit_id"]


def test_a_plan_that_no_longer_holds_ends_with_6(branched) -> None:
    plan = branched.ok("merge", "work", "--dry-run")["plan_id"]
    branched.ingest("work", "slides", 1)
    before = branched.head("main")
    assert branched.run("merge", "work", "--plan", plan).exit_code == 6
    assert branched.head("main") == before


def test_a_table_that_was_read_and_has_moved_is_a_conflict(conflicting) -> None:
    result = conflicting.run("merge", "work", "--strategy", "ours", "--unchanged", "day.slides")
    assert result.exit_code == 1
    assert "read-changed" in result.stdout


def test_an_unknown_source_ends_with_3(lake) -> None:
    assert lake.run("merge", "nowhere").exit_code == 3


def test_a_merge_into_a_tag_is_refused(branched) -> None:
    branched.ok("tag", "create", "v1", "--at", "main")
    assert branched.run("merge", "work", "--into", "v1").exit_code in (3, 4)


def test_cherry_pick_applies_one_commit_and_no_other(lake) -> None:
    lake.ingest("main", "slides", 100)
    lake.ok("branch", "create", "work")
    lake.ingest("work", "scans", 7)
    lake.ingest("work", "slides", 5)
    newest = lake.ok("log", "work", "-n", "1")["commits"][0]["commit_id"]
    picked = lake.ok("cherry-pick", newest, "-m", "Only slides")
    keys = [change["key"] for change in picked["changes"]]
    assert keys == [["day", "slides"]]
    assert lake.ok("show", "main")["message"] == "Only slides"


@pytest.fixture
def client(conflicting):
    """What the command line asks the server by, where a person looks."""
    client = Client(conflicting.server)
    yield client
    client.close()


def watched(lake, client: Client, told: list, **body) -> dict:
    path = ("warehouses", lake.warehouse, "merges")
    return client.post_watched(*path, body={"target": "main", **body}, watch=told.append)


def test_a_merge_that_is_watched_tells_how_far_it_has_come(conflicting, client) -> None:
    conflicting.ok("merge", "work", "--squash", "--table", "day.slides=theirs")
    conflicting.ingest("work", "slides", 9)
    told: list[dict] = []
    merged = watched(conflicting, client, told, source="work")
    assert merged["commit_id"] == conflicting.head("main")
    assert [(line["done"], line["total"]) for line in told] == [(0, 1), (1, 1)]


def test_what_a_watched_merge_is_refused_for_is_told_as_ever(conflicting, client) -> None:
    with pytest.raises(Refused) as refused:
        watched(conflicting, client, [], source="work", strategy={"default": "fail"})
    assert refused.value.exit_code == ExitCode.NO
    assert [each["key"] for each in refused.value.conflicts] == [["day", "slides"]]
    with pytest.raises(Refused) as unknown:
        watched(conflicting, client, [], source="nowhere")
    assert unknown.value.exit_code == ExitCode.NOT_FOUND


def test_a_watched_merge_of_what_is_no_server_fails_with_a_sentence(conflicting) -> None:
    nowhere = Client("http://127.0.0.1:1")
    with pytest.raises(Unreachable, match="No server answers"):
        watched(conflicting, nowhere, [], source="work")
    nowhere.close()
    elsewhere = Client(f"{conflicting.server}/elsewhere")
    with pytest.raises(Failure):
        watched(conflicting, elsewhere, [], source="work")
    elsewhere.close()


@pytest.fixture
def parted(lake):
    """Rows of day.t added on `main` and on `work`, where it has a column more."""
    with closing(open_tables(lake, "main")) as main:
        main.create_namespace("day")
        table = main.create_table("day.t", ROWS.schema)
        table.append(ROWS)
        lake.ok("branch", "create", "work")
        with closing(open_tables(lake, "work")) as work:
            changed = work.load_table("day.t")
            changed.append(ROWS)
            with changed.update_schema() as update:
                update.add_column("note", StringType())
        table.append(ROWS)
    return lake


def open_tables(lake, branch: str):
    name = f"{lake.warehouse}@{branch}"
    return load_catalog(name, type="rest", uri=f"{lake.server}/iceberg", warehouse=name)


def test_what_was_merged_inside_tables_is_shown(parted) -> None:
    dry = parted.run("merge", "work", "--dry-run").stdout.splitlines()
    done = parted.run("merge", "work").stdout.splitlines()
    for lines in (dry, done):
        assert "day.t\t1\t+2 -0\t+1 -0" in lines
        assert "  + column note: string" in lines
    assert rows(parted, "main", "t") == 6


def test_a_weaker_isolation_may_be_asked_for(parted) -> None:
    with closing(open_tables(parted, "work")) as tables:
        tables.load_table("day.t").delete("id = 1")
    assert parted.run("merge", "work").exit_code == 1
    merged = parted.ok("merge", "work", "--isolation", "snapshot")
    assert merged["outcomes"][0]["inside"]["isolation"] == "snapshot"
    assert parted.run("merge", "work", "--isolation", "none").exit_code == 2


def test_merging_inside_tables_may_be_forbidden(parted) -> None:
    parted.ok("protect", "set", "main", "--no-merge-inside-tables")
    result = parted.run("merge", "work")
    assert result.exit_code == 1
    assert "merge_inside_tables" in result.stdout
    assert "no merging inside tables" in parted.run("protect").stdout
    parted.ok("merge", "work", "--table", "day.t=theirs")


def test_revert_takes_a_merge_back(branched) -> None:
    before = branched.head("main")
    merged = branched.ok("merge", "work")
    reverted = branched.ok("revert", merged["commit_id"])
    assert branched.head("main") == reverted["commit_id"]
    assert branched.ok("diff", before, "main")["changes"] == []


def test_revert_dry_changes_nothing(branched) -> None:
    merged = branched.ok("merge", "work")
    branched.ok("revert", merged["commit_id"], "--dry-run")
    assert branched.head("main") == merged["commit_id"]
