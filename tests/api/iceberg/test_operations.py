"""What the specification says of single operations, beside the happy path."""

import json
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

import pytest

from catalog.versioning.revisions import encode_prefix

SCHEMA = {"type": "struct", "fields": [{"id": 1, "name": "id", "type": "long", "required": True}]}


def error(lake, method, path, status, body=None, branch="main"):
    """Expect an error of the specification's form and return its type."""
    document = lake.iceberg(method, branch, path, body, status)["error"]
    assert document["code"] == status
    assert document["message"]
    return document["type"]


def test_unregister_takes_the_table_out_and_returns_it(lake):
    lake.write("a", x="1")
    loaded = lake.iceberg("GET", "main", "/namespaces/ns/tables/a")
    answer = lake.iceberg("POST", "main", "/namespaces/ns/tables/a/unregister")
    assert answer == {name: loaded[name] for name in ("metadata-location", "metadata")}
    assert lake.tables() == ["b"]
    late = {"requirements": [], "updates": []}
    assert error(lake, "POST", "/namespaces/ns/tables/a", 404, late) == "NoSuchTableException"
    body = {"name": "again", "metadata-location": answer["metadata-location"]}
    again = lake.iceberg("POST", "main", "/namespaces/ns/register", body)
    assert again["metadata"] == answer["metadata"]


def test_unregister_is_for_tables_that_are_there(lake):
    path = "/namespaces/ns/tables/zz/unregister"
    assert error(lake, "POST", path, 404) == "NoSuchTableException"


def test_unregister_is_refused_by_protections_and_read_only_revisions(lake):
    lake.protect("main", require_merge=True)
    path = "/namespaces/ns/tables/a/unregister"
    assert error(lake, "POST", path, 403) == "ForbiddenException"
    lake.call("DELETE", "/protections/main")
    pinned = f"/namespaces/ns/tables/a%40{lake.head()}/unregister"
    assert error(lake, "POST", pinned, 403) == "ForbiddenException"
    assert lake.tables() == ["a", "b"]


def test_register_replaces_a_table_only_if_asked(lake):
    location = lake.iceberg("GET", "main", "/namespaces/ns/tables/b")["metadata-location"]
    body = {"name": "a", "metadata-location": location}
    path = "/namespaces/ns/register"
    assert error(lake, "POST", path, 409, body) == "AlreadyExistsException"
    lake.iceberg("POST", "main", path, {**body, "overwrite": True})
    loaded = lake.iceberg("GET", "main", "/namespaces/ns/tables/a")
    assert loaded["metadata-location"] == location


@pytest.mark.parametrize("backing", ["local"], indirect=True, scope="session")
def test_register_looks_at_the_file_as_it_is_now(lake):
    made = lake.iceberg("GET", "main", "/namespaces/ns/tables/b")["metadata"]
    # As Hadoop's catalog names the first file of any table, one made anew in its place included.
    location = f"{made['location']}/metadata/v1.metadata.json"
    file = Path(location.removeprefix("file://"))
    file.write_text(json.dumps(made))
    path, body = "/namespaces/ns/register", {"name": "r", "metadata-location": location}
    lake.iceberg("POST", "main", path, body)
    file.write_text(json.dumps({**made, "table-uuid": str(uuid4())}))
    for changed in ({**body, "overwrite": True}, {**body, "name": "s"}):
        message = lake.iceberg("POST", "main", path, changed, 400)["error"]["message"]
        assert "overwritten" in message
    file.unlink()
    gone = {**body, "name": "s"}
    assert error(lake, "POST", path, 404, gone) == "NotFoundException"
    assert lake.tables() == ["a", "b", "r"]


def test_rename_moves_across_namespaces(lake):
    lake.namespace("other")
    body = {
        "source": {"namespace": ["ns"], "name": "a"},
        "destination": {"namespace": ["other"], "name": "z"},
    }
    lake.iceberg("POST", "main", "/tables/rename", body, 204)
    assert lake.tables() == ["b"]
    lake.iceberg("HEAD", "main", "/namespaces/other/tables/z", status=204)


