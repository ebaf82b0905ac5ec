"""Filters judged against pyiceberg's own planning, and against the rows themselves."""

import datetime as dt
import json
import warnings
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.expressions import (
    AlwaysTrue,
    And,
    EqualTo,
    GreaterThan,
    GreaterThanOrEqual,
    In,
    IsNaN,
    IsNull,
    LessThan,
    LessThanOrEqual,
    Not,
    NotEqualTo,
    NotIn,
    NotNaN,
    NotNull,
    NotStartsWith,
    Or,
    StartsWith,
)
from pyiceberg.expressions.visitors import expression_evaluator, rewrite_not
from pyiceberg.transforms import BucketTransform, DayTransform, IdentityTransform, TruncateTransform
from pyiceberg.typedef import Record

from catalog.errors import InvalidInput
from catalog.iceberg.scans.planning import Task, read_page, scan_manifests
from catalog.iceberg.scans.predicates import parse_predicate
from catalog.iceberg.scans.requests import open_scan, pinned
from catalog.iceberg.scans.schemas import to_schema

COLUMNS = pa.schema(
    [
        ("id", pa.int64()),
        ("site", pa.string()),
        ("scanned", pa.timestamp("us")),
        ("day", pa.date32()),
        ("score", pa.float64()),
        ("price", pa.decimal128(9, 2)),
        ("slide", pa.struct([("stain", pa.string())])),
    ]
)
SITES = ["berlin", "bern", "oslo", "", None]
EPOCH = dt.datetime.fromisoformat("1970-01-01")
START = dt.datetime.fromisoformat("2026-01-01")
NONE = {"stain": None}


def rows(seed, size):
    """Rows with nulls and NaN, the same for the same seed."""
    found = []
    for number in range(size):
        k = seed * 7 + number * 3
        moment = START + dt.timedelta(days=k % 4, hours=k % 24)
        found.append(
            {
                "id": k % 11 - 3,
                "site": SITES[k % len(SITES)],
                "scanned": None if k % 9 == 8 else moment,
                "day": moment.date(),
                "score": [0.5, -1.0, float("nan"), None, 3.25][k % 5],
                "price": None if k % 6 == 5 else Decimal(k % 7) / 4,
                "slide": None if k % 8 == 7 else {"stain": ["he", "ihc", None][k % 3]},
            }
        )
    return found


LAYOUTS = {
    "unpartitioned": [],
    "identity": [("site", IdentityTransform(), "site")],
    "bucket": [("id", BucketTransform(3), "id_bucket")],
    "day": [("scanned", DayTransform(), "scanned_day")],
    "truncate": [("site", TruncateTransform(2), "site_start"), ("id", TruncateTransform(4), "ids")],
    "two": [("day", IdentityTransform(), "day"), ("price", IdentityTransform(), "price")],
}


class Tables:
    """Tables by layout; a class of its own, lest Hypothesis writes their metadata out."""

    def __init__(self, made):
        self.made = made

    def __getitem__(self, layout):
        return self.made[layout]


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """A table of each layout: three appends, a delete that rewrites, an evolved spec."""
    folder = tmp_path_factory.mktemp("tables")
    catalog = SqlCatalog("t", uri=f"sqlite:///{folder}/t.db", warehouse=f"file://{folder}")
    catalog.create_namespace("ns")
    made = {}
    for name, fields in LAYOUTS.items():
        table = catalog.create_table(f"ns.{name}", COLUMNS)
        table.append(pa.Table.from_pylist(rows(0, 4), COLUMNS))
        with table.update_spec() as update:
            for field in fields:
                update.add_field(*field)
        table.append(pa.Table.from_pylist(rows(1, 9), COLUMNS))
        table.append(pa.Table.from_pylist(rows(2, 9), COLUMNS))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            table.delete(EqualTo("id", 2))
        made[name] = (table, json.loads(read(table.metadata_location)))
    yield Tables(made)
    catalog.engine.dispose()


