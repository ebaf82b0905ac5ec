"""Several locations in one warehouse: each table lives in one, and all of it does."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

Lake = Any  # The fixtures' types live in conftest, which importlib mode cannot import.
Client = Any
Json = dict[str, Any]
SCHEMA = {"type": "struct", "fields": [{"id": 1, "name": "id", "type": "long", "required": True}]}


@pytest.fixture
def archive(lake: Lake, tmp_path: Path) -> str:
    """A further location of the warehouse."""
    location = (tmp_path / "archive").as_uri()
    added = lake.call("PATCH", "", {"locations": [{"location": f"{location}/"}]})
    assert added.status_code == 200, added.text
    assert added.json()["locations"] == [{"location": location, "storage": {}}]
    return location


def create(lake: Lake, name: str, namespace: str = "ns", status: int = 200, **body: Any) -> Json:
    return lake.iceberg(
        "POST",
        "main",
        f"/namespaces/{namespace}/tables",
        {"name": name, "schema": SCHEMA, **body},
        status,
    )


def test_a_warehouse_is_created_with_several_locations(
    client: Client, tmp_path: Path, numbers: Iterator[int]
) -> None:
    name = f"w{next(numbers)}"
    further = [
        {"location": "s3://archive/lake", "storage": {"s3.region": "eu-west-1"}},
        {"location": (tmp_path / "fast").as_uri(), "storage": {}},
    ]
    body = {"name": name, "location": (tmp_path / "lake").as_uri(), "locations": further}
    response = client.post("/api/v1/warehouses", json=body)
    assert response.status_code == 201
    assert response.json()["locations"] == further
    assert client.get(f"/api/v1/warehouses/{name}").json() == response.json()


def test_a_location_is_added_or_gets_other_properties_and_none_goes(
    lake: Lake, archive: str, tmp_path: Path
) -> None:
    fast = (tmp_path / "fast").as_uri()
    lake.call("PATCH", "", {"locations": [{"location": fast}]})
    changed = {"location": archive, "storage": {"s3.region": "x"}}
    assert lake.call("PATCH", "", {"locations": [changed]}).status_code == 200
    assert lake.call("PATCH", "", {"locations": []}).status_code == 200
    assert lake.get("")["locations"] == [changed, {"location": fast, "storage": {}}]


@pytest.mark.parametrize(
    "change",
    [
        {"location": "{lake}/below"},
        {"location": "{archive}/below"},
        {"location": "{archive}/.."},
        {"location": "{other}/below"},
        {"location": "gopher://host/x"},
        {"location": "relative"},
        {"location": "s3://a bucket/x"},
        {"location": "{new}", "storage": {"s3.secret-access-key": "hush"}},
        {"location": "{new}", "storage": {"access-delegation": "everything"}},
        {"location": "{new}", "colour": "red"},
        {"storage": {}},
    ],
)
def test_a_location_that_cannot_be_is_refused(
    lake: Lake, archive: str, tmp_path: Path, numbers: Iterator[int], change: Json
) -> None:
    other = (tmp_path / "other").as_uri()
    body = {"name": f"w{next(numbers)}", "location": other}
    assert lake.client.post("/api/v1/warehouses", json=body).status_code == 201
    before = lake.get("")
    places = {
        "lake": before["location"],
        "archive": archive,
        "other": other,
        "new": f"{tmp_path.as_uri()}/new",
    }
    if "location" in change:
        change = {**change, "location": change["location"].format(**places)}
    refused = lake.call("PATCH", "", {"locations": [change]})
    assert refused.status_code == 400, refused.text
    assert refused.json()["detail"]
    assert lake.get("") == before


def test_another_warehouse_takes_no_place_in_a_further_location(
    lake: Lake, archive: str, numbers: Iterator[int]
) -> None:
    body = {"name": f"w{next(numbers)}", "location": f"{archive}/below"}
    refused = lake.client.post("/api/v1/warehouses", json=body)
    assert refused.status_code == 400
    assert lake.name in refused.json()["detail"]


def test_a_table_lives_where_its_creator_or_its_namespace_says(lake: Lake, archive: str) -> None:
    here = create(lake, "here")["metadata"]["location"]
    assert here.startswith(f"{lake.get('')['location']}/")
    chosen = create(lake, "chosen", location=f"{archive}/./of/my/own")
    assert chosen["metadata"]["location"] == f"{archive}/of/my/own"
    assert chosen["metadata-location"].startswith(f"{archive}/of/my/own/metadata/")
    cold = {"namespace": ["cold"], "properties": {"location": f"{archive}/cold"}}
    lake.iceberg("POST", "main", "/namespaces", cold)
    lake.iceberg("POST", "main", "/namespaces", {"namespace": ["cold", "below"]})
    below = create(lake, "t", "cold%1Fbelow")["metadata"]["location"]
    assert below.startswith(f"{archive}/cold/below/t-")
    assert lake.iceberg("GET", "main", "/namespaces/cold%1Fbelow/tables/t")
    lake.write("chosen", by="writer")
    assert lake.properties("chosen") == {"by": "writer"}


def test_places_that_are_in_no_location_are_refused(
    lake: Lake, archive: str, tmp_path: Path
) -> None:
    (tmp_path / "archive").mkdir()
    (tmp_path / "archive" / "way-out").symlink_to(tmp_path)
    for outside in (f"{archive}/../x", f"{archive}-beside/x", f"{archive}/way-out/x"):
        create(lake, "t", location=outside, status=400)
        properties = {"namespace": ["cold"], "properties": {"location": outside}}
        lake.iceberg("POST", "main", "/namespaces", properties, status=400)


@pytest.mark.parametrize("name", ["write.data.path", "write.metadata.path"])
def test_all_of_a_table_lies_in_one_location(lake: Lake, archive: str, name: str) -> None:
    create(lake, "t", properties={name: f"{archive}/t"}, status=400)
    create(lake, "t")
    lake.write("t", status=400, **{name: f"{archive}/t"})


def test_a_table_stays_in_its_location(lake: Lake, archive: str, tmp_path: Path) -> None:
    made = create(lake, "t")
    move = {"action": "set-location", "location": f"{archive}/t"}
    body = {"requirements": [], "updates": [move]}
    lake.iceberg("POST", "main", "/namespaces/ns/tables/t", body, status=400)
    copied = tmp_path / "archive" / "copied.metadata.json"
    copied.parent.mkdir(exist_ok=True)
    copied.write_text(json.dumps(made["metadata"]))
    body = {"name": "copy", "metadata-location": f"{archive}/copied.metadata.json"}
    lake.iceberg("POST", "main", "/namespaces/ns/register", body, status=400)


def test_each_table_comes_with_the_settings_of_its_own_store(
    client: Client, tmp_path: Path, numbers: Iterator[int]
) -> None:
    name = f"w{next(numbers)}"
    shared = {"s3.region": "x", "s3.path-style-access": "true"}
    endpoints = {"one": "http://first:9000", "two": "http://second:9000"}
    locations = [
        {"location": f"s3://{name}-{place}/a", "storage": {"s3.endpoint": endpoint, **shared}}
        for place, endpoint in endpoints.items()
    ]
    body = {"name": name, "location": tmp_path.as_uri(), "locations": locations}
    assert client.post("/api/v1/warehouses", json=body).status_code == 201
    at = f"/iceberg/v1/{name}.main/namespaces"
    assert client.post(at, json={"namespace": ["ns"]}).status_code == 200

    def config(**body: Any) -> Json:
        made = client.post(f"{at}/ns/tables", json={"name": "t", "schema": SCHEMA, **body})
        found: Json = made.json()["config"]
        return found

    for place in locations:
        found = config(location=f"{place['location']}/t", **{"stage-create": True})
        assert found == {**place["storage"], "client.region": "x"}
    assert config() == {}
    defaults = client.get(f"/iceberg/v1/config?warehouse={name}").json()["defaults"]
    assert defaults == {**shared, "client.region": "x"}
