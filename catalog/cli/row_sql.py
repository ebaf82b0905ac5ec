"""The SQL that finds which rows of a table differ between two states of it.

Rows are compared as bags: what stands as often on both sides, in all columns, nulls equal, has not
changed. With a key, a row that only one side has and one of the same key that only the other has
are one row that changed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from catalog.cli.client import Json
from catalog.cli.row_shapes import Field, side_by_side
from catalog.cli.sql_quoting import quoted_name, quoted_text

CHANGE = "_change"
CHANGED_COLUMNS = "_changed_columns"
_TABLE = "mainstem_changed_rows"
# What a changed row is called on either side; one that was only there, or only is, has one line.
_LINES = (
    "CASE change WHEN 'changed' THEN ['before', 'after'] WHEN 'added' THEN [NULL, change]"
    " ELSE [change, NULL] END"
)


@dataclass(frozen=True, slots=True)
class Side:
    """A table at one revision: how SQL calls it, and the fields of its schema."""

    source: str
    fields: Sequence[Json]


@dataclass(frozen=True, slots=True)
class KeyPart:
    """A column of the key, by its place, and the way from there into a struct."""

    index: int
    path: tuple[str, ...] = ()

    def over(self, pattern: str) -> str:
        """Return its expression; the pattern says what its column is called."""
        return ".".join([f"({pattern.format(self.index)})", *map(quoted_name, self.path)])


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two states side by side; without a key rows only come and go."""

    sides: tuple[Side | None, Side | None]
    columns: tuple[Field, ...]
    key: tuple[KeyPart, ...]

    def prepare(self) -> str:
        """Return the statement that finds the changed rows, each with its state on both sides."""
        names = [f"c{index}" for index in range(len(self.columns))]
        listed = ", ".join(names)
        paired = self._paired(names) if self.key else _unpaired(names)
        return (
            f"CREATE OR REPLACE TEMP TABLE {_TABLE} AS WITH sides AS ({self._both(names)}),"
            f" net AS (SELECT {listed}, sum(side)::BIGINT AS n FROM sides GROUP BY ALL"
            f" HAVING sum(side) <> 0), each_row AS (SELECT {listed}, n > 0 AS later,"
            f" unnest(range(abs(n))) AS twin FROM net) {paired}"
        )

    def count(self) -> str:
        """Return the query for how many rows were added, removed and changed."""
        return f"SELECT change, count(*) FROM {_TABLE} GROUP BY change"

    def rows(self, limit: int | None = None) -> str:
        """Return the query for the changed rows, one line for each state that a row had or has."""
        states = ", ".join(
            f"unnest([b{index}, a{index}]) AS {quoted_name(each.name)}"
            for index, each in enumerate(self.columns)
        )
        shown = ", ".join(quoted_name(each.name) for each in self.columns)
        cut = "" if limit is None else f" LIMIT {limit}"
        return (
            f"SELECT {CHANGE}, {CHANGED_COLUMNS}, {shown} FROM (SELECT mainstem_place,"
            f" unnest({_LINES}) AS {CHANGE}, {self._changed_columns()} AS {CHANGED_COLUMNS},"
            f" unnest([1, 2]) AS mainstem_line, {states} FROM (SELECT *, row_number() OVER"
            f" (ORDER BY {self._order()}, change) AS mainstem_place FROM {_TABLE}"
            f" ORDER BY mainstem_place{cut})) WHERE {CHANGE} IS NOT NULL"
            f" ORDER BY mainstem_place, mainstem_line"
        )

    def _order(self) -> str:
        key = [each.over("coalesce(a{0}, b{0})") for each in self.key]
        rest = (f"coalesce(a{index}, b{index})" for index in range(len(self.columns)))
        return ", ".join([*key, *rest])

    def _both(self, names: Sequence[str]) -> str:
        return " UNION ALL ".join(
            self._side(index, side, names)
            for index, side in enumerate(self.sides)
            if side is not None
        )

    def _side(self, index: int, side: Side, names: Sequence[str]) -> str:
        columns = ", ".join(
            f"{each.expression('', index)} AS {name}"
            for each, name in zip(self.columns, names, strict=True)
        )
        return f"SELECT {columns}, {2 * index - 1} AS side FROM {side.source}"

    def _paired(self, names: Sequence[str]) -> str:
        parts = [each.over("c{0}") for each in self.key]
        key = ", ".join(parts)
        numbered = (
            f"numbered AS (SELECT *, row_number() OVER (PARTITION BY {key}, later ORDER BY"
            f" {', '.join([*names, 'twin'])}) AS number FROM each_row)"
        )
        keys = ", ".join(f"{each} AS k{index}" for index, each in enumerate(parts))
        side = f"SELECT *, {keys} FROM numbered WHERE"
        same = " AND ".join(
            f"b.k{index} IS NOT DISTINCT FROM a.k{index}" for index in range(len(parts))
        )
        states = ", ".join(f"b.{name} AS b{name[1:]}, a.{name} AS a{name[1:]}" for name in names)
        return (
            f", {numbered} SELECT CASE WHEN a.later IS NULL THEN 'removed' WHEN b.later IS NULL"
            f" THEN 'added' ELSE 'changed' END AS change, {states} FROM ({side} NOT later) b"
            f" FULL OUTER JOIN ({side} later) a ON {same} AND a.number = b.number"
        )

    def _changed_columns(self) -> str:
        names = ", ".join(
            f"CASE WHEN b{index} IS DISTINCT FROM a{index} THEN {quoted_text(each.name)} END"
            for index, each in enumerate(self.columns)
        )
        return (
            f"CASE change WHEN 'changed' THEN list_filter([{names}], lambda e: e IS NOT NULL) END"
        )


def compare(
    before: Side | None, after: Side | None, key: Sequence[str], *, by_name: bool
) -> Comparison:
    """Lay two states side by side; None is a state that is not there.

    Raises:
        KeyError: with the name of a column of the key that there is not.
    """
    fields = [[] if side is None else side.fields for side in (before, after)]
    columns = side_by_side(*fields, by_name=by_name, taken=(CHANGE, CHANGED_COLUMNS))
    return Comparison((before, after), columns, tuple(_key(columns, name) for name in key))


def _key(columns: Sequence[Field], name: str) -> KeyPart:
    """Find a column by its full name, dots leading into structs."""
    for index, column in enumerate(columns):
        called = {column.name, *(own for own in column.own if own is not None)}
        for each in sorted(called, key=len, reverse=True):
            if name == each:
                return KeyPart(index)
            if name.startswith(f"{each}."):
                return KeyPart(index, tuple(name.removeprefix(f"{each}.").split(".")))
    raise KeyError(name)


def _unpaired(names: Sequence[str]) -> str:
    states = ", ".join(
        f"CASE WHEN later THEN NULL ELSE {name} END AS b{name[1:]},"
        f" CASE WHEN later THEN {name} END AS a{name[1:]}"
        for name in names
    )
    return (
        f"SELECT CASE WHEN later THEN 'added' ELSE 'removed' END AS change, {states} FROM each_row"
    )
