"""Delete files go to the data files that they apply to, and to no others."""

import pytest
from pyiceberg.manifest import FileFormat
from pyiceberg.types import NestedField, StringType, StructType

from catalog.errors import InvalidInput, ValidationFailed
from catalog.iceberg.scans.planning import Task, cut, read_page, scan_manifests
from catalog.iceberg.scans.requests import open_scan, pinned
from tests.manifests import (
    ADDED,
    DELETED,
    EQUALITY_DELETES,
    EXISTING,
    PATH_FIELD,
    POSITION_DELETES,
    entry,
    file,
    listed,
    manifest,
    manifest_list,
    table,
)

BY_SITE = [{"spec-id": 0, "fields": [
    {"field-id": 1000, "name": "site", "source-id": 2, "transform": "identity"}
]}]  # fmt: skip
SITE = StructType(NestedField(1000, "site", StringType(), required=False))


def plan(files, request=None, **members):
    """Plan a scan over files in memory; give its tasks, and what each of them deletes."""
    metadata = table(files, **members)
    scan = open_scan(pinned(request or {}, metadata), metadata)
    manifests = scan_manifests(scan, files.__getitem__)
    page = read_page(scan, manifests, Task(0, 0, len(manifests.data)), files.__getitem__)
    deletes = page.scan_tasks["delete-files"]
    return {
        task["data-file"]["file-path"]: sorted(
            deletes[number]["file-path"] for number in task.get("delete-file-references", [])
        )
        for task in page.scan_tasks["file-scan-tasks"]
    }, page


def lake(data, deletes, *, partition=StructType(), data_sequence=2, delete_sequence=3):  # noqa: B008
    """A table of one data manifest and one delete manifest."""
    return {
        "data.avro": manifest(*data, partition=partition),
        "deletes.avro": manifest(*deletes, partition=partition),
        "list.avro": manifest_list(
            listed("data.avro", data_sequence, snapshot=1),
            listed("deletes.avro", delete_sequence, snapshot=1, deletes=True),
        ),
    }


def test_position_delete_applies_within_its_partition():
    data = [entry(file("a", partition=["x"])), entry(file("b", partition=["y"]))]
    deletes = [entry(file("d", POSITION_DELETES, partition=["x"]))]
    planned, _ = plan(lake(data, deletes, partition=SITE), **{"partition-specs": BY_SITE})
    assert planned == {"a": ["d"], "b": []}


def test_position_delete_of_a_null_partition_applies_to_it():
    data = [entry(file("a", partition=[None])), entry(file("b", partition=["y"]))]
    deletes = [entry(file("d", POSITION_DELETES, partition=[None]))]
    planned, _ = plan(lake(data, deletes, partition=SITE), **{"partition-specs": BY_SITE})
    assert planned == {"a": ["d"], "b": []}


@pytest.mark.parametrize("named_by", ["bounds", "reference"])
def test_position_delete_for_one_file_applies_to_it_alone(named_by):
    named = (
        {"lower_bounds": {PATH_FIELD: b"a"}, "upper_bounds": {PATH_FIELD: b"a"}}
        if named_by == "bounds"
        else {"referenced_data_file": "a"}
    )
    data = [entry(file("a")), entry(file("b"))]
    planned, _ = plan(lake(data, [entry(file("d", POSITION_DELETES, **named))]))
    assert planned == {"a": ["d"], "b": []}


def test_position_delete_applies_within_its_path_bounds():
    bounds = {"lower_bounds": {PATH_FIELD: b"b"}, "upper_bounds": {PATH_FIELD: b"c"}}
    data = [entry(file(path)) for path in "abcd"]
    planned, _ = plan(lake(data, [entry(file("d1", POSITION_DELETES, **bounds))]))
    assert planned == {"a": [], "b": ["d1"], "c": ["d1"], "d": []}


@pytest.mark.parametrize(
    ("content", "data_sequence", "delete_sequence", "applies"),
    [
        (POSITION_DELETES, 3, 3, True),
        (POSITION_DELETES, 4, 3, False),
        (EQUALITY_DELETES, 2, 3, True),
        (EQUALITY_DELETES, 3, 3, False),
    ],
)
def test_sequence_numbers_decide(content, data_sequence, delete_sequence, applies):
    delete = entry(file("d", content, equality_ids=[1]))
    files = lake(
        [entry(file("a"))],
        [delete],
        data_sequence=data_sequence,
        delete_sequence=delete_sequence,
    )
    planned, _ = plan(files)
    assert planned == {"a": ["d"] if applies else []}


def test_sequence_number_of_an_entry_goes_before_the_manifests():
    data = [entry(file("a"), EXISTING, snapshot=1, sequence=1), entry(file("b"))]
    files = lake(data, [entry(file("d", POSITION_DELETES))], data_sequence=5, delete_sequence=3)
    assert plan(files)[0] == {"a": ["d"], "b": []}


