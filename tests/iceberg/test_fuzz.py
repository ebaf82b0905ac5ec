"""Whatever a client sends ends in a result or in an error of ours, never in a crash."""

import copy

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.errors import CatalogError
from catalog.iceberg.creation import new_table
from catalog.iceberg.facts import table_facts, view_facts
from catalog.iceberg.files import decode_metadata, encode_metadata, next_metadata_location
from catalog.iceberg.parsing import parse_requirements, parse_updates
from catalog.iceberg.requirements import check_requirements
from catalog.iceberg.updates import update_table
from catalog.iceberg.validation import check_table, table_for_snapshots
from catalog.iceberg.views import check_view, check_view_requirements, new_view, update_view

NOW = 1_000_000
UUID = "9c12d441-03fe-4693-9a96-a0705ddf69c1"

FUZZ = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

EDGES = st.sampled_from(
    [
        *(None, True, False, 0, 1, -1, 2, 11, 999, 1000, 0.0, 1.5, -0.0, float("nan"), 1e308),
        *(2**31 - 1, 2**31, -(2**31), 2**63 - 1, 2**63, 2**64, -(2**63), 10**400),
        *("", "0", "main", "branch", "tag", "struct", "list", "map", "int", "variant", "void"),
        *("bucket[0]", "bucket[99999999999]", "decimal(9,99)", "fixed[9999999999]", "\ud800"),
        *("geometry()", "geography(a, b)", "decimal(" + "9" * 5000 + ",2)", "zstd", "gzip", "true"),
        *("2020-01-01T00:00:00", "9999-99-99", "\0", "x" * 1000, "3", "asc", "nulls-first"),
        *([], {}, [[]], [{}], [None], {"": None}, {"type": "struct", "fields": []}),
        {"type": "list", "element-id": 1, "element": "int", "element-required": True},
        {"type": "map", "key-id": 1, "key": "int", "value-id": 2, "value": "int"},
        {1: 2},
        (1, 2),
        b"bytes",
    ]
)
JSON = st.recursive(
    EDGES | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)


def paths(node, at=()):
    yield at
    if isinstance(node, dict | list):
        for name, child in node.items() if isinstance(node, dict) else enumerate(node):
            yield from paths(child, (*at, name))


def replaced(node, path, value):
    """Return a copy with one node replaced, or left out where the value is Ellipsis."""
    if not path:
        return value
    result = copy.copy(node)
    if len(path) == 1 and value is ...:
        del result[path[0]]
    else:
        result[path[0]] = replaced(node[path[0]], path[1:], value)
    return result


@st.composite
def spoiled(draw, samples):
    """Draw one of the samples with up to three of its nodes replaced, left out or added."""
    sample = draw(st.sampled_from(samples))
    for _ in range(draw(st.integers(0, 3))):
        if not isinstance(sample, dict | list):
            break
        path = draw(st.sampled_from([path for path in paths(sample) if path] or [()]))
        sample = replaced(sample, path, draw(st.just(...) | EDGES | JSON))
    return sample


