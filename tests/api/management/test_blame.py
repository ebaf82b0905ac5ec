"""Which commit brought what, over HTTP."""

from typing import Any

import pytest

from catalog.errors import NoSuchFile
from catalog.operations import blame as operation
from catalog.operations.metadata import read_metadata

Lake = Any  # The fixture's type lives in conftest, which importlib mode cannot import.
ID = {"id": 1, "name": "id", "type": "long", "required": True}


def column(number: int, name: str, kind: Any = "string") -> dict[str, Any]:
    return {"id": number, "name": name, "type": kind, "required": False}


def schema(lake: Lake, *fields: dict[str, Any], name: str = "a", branch: str = "main") -> str:
    """Give ns.a these columns, and return the commit."""
    updates = [
        {"action": "add-schema", "schema": {"type": "struct", "fields": [ID, *fields]}},
        {"action": "set-current-schema", "schema-id": -1},
    ]
    body = {"requirements": [], "updates": updates}
    lake.iceberg("POST", branch, f"/namespaces/ns/tables/{name}", body)
    return str(lake.head(branch))


def write(lake: Lake, name: str = "a", branch: str = "main", **properties: str) -> str:
    lake.write(name, branch, **properties)
    return str(lake.head(branch))


def blamed(lake: Lake, table: str = "ns.a", **query: Any) -> dict[tuple[str, str], str]:
    document = lake.get("/blame", table=table, **query)
    assert document["complete"]
    return {(each["part"], each["name"]): each["commit"]["commit_id"] for each in document["parts"]}


def created(lake: Lake, name: str = "a") -> str:
    commits = lake.get("/commits", table=f"ns.{name}")["commits"]
    return str(commits[-1]["commit_id"])


def test_each_part_is_traced_to_the_commit_that_brought_it(lake: Lake) -> None:
    box = {"type": "struct", "fields": [column(4, "left", "int")]}
    graded = schema(lake, column(2, "grade"))
    boxed = schema(lake, column(2, "grade"), column(3, "box", box))
    first = write(lake, team="pathology", tier="1")
    wider = {"type": "struct", "fields": [column(4, "left", "long")]}
    widened = schema(lake, column(2, "diagnosis"), column(3, "box", wider))
    again = write(lake, tier="2")
    write(lake, "b", other="1")
    document = lake.get("/blame", table="ns.a")
    found = blamed(lake)
    assert found[("column", "id")] == found[("table", "table")] == found[("name", "name")]
    assert found[("table", "table")] == created(lake)
    assert found[("column", "diagnosis")] == widened
    assert found[("column", "box")] == boxed
    assert found[("column", "box.left")] == widened
    assert found[("property", "team")] == first
    assert found[("property", "tier")] == again
    assert graded not in found.values()
    (diagnosis,) = (each for each in document["parts"] if each["name"] == "diagnosis")
    assert (diagnosis["field_id"], diagnosis["value"]["type"]) == (2, "string")
    assert diagnosis["commit"]["message"] == "Alter table ns.a"
    assert (document["key"], document["commit_id"]) == (["ns", "a"], lake.head())


def test_the_trail_leads_through_a_merge_to_the_commit_on_the_branch(lake: Lake) -> None:
    lake.branch("day")
    on_branch = write(lake, branch="day", team="pathology")
    write(lake, "b", other="1")
    lake.merge("day")
    assert blamed(lake)[("property", "team")] == on_branch
    assert blamed(lake, ref="day")[("property", "team")] == on_branch


def test_a_side_that_was_taken_whole_gives_its_parts(lake: Lake) -> None:
    lake.branch("day")
    on_main = write(lake, team="a", kept="1")
    on_branch = write(lake, branch="day", team="b")
    lake.merge("day", strategy={"default": "theirs"})
    assert blamed(lake)[("property", "team")] == on_branch
    lake.branch("more", "main~1")
    assert blamed(lake, ref="more")[("property", "kept")] == on_main


def test_a_rename_brings_the_name_and_nothing_else(lake: Lake) -> None:
    team = write(lake, team="a")
    lake.rename("a", "z")
    renamed = lake.head()
    tier = write(lake, "z", tier="1")
    found = blamed(lake, "ns.z")
    assert found[("name", "name")] == renamed
    assert found[("property", "team")] == team
    assert found[("property", "tier")] == tier
    assert found[("table", "table")] == created(lake, "z")


