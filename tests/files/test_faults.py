"""An object store that is slow, dies or hangs: all of a file is stored, or the caller is told."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from catalog.api.app import create_app
from catalog.errors import AlreadyExists, NoSuchFile, StorageUnavailable
from catalog.files import buckets
from catalog.files.file_io import FileIO, open_files
from catalog.settings import Settings
from tests.files.faulty import (
    Fault,
    FaultyServer,
    Handler,
    die,
    faulty_server,
    hang,
    keep_and_die,
    send_half,
    slow_down,
)

pytestmark = pytest.mark.slow

DATA = bytes(range(256)) * 400
PLACE = "s3://lake/a"
EVER = 1000


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    with faulty_server() as running:
        yield running


# Long enough for a busy machine, short enough to wait for a server that hangs.
PATIENCE = timedelta(seconds=2)


@pytest.fixture
def files(server: FaultyServer, monkeypatch: pytest.MonkeyPatch) -> FileIO:
    monkeypatch.setattr(buckets, "_TIMEOUT", PATIENCE)
    return open_files(server.storage)


@pytest.mark.parametrize("faults", [[slow_down] * 3, [die, die], [keep_and_die]])
def test_a_fault_that_passes_is_got_over(
    server: FaultyServer, files: FileIO, faults: list[Fault]
) -> None:
    server.faults = [*faults]
    files.write_all({PLACE: DATA})
    assert server.kept == {"/lake/a": DATA}
    assert server.seen["PUT", "/lake/a"] == len(faults) + 1


@pytest.mark.parametrize("fault", [slow_down, die, hang])
def test_a_fault_that_stays_is_told_and_leaves_no_half_file(
    server: FaultyServer, files: FileIO, fault: Fault
) -> None:
    server.faults = [fault] * EVER
    with pytest.raises(StorageUnavailable, match=rf"Cannot write {PLACE}.*nothing was changed"):
        files.write_all({PLACE: DATA})
    assert 1 <= server.seen["PUT", "/lake/a"] <= 4
    server.faults.clear()
    with pytest.raises(NoSuchFile):
        files.read(PLACE)


def test_a_file_that_another_wrote_while_ours_was_lost_is_not_taken_for_ours(
    server: FaultyServer, files: FileIO
) -> None:
    def be_overtaken(handler: Handler) -> None:
        server.kept[handler.path] = b"theirs"
        die(handler)

    server.faults = [be_overtaken]
    with pytest.raises(AlreadyExists, match="/a"):
        files.write_all({PLACE: DATA})
    assert server.kept == {"/lake/a": b"theirs"}


@pytest.mark.parametrize("faults", [[slow_down] * 3, [die], [send_half], [hang]])
def test_a_read_that_breaks_off_is_gone_on_with(
    server: FaultyServer, files: FileIO, faults: list[Fault]
) -> None:
    server.kept["/lake/a"] = DATA
    server.faults = [*faults]
    assert files.read(PLACE) == DATA


@pytest.mark.parametrize("fault", [slow_down, die])
def test_a_file_that_cannot_be_read_whole_is_not_read(
    server: FaultyServer, files: FileIO, fault: Fault
) -> None:
    server.kept["/lake/a"] = DATA
    server.faults = [send_half, *[fault] * EVER]
    with pytest.raises(StorageUnavailable, match=f"Cannot read {PLACE}"):
        files.read(PLACE)


def test_two_hundred_files_are_written_at_the_same_time_through_faults(
    server: FaultyServer,
) -> None:
    files = open_files(server.storage)
    together = threading.Barrier(16)

    def wait_for_others(handler: Handler) -> None:
        together.wait(timeout=60)
        slow_down(handler)

    server.faults = [wait_for_others] * 16 + [die, slow_down] * 20
    written = {f"s3://lake/{number}": b"%d" % number for number in range(200)}
    files.write_all(written)
    assert server.kept == {f"/lake/{number}": b"%d" % number for number in range(200)}


SCHEMA = {"type": "struct", "fields": [{"id": 1, "name": "id", "type": "long", "required": True}]}
CHANGE = {"action": "set-properties", "updates": {"by": "us"}}


@pytest.mark.parametrize("fault", [die, slow_down, hang])
def test_no_table_ever_points_to_a_file_that_could_not_be_written(
    server: FaultyServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Fault
) -> None:
    monkeypatch.setattr(buckets, "_TIMEOUT", PATIENCE)
    secrets = tmp_path / "secrets.toml"
    storage = {key: value for key, value in server.storage.items() if "key" not in key}
    keys = {key: value for key, value in server.storage.items() if key not in storage}
    secrets.write_text("[w]\n" + "".join(f'"{k}" = "{v}"\n' for k, v in keys.items()))
    names = [f"t{number}" for number in range(20)]
    prefix = "/iceberg/v1/w.main"
    changes = [
        {
            "identifier": {"namespace": ["ns"], "name": name},
            "requirements": [],
            "updates": [CHANGE],
        }
        for name in names
    ]
    app = create_app(Settings(data_dir=tmp_path, secrets_file=str(secrets)))
    with TestClient(app) as client:
        body = {"name": "w", "location": "s3://lake/w", "storage": storage}
        assert client.post("/api/v1/warehouses", json=body).status_code == 201
        client.post(f"{prefix}/namespaces", json={"namespace": ["ns"]})
        for name in names:
            made = {"name": name, "schema": SCHEMA}
            answer = client.post(f"{prefix}/namespaces/ns/tables", json=made)
            assert answer.status_code == 200, answer.text
        head = client.get("/api/v1/warehouses/w/branches/main").json()
        server.aim, server.faults = "/t7-", [fault] * EVER
        refused = client.post(f"{prefix}/transactions/commit", json={"table-changes": changes})
        assert refused.status_code == 503
        assert "t7" in refused.json()["error"]["message"]
        assert client.get("/api/v1/warehouses/w/branches/main").json() == head
        server.faults.clear()
        done = client.post(f"{prefix}/transactions/commit", json={"table-changes": changes})
        assert done.status_code == 204
        for name in names:
            loaded = client.get(f"{prefix}/namespaces/ns/tables/{name}").json()
            assert loaded["metadata"]["properties"]["by"] == "us"
            assert loaded["metadata-location"].removeprefix("s3:/") in server.kept
