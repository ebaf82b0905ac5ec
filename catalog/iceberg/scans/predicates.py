"""Predicates of the REST document as pyiceberg's expressions.

Negations are pushed down to the leaves on the way, as Iceberg does before it judges anything. A
leaf that nothing can be judged by (a function of a column, a type whose order writers do not agree
on) becomes *always true*, so that no file is left out because of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pyiceberg.expressions import (
    AlwaysFalse,
    AlwaysTrue,
    And,
    BooleanExpression,
    EqualTo,
    GreaterThan,
    GreaterThanOrEqual,
    In,
    IsNaN,
    IsNull,
    LessThan,
    LessThanOrEqual,
    LiteralPredicate,
    NotEqualTo,
    NotIn,
    NotNaN,
    NotNull,
    NotStartsWith,
    Or,
    SetPredicate,
    StartsWith,
    UnaryPredicate,
)
from pyiceberg.expressions.literals import AboveMax, BelowMin, literal
from pyiceberg.schema import Schema
from pyiceberg.types import IcebergType, NestedField, PrimitiveType, StringType

from catalog.errors import InvalidInput
from catalog.iceberg.reading import shown
from catalog.iceberg.types import type_name

Json = Any

# Chains of one operator are flattened first, so this is how often operators may alternate.
_MAX_DEPTH = 64
_JUDGED = frozenset(
    (
        *("boolean", "int", "long", "float", "double", "decimal", "string"),
        *("date", "time", "timestamp", "timestamptz"),
    )
)
_UNARY: Mapping[str, type[UnaryPredicate]] = {
    "is-null": IsNull,
    "not-null": NotNull,
    "is-nan": IsNaN,
    "not-nan": NotNaN,
}
_COMPARISONS: Mapping[str, type[LiteralPredicate]] = {
    "lt": LessThan,
    "lt-eq": LessThanOrEqual,
    "gt": GreaterThan,
    "gt-eq": GreaterThanOrEqual,
    "eq": EqualTo,
    "not-eq": NotEqualTo,
    "starts-with": StartsWith,
    "not-starts-with": NotStartsWith,
}
_SETS: Mapping[str, type[SetPredicate]] = {"in": In, "not-in": NotIn}
_PREFIXES = ("starts-with", "not-starts-with")
_OPPOSITES = {
    "and": "or",
    "is-null": "not-null",
    "is-nan": "not-nan",
    "lt": "gt-eq",
    "gt": "lt-eq",
    "eq": "not-eq",
    "in": "not-in",
    "starts-with": "not-starts-with",
}
_OPPOSITE: Mapping[str, str] = _OPPOSITES | {b: a for a, b in _OPPOSITES.items()}


@dataclass(frozen=True, slots=True)
class Predicate:
    """A request's predicate: as given, and as what files are judged by.

    `leaves` gives each leaf of `judged` in the form it came in; `exact` says that `judged` means
    the same as `given`, nothing having been replaced.
    """

    given: Json
    judged: BooleanExpression
    exact: bool
    leaves: Mapping[int, Json]


def parse_predicate(given: Json, schema: Schema, *, case_sensitive: bool) -> Predicate:
    """Read a predicate, which may be absent.

    Raises:
        InvalidInput: if it is malformed, names no column of the schema, or compares it with a
            value of another type.
    """
    parser = _Parser(schema, case_sensitive)
    judged = AlwaysTrue() if given is None else parser.parse(given, negated=False, depth=0)
    return Predicate(given, judged, parser.exact, parser.leaves)


@dataclass(slots=True)
class _Parser:
    schema: Schema
    case_sensitive: bool
    exact: bool = True
    leaves: dict[int, Json] = field(default_factory=dict)
    # The leaves themselves, so that no id is given twice.
    kept: list[BooleanExpression] = field(default_factory=list)

    def parse(self, node: Json, *, negated: bool, depth: int) -> BooleanExpression:
        if depth > _MAX_DEPTH:
            raise InvalidInput(f"Cannot parse expression: nested more than {_MAX_DEPTH} deep")
        if isinstance(node, bool):
            return AlwaysTrue() if node is not negated else AlwaysFalse()
        kind = _kind_of(node)
        match kind:
            case "true" | "false":
                return AlwaysTrue() if (kind == "true") is not negated else AlwaysFalse()
            case "not":
                return self.parse(_member(node, "child"), negated=not negated, depth=depth + 1)
            case "and" | "or":
                operands = [
                    self.parse(operand, negated=negated, depth=depth + 1)
                    for operand in _operands(node, kind)
                ]
                return _joined(_OPPOSITE[kind] if negated else kind, operands)
        return self._leaf(node, _OPPOSITE[kind] if negated and kind in _OPPOSITE else kind)

    def _leaf(self, node: dict[str, Json], kind: str) -> BooleanExpression:
        operand, constant = _sides(node, kind)
        column = self._column(operand)
        leaf = None if column is None else self._predicate(kind, column, constant)
        if leaf is None:
            self.exact = False
            return AlwaysTrue()
        self.leaves[id(leaf)] = node | {"type": kind}
        self.kept.append(leaf)
        return leaf

    def _column(self, operand: Json) -> NestedField | None:
        """Return the column that an operand is; None if it is a function of one, or a literal."""
        match operand:
            case str(name) | {"type": "reference", "name": str(name)}:
                wanted: int | str = name
            case {"type": "reference", "id": int(column_id)}:
                wanted = column_id
            case {"type": "transform" | "apply" | "literal"}:
                return None
            case _:
                raise InvalidInput(f"Cannot parse expression: {shown(operand)} is no reference")
        try:
            column = self.schema.find_field(wanted, self.case_sensitive)
        except ValueError as error:
            raise InvalidInput(f"Cannot find field {shown(wanted)} in the schema") from error
        return column if self._is_reachable(column) else None

    def _is_reachable(self, column: NestedField) -> bool:
        """Tell whether a row has one value of the column: not so inside a list or a map."""
        try:
            self.schema.accessor_for_field(column.field_id)
        except ValueError:
            return False
        return True

    def _predicate(
        self, kind: str, column: NestedField, constant: Json
    ) -> BooleanExpression | None:
        name = self.schema.find_column_name(column.field_id)
        assert name is not None
        column_type = column.field_type
        if kind in _UNARY:
            return _UNARY[kind](name)
        if kind in _PREFIXES and not isinstance(column_type, StringType):
            raise InvalidInput(f"Cannot apply {kind} to {name}, which is a {column_type}")
        if constant is _NO_CONSTANT or not _is_judged(column_type):
            return None
        assert isinstance(column_type, PrimitiveType)
        try:
            if kind in _SETS:
                return _SETS[kind](name, _in_range(constant, column_type))
            literal(constant).to(column_type)
            return _COMPARISONS[kind](name, constant)
        except (TypeError, ValueError, ArithmeticError) as error:
            raise InvalidInput(
                f"Cannot compare {name}, which is a {column_type}, with {shown(constant)}: {error}"
            ) from error


# Stands for a right side that is computed.
_NO_CONSTANT = object()


def _is_judged(column_type: IcebergType) -> bool:
    return type_name(str(column_type)) in _JUDGED


def _in_range(values: list[Json], column_type: PrimitiveType) -> list[Any]:
    """Return the literals of a set, without those that no value of the type can equal."""
    converted = [literal(value).to(column_type) for value in values]
    return [each for each in converted if not isinstance(each, AboveMax | BelowMin)]


def _joined(kind: str, operands: list[BooleanExpression]) -> BooleanExpression:
    return (And if kind == "and" else Or)(*operands)


def _operands(node: dict[str, Json], kind: str) -> list[Json]:
    """Return the operands of a chain of one operator, left to right, however it is nested."""
    found: list[Json] = []
    waiting = [node]
    while waiting:
        current = waiting.pop()
        if isinstance(current, dict) and current.get("type") == kind:
            waiting += [_member(current, "right"), _member(current, "left")]
        else:
            found.append(current)
    return found


def _sides(node: dict[str, Json], kind: str) -> tuple[Json, Json]:
    """Return the operand of a leaf, and what it is compared with."""
    if kind in _UNARY:
        return _either(node, "child", "term"), _NO_CONSTANT
    if kind in _COMPARISONS:
        return _either(node, "left", "term"), _constant(_either(node, "right", "value"))
    if kind in _SETS:
        values = _member(node, "values")
        if isinstance(values, dict):
            values = _member(values, "values")
        if not isinstance(values, list):
            raise InvalidInput(f"Cannot parse expression: {shown(values)} is no list of values")
        constants = [_constant(value) for value in values]
        computed = any(constant is _NO_CONSTANT for constant in constants)
        return _either(node, "child", "term"), _NO_CONSTANT if computed else constants
    raise InvalidInput(f"Cannot parse expression: unknown type {shown(kind)}")


def _constant(value: Json) -> Json:
    match value:
        case {"type": "literal"}:
            return _constant(_member(value, "value"))
        case dict():
            return _NO_CONSTANT
        case bool() | int() | float() | str():
            return value
        case _:
            raise InvalidInput(f"Cannot parse expression: {shown(value)} is no literal")


def _kind_of(node: Json) -> str:
    kind = node.get("type") if isinstance(node, dict) else None
    if not isinstance(kind, str):
        raise InvalidInput(f"Cannot parse expression: {shown(node)} has no type")
    return kind


def _member(node: dict[str, Json], name: str) -> Json:
    if name not in node:
        raise InvalidInput(f"Cannot parse expression: {shown(node)} has no {name}")
    return node[name]


def _either(node: dict[str, Json], name: str, old_name: str) -> Json:
    return node[name] if name in node else _member(node, old_name)
