"""What a load gives: ETags, 304, snapshots by choice, HEAD, and members that nobody knows yet."""

import json
import time

import pytest

from catalog.operations.warehouses import get_warehouse
from catalog.versioning.revisions import encode_prefix

PATH = "/namespaces/ns/tables/a"


def get(lake, path=PATH, *, branch="main", etag=None, **query):
    headers = {} if etag is None else {"if-none-match": etag}
    prefix = encode_prefix(lake.name, branch=branch)
    url = f"/iceberg/v1/{prefix}{path}"
    return lake.client.get(url, params=query or None, headers=headers)


def write_metadata(lake, location, metadata):
    warehouse = get_warehouse(lake.client.app.state.catalog, lake.name)
    warehouse.files.write_all({location: json.dumps(metadata).encode()})


def snapshot(number, sequence, parent=None):
    made = {
        "snapshot-id": number,
        "sequence-number": sequence,
        "timestamp-ms": int(time.time() * 1000),
        "summary": {"operation": "append"},
        "schema-id": 0,
    }
    return made if parent is None else {**made, "parent-snapshot-id": parent}


def append(lake, *snapshots, status=200, requirements=()):
    location = get(lake).json()["metadata"]["location"]
    updates = [
        {
            "action": "add-snapshot",
            "snapshot": {**each, "manifest-list": f"{location}/{each['snapshot-id']}.avro"},
        }
        for each in snapshots
    ]
    last = snapshots[-1]["snapshot-id"]
    main = {"action": "set-snapshot-ref", "ref-name": "main", "type": "branch"}
    updates.append({**main, "snapshot-id": last})
    body = {"requirements": list(requirements), "updates": updates}
    return lake.iceberg("POST", "main", PATH, body, status)


def test_an_unchanged_table_is_not_sent_again(lake):
    first = get(lake)
    second = get(lake, etag=first.headers["etag"])
    assert (second.status_code, second.content) == (304, b"")
    assert second.headers["etag"] == first.headers["etag"]


def test_a_list_of_etags_and_weak_ones_match(lake):
    etag = get(lake).headers["etag"]
    assert get(lake, etag=f'"x", W/{etag}').status_code == 304
    assert get(lake, etag='"x"').status_code == 200


def test_a_commit_changes_the_etag_and_tells_the_new_one(lake):
    before = get(lake).headers["etag"]
    body = {"requirements": [], "updates": [{"action": "set-properties", "updates": {"x": "1"}}]}
    prefix = encode_prefix(lake.name, branch="main")
    committed = lake.client.post(f"/iceberg/v1/{prefix}{PATH}", json=body)
    after = get(lake, etag=before)
    assert after.status_code == 200
    assert after.headers["etag"] == committed.headers["etag"] != before
    assert get(lake, etag=committed.headers["etag"]).status_code == 304


def test_creating_and_registering_tell_the_etag_of_the_table(lake):
    prefix = encode_prefix(lake.name, branch="main")
    url = f"/iceberg/v1/{prefix}/namespaces/ns"
    location = get(lake).json()["metadata-location"]
    schema = {"type": "struct", "fields": []}
    created = lake.client.post(f"{url}/tables", json={"name": "n", "schema": schema})
    registered = lake.client.post(
        f"{url}/register", json={"name": "r", "metadata-location": location}
    )
    for answer, name in ((created, "n"), (registered, "r")):
        assert answer.headers["etag"] == get(lake, f"/namespaces/ns/tables/{name}").headers["etag"]


@pytest.mark.parametrize("said", [{}, {"gc.enabled": "true"}, {"gc.enabled": "false"}])
def test_a_registered_table_is_loaded_so_that_engines_delete_none_of_its_files(lake, said):
    deletes = {"write.metadata.delete-after-commit.enabled": "true"}
    found = get(lake).json()
    metadata = {**found["metadata"], "properties": {"a": "b", **said, **deletes}, "future": [1]}
    location = f"{metadata['location']}/metadata/00000-other.metadata.json"
    write_metadata(lake, location, metadata)
    register = {"name": "r", "metadata-location": location}
    answers = [lake.iceberg("POST", "main", "/namespaces/ns/register", register)]
    answers += [get(lake, "/namespaces/ns/tables/r").json() for _ in range(2)]
    answers += [get(lake, "/namespaces/ns/tables/r", snapshots="refs").json()]
    safe = {"a": "b", "gc.enabled": "false", **dict.fromkeys(deletes, "false")}
    for answer in answers:
        assert answer["metadata"] == {**metadata, "properties": safe}
        assert answer["metadata-location"] == location