FIELDS = [
    {"id": 1, "name": "id", "required": True, "type": "long"},
    {"id": 2, "name": "d", "required": False, "type": "decimal(9, 2)", "write-default": "1.50"},
    {
        "id": 4,
        "name": "m",
        "required": False,
        "type": {
            "type": "map",
            "key-id": 5,
            "key": "string",
            "value-id": 6,
            "value": {
                "type": "list",
                "element-id": 7,
                "element": {
                    "type": "struct",
                    "fields": [
                        {"id": 8, "name": "x", "required": False, "type": "timestamptz"},
                        {"id": 9, "name": "y", "required": False, "type": "fixed[4]"},
                    ],
                },
                "element-required": False,
            },
            "value-required": False,
        },
    },
]
SCHEMA = {"type": "struct", "schema-id": 0, "identifier-field-ids": [1], "fields": FIELDS}
SPEC = {
    "spec-id": 0,
    "fields": [{"name": "b", "transform": "bucket[16]", "source-id": 1, "field-id": 1000}],
}
BY = {"transform": "identity", "source-id": 1, "direction": "asc", "null-order": "nulls-first"}
ORDER = {"order-id": 1, "fields": [BY]}
SNAPSHOT = {
    "snapshot-id": 21,
    "sequence-number": 9,
    "timestamp-ms": 500_000,
    "summary": {"operation": "append", "total-records": "1"},
    "manifest-list": "s3://b/t/m.avro",
    "schema-id": 0,
    "first-row-id": 10,
    "added-rows": 5,
}
STATISTICS = {
    "snapshot-id": 11,
    "statistics-path": "s3://b/t/st",
    "file-size-in-bytes": 5,
    "file-footer-size-in-bytes": 3,
    "blob-metadata": [
        {
            "type": "t",
            "snapshot-id": 11,
            "sequence-number": 1,
            "fields": [1],
            "properties": {"a": "b"},
        }
    ],
}
VERSION = {
    "version-id": 2,
    "timestamp-ms": 5000,
    "schema-id": 0,
    "summary": {"a": "b"},
    "default-catalog": "c",
    "default-namespace": ["n"],
    "representations": [{"type": "sql", "sql": "select 2", "dialect": "spark"}],
}
UPDATES = [
    {"action": "assign-uuid", "uuid": UUID},
    {"action": "upgrade-format-version", "format-version": 3},
    {"action": "add-schema", "schema": SCHEMA},
    {"action": "set-current-schema", "schema-id": -1},
    {"action": "add-spec", "spec": SPEC},
    {"action": "set-default-spec", "spec-id": -1},
    {"action": "add-sort-order", "sort-order": ORDER},
    {"action": "set-default-sort-order", "sort-order-id": -1},
    {"action": "set-location", "location": "s3://b/u"},
    {"action": "set-properties", "updates": {"a": "b"}},
    {"action": "add-snapshot", "snapshot": SNAPSHOT},
    {
        "action": "set-snapshot-ref",
        "ref-name": "main",
        "type": "branch",
        "snapshot-id": 21,
        "min-snapshots-to-keep": 1,
        "max-snapshot-age-ms": 1,
        "max-ref-age-ms": 1,
    },
    {"action": "remove-snapshots", "snapshot-ids": [11]},
    {"action": "remove-snapshot-ref", "ref-name": "main"},
    {"action": "remove-properties", "removals": ["a"]},
    {"action": "set-statistics", "statistics": STATISTICS},
    {"action": "remove-statistics", "snapshot-id": 11},
    {"action": "set-partition-statistics", "partition-statistics": STATISTICS},
    {"action": "remove-partition-statistics", "snapshot-id": 11},
    {"action": "remove-partition-specs", "spec-ids": [0]},
    {"action": "remove-schemas", "schema-ids": [0]},
    {
        "action": "add-encryption-key",
        "encryption-key": {"key-id": "k", "encrypted-key-metadata": "QQ=="},
    },
    {"action": "remove-encryption-key", "key-id": "k"},
    {"action": "add-view-version", "view-version": VERSION},
    {"action": "set-current-view-version", "view-version-id": -1},
]
FOR_VIEWS = [
    update
    for update in UPDATES
    if "view" in update["action"]
    or update["action"]
    in ("add-schema", "set-location", "set-properties", "remove-properties", "assign-uuid")
]
REQUIREMENTS = [
    {"type": "assert-create"},
    {"type": "assert-table-uuid", "uuid": UUID},
    {"type": "assert-view-uuid", "uuid": UUID},
    {"type": "assert-ref-snapshot-id", "ref": "main", "snapshot-id": 11},
    {"type": "assert-last-assigned-field-id", "last-assigned-field-id": 3},
    {"type": "assert-current-schema-id", "current-schema-id": 0},
    {"type": "assert-last-assigned-partition-id", "last-assigned-partition-id": 999},
    {"type": "assert-default-spec-id", "default-spec-id": 0},
    {"type": "assert-default-sort-order-id", "default-sort-order-id": 0},
]
CREATION = {
    "name": "t",
    "schema": SCHEMA,
    "partition-spec": SPEC,
    "write-order": ORDER,
    "properties": {"format-version": "3", "write.metadata.metrics.column.id": "full"},
}
VIEW_CREATION = {"name": "v", "schema": SCHEMA, "view-version": VERSION, "properties": {"a": "b"}}


def stored(metadata):
    """Insist that metadata can be written, read and served."""
    location = next_metadata_location(metadata, previous=None, file_uuid=UUID)
    assert decode_metadata(encode_metadata(metadata, location), location) == metadata


@FUZZ
@given(st.lists(spoiled(UPDATES) | JSON, max_size=4) | JSON, st.sampled_from(["T1", "T2b", "T3a"]))
def test_any_updates_leave_a_valid_table_or_an_error(make, updates, name):
    base = make.table(name)
    before = copy.deepcopy(base)
    try:
        table = update_table(base, parse_updates(updates), base_location=make.files[0], now_ms=NOW)
    except CatalogError:
        table = base
    assert base == before
    check_table(table)
    stored(table)