def test_of_a_merge_with_a_state_of_its_own_each_part_is_the_sides_that_had_it(lake: Lake) -> None:
    lake.branch("day")
    lake.rename("a", "z", "day")
    renamed = lake.head("day")
    team = write(lake, team="a")
    lake.merge("day")
    found = blamed(lake, "ns.z")
    assert (found[("name", "name")], found[("property", "team")]) == (renamed, team)
    assert lake.head() not in found.values()


def test_of_a_merge_inside_a_table_each_part_is_the_sides_that_had_it(lake: Lake) -> None:
    lake.branch("day")
    tier = write(lake, branch="day", tier="1")
    graded = schema(lake, column(2, "grade"), branch="day")
    team = write(lake, team="a")
    lake.merge("day")
    assert lake.properties("a") == {"tier": "1", "team": "a"}
    found = blamed(lake)
    assert (found[("property", "tier")], found[("property", "team")]) == (tier, team)
    assert found[("column", "grade")] == graded
    assert found[("column", "id")] == created(lake)
    log = [each["commit_id"] for each in lake.get("/commits", table="ns.a")["commits"]]
    assert log[0] == lake.head()
    assert {tier, graded, team} <= set(log)


def test_a_squash_is_blamed_for_what_came_by_it(lake: Lake) -> None:
    lake.branch("day")
    write(lake, branch="day", team="a")
    lake.merge("day", squash=True)
    assert blamed(lake)[("property", "team")] == lake.head()


def test_a_property_that_went_and_came_back_is_the_later_commits(lake: Lake) -> None:
    write(lake, team="a")
    write(lake, team="b")
    back = write(lake, team="a")
    assert blamed(lake)[("property", "team")] == back


def test_a_revert_brings_what_it_restored(lake: Lake) -> None:
    write(lake, team="a")
    write(lake, team="b")
    lake.post("/reverts", commit_id="main", target="main")
    assert blamed(lake)[("property", "team")] == lake.head()


def test_a_table_made_anew_has_nothing_from_the_one_before(lake: Lake) -> None:
    write(lake, team="a")
    lake.drop("a")
    lake.table("a")
    assert set(blamed(lake).values()) == {lake.head()}


def test_parts_of_a_namespace_have_commits_too(lake: Lake) -> None:
    body = {"removals": [], "updates": {"owner": "Ada"}}
    lake.iceberg("POST", "main", "/namespaces/ns/properties", body)
    assert blamed(lake, "ns")[("property", "owner")] == lake.head()


@pytest.mark.parametrize("window", [1, 2, 256])
def test_a_long_trail_is_followed_in_windows(lake: Lake, monkeypatch, window: int) -> None:
    monkeypatch.setattr(operation, "_WINDOW", window)
    commits = {f"p{number}": write(lake, **{f"p{number}": "x"}) for number in range(5)}
    found = blamed(lake)
    assert {name: found[("property", name)] for name in commits} == commits


def test_where_the_trail_is_lost_no_commit_is_made_up(lake: Lake, monkeypatch) -> None:
    write(lake, team="a")
    gone = lake.iceberg("GET", "main", "/namespaces/ns/tables/a")["metadata-location"]
    newest = write(lake, tier="1")

    def read(warehouse: Any, location: str) -> Any:
        if location == gone:
            raise NoSuchFile(f"Failed to open {location}")
        return read_metadata(warehouse, location)

    monkeypatch.setattr(operation, "read_metadata", read)
    document = lake.get("/blame", table="ns.a")
    assert not document["complete"]
    assert {each["commit"] for each in document["parts"]} == {None}
    monkeypatch.undo()
    monkeypatch.setattr(operation, "_WINDOW", 1)
    monkeypatch.setattr(operation, "_MAX_CHANGES", 1)
    parts = {each["name"]: each["commit"] for each in lake.get("/blame", table="ns.a")["parts"]}
    assert parts["tier"]["commit_id"] == newest
    assert parts["team"] is None


@pytest.mark.parametrize(
    ("query", "status"),
    [({"table": "ns.none"}, 404), ({"table": "ns.a", "ref": "nowhere"}, 404), ({}, 400)],
)
def test_a_blame_of_nothing_is_refused(lake: Lake, query: dict[str, str], status: int) -> None:
    assert lake.call("GET", "/blame", **query).status_code == status
