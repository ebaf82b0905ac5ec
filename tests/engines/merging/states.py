"""A table as a plain model has it: columns and rows, and what an operation does to them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

Row = Mapping[str, Any]

FIRST, SECOND = date(2026, 11, 22), date(2026, 11, 23)


UNCHANGED = "unchanged"


@dataclass(frozen=True)
class State:
    """The rows of a table by field, and the fields' present names; a dropped field has none.

    Fields are called as the columns were at first, whatever they are called now. `facts` are what
    the metadata must say besides.
    """

    rows: tuple[Row, ...]
    names: Mapping[str, str]
    called: str | None = UNCHANGED
    """The table's name; none if it is dropped."""
    another: bool = False
    """Whether the table is no longer the one of the base."""
    facts: Mapping[str, Any] = field(default_factory=dict)

    def shown(self) -> list[dict[str, Any]]:
        """Return the rows as a reader has them."""
        return [{name: row.get(key) for key, name in self.names.items()} for row in self.rows]


@dataclass(frozen=True)
class Place:
    """Where one side works: the row that it changes, to which value, and the row that it adds."""

    side: str
    day: date
    row: int
    new: int
    value: int = 100


def row(key: int, day: date, v: int = 1, note: str | None = "base") -> Row:
    """Return a row as the base has it."""
    return {"id": key, "day": day, "v": v, "note": note}


BASE = State(
    tuple(row(key, FIRST) for key in range(1, 6)) + tuple(row(key, SECOND) for key in range(6, 9)),
    {name: name for name in ("id", "day", "v", "note")},
)
GONE = (row(9, FIRST),)
"""What was in the table's first file, and was deleted before the branches parted."""

OURS = Place("ours", FIRST, row=1, new=11)
SAME = Place("theirs", FIRST, row=2, new=21)
OTHER = Place("theirs", SECOND, row=7, new=27)

Effect = Callable[[State, Place], State]


def nothing(state: State, place: Place) -> State:
    """What rewrites files, and the like, do to rows."""
    return state


def added(state: State, place: Place) -> State:
    return _with(state, row(place.new, place.day, note=place.side))


def added_with(**values: Any) -> Effect:
    """Add a row that has other values, or more."""
    return lambda state, place: _with(
        state, {**row(place.new, place.day, note=place.side), **values}
    )


def deleted(state: State, place: Place) -> State:
    return _without(state, lambda each: each["id"] == place.row)


def updated(state: State, place: Place) -> State:
    return _with(deleted(state, place), row(place.row, place.day, place.value, place.side))


def merged(state: State, place: Place) -> State:
    return added(updated(state, place), place)


def day_deleted(state: State, place: Place) -> State:
    return _without(state, lambda each: each["day"] == place.day and each["note"] == "base")


def day_replaced(state: State, place: Place) -> State:
    return added(day_deleted(state, place), place)


def rolled_back(state: State, place: Place) -> State:
    return _with(state, *GONE)


def emptied(state: State, place: Place) -> State:
    return _without(state, lambda each: each["note"] == "base")


def all_replaced(state: State, place: Place) -> State:
    return added(emptied(state, place), place)


def _with(state: State, *rows: Row) -> State:
    return replace(state, rows=(*state.rows, *rows))


def _without(state: State, gone: Callable[[Row], bool]) -> State:
    return replace(state, rows=tuple(each for each in state.rows if not gone(each)))


def named(**names: str | None) -> Effect:
    """Give fields other names, or none; a new field comes last."""

    def effect(state: State, place: Place) -> State:
        after = {**state.names, **names}
        kept = {key: name for key, name in after.items() if name is not None}
        return replace(state, names=kept)

    return effect


def called(name: str) -> Effect:
    """Give the table another name."""
    return lambda state, place: replace(state, called=name)


def dropped(state: State, place: Place) -> State:
    """Have no table, unless it is another one already."""
    return state if state.another else replace(state, called=None)


def replaced(state: State, place: Place) -> State:
    """Have other rows in the table, and nothing of what it was."""
    return State((row(place.new, place.day, note=place.side),), BASE.names, state.called)


def recreated(state: State, place: Place) -> State:
    """Have another table in its place."""
    return replace(replaced(state, place), called=UNCHANGED, another=True)


def told(key: str, value: Any) -> Effect:
    """Have the metadata say something."""
    return lambda state, place: replace(state, facts={**state.facts, key: value})
