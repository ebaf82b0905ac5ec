"""Log, show, diff and blame, against a real server."""

import sys


def test_log_is_newest_first_and_bounded(branched) -> None:
    commits = branched.ok("log", "work", "-n", "2")["commits"]
    assert commits[0]["commit_id"] == branched.head("work")
    assert commits[0]["parent_ids"] == [commits[1]["commit_id"]]
    assert len(commits) == 2


def test_log_begins_at_the_default_branch(branched) -> None:
    assert branched.ok("log")["commits"][0]["commit_id"] == branched.head("main")


def test_log_begins_at_the_revision_of_an_engines_warehouse(branched) -> None:
    commits = branched.ok("log", "-w", f"{branched.warehouse}@work")["commits"]
    assert commits[0]["commit_id"] == branched.head("work")


def test_log_of_a_table_leaves_out_what_did_not_touch_it(branched) -> None:
    everything = branched.ok("log", "work")["commits"]
    scans = branched.ok("log", "work", "--table", "day.scans")["commits"]
    assert 0 < len(scans) < len(everything)
    for commit in scans:
        keys = [change["key"] for change in branched.ok("show", commit["commit_id"])["changes"]]
        assert ["day", "scans"] in keys


def test_log_takes_a_word_that_names_no_revision_for_a_table(branched) -> None:
    branched.ok("merge", "work", "--message", "The day")
    slides = branched.ok("log", "--table", "day.slides")["commits"]
    assert branched.ok("log", "day.slides")["commits"] == slides
    assert branched.ok("log", "main", "day.slides")["commits"] == slides
    assert "The day" not in [commit["message"] for commit in slides]
    assert branched.ok("log", "work~1", "day.scans")["commits"][-1]["message"].startswith("Create")


def test_log_of_a_word_that_names_nothing_ends_with_3(branched) -> None:
    result = branched.run("log", "day.slide")
    assert result.exit_code == 3
    assert "'day.slide'" in result.stderr
    result = branched.run("log", "main..work")
    assert result.exit_code == 2
    assert "two dots" in result.stderr


def test_log_by_author_and_time(branched) -> None:
    assert branched.ok("log", "work", "--author", "Nobody")["commits"] == []
    assert branched.ok("log", "work", "--until", "2001-01-01")["commits"] == []
    assert branched.ok("log", "work", "--since", "2001-01-01T00:00:00Z")["commits"]


def test_oneline_is_one_line_for_each_commit(branched) -> None:
    lines = branched.run("log", "work", "--oneline").stdout.splitlines()
    commits = branched.ok("log", "work")["commits"]
    assert [line.split()[0] for line in lines] == [commit["commit_id"] for commit in commits]


def test_log_in_full_tells_who_when_and_what(branched) -> None:
    commit = branched.ok("log", "work", "-n", "1")["commits"][0]
    text = branched.run("log", "work", "-n", "1").stdout
    assert f"commit {commit['commit_id']}\n" in text
    assert f"Author: {commit['author']}\n" in text
    assert commit["committed_at"][:10] in text
    assert f"    {commit['message'].splitlines()[0]}\n" in text


def test_show_lists_what_a_commit_changed(branched) -> None:
    result = branched.run("show", "work")
    assert result.exit_code == 0
    assert "day.scans" in result.stdout


def test_show_of_an_unknown_revision_ends_with_3(lake) -> None:
    result = lake.run("show", "abcdef0123")
    assert result.exit_code == 3
    assert "abcdef0123" in result.stderr


def test_log_of_the_first_parents_leaves_out_what_was_merged(branched) -> None:
    before = branched.ok("log", "main")["commits"]
    branched.ok("merge", "work", "--message", "The day")
    shown = branched.ok("log", "--first-parent")["commits"]
    assert [commit["message"] for commit in shown] == [
        "The day",
        *(commit["message"] for commit in before),
    ]
    assert len(branched.ok("log")["commits"]) > len(shown)


def test_diff_tells_rows_before_and_after(branched) -> None:
    lines = branched.run("diff", "main", "work").stdout.splitlines()
    assert "added\ttable\tday.scans\t- -> 7" in lines
    assert "modified\ttable\tday.slides\t100 -> 1,350 (+1,250)" in lines


