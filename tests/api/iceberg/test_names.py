"""Names of any kind, and tables at other revisions by `name@revision`."""

from urllib.parse import quote

import pytest

from catalog.versioning.revisions import encode_prefix

SCHEMA = {"type": "struct", "fields": [{"id": 1, "name": "id", "type": "long", "required": True}]}
NAMES = [
    "with.dot",
    "with/slash",
    "with space",
    "'single' \"double\" `back`",
    "100%",
    "%2F",
    "a%20b",
    "🧊",
    "Ünïcode",
    "e\u0301",
    "..x",
    "?a=b&c#d;e+f",
    "back\\slash",
    "x" * 200,
]


def encoded(*levels):
    return quote("\x1f".join(levels), safe="")


def create(lake, *levels):
    lake.iceberg("POST", "main", "/namespaces", {"namespace": list(levels)})


@pytest.mark.parametrize("name", NAMES)
def test_a_namespace_of_any_name(lake, name):
    create(lake, name)
    create(lake, name, name)
    top = lake.iceberg("GET", "main", "/namespaces")["namespaces"]
    assert [name] in top
    assert len(top) == 2
    below = lake.iceberg("GET", "main", f"/namespaces?parent={encoded(name)}")["namespaces"]
    assert below == [[name, name]]
    loaded = lake.iceberg("GET", "main", f"/namespaces/{encoded(name, name)}")
    assert loaded["namespace"] == [name, name]
    lake.iceberg("DELETE", "main", f"/namespaces/{encoded(name, name)}", status=204)
    lake.iceberg("DELETE", "main", f"/namespaces/{encoded(name)}", status=204)


@pytest.mark.parametrize("name", NAMES)
def test_a_table_of_any_name(lake, name):
    create(lake, name)
    tables = f"/namespaces/{encoded(name)}/tables"
    made = lake.iceberg("POST", "main", tables, {"name": name, "schema": SCHEMA})
    path = f"{tables}/{encoded(name)}"
    assert lake.iceberg("GET", "main", path)["metadata"] == made["metadata"]
    updates = [{"action": "set-properties", "updates": {"x": name}}]
    lake.iceberg("POST", "main", path, {"requirements": [], "updates": updates})
    assert lake.iceberg("GET", "main", path)["metadata"]["properties"]["x"] == name
    listed = lake.iceberg("GET", "main", tables)["identifiers"]
    assert listed == [{"namespace": [name], "name": name}]
    rename = {
        "source": {"namespace": [name], "name": name},
        "destination": {"namespace": ["ns"], "name": f"{name}'"},
    }
    lake.iceberg("POST", "main", "/tables/rename", rename, 204)
    lake.iceberg("DELETE", "main", f"/namespaces/ns/tables/{encoded(name)}%27", status=204)


@pytest.mark.parametrize("name", ["", "a\0b", "tab\t", "x" * 300, ".", ".."])
def test_names_that_nothing_can_have(lake, name):
    for path, body in (
        ("/namespaces", {"namespace": [name]}),
        ("/namespaces/ns/tables", {"name": name, "schema": SCHEMA}),
    ):
        document = lake.iceberg("POST", "main", path, body, 400)["error"]
        assert document["type"] == "IllegalArgumentException"


@pytest.mark.parametrize("branch", ["work", "ingest/2026-11-23", "grün/🧊"])
def test_a_table_on_another_branch_by_name(lake, branch):
    lake.branch(branch)
    lake.write("a", branch, x="1")
    path = f"/namespaces/ns/tables/{encoded(f'a@{branch}')}"
    assert lake.iceberg("GET", "main", path)["metadata"]["properties"]["x"] == "1"
    assert lake.properties("a") == {}
    updates = [{"action": "set-properties", "updates": {"y": "2"}}]
    body = {
        "identifier": {"namespace": ["ns"], "name": f"a@{branch}"},
        "requirements": [],
        "updates": updates,
    }
    lake.iceberg("POST", "main", path, body)
    assert lake.properties("a", branch) == {"x": "1", "y": "2"}
    lake.iceberg("HEAD", "main", path, status=204)
    lake.iceberg("DELETE", "main", path, status=204)
    lake.iceberg("HEAD", "main", path, status=404)
    assert lake.tables() == ["a", "b"]