def read(location):
    return Path(location.removeprefix("file://")).read_bytes()


def plan(metadata, **request):
    scan = open_scan(pinned(request, metadata), metadata)
    manifests = scan_manifests(scan, read)
    if not manifests.data:
        return []
    page = read_page(scan, manifests, Task(0, 0, len(manifests.data)), read)
    assert page.rest is None
    return page.scan_tasks["file-scan-tasks"]


def paths(tasks):
    return sorted(task["data-file"]["file-path"] for task in tasks)


IDS = st.integers(-5, 10)
TEXTS = st.sampled_from(["berlin", "be", "bern", "oslo", "z", ""])
MOMENTS = st.integers(0, 110).map(lambda hour: START + dt.timedelta(hours=hour))
VALUES = {
    "id": IDS,
    "site": TEXTS,
    "scanned": MOMENTS,
    "day": MOMENTS.map(lambda moment: moment.date()),
    "score": st.sampled_from([-2.0, -1.0, 0.5, 1.0, 3.25, 9.0]),
    "price": st.integers(0, 9).map(lambda quarter: Decimal(quarter * 25).scaleb(-2)),
    "slide.stain": st.sampled_from(["he", "ihc", "x"]),
}
COMPARISONS = [EqualTo, NotEqualTo, LessThan, LessThanOrEqual, GreaterThan, GreaterThanOrEqual]


@st.composite
def leaves(draw):
    column = draw(st.sampled_from(list(VALUES)))
    kind = draw(st.sampled_from(["compare", "compare", "set", "null", "nan", "prefix"]))
    if kind == "prefix" and column in ("site", "slide.stain"):
        return draw(st.sampled_from([StartsWith, NotStartsWith]))(column, draw(VALUES[column]))
    if kind == "nan" and column == "score":
        return draw(st.sampled_from([IsNaN, NotNaN]))(column)
    if kind == "null":
        return draw(st.sampled_from([IsNull, NotNull]))(column)
    if kind == "set":
        values = draw(st.sets(VALUES[column], min_size=1, max_size=4))
        return draw(st.sampled_from([In, NotIn]))(column, values)
    return draw(st.sampled_from(COMPARISONS))(column, draw(VALUES[column]))


EXPRESSIONS = st.recursive(
    leaves(),
    lambda inner: st.one_of(
        st.builds(And, inner, inner), st.builds(Or, inner, inner), st.builds(Not, inner)
    ),
    max_leaves=6,
)


def sent(expression):
    """Return an expression as pyiceberg's REST client sends it."""
    return json.loads(expression.model_dump_json(by_alias=True))


def internal(value):
    """Return a value as Iceberg's expressions see it."""
    match value:
        case dt.datetime():
            return (value - EPOCH) // dt.timedelta(microseconds=1)
        case dt.date():
            return (value - EPOCH.date()).days
        case dict():
            return Record(*(internal(each) for each in value.values()))
        case _:
            return value


def rows_of(path):
    return [
        # An expression looks into a struct, whether there is one or not.
        Record(
            *(internal(row[name]) for name in COLUMNS.names[:-1]), internal(row["slide"] or NONE)
        )
        for row in pq.read_table(path.removeprefix("file://")).to_pylist()
    ]


BOUNDED = settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.mark.parametrize("layout", LAYOUTS)
@BOUNDED
@given(expression=EXPRESSIONS)
def test_plans_the_files_that_pyiceberg_plans(tables, layout, expression):
    table, metadata = tables[layout]
    planner = table.scan(row_filter=expression)._manifest_planner
    snapshot = table.current_snapshot()
    theirs = sorted(
        entry.data_file.file_path
        for entries in planner.plan_manifest_entries(snapshot.manifests(table.io))
        for entry in entries
    )
    assert paths(plan(metadata, filter=sent(expression))) == theirs