def test_diff_the_other_way_round_tells_what_is_removed(branched) -> None:
    lines = branched.run("diff", "work", "main").stdout.splitlines()
    assert "removed\ttable\tday.scans\t7 -> -" in lines
    assert "modified\ttable\tday.slides\t1,350 -> 100 (-1,250)" in lines


def test_diff_as_json_is_complete(branched) -> None:
    document = branched.ok("diff", "main", "work")
    parts = {
        ".".join(change["key"]): [part["part"] for part in change["detail"]["parts"]]
        for change in document["changes"]
    }
    assert parts["day.slides"] == ["snapshot"]
    assert "column" in parts["day.scans"]
    assert document["totals"]["tables"] == 2
    assert branched.ok("show", "work")["totals"]["tables"] == 1


def test_diff_counts_what_was_added_and_removed(branched) -> None:
    lines = branched.run("diff", "main", "work", "--stat").stdout.splitlines()
    assert lines == [
        "day.scans\t+7\t\t\t\tcreated",
        "day.slides\t+1,250\t+0\t+0 B\t\tdifference",
    ]
    assert branched.run("show", "work", "--stat").stdout.splitlines()[-1].startswith("day.scans")


def test_options_of_rows_go_with_rows_only(lake) -> None:
    for option in (("--key", "id"), ("--limit", "3"), ("--format", "csv"), ("--output", "a.csv")):
        result = lake.run("diff", "main", "main", *option)
        assert result.exit_code == 2
        assert option[0] in result.stderr


def test_rows_without_duckdb_say_what_to_install(lake, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)
    monkeypatch.delitem(sys.modules, "catalog.cli.changed_rows", raising=False)
    result = lake.run("diff", "main", "main", "--rows", "ns.t")
    assert result.exit_code == 1
    assert "pip install 'mainstem[duckdb]'" in result.stderr


def test_diff_follows_a_rename(branched) -> None:
    prefix = branched.http.get(
        f"{branched.server}/iceberg/v1/config", params={"warehouse": f"{branched.warehouse}@work"}
    ).json()["overrides"]["prefix"]
    renamed = branched.http.post(
        f"{branched.server}/iceberg/v1/{prefix}/tables/rename",
        json={
            "source": {"namespace": ["day"], "name": "scans"},
            "destination": {"namespace": ["day"], "name": "images"},
        },
    )
    assert renamed.is_success, renamed.text
    lines = branched.run("diff", "work~1", "work").stdout.splitlines()
    assert lines == ["renamed\ttable\tday.scans -> day.images\t7"]


def test_diff_of_equal_revisions_is_empty(lake) -> None:
    result = lake.run("diff", "main", "main")
    assert (result.exit_code, result.stdout) == (0, "")


def test_blame_tells_which_commit_brought_what(branched) -> None:
    branched.ok("merge", "work", "--message", "The day")
    commits = branched.ok("log", "day.slides")["commits"]
    parts = {
        (each["part"], each["name"]): each for each in branched.ok("blame", "day.slides")["parts"]
    }
    assert parts[("snapshot", "snapshot")]["commit"] == commits[0]
    assert parts[("column", "id")]["commit"] == commits[-1]
    lines = branched.run("blame", "day.slides").stdout.splitlines()
    created = commits[-1]
    column = [line.split("\t") for line in lines if "\tcolumn id\t" in line]
    assert [[line[0], *line[2:]] for line in column] == [
        [created["commit_id"], created["author"], "column id", "long", created["message"]]
    ]
    older = branched.ok("blame", "day.slides", "--at", commits[-1]["commit_id"])["parts"]
    assert {each["commit"]["commit_id"] for each in older} == {created["commit_id"]}


def test_blame_of_what_is_not_there_ends_with_3(branched) -> None:
    result = branched.run("blame", "day.nothing")
    assert result.exit_code == 3
    assert "day.nothing" in result.stderr


def test_what_git_calls_the_current_branch_is_asked_for_by_name(branched) -> None:
    for revision in ("HEAD", "HEAD~1", "@", "@{now}", "^2"):
        result = branched.run("show", revision)
        assert result.exit_code == 2
        assert "begin with the name of a branch" in result.stderr