def test_equality_delete_without_partition_applies_everywhere():
    specs = [*BY_SITE, {"spec-id": 1, "fields": []}]
    files = {
        "data.avro": manifest(entry(file("a", partition=["x"])), partition=SITE),
        "deletes.avro": manifest(entry(file("d", EQUALITY_DELETES, equality_ids=[1]))),
        "list.avro": manifest_list(
            listed("data.avro", 2, snapshot=1),
            listed("deletes.avro", 3, snapshot=1, deletes=True, partition_spec_id=1),
        ),
    }
    planned, page = plan(files, **{"partition-specs": specs})
    assert planned == {"a": ["d"]}
    assert page.scan_tasks["delete-files"][0]["content"] == "equality-deletes"
    assert page.scan_tasks["delete-files"][0]["equality-ids"] == [1]


def test_equality_delete_applies_within_its_partition():
    data = [entry(file("a", partition=["x"])), entry(file("b", partition=["y"]))]
    deletes = [entry(file("d", EQUALITY_DELETES, partition=["y"], equality_ids=[1]))]
    planned, _ = plan(lake(data, deletes, partition=SITE), **{"partition-specs": BY_SITE})
    assert planned == {"a": [], "b": ["d"]}


def vector(target, offset):
    return entry(
        file(
            "deletes.puffin",
            POSITION_DELETES,
            file_format=FileFormat.PUFFIN,
            referenced_data_file=target,
            content_offset=offset,
            content_size_in_bytes=40,
        )
    )


def test_vectors_in_one_puffin_file_are_told_apart_by_their_offset():
    files = lake([entry(file("a")), entry(file("b"))], [vector("a", 4), vector("b", 44)])
    _, page = plan(files)
    tasks = page.scan_tasks
    offsets = {
        task["data-file"]["file-path"]: [
            tasks["delete-files"][number]["content-offset"]
            for number in task["delete-file-references"]
        ]
        for task in tasks["file-scan-tasks"]
    }
    assert offsets == {"a": [4], "b": [44]}
    assert tasks["delete-files"][0] == {
        "content": "position-deletes",
        "file-path": "deletes.puffin",
        "file-format": "puffin",
        "spec-id": 0,
        "partition": [],
        "file-size-in-bytes": 1000,
        "record-count": 10,
        "referenced-data-file": "a",
        "content-offset": 4,
        "content-size-in-bytes": 40,
    }


def test_vector_voids_older_position_deletes_but_no_equality_delete():
    deletes = [
        entry(file("old", POSITION_DELETES)),
        entry(file("equal", EQUALITY_DELETES, equality_ids=[1])),
        vector("a", 4),
    ]
    planned, _ = plan(lake([entry(file("a")), entry(file("b"))], deletes))
    assert planned == {"a": ["deletes.puffin", "equal"], "b": ["equal", "old"]}


def test_removed_files_are_not_planned():
    data = [entry(file("a"), DELETED, snapshot=1, sequence=1), entry(file("b"))]
    deletes = [entry(file("d", POSITION_DELETES), DELETED, snapshot=1, sequence=1)]
    assert plan(lake(data, deletes))[0] == {"b": []}


def test_first_row_ids_are_inherited_in_order():
    data = [
        entry(file("a")),
        entry(file("gone"), DELETED, snapshot=1, sequence=1),
        entry(file("own", first_row_id=7), EXISTING, snapshot=1, sequence=1),
        entry(file("b")),
    ]
    files = {
        "data.avro": manifest(*data),
        "list.avro": manifest_list(listed("data.avro", 2, snapshot=1, first_row_id=100)),
    }
    _, page = plan(files)
    ids = {
        task["data-file"]["file-path"]: task["data-file"]["first-row-id"]
        for task in page.scan_tasks["file-scan-tasks"]
    }
    assert ids == {"a": 100, "own": 7, "b": 110}


def test_delete_file_that_several_files_share_is_listed_once():
    _, page = plan(lake([entry(file("a")), entry(file("b"))], [entry(file("d", POSITION_DELETES))]))
    assert [each["file-path"] for each in page.scan_tasks["delete-files"]] == ["d"]
    assert [task["delete-file-references"] for task in page.scan_tasks["file-scan-tasks"]] == [
        [0],
        [0],
    ]


def test_damaged_manifest_is_named():
    files = lake([entry(file("a"))], []) | {"data.avro": b"Obj\1 and then nonsense"}
    with pytest.raises(ValidationFailed, match=r"Cannot understand data\.avro"):
        plan(files)


def test_manifest_of_a_spec_that_the_table_lacks_is_refused():
    files = {
        "data.avro": manifest(entry(file("a"))),
        "list.avro": manifest_list(listed("data.avro", 2, snapshot=1, partition_spec_id=5)),
    }
    with pytest.raises(ValidationFailed, match="partition spec 5"):
        plan(files)


def test_v1_snapshot_without_a_manifest_list():
    files = {"m.avro": manifest(entry(file("a"), ADDED, snapshot=1)), "list.avro": b""}
    snapshot = {"snapshot-id": 1, "timestamp-ms": 1, "manifests": ["m.avro"], "summary": {}}
    assert plan(files, snapshots=[snapshot])[0] == {"a": []}