@FUZZ
@given(st.lists(spoiled(UPDATES), max_size=5).map(lambda more: [*UPDATES[:10], *more]))
def test_any_creation_by_updates_makes_a_valid_table_or_an_error(updates):
    try:
        table = update_table(None, parse_updates(updates), base_location=None, now_ms=NOW)
    except CatalogError:
        return
    check_table(table)
    stored(table)


@FUZZ
@given(spoiled(UPDATES[:10]), st.integers(0, 9))
def test_one_spoiled_update_of_a_creation_makes_a_valid_table_or_an_error(update, position):
    updates = [*UPDATES[:position], update, *UPDATES[position + 1 : 10]]
    try:
        table = update_table(None, parse_updates(updates), base_location=None, now_ms=NOW)
    except CatalogError:
        return
    check_table(table)
    stored(table)


@FUZZ
@given(st.lists(spoiled(REQUIREMENTS) | JSON, max_size=3) | JSON)
def test_any_requirements_hold_or_are_refused(make, requirements):
    for check, subject in (
        (check_requirements, make.table("T2b")),
        (check_requirements, None),
        (check_view_requirements, make.view()),
    ):
        try:
            check(parse_requirements(requirements), subject)
        except CatalogError:
            continue


@FUZZ
@given(spoiled([CREATION]) | JSON)
def test_any_creation_makes_a_valid_table_or_an_error(request):
    try:
        table = new_table(request, location="s3://b/t", table_uuid=UUID, now_ms=NOW)
    except CatalogError:
        return
    check_table(table)
    stored(table)


@FUZZ
@given(data=st.data())
def test_any_registered_table_is_refused_or_can_be_committed_to(make, data):
    names = ("T1", "T2b", "T2p", "T3a")
    metadata = data.draw(spoiled([make.table(name) for name in names]) | JSON)
    try:
        check_table(metadata)
    except CatalogError:
        return
    table_facts(metadata)
    table_for_snapshots(metadata, "refs")
    for update in UPDATES:
        try:
            table = update_table(
                metadata, parse_updates([update]), base_location=make.files[0], now_ms=NOW
            )
        except CatalogError:
            continue
        check_table(table)
        stored(table)


@FUZZ
@given(data=st.data())
def test_any_registered_view_is_refused_or_can_be_committed_to(make, data):
    metadata = data.draw(spoiled([make.view()]) | JSON)
    try:
        check_view(metadata)
    except CatalogError:
        return
    view_facts(metadata)
    for update in FOR_VIEWS:
        try:
            view = update_view(metadata, parse_updates([update]), now_ms=NOW)
        except CatalogError:
            continue
        check_view(view)
        stored(view)


@FUZZ
@given(st.lists(spoiled(FOR_VIEWS) | JSON, max_size=4))
def test_any_updates_leave_a_valid_view_or_an_error(make, updates):
    try:
        view = update_view(make.view(), parse_updates(updates), now_ms=NOW)
    except CatalogError:
        return
    check_view(view)
    stored(view)


@FUZZ
@given(spoiled([VIEW_CREATION]) | JSON)
def test_any_view_creation_makes_a_valid_view_or_an_error(request):
    try:
        view = new_view(request, location="s3://b/v", view_uuid=UUID, now_ms=NOW)
    except CatalogError:
        return
    check_view(view)
    stored(view)


def nested_json(levels):
    value = []
    for _ in range(levels):
        value = [value]
    return value


def nested_type(levels):
    kind = "int"
    for number in range(levels):
        kind = {
            "type": "struct",
            "fields": [{"id": number + 1, "name": "x", "required": False, "type": kind}],
        }
    return kind


@pytest.mark.parametrize("levels", [201, 5_000, 100_000])
def test_deep_nesting_is_refused_wherever_it_stands(make, levels):
    deep = nested_json(levels)
    for call in (
        lambda: parse_updates(deep),
        lambda: parse_updates([UPDATES[0] | {"future": deep}]),
        lambda: parse_requirements([REQUIREMENTS[1] | {"future": deep}]),
        lambda: new_table(CREATION | {"x": deep}, location="s3://b", table_uuid=UUID, now_ms=1),
        lambda: new_view(deep, location="s3://b", view_uuid=UUID, now_ms=1),
        lambda: check_table(make.table("T2", future=deep)),
        lambda: check_view(make.view() | {"future": deep}),
    ):
        with pytest.raises(CatalogError, match="nested deeper than 200"):
            call()


def test_a_schema_as_deep_as_allowed_is_stored():
    request = {"name": "t", "schema": nested_type(60)}
    table = new_table(request, location="s3://b/t", table_uuid=UUID, now_ms=NOW)
    assert table["last-column-id"] == 60
    stored(table)
    check_table(orjson.loads(orjson.dumps(table)))
