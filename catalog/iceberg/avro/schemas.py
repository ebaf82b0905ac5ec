"""Avro schemas, parsed into types that the decoders and encoders follow."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Json = Any

# A schema that refers to its own types again and again would otherwise grow without end.
_MAX_TYPES = 10_000
_MAX_DEPTH = 40
# Fields that hold nothing cost time, but no bytes, in every record.
_MAX_EMPTY = 100

_PRIMITIVES = {"null", "boolean", "int", "long", "float", "double", "bytes", "string"}


@dataclass(frozen=True, slots=True)
class Primitive:
    """A type without parts; `logical` is the attributes of its logical type, if it has one."""

    name: str
    logical: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Fixed:
    """Bytes of one length."""

    size: int
    logical: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Enumeration:
    """One of some symbols, kept as its number."""

    symbols: int


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a record; `key` is its field id or, where it has none, its name."""

    key: int | str
    name: str
    type: "Type"


@dataclass(frozen=True, slots=True)
class Record:
    """A record; its fields lie one after the other, in this order."""

    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Array:
    """An array; `is_map` if it stands for Iceberg's map, whose keys are no strings."""

    items: "Type"
    is_map: bool


@dataclass(frozen=True, slots=True)
class StringMap:
    """Avro's own map."""

    values: "Type"


@dataclass(frozen=True, slots=True)
class Union:
    """One of several types; Iceberg knows only those of null and one other."""

    branches: tuple["Type", ...]


Type = Primitive | Fixed | Enumeration | Record | Array | StringMap | Union

NULL = Primitive("null", None)


def parse_schema(json: Json) -> Type:
    """Return the type that a schema describes.

    Raises:
        ValueError: if it describes none, or one that contains itself.
    """
    return _Parser().parse(json, "", 0)


def is_empty(kind: Type) -> bool:
    """Tell whether values of a type take no bytes at all."""
    if isinstance(kind, Record):
        return all(is_empty(field.type) for field in kind.fields)
    return kind == NULL or (isinstance(kind, Fixed) and kind.size == 0)


def optional(union: Type) -> tuple[int, int, Type] | None:
    """Return where null and the other type stand in a union of the two; None for all else."""
    if not isinstance(union, Union) or len(union.branches) != 2 or NULL not in union.branches:
        return None
    null = union.branches.index(NULL)
    return null, 1 - null, union.branches[1 - null]


class _Parser:
    """Parses one schema; types that are named again are parsed again."""

    def __init__(self) -> None:
        self._named: dict[str, tuple[Json, str]] = {}
        self._count = 0
        self._empty = 0

    def parse(self, json: Json, namespace: str, depth: int) -> Type:
        self._count += 1
        if self._count > _MAX_TYPES or depth > _MAX_DEPTH:
            raise ValueError("the schema is too large or contains itself")
        if isinstance(json, list):
            return Union(tuple(self.parse(branch, namespace, depth + 1) for branch in json))
        if isinstance(json, str):
            return self._by_name(json, namespace, depth)
        kind = json["type"]
        if not isinstance(kind, str):
            return self.parse(kind, namespace, depth + 1)
        if kind in ("record", "error", "enum", "fixed"):
            return self._definition(json, namespace, depth)
        if kind == "array":
            items = self.parse(json["items"], namespace, depth + 1)
            if is_empty(items):
                raise ValueError("an array holds nothing, any number of times")
            return Array(items, json.get("logicalType") == "map")
        if kind == "map":
            return StringMap(self.parse(json["values"], namespace, depth + 1))
        if kind in _PRIMITIVES:
            return Primitive(kind, _logical(json))
        return self._by_name(kind, namespace, depth)

    def _by_name(self, name: str, namespace: str, depth: int) -> Type:
        if name in _PRIMITIVES:
            return Primitive(name, None)
        for known in (name, f"{namespace}.{name}"):
            if known in self._named:
                json, inner = self._named[known]
                return self._definition(json, inner, depth + 1)
        raise ValueError(f"the schema does not define {name}")

    def _definition(self, json: Json, namespace: str, depth: int) -> Type:
        name = str(json["name"])
        namespace = name.rpartition(".")[0] or str(json.get("namespace", namespace))
        self._named[f"{namespace}.{name.rpartition('.')[2]}" if namespace else name] = (
            json,
            namespace,
        )
        if json["type"] == "fixed":
            return Fixed(_size(json["size"]), _logical(json))
        if json["type"] == "enum":
            return Enumeration(len(json["symbols"]))
        return Record(tuple(self._field(field, namespace, depth) for field in json["fields"]))

    def _field(self, json: Json, namespace: str, depth: int) -> Field:
        name = str(json["name"])
        key = json.get("field-id", name)
        if not isinstance(key, int | str):
            raise ValueError(f"the field id of {name} is no number")
        kind = self.parse(json["type"], namespace, depth + 1)
        self._empty += is_empty(kind)
        if self._empty > _MAX_EMPTY:
            raise ValueError("the schema has too many fields that hold nothing")
        return Field(key, name, kind)


def key_and_value(items: Type) -> tuple[Type, Type]:
    """Return the types of the keys and values of a map, given that of its items.

    Raises:
        ValueError: if the items are no pairs.
    """
    if not isinstance(items, Record) or len(items.fields) != 2:
        raise ValueError("a map has no keys and values")
    key, value = items.fields
    return key.type, value.type


def _logical(json: Json) -> Mapping[str, Any] | None:
    return json if "logicalType" in json else None


def _size(size: object) -> int:
    if not isinstance(size, int) or not 0 <= size < 1 << 31:
        raise ValueError(f"{size} is no size")
    return size
