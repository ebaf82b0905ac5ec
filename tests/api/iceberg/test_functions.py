"""Functions: set through the management interface, loaded by engines, versioned as tables are."""

from copy import deepcopy
from urllib.parse import quote
from uuid import uuid4

import pytest

DEFINITION = {
    "definition-id": "double",
    "parameters": [{"name": "f", "type": "double", "doc": "degrees"}],
    "return-type": "double",
    "function-type": "udf",
    "current-version-id": 1,
    "versions": [
        {
            "version-id": 1,
            "deterministic": True,
            "on-null-input": "return-null",
            "representations": [{"type": "sql", "dialect": "spark", "sql": "(f - 32) * 5 / 9"}],
        }
    ],
}


def definition(**changes):
    return {**deepcopy(DEFINITION), **changes}


def put(lake, name="celsius", definitions=None, *, status=200, branch="main", ns="ns", **body):
    response = lake.client.put(
        f"/api/v1/warehouses/{lake.name}/functions/{quote(name, safe='')}",
        params={"namespace": ns, "branch": branch},
        json={"definitions": definitions or [definition()], **body},
    )
    assert response.status_code == status, response.text
    return response.json()


def drop(lake, name="celsius", status=204, branch="main"):
    response = lake.client.delete(
        f"/api/v1/warehouses/{lake.name}/functions/{quote(name, safe='')}",
        params={"namespace": "ns", "branch": branch},
    )
    assert response.status_code == status, response.text


def load(lake, name="celsius", status=200, branch="main"):
    path = f"/namespaces/ns/functions/{quote(name, safe='')}"
    return lake.iceberg("GET", branch, path, status=status)


def names(lake, branch="main"):
    listed = lake.iceberg("GET", branch, "/namespaces/ns/functions")
    assert listed["next-page-token"] is None
    return listed["identifiers"]


def test_a_function_is_listed_and_loaded_as_it_was_set(lake):
    answer = put(lake, properties={"owner": "ada"}, doc="for thermometers")
    assert names(lake) == [["ns", "celsius"]]
    loaded = load(lake)
    assert loaded["metadata-location"] == answer["metadata_location"]
    metadata = loaded["metadata"]
    assert metadata == answer["metadata"]
    version = metadata["definitions"][0]["versions"][0]
    assert version.pop("timestamp-ms") == metadata["definition-log"][0]["timestamp-ms"]
    assert metadata["definitions"] == [DEFINITION]
    assert metadata["format-version"] == 1
    assert metadata["properties"] == {"owner": "ada"}
    assert metadata["doc"] == "for thermometers"
    assert metadata["secure"] is False
    assert metadata["definition-log"][0]["definition-versions"] == [
        {"definition-id": "double", "version-id": 1}
    ]


def test_a_new_version_keeps_the_uuid_and_adds_to_the_log(lake):
    first = put(lake)["metadata"]
    changed = first["definitions"][0]
    better = {**changed["versions"][0], "version-id": 2}
    changed = {**changed, "versions": [*changed["versions"], better], "current-version-id": 2}
    second = put(lake, definitions=[changed])["metadata"]
    assert second["function-uuid"] == first["function-uuid"]
    assert second["location"] == first["location"]
    selected = [each["definition-versions"][0]["version-id"] for each in second["definition-log"]]
    assert selected == [1, 2]
    assert second["definition-log"][0] == first["definition-log"][0]


def test_setting_the_same_is_no_commit(lake):
    metadata = put(lake)["metadata"]
    head = lake.head()
    assert put(lake, definitions=metadata["definitions"])["metadata"] == metadata
    assert lake.head() == head


def test_overloads_are_told_apart_by_their_parameters(lake):
    ints = definition(**{"definition-id": "int,int"})
    ints["parameters"] = [{"name": name, "type": "int"} for name in "xy"]
    nothing = definition(parameters=[])
    del nothing["definition-id"]
    metadata = put(lake, definitions=[definition(), ints, nothing])["metadata"]
    ids = [each["definition-id"] for each in metadata["definitions"]]
    assert ids == ["double", "int,int", ""]
    put(lake, definitions=[definition(), definition()], status=400)


def test_unknown_members_survive(lake):
    metadata = put(lake, definitions=[definition(**{"x-cost": 3})])["metadata"]
    assert metadata["definitions"][0]["x-cost"] == 3


def test_nested_types_and_table_functions(lake):
    struct = {
        "type": "struct",
        "fields": [{"name": "a", "type": {"type": "list", "element": "int"}}],
    }
    table = definition(
        **{
            "definition-id": "map<string,int>",
            "parameters": [{"name": "m", "type": {"type": "map", "key": "string", "value": "int"}}],
            "return-type": struct,
            "function-type": "udtf",
        }
    )
    assert put(lake, definitions=[table])["metadata"]["definitions"][0]["return-type"] == struct