@pytest.mark.parametrize(
    ("source", "destination", "status", "kind"),
    [
        ("zz", ("ns", "new"), 404, "NoSuchTableException"),
        ("a", ("nowhere", "new"), 404, "NoSuchNamespaceException"),
        ("a", ("ns", "b"), 409, "AlreadyExistsException"),
    ],
)
def test_rename_fails_as_the_specification_says(lake, source, destination, status, kind):
    body = {
        "source": {"namespace": ["ns"], "name": source},
        "destination": {"namespace": [destination[0]], "name": destination[1]},
    }
    assert error(lake, "POST", "/tables/rename", status, body) == kind


def test_a_property_cannot_be_set_and_removed_at_once(lake):
    body = {"updates": {"a": "1"}, "removals": ["a"]}
    kind = error(lake, "POST", "/namespaces/ns/properties", 422, body)
    assert kind == "UnprocessableEntityException"


@pytest.mark.parametrize("backing", ["local"], indirect=True, scope="session")
@pytest.mark.parametrize("purge", ["true", "false", "True"])
def test_a_purge_drops_the_entry_and_no_file(lake, purge):
    folder = Path(lake.get("")["location"].removeprefix("file://"))
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    assert files
    lake.iceberg("DELETE", "main", f"/namespaces/ns/tables/a?purgeRequested={purge}", status=204)
    assert sorted(path for path in folder.rglob("*") if path.is_file()) == files
    assert lake.tables() == ["b"]


def test_purge_requested_is_true_or_false(lake):
    path = "/namespaces/ns/tables/a?purgeRequested=maybe"
    assert error(lake, "DELETE", path, 400) == "IllegalArgumentException"
    assert lake.tables() == ["a", "b"]


def test_namespaces_nest_below_the_unit_separator(lake):
    for levels in (["x"], ["x", "y"], ["x", "y", "z.z"], ["x", "q"]):
        lake.iceberg("POST", "main", "/namespaces", {"namespace": levels})

    def below(parent):
        prefix = encode_prefix(lake.name, branch="main")
        response = lake.client.get(f"/iceberg/v1/{prefix}/namespaces", params={"parent": parent})
        assert response.status_code == 200, response.text
        return response.json()["namespaces"]

    assert below("") == [["ns"], ["x"]]
    assert below("x") == [["x", "q"], ["x", "y"]]
    assert below("x\x1fy") == [["x", "y", "z.z"]]
    path = f"/namespaces/{quote(chr(31).join(['x', 'y', 'z.z']), safe='')}"
    assert lake.iceberg("GET", "main", path)["namespace"] == ["x", "y", "z.z"]
    assert error(lake, "GET", "/namespaces?parent=zz", 404) == "NoSuchNamespaceException"


def test_config_overrides_the_separator_that_a_client_set(lake):
    config = lake.client.get("/iceberg/v1/config", params={"warehouse": lake.name}).json()
    assert config["overrides"]["namespace-separator"] == "%1F"


def test_config_lists_what_there_is(lake):
    endpoints = lake.client.get("/iceberg/v1/config").json()["endpoints"]
    assert "POST /v1/{prefix}/namespaces/{namespace}/tables/{table}/unregister" in endpoints
    assert len(endpoints) == len(set(endpoints))


def test_unknown_updates_and_requirements_are_refused_by_name(lake):
    for body in (
        {"requirements": [], "updates": [{"action": "fly"}]},
        {"requirements": [{"type": "fly"}], "updates": []},
    ):
        document = lake.iceberg("POST", "main", "/namespaces/ns/tables/a", body, 400)
        assert "fly" in document["error"]["message"]


def test_a_failed_requirement_can_be_retried(lake):
    body = {"requirements": [{"type": "assert-table-uuid", "uuid": "x"}], "updates": []}
    kind = error(lake, "POST", "/namespaces/ns/tables/a", 409, body)
    assert kind == "CommitFailedException"


@pytest.mark.parametrize("value", ["yes", 1, "true", []])
def test_a_flag_that_is_no_boolean_is_refused(lake, value):
    body = {"name": "new", "schema": SCHEMA, "stage-create": value}
    kind = error(lake, "POST", "/namespaces/ns/tables", 400, body)
    assert kind == "IllegalArgumentException"
    location = lake.iceberg("GET", "main", "/namespaces/ns/tables/a")["metadata-location"]
    body = {"name": "b", "metadata-location": location, "overwrite": value}
    assert error(lake, "POST", "/namespaces/ns/register", 400, body) == kind
    assert lake.tables() == ["a", "b"]
