"""Branches, tags, resets and reflogs, against a real server."""


def test_a_branch_begins_at_the_default_branch(lake) -> None:
    created = lake.ok("branch", "create", "ingest/2026-11-23")
    assert created["commit_id"] == lake.head("main")


def test_a_branch_begins_where_it_is_told_to(branched) -> None:
    created = branched.ok("branch", "create", "old", "--from", "work~1")
    assert created["commit_id"] != branched.head("work")


def test_a_bare_group_lists(lake) -> None:
    lake.ok("branch", "create", "a/b")
    names = [branch["name"] for branch in lake.ok("branch")["branches"]]
    assert names == ["a/b", "main"]


def test_branches_are_listed_by_prefix(lake) -> None:
    for name in ("ingest/1", "ingest/2", "other"):
        lake.ok("branch", "create", name)
    names = [branch["name"] for branch in lake.ok("branch", "list", "--prefix", "in")["branches"]]
    assert names == ["ingest/1", "ingest/2"]


def test_a_list_in_a_pipe_is_lines_of_fields_with_whole_ids(lake) -> None:
    result = lake.run("branch", "list")
    name, head, _ = result.stdout.rstrip("\n").split("\t")
    assert (name, head) == ("main", lake.head("main"))


def test_show_tells_a_branch_and_its_head(lake) -> None:
    result = lake.run("branch", "show", "main")
    assert f"head\t{lake.head('main')}" in result.stdout


def test_an_existing_branch_ends_with_6(lake) -> None:
    result = lake.run("branch", "create", "main")
    assert result.exit_code == 6
    assert "main" in result.stderr


def test_an_unknown_branch_ends_with_3(lake) -> None:
    assert lake.run("branch", "show", "nowhere").exit_code == 3
    assert lake.run("branch", "delete", "nowhere").exit_code == 3
    assert lake.run("branch", "create", "x", "--from", "nowhere").exit_code == 3


def test_an_unknown_warehouse_ends_with_3(lake) -> None:
    result = lake.run("branch", "list", "-w", "nowhere")
    assert result.exit_code == 3
    assert "nowhere" in result.stderr


def test_a_name_that_cannot_be_ends_with_2(lake) -> None:
    result = lake.run("branch", "create", "a..b")
    assert result.exit_code == 2
    assert "a..b" in result.stderr


def test_a_deleted_branch_is_gone_and_can_be_had_again(lake) -> None:
    lake.ok("branch", "create", "work")
    lake.ingest("work", "slides", 10)
    head = lake.head("work")
    assert lake.ok("branch", "delete", "work")["commit_id"] == head
    assert lake.run("branch", "show", "work").exit_code == 3
    assert lake.ok("branch", "create", "work", "--from", head)["commit_id"] == head


def test_the_default_branch_is_not_deleted(lake) -> None:
    result = lake.run("branch", "delete", "main")
    assert result.exit_code != 0
    assert lake.head("main")


def test_reset_moves_a_branch_and_the_reflog_tells(branched) -> None:
    before = branched.head("work")
    moved = branched.ok("reset", "work", "--to", "main")
    assert moved["commit_id"] == branched.head("main")
    newest = branched.ok("reflog", "work", "-n", "1")["entries"][0]
    assert (newest["previous_commit_id"], newest["commit_id"]) == (before, moved["commit_id"])


def test_reset_from_another_head_than_expected_ends_with_6(branched) -> None:
    before = branched.head("work")
    result = branched.run("reset", "work", "--to", "main", "--expected-head", branched.head("main"))
    assert result.exit_code == 6
    assert branched.head("work") == before


def test_reflog_is_of_the_default_branch(lake) -> None:
    lake.ingest("main", "slides", 10)
    entries = lake.ok("reflog")["entries"]
    assert entries[0]["commit_id"] == lake.head("main")
    assert len(lake.ok("reflog", "--count", "2")["entries"]) == 2


def test_a_tag_names_a_commit_with_message_and_metadata(lake) -> None:
    head = lake.head("main")
    lake.ok("tag", "create", "v1", "-m", "First", "--metadata", "study=A=B")
    tag = lake.ok("tag", "show", "v1")
    assert tag["commit_id"] == head
    assert tag["message"] == "First"
    assert tag["metadata"] == {"study": "A=B"}
    assert [each["name"] for each in lake.ok("tag", "list")["tags"]] == ["v1"]


def test_a_tag_does_not_move(branched) -> None:
    branched.ok("tag", "create", "v1", "--at", "main")
    assert branched.run("tag", "create", "v1", "--at", "work").exit_code == 6
    assert branched.ok("tag", "show", "v1")["commit_id"] == branched.head("main")


def test_a_tag_is_deleted_and_its_commit_stays(branched) -> None:
    branched.ok("tag", "create", "v1", "--at", "work")
    commit = branched.ok("tag", "delete", "v1")["commit_id"]
    assert branched.run("tag", "show", "v1").exit_code == 3
    assert branched.ok("show", commit)["commit_id"] == commit


def test_names_of_people_outside_ascii_arrive(lake) -> None:
    lake.ok("warehouse", "show", lake.warehouse)
    lake.ok("branch", "create", "work", "--author", "José Ångström")
    lake.ingest("work", "slides", 1)
    merged = lake.ok("merge", "work", "--author", "José Ångström")
    assert lake.ok("show", merged["commit_id"])["author"] == "José Ångström"