def test_branches_share_an_etag_while_their_tables_are_one(lake):
    lake.branch("work")
    etag = get(lake).headers["etag"]
    assert get(lake, branch="work", etag=etag).status_code == 304
    lake.write("a", "work", x="1")
    assert get(lake, branch="work", etag=etag).status_code == 200
    assert get(lake, etag=etag).status_code == 304


def test_only_the_snapshots_of_refs_are_sent_if_asked(lake):
    append(lake, snapshot(1, 1), snapshot(2, 2, parent=1), snapshot(3, 3, parent=2))
    tag = {"action": "set-snapshot-ref", "ref-name": "t", "type": "tag", "snapshot-id": 1}
    lake.iceberg("POST", "main", PATH, {"requirements": [], "updates": [tag]})
    whole, refs = get(lake, snapshots="all"), get(lake, snapshots="refs")
    assert get(lake).content == whole.content
    assert [each["snapshot-id"] for each in whole.json()["metadata"]["snapshots"]] == [1, 2, 3]
    assert [each["snapshot-id"] for each in refs.json()["metadata"]["snapshots"]] == [1, 3]
    assert refs.json()["metadata-location"] == whole.json()["metadata-location"]
    without = [{**each.json()["metadata"], "snapshots": None} for each in (whole, refs)]
    assert without[0] == without[1]
    assert refs.headers["etag"] != whole.headers["etag"]
    assert get(lake, snapshots="refs", etag=whole.headers["etag"]).status_code == 200
    assert get(lake, snapshots="refs", etag=refs.headers["etag"]).status_code == 304


def test_an_unknown_choice_of_snapshots_is_refused(lake):
    answer = get(lake, snapshots="some")
    assert answer.status_code == 400
    assert "'some'" in answer.json()["error"]["message"]


def test_a_snapshot_of_a_past_state_can_be_tried_again(lake):
    append(lake, snapshot(1, 1), snapshot(2, 2, parent=1))
    document = append(lake, snapshot(3, 2, parent=1), status=409)["error"]
    assert document["type"] == "CommitFailedException"
    assert "sequence number" in document["message"]


@pytest.mark.parametrize("path", ["/namespaces/ns", PATH, "/namespaces/ns/views/v"])
def test_head_answers_without_a_body(lake, path):
    lake.view("v")
    prefix = encode_prefix(lake.name, branch="main")
    for suffix, status in (("", 204), ("-missing", 404)):
        answer = lake.client.head(f"/iceberg/v1/{prefix}{path}{suffix}")
        assert (answer.status_code, answer.content) == (status, b"")


def test_members_that_nobody_knows_yet_survive_every_commit(lake):
    metadata = get(lake).json()["metadata"]
    metadata["x-future"] = {"a": [1, None]}
    metadata["schemas"][0]["x-future"] = 1
    metadata["partition-specs"][0]["x-future"] = 2
    location = f"{metadata['location']}/future.metadata.json"
    write_metadata(lake, location, metadata)
    register = {"name": "f", "metadata-location": location}
    lake.iceberg("POST", "main", "/namespaces/ns/register", register)
    lake.write("f", x="1")
    lake.branch("work")
    lake.rename("f", "g", "work")
    lake.merge("work")
    lake.write("g", x="2")
    after = get(lake, "/namespaces/ns/tables/g").json()["metadata"]
    assert after["properties"]["x"] == "2"
    assert after["x-future"] == {"a": [1, None]}
    assert after["schemas"][0]["x-future"] == 1
    assert after["partition-specs"][0]["x-future"] == 2
