"""Changed rows by SQL, held against bags counted in Python."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.cli.row_sql import Side, compare

Row = tuple[Any, ...]
FIELDS = [
    {"id": 1, "name": "id", "type": "long", "required": False},
    {"id": 2, "name": "grade", "type": "string", "required": False},
    {"id": 3, "name": "size", "type": "double", "required": False},
]


@pytest.fixture(scope="module")
def duck() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


def fill(duck: duckdb.DuckDBPyConnection, table: str, types: str, rows: Sequence[Row]) -> None:
    duck.execute(f"CREATE OR REPLACE TEMP TABLE {table} ({types})")
    if rows:
        duck.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(rows[0]))})", rows)


def changed(
    duck: duckdb.DuckDBPyConnection,
    before: Sequence[Any] | None,
    after: Sequence[Any] | None,
    *key: str,
    limit: int | None = None,
    by_name: bool = False,
) -> list[Row]:
    sides = (
        None if fields is None else Side(name, fields)
        for name, fields in (("old", before), ("new", after))
    )
    comparison = compare(*sides, key, by_name=by_name)
    duck.execute(comparison.prepare())
    return duck.execute(comparison.rows(limit)).fetchall()


ROWS = st.lists(
    st.tuples(
        st.sampled_from([1, 2, None]),
        st.sampled_from(["a", "b", None]),
        st.sampled_from([0.5, float("nan"), None]),
    ),
    max_size=6,
)
TYPES = "id BIGINT, grade VARCHAR, size DOUBLE"


def comparable(row: Row) -> Row:
    """Make NaN equal to itself."""
    return tuple("NaN" if value != value else value for value in row)


def bag(rows: Sequence[Row]) -> Counter[Row]:
    return Counter(map(comparable, rows))


@given(before=ROWS, after=ROWS)
@settings(max_examples=60, deadline=None)
def test_without_a_key_rows_come_and_go_as_in_a_bag(duck, before, after) -> None:
    fill(duck, "old", TYPES, before)
    fill(duck, "new", TYPES, after)
    found = changed(duck, FIELDS, FIELDS)
    assert all(columns is None for _, columns, *_ in found)
    told = {
        change: bag([tuple(row) for each, _, *row in found if each == change])
        for change in ("added", "removed")
    }
    assert told == {"added": bag(after) - bag(before), "removed": bag(before) - bag(after)}


@given(before=ROWS, after=ROWS)
@settings(max_examples=60, deadline=None)
def test_with_a_key_what_went_and_came_under_it_has_changed(duck, before, after) -> None:
    fill(duck, "old", TYPES, before)
    fill(duck, "new", TYPES, after)
    found = [
        (change, columns, comparable(row))
        for change, columns, *row in changed(duck, FIELDS, FIELDS, "id")
    ]
    gone, come = bag(before) - bag(after), bag(after) - bag(before)
    assert Counter(row for change, _, row in found if change in ("removed", "before")) == gone
    assert Counter(row for change, _, row in found if change in ("added", "after")) == come
    for key in (1, 2, None):
        old, new = (sum(n for row, n in each.items() if row[0] == key) for each in (gone, come))
        counted = Counter(change for change, _, row in found if row[0] == key)
        assert counted["before"] == counted["after"] == min(old, new)
        assert counted["removed"] == old - min(old, new)
        assert counted["added"] == new - min(old, new)
    for one, other in pairwise(found):
        if one[0] == "before":
            assert other[0] == "after"
            differing = [
                field["name"]
                for field, old, new in zip(FIELDS, one[2], other[2], strict=True)
                if old != new
            ]
            assert one[1] == other[1] == differing


def test_columns_are_matched_by_field_id_and_those_of_one_side_are_null_on_the_other(duck) -> None:
    fill(duck, "old", "id INTEGER, grade VARCHAR, gone VARCHAR", [(1, "a", None), (2, "b", "x")])
    fill(
        duck, "new", "diagnosis VARCHAR, id BIGINT, stain VARCHAR", [("a", 1, None), ("b", 2, "h")]
    )
    old = [FIELDS[0] | {"type": "int"}, FIELDS[1], {"id": 4, "name": "gone", "type": "string"}]
    new = [
        FIELDS[1] | {"name": "diagnosis"},
        FIELDS[0],
        {"id": 5, "name": "stain", "type": "string"},
    ]
    assert changed(duck, old, new, "id") == [
        ("before", ["stain", "gone"], "b", 2, None, "x"),
        ("after", ["stain", "gone"], "b", 2, "h", None),
    ]
    assert changed(duck, old, new, "grade")[0][0] == "before"


def test_a_name_that_stands_for_another_column_now_has_two(duck) -> None:
    fill(duck, "old", "id BIGINT, v VARCHAR", [(1, "a")])
    fill(duck, "new", "id BIGINT, V BIGINT", [(1, 7)])
    old = [FIELDS[0], {"id": 2, "name": "v", "type": "string"}]
    new = [FIELDS[0], {"id": 3, "name": "V", "type": "long"}]
    found = changed(duck, old, new)
    assert [each[0] for each in duck.description] == [
        "_change",
        "_changed_columns",
        "id",
        "V",
        "v_2",
    ]
    assert found == [("added", None, 1, 7, None), ("removed", None, 1, None, "a")]


def nested(*fields: dict[str, Any]) -> list[dict[str, Any]]:
    struct = {"type": "struct", "fields": list(fields)}
    return [
        FIELDS[0],
        {"id": 2, "name": "box", "type": struct},
        {"id": 3, "name": "boxes", "type": {"type": "list", "element-id": 4, "element": struct}},
        {
            "id": 5,
            "name": "by",
            "type": {
                "type": "map", "key-id": 6, "key": "string", "value-id": 7, "value": struct,
            },
        },
    ]  # fmt: skip


def test_columns_within_structs_lists_and_maps_are_matched_too(duck) -> None:
    left = {"id": 10, "name": "left", "type": "int"}
    right = {"id": 11, "name": "right", "type": "int"}
    form = "STRUCT({})"
    types = "id BIGINT, box {0}, boxes {0}[], by_ MAP(VARCHAR, {0})".replace("by_", '"by"')
    value = {"left": 1}
    fill(
        duck, "old", types.format(form.format('"left" INTEGER')),
        [(1, value, [value, None], {"k": value}), (2, None, None, None)],
    )  # fmt: skip
    value = {"right": None, "l": 1}
    fill(
        duck, "new", types.format(form.format('"right" INTEGER, l BIGINT')),
        [(1, value, [value, None], {"k": value}), (2, None, [], None)],
    )  # fmt: skip
    after = nested(right, left | {"name": "l", "type": "long"})
    found = changed(duck, nested(left), after, "id")
    assert found == [
        ("before", ["boxes"], 2, None, None, None),
        ("after", ["boxes"], 2, None, [], None),
    ]
    fill(duck, "old", types.format(form.format('"left" INTEGER')), [(1, {"left": 2}, None, None)])
    assert [each[0] for each in changed(duck, nested(left), after, "box.l")] == [
        "added",
        "removed",
        "added",
    ]


def test_a_side_that_is_not_there_has_no_rows(duck) -> None:
    fill(duck, "new", TYPES, [(1, "a", 0.5), (1, "a", 0.5)])
    assert changed(duck, None, FIELDS, "id") == [("added", None, 1, "a", 0.5)] * 2
    fill(duck, "old", TYPES, [(1, "a", 0.5)])
    assert changed(duck, FIELDS, None) == [("removed", None, 1, "a", 0.5)]


def test_a_limit_counts_rows_and_not_their_states(duck) -> None:
    fill(duck, "old", TYPES, [(1, "a", None), (2, "a", None)])
    fill(duck, "new", TYPES, [(1, "b", None), (2, "b", None)])
    assert [each[:3] for each in changed(duck, FIELDS, FIELDS, "id", limit=1)] == [
        ("before", ["grade"], 1),
        ("after", ["grade"], 1),
    ]


def test_tables_made_anew_are_matched_by_name(duck) -> None:
    fill(duck, "old", "id BIGINT, grade VARCHAR", [(1, "a")])
    fill(duck, "new", "grade VARCHAR, id BIGINT", [("a", 1)])
    again = [FIELDS[1] | {"id": 1}, FIELDS[0] | {"id": 2}]
    assert changed(duck, FIELDS[:2], again, by_name=True) == []


def test_a_key_that_is_no_column_is_refused() -> None:
    with pytest.raises(KeyError, match="nothing"):
        compare(Side("old", FIELDS), None, ["nothing"], by_name=False)