@pytest.mark.parametrize("layout", LAYOUTS)
@BOUNDED
@given(expression=EXPRESSIONS)
def test_no_matching_row_is_left_out_and_residuals_decide_alike(tables, layout, expression):
    table, metadata = tables[layout]
    tasks = {
        task["data-file"]["file-path"]: task for task in plan(metadata, filter=sent(expression))
    }
    schema = table.schema()
    matches = expression_evaluator(schema, rewrite_not(expression), True)
    for path in paths(plan(metadata)):
        rows = rows_of(path)
        wanted = [matches(row) for row in rows]
        if path not in tasks:
            assert not any(wanted)
            continue
        residual = tasks[path]["residual-filter"]
        left = parse_predicate(residual, schema, case_sensitive=True).judged
        assert [expression_evaluator(schema, left, True)(row) for row in rows] == wanted


SCHEMA = to_schema(
    {
        "type": "struct",
        "schema-id": 0,
        "fields": [
            {"id": 1, "name": "id", "required": True, "type": "int"},
            {"id": 2, "name": "Name", "required": False, "type": "string"},
            {"id": 3, "name": "key", "required": False, "type": "uuid"},
            {"id": 4, "name": "shape", "required": False, "type": "variant"},
            {"id": 5, "name": "tags", "required": False, "type": {
                "type": "list", "element-id": 6, "element": "string", "element-required": False
            }},
            {"id": 7, "name": "area", "required": False, "type": "geometry(OGC:CRS84)"},
        ],
    }
)  # fmt: skip


BUCKET = {"type": "transform", "transform": "bucket[4]", "term": "id"}


def parse(given, *, case_sensitive=True):
    return parse_predicate(given, SCHEMA, case_sensitive=case_sensitive)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (
            {"type": "eq", "term": "id", "value": 1},
            {
                "type": "eq",
                "left": {"type": "reference", "name": "id"},
                "right": {"type": "literal", "value": 1, "data-type": "int"},
            },
        ),
        (
            {"type": "is-null", "term": "Name"},
            {"type": "is-null", "child": {"type": "reference", "id": 2}},
        ),
        (
            {"type": "in", "term": "id", "values": [1, 2]},
            {
                "type": "in",
                "child": {"type": "reference", "name": "id"},
                "values": {"type": "literals", "values": [1, 2], "data-type": "int"},
            },
        ),
        (True, {"type": "true"}),
        (False, {"type": "not", "child": True}),
        (
            {"type": "gt-eq", "term": "id", "value": 1},
            {"type": "not", "child": {"type": "lt", "term": "id", "value": 1}},
        ),
        (
            {
                "type": "or",
                "left": {"type": "not-eq", "term": "id", "value": 1},
                "right": {"type": "not-null", "term": "Name"},
            },
            {
                "type": "not",
                "child": {
                    "type": "and",
                    "left": {"type": "eq", "term": "id", "value": 1},
                    "right": {"type": "is-null", "term": "Name"},
                },
            },
        ),
    ],
)
def test_both_forms_of_the_document_mean_the_same(old, new):
    assert parse(old).judged == parse(new).judged
    assert parse(new).exact


def test_names_match_without_case_if_asked():
    given = {"type": "eq", "term": "NAME", "value": "x"}
    with pytest.raises(InvalidInput, match="Cannot find field"):
        parse(given)
    assert parse(given, case_sensitive=False).judged == EqualTo("Name", "x")


@pytest.mark.parametrize(
    "leaf",
    [
        {"type": "eq", "term": BUCKET, "value": 1},
        {"type": "eq", "term": "key", "value": "eb26bdb1-a1d8-4aa6-990e-da940875492c"},
        {"type": "eq", "term": "shape", "value": "x"},
        {"type": "eq", "term": "area", "value": "POINT (1 2)"},
        {"type": "is-null", "term": "tags.element"},
        {"type": "lt", "left": "id", "right": {"type": "reference", "name": "id"}},
        {"type": "lt", "left": {"type": "literal", "value": 1}, "right": 2},
    ],
)  # fmt: skip
@pytest.mark.parametrize("negated", [False, True])
def test_what_cannot_be_judged_excludes_nothing(leaf, negated):
    given = {"type": "not", "child": leaf} if negated else leaf
    found = parse({"type": "and", "left": given, "right": {"type": "gt", "term": "id", "value": 3}})
    assert found.judged == GreaterThan("id", 3)
    assert not found.exact
    assert parse({"type": "or", "left": given, "right": False}).judged == AlwaysTrue()