def changed(path, value):
    made = definition()
    inside = made
    for step in path[:-1]:
        inside = inside[step]
    if value is None:
        del inside[path[-1]]
    else:
        inside[path[-1]] = value
    return made


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["definition-id"], "int"),
        (["parameters"], None),
        (["parameters", 0, "type"], "dooble"),
        (["parameters", 0, "type"], "decimal(9, 2)"),
        (["parameters", 0, "type"], {"type": "list"}),
        (["parameters", 0, "type"], {"type": "tree"}),
        (["parameters", 0, "name"], ""),
        (["parameters"], [{"name": "f", "type": "double"}] * 2),
        (["return-type"], None),
        (["return-nullable"], "yes"),
        (["function-type"], "udaf"),
        (["function-type"], "udtf"),
        (["current-version-id"], 2),
        (["versions"], []),
        (["versions", 0, "version-id"], "1"),
        (["versions", 0, "deterministic"], 1),
        (["versions", 0, "on-null-input"], "explode"),
        (["versions", 0, "representations"], []),
        (["versions", 0, "representations", 0, "type"], "python"),
        (["versions", 0, "representations", 0, "sql"], None),
        (["versions", 0, "representations", 0, "dialect"], ""),
        (["versions", 0, "timestamp-ms"], 2**64),
    ],
    ids=str,
)
def test_a_definition_that_breaks_the_format_is_refused(lake, path, value):
    problem = put(lake, definitions=[changed(path, value)], status=400)
    assert problem["detail"]
    assert names(lake) == []


def test_functions_live_on_branches_and_come_with_merges(lake):
    lake.branch("side")
    put(lake, branch="side")
    assert names(lake) == []
    assert names(lake, "side") == [["ns", "celsius"]]
    merged = lake.merge("side")
    assert [(each["kind"], each["change"]) for each in merged["changes"]] == [("function", "added")]
    assert load(lake)["metadata"] == load(lake, branch="side")["metadata"]
    head = lake.head()
    drop(lake)
    load(lake, status=404)
    assert load(lake, f"celsius@{head}")["metadata"] == load(lake, branch="side")["metadata"]


def test_a_function_changed_on_both_sides_is_a_conflict(lake):
    put(lake)
    lake.branch("side")
    put(lake, branch="side", doc="theirs")
    put(lake, doc="ours")
    problem = lake.merge("side", status=409)
    assert [each["key"] for each in problem["conflicts"]] == [["ns", "celsius"]]


def test_protections_apply(lake):
    lake.protect("main", require_merge=True)
    put(lake, status=403)
    assert names(lake) == []


def test_only_a_branch_can_be_written(lake):
    put(lake, branch=lake.head(), status=403)
    put(lake, branch="nowhere", status=404)
    put(lake, ns="nowhere", status=404)


def test_one_name_is_one_thing(lake):
    assert put(lake, "a", status=409)["code"] == "already-exists"
    put(lake)
    lake.iceberg(
        "POST",
        "main",
        "/namespaces/ns/tables",
        {"name": "celsius", "schema": {"type": "struct", "fields": []}},
        409,
    )
    lake.iceberg("GET", "main", "/namespaces/ns/tables/celsius", status=404)
    lake.iceberg("DELETE", "main", "/namespaces/ns", status=409)


def test_what_is_missing_is_said_as_the_specification_does(lake):
    assert load(lake, status=404)["error"]["type"] == "NoSuchFunctionException"
    assert load(lake, "a", status=404)["error"]["type"] == "NoSuchFunctionException"
    listed = lake.iceberg("GET", "main", "/namespaces/zz/functions", status=404)
    assert listed["error"]["type"] == "NoSuchNamespaceException"
    drop(lake, status=404)


def test_names_need_no_care(lake):
    for name in ("a/b", "a b", "ä.100%", "🙂'\""):
        put(lake, name)
        assert load(lake, name)["metadata"]["definitions"]
    assert len(names(lake)) == 4


def test_a_key_makes_setting_happen_once(lake):
    key = {"Idempotency-Key": str(uuid4())}
    answers = [
        lake.client.put(
            f"/api/v1/warehouses/{lake.name}/functions/f",
            params={"namespace": "ns"},
            json={"definitions": [DEFINITION]},
            headers=key,
        )
        for _ in range(2)
    ]
    assert [each.status_code for each in answers] == [200, 200]
    assert answers[0].content == answers[1].content


def test_the_management_interface_shows_a_function_at_any_revision(lake):
    put(lake, doc="old")
    head = lake.head()
    put(lake, doc="new")
    path = "/functions/celsius"
    assert lake.get(path, namespace="ns")["metadata"]["doc"] == "new"
    assert lake.get(path, namespace="ns", ref=head)["metadata"]["doc"] == "old"
    assert lake.call("GET", path).status_code == 400
    assert lake.call("GET", "/functions/zz", namespace="ns").status_code == 404