class TestIncremental:
    """Snapshots 1 to 4: three appends and, as 3, an overwrite."""

    FILES = {  # noqa: RUF012
        "m1": manifest(entry(file("a"))),
        "m2": manifest(entry(file("b")), entry(file("a"), EXISTING, snapshot=1, sequence=1)),
        "m3": manifest(entry(file("c"))),
        "m4": manifest(entry(file("d"))),
        "l1": manifest_list(listed("m1", 1, snapshot=1)),
        "l2": manifest_list(listed("m2", 2, snapshot=2)),
        "l3": manifest_list(listed("m2", 2, snapshot=2), listed("m3", 3, snapshot=3)),
        "l4": manifest_list(
            listed("m2", 2, snapshot=2),
            listed("m3", 3, snapshot=3),
            listed("m4", 4, snapshot=4),
        ),
        "list.avro": b"",
    }
    SNAPSHOTS = [  # noqa: RUF012
        {
            "snapshot-id": number,
            "sequence-number": number,
            "timestamp-ms": number,
            "summary": {"operation": "overwrite" if number == 3 else "append"},
            "manifest-list": f"l{number}",
        }
        | ({"parent-snapshot-id": number - 1} if number > 1 else {})
        for number in (1, 2, 3, 4)
    ]
    MEMBERS = {  # noqa: RUF012
        "snapshots": SNAPSHOTS,
        "current-snapshot-id": 4,
        "refs": {"main": {"snapshot-id": 4, "type": "branch"}},
    }

    def between(self, start, end, **members):
        request = {"start-snapshot-id": start, "end-snapshot-id": end}
        return list(plan(self.FILES, request, **self.MEMBERS | members)[0])

    def test_only_what_appends_added(self):
        assert self.between(1, 4) == ["b", "d"]

    def test_nothing_between_a_snapshot_and_itself(self):
        assert self.between(2, 2) == []

    def test_start_may_have_expired(self):
        assert self.between(1, 2, snapshots=self.SNAPSHOTS[1:]) == ["b"]

    def test_start_must_be_an_ancestor(self):
        with pytest.raises(InvalidInput, match="4 is not a parent ancestor of end snapshot 2"):
            self.between(4, 2)

    @pytest.mark.parametrize(
        "request_",
        [
            {"start-snapshot-id": 1},
            {"end-snapshot-id": 1},
            {"snapshot-id": 1, "start-snapshot-id": 1, "end-snapshot-id": 2},
            {"snapshot-id": 77},
            {"snapshot-id": "1"},
            {"select": ["nope"]},
            {"stats-fields": ["nope"]},
            {"case-sensitive": "yes"},
        ],
    )
    def test_bad_requests_are_refused(self, request_):
        with pytest.raises(InvalidInput):
            plan(self.FILES, request_, **self.MEMBERS)

    def test_point_in_time(self):
        planned, _ = plan(self.FILES, {"snapshot-id": 1}, **self.MEMBERS)
        assert list(planned) == ["a"]


class TestPages:
    def paths(self, files, request=None, size=3):
        metadata = table(files)
        scan = open_scan(pinned(request or {}, metadata), metadata)
        manifests = scan_manifests(scan, files.__getitem__)
        waiting = cut(manifests.data)
        found, sizes = [], []
        while waiting:
            page = read_page(scan, manifests, waiting.pop(0), files.__getitem__)
            tasks = page.scan_tasks["file-scan-tasks"]
            sizes.append(len(tasks))
            found += [task["data-file"]["file-path"] for task in tasks]
            if page.is_enough:
                break
            if page.rest is not None:
                waiting.insert(0, page.rest)
        return found, sizes

    @pytest.fixture(autouse=True)
    def small_pages(self, monkeypatch):
        monkeypatch.setattr("catalog.iceberg.scans.planning.FILES_PER_PAGE", 3)

    @pytest.fixture
    def files(self):
        paths = [f"{number:02}" for number in range(20)]
        groups = [paths[:1], paths[1:2], paths[2:12], paths[12:14], paths[14:]]
        return {
            f"m{number}": manifest(*(entry(file(path)) for path in group))
            for number, group in enumerate(groups)
        } | {
            "list.avro": manifest_list(
                *(
                    listed(f"m{number}", 2, snapshot=1, added_files_count=len(group))
                    for number, group in enumerate(groups)
                )
            )
        }

    def test_every_file_once_and_no_page_too_long(self, files):
        found, sizes = self.paths(files)
        assert found == [f"{number:02}" for number in range(20)]
        assert max(sizes) == 3

    def test_enough_rows_end_the_plan(self, files):
        found, _ = self.paths(files, {"min-rows-requested": 25})
        assert found == ["00", "01", "02"]

    def test_rows_that_may_not_match_do_not_count(self, files):
        filtered = {"type": "gt", "term": "id", "value": 0}
        found, _ = self.paths(files, {"min-rows-requested": 25, "filter": filtered})
        assert len(found) == 20
