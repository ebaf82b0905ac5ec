"""Views: rows 107-120 of the matrix."""

import pytest

from catalog.errors import CommitFailed, InvalidInput, ValidationFailed
from catalog.iceberg.views import check_view, new_view

K = 1000
NOW = 1000 * K
X = {"id": 1, "name": "x", "required": False, "type": "long"}
Y = {"id": 2, "name": "y", "required": False, "type": "long"}
NUM = "version.history.num-entries"
ALLOW = "replace.drop-dialect.allowed"


def schema(*fields):
    return {"type": "struct", "fields": list(fields)}


def add_schema(*fields):
    return {"action": "add-schema", "schema": schema(*fields)}


def add(version):
    return {"action": "add-view-version", "view-version": version}


def current(number=-1):
    return {"action": "set-current-view-version", "view-version-id": number}


def put(**properties):
    return {"action": "set-properties", "updates": properties}


def versions(view):
    return [version["version-id"] for version in view["versions"]]


def log(view):
    return [(entry["timestamp-ms"], entry["version-id"]) for entry in view["version-log"]]


@pytest.fixture
def change(commit_view):
    """Apply updates, and insist that the result is a view that could be registered."""

    def run(base, *updates):
        view = commit_view(base, updates)
        check_view(view)
        return view

    return run


@pytest.fixture
def with_2(make, change):
    return change(make.view(), add(make.view_version(2, ts=5 * K, sql="select 2")), current())


def test_row_107_a_new_view_starts_at_version_1_of_schema_0(make):
    version = make.view_version(3, schema=7, ts=7 * K, future=[1])
    request = {
        "name": "v",
        "schema": schema(X) | {"schema-id": 7},
        "view-version": version,
        "properties": {"a": "b"},
    }
    view = new_view(request, location="s3://b/v/", view_uuid=make.uuid, now_ms=NOW)
    check_view(view)
    assert view == {
        "view-uuid": make.uuid,
        "format-version": 1,
        "location": "s3://b/v/",
        "properties": {"a": "b"},
        "schemas": [{"type": "struct", "schema-id": 0, "fields": [X]}],
        "current-version-id": 1,
        "versions": [version | {"version-id": 1, "schema-id": 0}],
        "version-log": [{"timestamp-ms": 7 * K, "version-id": 1}],
    }


@pytest.mark.parametrize("member", ["schema", "view-version"])
def test_a_view_without_its_parts_is_refused(make, member):
    request = {"name": "v", "schema": schema(X), "view-version": make.view_version(1)}
    del request[member]
    with pytest.raises(InvalidInput, match="Cannot create view without specifying"):
        new_view(request, location="s3://b/v", view_uuid=make.uuid, now_ms=NOW)


def test_row_108_a_replacement_adds_a_schema_and_a_version(make, change):
    version = make.view_version(2, schema=-1, ts=5 * K)
    view = change(make.view(), add_schema(X, Y), add(version), current())
    assert [item["schema-id"] for item in view["schemas"]] == [0, 1]
    assert view["versions"][1] == version | {"schema-id": 1}
    assert view["current-version-id"] == 2
    assert log(view) == [(K, 1), (5 * K, 2)]


def test_row_109_an_equal_version_changes_nothing(make, commit_view):
    base = make.view()
    assert commit_view(base, [add(make.view_version(9, ts=9 * K)), current()]) is base


def test_row_110_another_summary_makes_another_version(make, change):
    view = change(make.view(), add(make.view_version(2, summary={"engine-name": "trino"})))
    assert versions(view) == [1, 2]


@pytest.mark.parametrize(("asked", "given"), [(1, 2), (9, 9)])
def test_row_111_the_clients_version_id_is_raised_above_those_in_use(make, change, asked, given):
    assert versions(change(make.view(), add(make.view_version(asked, sql="select 2")))) == [
        1,
        given,
    ]


def test_row_112_the_schema_of_a_version_must_be_there(make, change):
    with pytest.raises(ValidationFailed, match="no schema has been added"):
        change(make.view(), add(make.view_version(2, schema=-1)))
    with pytest.raises(InvalidInput, match="Cannot add version with unknown schema: 9"):
        change(make.view(), add(make.view_version(2, schema=9)))


def test_row_113_one_dialect_has_one_query(make, change):
    version = make.view_version(2)
    version["representations"].append({"type": "sql", "sql": "select 3", "dialect": "Spark"})
    with pytest.raises(InvalidInput, match="Cannot add multiple queries for dialect spark"):
        change(make.view(), add(version))


def test_row_114_losing_a_dialect_must_be_allowed(make, change):
    version = make.view_version(2, dialect="trino")
    with pytest.raises(InvalidInput, match="Cannot replace view due to loss of view dialects"):
        change(make.view(), add(version), current())
    view = change(make.view(), put(**{ALLOW: "true"}), add(version), current())
    assert view["current-version-id"] == 2


def test_row_115_going_back_is_logged_now(with_2, change):
    view = change(with_2, current(1))
    assert log(view) == [(K, 1), (5 * K, 2), (NOW, 1)]


def test_row_116_old_versions_are_dropped_with_their_history(make, change):
    base = make.view() | {"properties": {NUM: "2"}}
    view = change(
        base,
        add(make.view_version(2, sql="select 2")),
        add(make.view_version(3, ts=6 * K, sql="select 3")),
        current(3),
    )
    assert versions(view) == [2, 3]
    assert log(view) == [(6 * K, 3)]


