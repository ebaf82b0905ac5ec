"""Object storage: written once, durable, never half visible, and honest when it fails."""

import errno
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from uuid import uuid4

import pytest

from catalog.errors import AlreadyExists, InvalidInput, NoSuchFile, StorageUnavailable
from catalog.files.file_io import FileIO, open_files
from catalog.files.trust import Trust

SLOW = pytest.mark.slow


@pytest.fixture(params=["local", pytest.param("s3", marks=SLOW), pytest.param("azure", marks=SLOW)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[FileIO, str]:
    """Object storage, and a location in it that is still empty."""
    if request.param == "local":
        return open_files({}), tmp_path.as_uri()
    store = request.getfixturevalue(request.param)
    if request.param == "azure":
        files = open_files({**store.storage, **store.secrets}, Trust(store.ca_file))
        return files, f"{store.location}/{uuid4().hex}"
    return open_files({**store.storage, **store.secrets}), f"s3://{store.bucket}/{uuid4().hex}"


def test_what_was_written_is_read(place) -> None:
    files, root = place
    written = {f"{root}/a/{number}/ä b%20c.json": bytes([number]) * 1000 for number in range(40)}
    files.write_all({**written, f"{root}/empty": b""})
    assert {location: files.read(location) for location in written} == written
    assert files.read(f"{root}/empty") == b""


@pytest.mark.parametrize("name", ["absent", "present/absent"])
def test_what_is_not_there_is_named(place, name: str) -> None:
    files, root = place
    files.write_all({f"{root}/present": b"x"})
    with pytest.raises(NoSuchFile, match=name):
        files.read(f"{root}/{name}")


def test_a_file_is_never_overwritten(place) -> None:
    files, root = place
    files.write_all({f"{root}/a": b"first"})
    with pytest.raises(AlreadyExists, match="/a"):
        files.write_all({f"{root}/a": b"second"})
    with pytest.raises(AlreadyExists, match="/a"):
        files.write_all({f"{root}/{name}": b"second" for name in "abc"})
    assert files.read(f"{root}/a") == b"first"


def test_of_many_writers_of_one_file_one_succeeds(place) -> None:
    files, root = place
    outcomes: list[bytes | None] = []

    def write(data: bytes) -> None:
        try:
            files.write_all({f"{root}/a": data})
            outcomes.append(data)
        except AlreadyExists:
            outcomes.append(None)

    threads = [threading.Thread(target=write, args=(b"%d" % number,)) for number in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    [written] = [each for each in outcomes if each is not None]
    assert (files.read(f"{root}/a"), len(outcomes)) == (written, 8)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*"))


@pytest.mark.parametrize("fault", [errno.ENOSPC, errno.EIO, errno.EROFS])
def test_a_disk_that_fails_leaves_no_part_of_a_file(tmp_path, monkeypatch, fault: int) -> None:
    def fail(descriptor: int) -> None:
        raise OSError(fault, os.strerror(fault))

    files = open_files({})
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        with pytest.raises(StorageUnavailable, match=os.strerror(fault)):
            files.write_all({f"{tmp_path.as_uri()}/a": b"data"})
    assert names(tmp_path) == []
    files.write_all({f"{tmp_path.as_uri()}/a": b"data"})
    assert names(tmp_path) == ["a"]


def test_a_folder_that_cannot_be_synced_is_no_success(tmp_path, monkeypatch) -> None:
    synced = os.fsync

    def fail(descriptor: int) -> None:
        if os.path.isdir(f"/proc/self/fd/{descriptor}"):  # noqa: PTH112
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        synced(descriptor)

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(StorageUnavailable):
        open_files({}).write_all({f"{tmp_path.as_uri()}/a": b"data"})


def test_a_file_is_whole_under_its_name_and_both_are_synced_before_it_is_told(
    tmp_path, monkeypatch
) -> None:
    synced = os.fsync
    seen: list[tuple[bool, list[str], bytes]] = []

    def note(descriptor: int) -> None:
        is_folder = os.path.isdir(f"/proc/self/fd/{descriptor}")  # noqa: PTH112
        seen.append((is_folder, names(tmp_path), (tmp_path / "a").read_bytes()))
        synced(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    open_files({}).write_all({f"{tmp_path.as_uri()}/a": b"data"})
    # Whatever a flush takes to the disk is finished: no other name is left to be forgotten.
    assert sorted(seen) == [(is_folder, ["a"], b"data") for is_folder in (False, True)]


@pytest.mark.parametrize("name", ["folder/a", "x" * 300, "/".join(["x" * 200] * 30)])
def test_a_place_where_no_file_can_be_is_refused(tmp_path: Path, name: str) -> None:
    files = open_files({})
    (tmp_path / "folder").write_text("a file")
    location = f"{tmp_path.as_uri()}/{name}"
    with pytest.raises(InvalidInput, match=rf"{name}.*nothing was changed"):
        files.write_all({location: b"data"})
    with pytest.raises(InvalidInput):
        files.make_directories([location])


def test_a_name_that_no_object_can_have_is_refused() -> None:
    files = open_files({})
    assert files.resolve("s3://b/" + "x" * 1000)
    with pytest.raises(InvalidInput, match="more than 1024 bytes"):
        files.resolve("s3://b/" + "ä" * 600)


def test_a_file_lies_where_its_location_says_whatever_the_spelling(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    files = open_files({})
    for number, spelling in enumerate((f"file:{tmp_path}", str(tmp_path), f"FILE://{tmp_path}")):
        files.write_all({f"{spelling}/{number}/a": b"data"})
        assert (tmp_path / str(number) / "a").read_bytes() == b"data"
        assert files.read(f"{spelling}/{number}/a") == b"data"


def test_a_file_system_without_links_overwrites_nothing_either(tmp_path, monkeypatch) -> None:
    def fail(*_) -> None:
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", fail)
    files = open_files({})
    files.write_all({f"{tmp_path.as_uri()}/a": b"first"})
    with pytest.raises(AlreadyExists):
        files.write_all({f"{tmp_path.as_uri()}/a": b"second"})
    assert names(tmp_path) == ["a"]
    assert files.read(f"{tmp_path.as_uri()}/a") == b"first"


def test_links_are_resolved_and_a_circle_of_them_refused(tmp_path: Path) -> None:
    files = open_files({})
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    resolved = files.resolve(f"{tmp_path.as_uri()}/link/a/b")
    assert resolved == f"{(tmp_path / 'real').resolve().as_uri()}/a/b"
    with pytest.raises(InvalidInput, match="circle"):
        files.resolve(f"{tmp_path.as_uri()}/circle/a")


@pytest.fixture
def forgetful() -> Iterator[tuple[str, dict[str, bytes]]]:
    """An S3 server that keeps each file, and answers the first request to do so with a fault."""
    kept: dict[str, bytes] = {}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_PUT(self) -> None:
            data = self.rfile.read(int(self.headers["Content-Length"]))
            known = self.path in kept
            kept.setdefault(self.path, data)
            self.answer(412 if known else 500, b"")

        def do_GET(self) -> None:
            self.answer(200, kept[self.path])

        def answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Last-Modified", "Mon, 23 Nov 2026 08:00:00 GMT")
            self.send_header("ETag", '"1"')
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            """Keep quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}", kept
        server.shutdown()
        thread.join()


def test_a_file_whose_answer_got_lost_is_written(forgetful) -> None:
    endpoint, kept = forgetful
    keys = {"s3.access-key-id": "a", "s3.secret-access-key": "b", "s3.region": "us-east-1"}
    files = open_files({"s3.endpoint": endpoint, "s3.path-style-access": "true", **keys})
    files.write_all({"s3://lake/a": b"ours"})
    assert kept == {"/lake/a": b"ours"}
    kept["/lake/b"] = b"theirs"
    with pytest.raises(AlreadyExists, match="/b"):
        files.write_all({"s3://lake/b": b"ours"})
    assert kept["/lake/b"] == b"theirs"