@pytest.mark.parametrize(
    "given",
    [
        {},
        [],
        "id = 3",
        {"type": "like", "term": "id", "value": 1},
        {"type": "eq", "term": "nope", "value": 1},
        {"type": "eq", "term": "id"},
        {"type": "eq", "term": "id", "value": None},
        {"type": "eq", "term": "id", "value": [1]},
        {"type": "eq", "term": "id", "value": "one"},
        {"type": "eq", "term": 7, "value": 1},
        {"type": "in", "term": "id", "values": 1},
        {"type": "in", "term": "id", "values": ["x"]},
        {"type": "starts-with", "term": "id", "value": "x"},
        {"type": "and", "left": True},
        {"type": "not"},
    ],
)
def test_nonsense_is_refused(given):
    with pytest.raises(InvalidInput):
        parse(given)


def test_long_chains_and_deep_nesting():
    chain = {"type": "eq", "term": "id", "value": 0}
    for number in range(5000):
        right = {"type": "eq", "term": "id", "value": number}
        chain = {"type": "or", "left": chain, "right": right}
    assert parse(chain).exact
    deep = True
    for number in range(200):
        deep = {"type": "or" if number % 2 else "and", "left": deep, "right": True}
    with pytest.raises(InvalidInput, match="nested"):
        parse(deep)


@pytest.mark.parametrize("value", [2**40, -(2**40)])
def test_values_that_no_column_can_hold(value):
    assert parse({"type": "in", "term": "id", "values": [value, 3]}).judged == EqualTo("id", 3)
    assert parse({"type": "not-in", "term": "id", "values": [value, 3]}).judged == NotEqualTo(
        "id", 3
    )


def test_bounds_and_counts_come_for_the_fields_asked_for(tables):
    _, metadata = tables["unpartitioned"]
    bare = plan(metadata)[0]["data-file"]
    assert "lower-bounds" not in bare
    assert "value-counts" not in bare
    task = plan(metadata, **{"stats-fields": ["id", "scanned", "price"]})[0]["data-file"]
    keys = task["lower-bounds"]["keys"]
    assert keys == task["value-counts"]["keys"] == [1, 3, 6]
    values = dict(zip(keys, task["lower-bounds"]["values"], strict=True))
    assert isinstance(values[1], int)
    assert values[3].startswith("2026-01-0")
    assert len(values[3]) == len("2026-01-01T00:00:00.000000")
    assert values[6].count(".") == 1


def test_partition_values_are_written_by_type(tables):
    _, metadata = tables["day"]
    found = {
        tuple(task["data-file"]["partition"])
        for task in plan(metadata)
        if task["data-file"]["spec-id"] > 0
    }
    assert ("2026-01-02",) in found
    assert (None,) in found


def test_snapshot_schema_is_used_if_asked(tables):
    _, metadata = tables["unpartitioned"]
    renamed = json.loads(json.dumps(metadata))
    schema = json.loads(json.dumps(renamed["schemas"][0]))
    schema["schema-id"] = 9
    schema["fields"][0]["name"] = "renamed"
    renamed["schemas"].append(schema)
    renamed["current-schema-id"] = 9
    old = {"type": "gt", "term": "id", "value": 100}
    new = {"type": "gt", "term": "renamed", "value": 100}
    assert plan(renamed, filter=new) == []
    assert plan(renamed, filter=old, **{"use-snapshot-schema": True}) == []
    with pytest.raises(InvalidInput):
        plan(renamed, filter=old)