def test_row_116b_the_current_version_is_never_dropped(make, change):
    base = change(
        make.view(),
        add(make.view_version(2, sql="select 2")),
        add(make.view_version(3, sql="select 3")),
    )
    view = change(base | {"properties": {NUM: "2"}}, put(a="b"))
    assert versions(view) == [1, 3]


def test_row_117_versions_of_this_request_are_kept(make, change):
    view = change(
        make.view() | {"properties": {NUM: "1"}},
        add(make.view_version(2, sql="select 2")),
        add(make.view_version(3, sql="select 3")),
    )
    assert versions(view) == [1, 2, 3]


def test_row_118_a_history_of_nothing_is_refused(make, change):
    with pytest.raises(InvalidInput, match=f"{NUM} must be positive but was 0"):
        change(make.view(), put(**{NUM: "0"}))


def test_row_119_one_request_logs_one_version(make, change):
    view = change(
        make.view(),
        add(make.view_version(2, sql="select 2")),
        add(make.view_version(3, ts=6 * K, sql="select 3")),
        current(2),
        current(3),
    )
    assert log(view) == [(K, 1), (6 * K, 3)]


@pytest.mark.parametrize(
    ("update", "text"),
    [
        (
            {"action": "assign-uuid", "uuid": "00000000-0000-4000-8000-000000000001"},
            "Cannot reassign uuid",
        ),
        (
            {"action": "set-current-schema", "schema-id": 0},
            "Cannot apply update SetCurrentSchema to a view",
        ),
        (
            {"action": "upgrade-format-version", "format-version": 2},
            "Unsupported format version: 2",
        ),
        (
            {"action": "upgrade-format-version", "format-version": 0},
            "Cannot downgrade v1 view to v0",
        ),
        (current(9), "Cannot set current version to unknown version: 9"),
        (current(), "Cannot set last version id: no current version id has been set"),
        ({"action": "set-location", "location": None}, "Invalid location: null"),
        (put(**{"write.metadata.compression-codec": "lzo"}), "Invalid codec name: lzo"),
    ],
)
def test_row_120_what_a_view_cannot_do_is_refused(make, change, update, text):
    with pytest.raises(InvalidInput) as raised:
        change(make.view(), update)
    assert text in raised.value.message


def test_other_representations_than_sql_are_refused(make, change):
    version = make.view_version(2, representations=[{"type": "Substrait", "plan": "x"}])
    with pytest.raises(InvalidInput, match="Found unsupported view representations"):
        change(make.view(), add(version))


def test_updates_that_name_what_is_there_change_nothing(make, commit_view):
    base = make.view()
    updates = [
        {"action": "assign-uuid", "uuid": base["view-uuid"].upper()},
        {"action": "upgrade-format-version", "format-version": 1},
        {"action": "set-location", "location": base["location"]},
        add_schema(X),
        current(1),
        put(),
    ]
    assert commit_view(base, updates) is base


def test_properties_are_merged_removed_and_left_out_when_empty(make, change):
    view = change(make.view() | {"properties": {"a": "1", "b": "2"}}, put(a="3"))
    assert view["properties"] == {"a": "3", "b": "2"}
    bare = change(view, {"action": "remove-properties", "removals": ["a", "b", "c"]})
    assert "properties" not in bare


def test_an_existing_schema_added_again_is_the_last_added(make, change):
    version = make.view_version(2, schema=-1, sql="select 2")
    view = change(make.view(), add_schema(X), add(version))
    assert view["versions"][1]["schema-id"] == 0


def test_a_location_is_kept_in_its_normal_form(make, change):
    view = change(make.view(), {"action": "set-location", "location": "s3a://b//w/"})
    assert view["location"] == "s3://b/w"


def test_unknown_members_of_a_view_survive(make, change):
    base = make.view() | {"future": {"x": [1]}}
    base["versions"][0]["future"] = 1
    view = change(base, put(a="b"))
    assert view["future"] == {"x": [1]}
    assert view["versions"] == base["versions"]


def test_the_uuid_of_a_view_can_be_required_and_nothing_else(make, commit_view):
    base = make.view()
    same = {"type": "assert-view-uuid", "uuid": base["view-uuid"].upper()}
    assert commit_view(base, [], [same]) is base
    with pytest.raises(CommitFailed, match="view UUID does not match"):
        commit_view(base, [], [same | {"uuid": make.uuid}])
    with pytest.raises(ValidationFailed, match="Cannot validate AssertTableUUID against a view"):
        commit_view(base, [], [{"type": "assert-table-uuid", "uuid": make.uuid}])


@pytest.mark.parametrize(
    ("member", "value", "text"),
    [
        ("format-version", 2, "Unsupported format version: 2"),
        ("view-uuid", "x", "Not a UUID"),
        ("location", "", "Invalid location"),
        ("current-version-id", 7, "Cannot find current version 7"),
        ("properties", None, "properties"),
        ("schemas", [schema(X) | {"schema-id": None}], "schema-id"),
        ("versions", [], "Cannot find current version 1"),
        ("schemas", [], "Cannot find schema with schema-id=0"),
        ("version-log", None, "non-array"),
        ("properties", {"a": 1}, "Cannot parse to a string value: a"),
    ],
)
def test_a_broken_view_cannot_be_registered(make, member, value, text):
    with pytest.raises(InvalidInput) as raised:
        check_view(make.view() | {member: value})
    assert text in raised.value.message
