"""Functions (UDFs): what a request defines, as metadata of the Iceberg UDF format, version 1."""

from collections.abc import Collection, Sequence

from catalog.errors import InvalidInput
from catalog.iceberg.metadata import Metadata
from catalog.iceberg.reading import (
    as_object,
    check_json,
    find_string,
    read_bool,
    read_int,
    read_list,
    read_long,
    read_string,
    read_string_map,
    read_value,
    shown,
)
from catalog.iceberg.types import parse_primitive

FUNCTION_FORMAT_VERSION = 1

_KINDS = ("udf", "udtf")
_ON_NULL = ("return-null", "call")
_NOT_IN_TYPES = frozenset(" \t'\"`")


def next_function(
    base: Metadata | None, request: object, *, location: str, function_uuid: str, now_ms: int
) -> Metadata:
    """Return the metadata of a function with the definitions of a request; `is base` if the same.

    `request` holds `definitions` and may hold `properties`, `secure` and `doc`; what it does not
    hold, the function has no longer. A version without a time gets `now_ms`. The definition log
    grows where another version of a definition becomes the current one. The uuid and the location
    are those of `base` where there is one.

    Raises:
        InvalidInput: naming the first rule of the format that the request breaks.
    """
    check_json(request)
    asked = as_object(request, "function")
    definitions = [_definition(item, now_ms) for item in read_list(asked, "definitions")]
    _check_together(definitions)
    current = [
        {"definition-id": each["definition-id"], "version-id": each["current-version-id"]}
        for each in definitions
    ]
    log: list[Metadata] = [] if base is None else base["definition-log"]
    if not log or log[-1]["definition-versions"] != current:
        log = [*log, {"timestamp-ms": now_ms, "definition-versions": current}]
    made = {
        "function-uuid": function_uuid if base is None else base["function-uuid"],
        "format-version": FUNCTION_FORMAT_VERSION,
        "definitions": definitions,
        "definition-log": log,
        "location": location if base is None else base["location"],
        "properties": read_string_map(asked, "properties") if "properties" in asked else {},
        "secure": read_bool(asked, "secure") if "secure" in asked else False,
    }
    if "doc" in asked:
        made["doc"] = read_string(asked, "doc")
    return base if base is not None and made == base else made


def function_facts(metadata: Metadata) -> dict[str, int | str]:
    """Return what a diff shows of a function."""
    return {
        "format-version": metadata["format-version"],
        "definitions": len(metadata["definitions"]),
        "versions": sum(len(each["versions"]) for each in metadata["definitions"]),
    }


def _definition(item: object, now_ms: int) -> Metadata:
    given = as_object(item, "function definition")
    parameters = [_parameter(each) for each in read_list(given, "parameters")]
    _check_unique([each["name"] for each in parameters], "parameter")
    made = {
        **given,
        "definition-id": _definition_id(given, parameters),
        "parameters": parameters,
        "return-type": _type(read_value(given, "return-type")),
        "versions": [_version(each, now_ms) for each in read_list(given, "versions")],
        "current-version-id": read_int(given, "current-version-id"),
        "function-type": _one_of(given, "function-type", _KINDS),
    }
    if made["function-type"] == "udtf" and not _is_struct(made["return-type"]):
        raise InvalidInput("The return-type of a udtf must be a struct, its output's columns")
    if "return-nullable" in given:
        read_bool(given, "return-nullable")
    find_string(given, "doc")
    find_string(given, "specific-name")
    versions = [each["version-id"] for each in made["versions"]]
    _check_unique(versions, "function version")
    if made["current-version-id"] not in versions:
        raise InvalidInput(
            f"Cannot find current version {made['current-version-id']} in versions: {versions}"
        )
    return made


def _definition_id(given: Metadata, parameters: Sequence[Metadata]) -> str:
    """Return the id that follows from the types of the parameters; nested ones the client names."""
    types = [each["type"] for each in parameters]
    if any(not isinstance(each, str) for each in types):
        asked = read_string(given, "definition-id")
        if set(asked) & _NOT_IN_TYPES:
            raise InvalidInput(f"Invalid definition-id {shown(asked)}: no spaces or quotes")
        return asked
    derived = ",".join(types)
    named = find_string(given, "definition-id")
    if named not in (None, derived):
        raise InvalidInput(
            f"Invalid definition-id {shown(named)}: the parameters' types make it {derived!r}"
        )
    return derived


def _parameter(item: object) -> Metadata:
    given = as_object(item, "function parameter")
    if not read_string(given, "name"):
        raise InvalidInput("Invalid function parameter: its name is empty")
    find_string(given, "doc")
    return {**given, "type": _type(read_value(given, "type"))}


def _type(value: object) -> object:
    """Check a type, which Iceberg's own JSON of types describes, ids left out."""
    if isinstance(value, str):
        if set(value) & _NOT_IN_TYPES:
            raise InvalidInput(f"Invalid type {shown(value)}: no spaces or quotes")
        parse_primitive(value)
        return value
    given = as_object(value, "type")
    match read_string(given, "type"):
        case "list":
            _type(read_value(given, "element"))
        case "map":
            _type(read_value(given, "key"))
            _type(read_value(given, "value"))
        case "struct":
            fields = [as_object(each, "struct field") for each in read_list(given, "fields")]
            _check_unique([read_string(each, "name") for each in fields], "struct field")
            for each in fields:
                _type(read_value(each, "type"))
        case other:
            raise InvalidInput(f"Cannot parse type: {shown(other)}")
    return given


def _is_struct(value: object) -> bool:
    return isinstance(value, dict) and value["type"] == "struct"


def _version(item: object, now_ms: int) -> Metadata:
    given = {"timestamp-ms": now_ms, **as_object(item, "function version")}
    read_int(given, "version-id")
    read_long(given, "timestamp-ms")
    if "deterministic" in given:
        read_bool(given, "deterministic")
    if "on-null-input" in given:
        _one_of(given, "on-null-input", _ON_NULL)
    representations = read_list(given, "representations")
    if not representations:
        raise InvalidInput(f"Function version {given['version-id']} has no representation")
    dialects = [_dialect(each) for each in representations]
    _check_unique([each.lower() for each in dialects], "dialect")
    return given


def _dialect(item: object) -> str:
    given = as_object(item, "function representation")
    _one_of(given, "type", ("sql",))
    read_string(given, "sql")
    dialect = read_string(given, "dialect")
    if not dialect:
        raise InvalidInput("Invalid function representation: its dialect is empty")
    return dialect


def _check_together(definitions: Sequence[Metadata]) -> None:
    if not definitions:
        raise InvalidInput("A function has at least one definition")
    _check_unique([each["definition-id"] for each in definitions], "function definition")
    named = [each["specific-name"] for each in definitions if "specific-name" in each]
    _check_unique(named, "specific-name")


def _one_of(given: Metadata, field: str, allowed: Sequence[str]) -> str:
    value = read_string(given, field)
    if value not in allowed:
        raise InvalidInput(f"{field} must be one of {', '.join(allowed)}, not {shown(value)}")
    return value


def _check_unique(names: Collection[str | int], what: str) -> None:
    if len(set(names)) < len(names):
        raise InvalidInput(f"Invalid function: a {what} stands twice: {shown(list(names))}")
