"""The columns of two states of a table laid side by side, and how SQL brings each into that form.

Columns are matched by field id at every depth, so a renamed one is the same; one that only one
state has is null in the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from catalog.cli.client import Json
from catalog.cli.sql_quoting import quoted_name

Type = str | Json


@dataclass(frozen=True, slots=True)
class Leaf:
    """A value that is compared as it is."""

    def expression(self, value: str, side: int, depth: int) -> str:
        """Return the value of a side in the common form."""
        del side, depth
        return value


@dataclass(frozen=True, slots=True)
class Field:
    """A column by the name it has in the result, and by its name on each side, if it is there."""

    name: str
    own: tuple[str | None, str | None]
    shape: "Shape"

    def expression(self, parent: str, side: int, depth: int = 0) -> str:
        """Return its value in what `parent`, ending in a dot or empty, stands for."""
        own = self.own[side]
        if own is None:
            return "NULL"
        return self.shape.expression(f"{parent}{quoted_name(own)}", side, depth)


@dataclass(frozen=True, slots=True)
class Struct:
    """Fields of both sides."""

    fields: tuple[Field, ...]

    def expression(self, value: str, side: int, depth: int) -> str:
        """Return the value of a side in the common form."""
        packed = ", ".join(
            f"{quoted_name(each.name)} := {each.expression(f'{value}.', side, depth)}"
            for each in self.fields
        )
        return f"CASE WHEN {value} IS NULL THEN NULL ELSE struct_pack({packed}) END"


@dataclass(frozen=True, slots=True)
class Listed:
    """Elements of both sides."""

    element: "Shape"

    def expression(self, value: str, side: int, depth: int) -> str:
        """Return the value of a side in the common form."""
        each = f"e{depth}"
        element = self.element.expression(each, side, depth + 1)
        return value if element == each else f"list_transform({value}, lambda {each}: {element})"


@dataclass(frozen=True, slots=True)
class Mapped:
    """Keys and values of both sides."""

    key: "Shape"
    value: "Shape"

    def expression(self, value: str, side: int, depth: int) -> str:
        """Return the value of a side in the common form."""
        each = f"e{depth}"
        key = self.key.expression(f"{each}.key", side, depth + 1)
        mapped = self.value.expression(f"{each}.value", side, depth + 1)
        if (key, mapped) == (f"{each}.key", f"{each}.value"):
            return value
        entry = f"struct_pack(key := {key}, value := {mapped})"
        entries = f"list_transform(map_entries({value}), lambda {each}: {entry})"
        return f"map_from_entries({entries})"


Shape = Leaf | Struct | Listed | Mapped


def side_by_side(
    before: Sequence[Json], after: Sequence[Json], *, by_name: bool, taken: Sequence[str] = ()
) -> tuple[Field, ...]:
    """Match fields of two structs: in the order and by the names of the later, what is gone last.

    `taken` are names that no column of the result may have.
    """
    member = "name" if by_name else "id"
    old = {each[member]: each for each in before}
    pairs: list[tuple[Json | None, Json | None]] = []
    for each in after:
        twin = old.get(each[member])
        if twin is not None and _kind(twin["type"]) == _kind(each["type"]):
            del old[each[member]]
            pairs.append((twin, each))
        else:
            pairs.append((None, each))
    pairs += [(each, None) for each in old.values()]
    used = {name.lower() for name in taken}
    return tuple(_field(one, other, by_name, used) for one, other in pairs)


def _field(before: Json | None, after: Json | None, by_name: bool, used: set[str]) -> Field:
    present = after or before
    assert present is not None
    name = free = present["name"]
    number = 2
    # DuckDB tells names apart by more than case only.
    while free.lower() in used:
        free, number = f"{name}_{number}", number + 1
    used.add(free.lower())
    own, other = (None if each is None else str(each["name"]) for each in (before, after))
    types = [each["type"] for each in (before, after) if each is not None]
    return Field(free, (own, other), _shape(types[0], types[-1], by_name))


def _shape(before: Type, after: Type, by_name: bool) -> Shape:
    if isinstance(before, str) or isinstance(after, str) or _plain(before) == _plain(after):
        return Leaf()
    match after["type"]:
        case "struct":
            return Struct(side_by_side(before["fields"], after["fields"], by_name=by_name))
        case "list":
            return Listed(_shape(before["element"], after["element"], by_name))
        case _:
            key = _shape(before["key"], after["key"], by_name)
            return Mapped(key, _shape(before["value"], after["value"], by_name))


def _plain(kind: Type) -> object:
    """Return what of a type readers see: names, order and types."""
    if isinstance(kind, str):
        return kind
    match kind["type"]:
        case "struct":
            return [(each["name"], each["id"], _plain(each["type"])) for each in kind["fields"]]
        case "list":
            return ("list", _plain(kind["element"]))
        case _:
            return ("map", _plain(kind["key"]), _plain(kind["value"]))


def _kind(kind: Type) -> str:
    return "primitive" if isinstance(kind, str) else str(kind["type"])