@pytest.mark.parametrize("revision", ["v1", "main~1", "release/2026-11-23", "{head}", "{short}"])
def test_a_table_of_the_past_by_name(lake, revision):
    lake.post("/tags", 201, name="v1", at="main")
    lake.post("/tags", 201, name="release/2026-11-23", at="main")
    head = lake.head()
    lake.write("a", x="1")
    revision = revision.format(head=head, short=head[:10])
    path = f"/namespaces/ns/tables/{encoded(f'a@{revision}')}"
    assert "x" not in lake.iceberg("GET", "main", path)["metadata"]["properties"]
    body = {"requirements": [], "updates": [{"action": "set-properties", "updates": {"y": "2"}}]}
    document = lake.iceberg("POST", "main", path, body, 403)["error"]
    assert document["type"] == "ForbiddenException"
    assert revision in document["message"]
    assert lake.properties("a") == {"x": "1"}


def test_a_rename_by_revision_stays_on_its_branch(lake):
    lake.branch("ingest/1")
    body = {
        "source": {"namespace": ["ns"], "name": "a@ingest/1"},
        "destination": {"namespace": ["ns"], "name": "c@ingest/1"},
    }
    lake.iceberg("POST", "main", "/tables/rename", body, 204)
    assert (lake.tables(), lake.tables("ingest/1")) == (["a", "b"], ["b", "c"])
    for destination, status in (("d@main", 400), ("d", 204)):
        body["source"]["name"], body["destination"]["name"] = "c@ingest/1", destination
        lake.iceberg("POST", "main", "/tables/rename", body, status)
    assert (lake.tables(), lake.tables("ingest/1")) == (["a", "b"], ["b", "d"])


def test_a_revision_that_is_not_there_is_named(lake):
    path = f"/namespaces/ns/tables/{encoded('a@nowhere/else')}"
    document = lake.iceberg("GET", "main", path, status=404)["error"]
    assert "nowhere/else" in document["message"]


@pytest.mark.parametrize(
    ("warehouse", "writable"),
    [
        ("", True),
        ("@main", True),
        ("@ingest/2026-11-23", True),
        ("@grün/🧊", True),
        ("@v1", False),
        ("@main~0", False),
        ("@main@{now}", False),
        ("@{head}", False),
    ],
)
def test_config_gives_a_prefix_that_needs_no_escaping(lake, warehouse, writable):
    lake.branch("ingest/2026-11-23")
    lake.branch("grün/🧊")
    lake.post("/tags", 201, name="v1", at="main")
    name = lake.name + warehouse.replace("{head}", lake.head())
    answer = lake.client.get("/iceberg/v1/config", params={"warehouse": name})
    assert answer.status_code == 200, answer.text
    config = answer.json()
    prefix = config["overrides"]["prefix"]
    assert quote(prefix, safe="") == prefix
    assert "uri" not in config["overrides"] | config["defaults"]
    url = f"/iceberg/v1/{prefix}/namespaces"
    assert lake.client.get(url).json()["namespaces"] == [["ns"]]
    written = lake.client.post(url, json={"namespace": ["new"]})
    assert written.status_code == (200 if writable else 403), written.text


@pytest.mark.parametrize("warehouse", ["{name}@nowhere", "nowhere", "nowhere@main"])
def test_config_names_what_is_not_there(lake, warehouse):
    params = {"warehouse": warehouse.format(name=lake.name)}
    answer = lake.client.get("/iceberg/v1/config", params=params)
    assert answer.status_code == 404
    assert "nowhere" in answer.json()["error"]["message"]


def test_a_reader_of_a_moment_sees_that_moment_for_ever(lake):
    config = lake.client.get(
        "/iceberg/v1/config", params={"warehouse": f"{lake.name}@main@{{now}}"}
    )
    url = f"/iceberg/v1/{config.json()['overrides']['prefix']}/namespaces/ns/tables"
    before = lake.client.get(f"{url}/a").content
    lake.write("a", x="1")
    lake.drop("b")
    assert lake.client.get(f"{url}/a").content == before
    assert len(lake.client.get(url).json()["identifiers"]) == 2
    live = encode_prefix(lake.name, branch="main")
    assert lake.client.get(f"/iceberg/v1/{live}/namespaces/ns/tables/a").content != before
