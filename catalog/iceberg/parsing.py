"""Read the updates and requirements of a request; nothing malformed gets past here.

What comes out has every member checked and in canonical form, so that whoever applies it needs no
checks of its own but those against the metadata.
"""

from collections.abc import Callable

from catalog.errors import InvalidInput
from catalog.iceberg.attachments import (
    parse_encryption_key,
    parse_partition_statistics,
    parse_statistics,
)
from catalog.iceberg.defaults import canonical_uuid
from catalog.iceberg.metadata import Metadata
from catalog.iceberg.partitioning import parse_spec
from catalog.iceberg.reading import (
    check_json,
    find_long,
    read_int,
    read_ints,
    read_long,
    read_longs,
    read_object,
    read_string,
    read_string_map,
    read_strings,
    read_value,
    shown,
)
from catalog.iceberg.schemas import parse_schema
from catalog.iceberg.snapshots import parse_ref, parse_snapshot
from catalog.iceberg.sorting import parse_sort_order
from catalog.iceberg.view_versions import parse_view_version


def parse_updates(json: object) -> list[Metadata]:
    """Return the updates of a commit request in canonical form, in order; null is none.

    Raises:
        InvalidInput: if any of them is malformed.
    """
    return [_parse_update(item) for item in _items(json, "metadata updates")]


def parse_requirements(json: object) -> list[Metadata]:
    """Return the requirements of a commit request in canonical form, in order; null is none.

    Raises:
        InvalidInput: if any of them is malformed.
    """
    return [_parse_requirement(item) for item in _items(json, "requirements")]


def _items(json: object, what: str) -> list[object]:
    check_json(json)
    if json is None:
        return []
    if not isinstance(json, list):
        raise InvalidInput(f"Cannot parse {what} from non-array: {shown(json)}")
    return json


def _parse_update(json: object) -> Metadata:
    if not isinstance(json, dict):
        raise InvalidInput(f"Cannot parse metadata update from non-object value: {shown(json)}")
    if json.get("action") is None:
        raise InvalidInput("Cannot parse metadata update. Missing field: action")
    given = read_string(json, "action")
    action = given.lower()
    if action not in _UPDATES:
        raise InvalidInput(f"Cannot convert metadata update action to json: {shown(given)}")
    return {"action": action} | _UPDATES[action](json)


def _parse_requirement(json: object) -> Metadata:
    if not isinstance(json, dict):
        raise InvalidInput(f"Cannot parse update requirement from non-object value: {shown(json)}")
    if json.get("type") is None:
        raise InvalidInput("Cannot parse update requirement. Missing field: type")
    given = read_string(json, "type")
    kind = given.lower()
    if kind not in _REQUIREMENTS:
        raise InvalidInput(f"Cannot parse update requirement. Unknown type: {shown(given)}")
    return {"type": kind} | _REQUIREMENTS[kind](json)


def _int_member(member: str) -> Callable[[Metadata], Metadata]:
    return lambda json: {member: read_int(json, member)}


def _long_member(member: str) -> Callable[[Metadata], Metadata]:
    return lambda json: {member: read_long(json, member)}


def _string_member(member: str) -> Callable[[Metadata], Metadata]:
    return lambda json: {member: read_string(json, member)}


def _ints_member(member: str) -> Callable[[Metadata], Metadata]:
    return lambda json: {member: read_ints(json, member)}


def _parsed_member(member: str, parse: Callable[[object], Metadata]) -> Callable[..., Metadata]:
    return lambda json: {member: parse(read_value(json, member))}


def _assign_uuid(json: Metadata) -> Metadata:
    if json.get("uuid") is None:
        raise InvalidInput("Cannot set uuid to null")
    given = read_string(json, "uuid")
    uuid = canonical_uuid(given)
    if uuid is None:
        raise InvalidInput(f"Not a UUID: {shown(given)}")
    return {"uuid": uuid}


def _set_location(json: Metadata) -> Metadata:
    if json.get("location") is None:
        raise InvalidInput("Invalid location: null")
    location = read_string(json, "location")
    if not location:
        raise InvalidInput("path must not be null or empty")
    return {"location": location}


def _set_snapshot_ref(json: Metadata) -> Metadata:
    name = read_string(json, "ref-name")
    if not name:
        raise InvalidInput("Cannot set a snapshot reference with an empty name")
    return {"ref-name": name, "ref": parse_ref(json)}


def _remove_snapshots(json: Metadata) -> Metadata:
    if json.get("snapshot-ids") is None:
        raise InvalidInput("Invalid set of snapshot ids to remove: must be non-null")
    return {"snapshot-ids": read_longs(json, "snapshot-ids")}


def _set_properties(json: Metadata) -> Metadata:
    legacy = "updates" not in json and "updated" in json
    return {"updates": read_string_map(json, "updated" if legacy else "updates")}


def _remove_properties(json: Metadata) -> Metadata:
    legacy = "removals" not in json and "removed" in json
    return {"removals": read_strings(json, "removed" if legacy else "removals")}


def _add_encryption_key(json: Metadata) -> Metadata:
    return {"encryption-key": parse_encryption_key(json.get("encryption-key"))}


def _add_view_version(json: Metadata) -> Metadata:
    return {"view-version": parse_view_version(read_object(json, "view-version"))}


def _assert_ref(json: Metadata) -> Metadata:
    return {"ref": read_string(json, "ref"), "snapshot-id": find_long(json, "snapshot-id")}


_UPDATES: dict[str, Callable[[Metadata], Metadata]] = {
    "assign-uuid": _assign_uuid,
    "upgrade-format-version": _int_member("format-version"),
    "add-schema": _parsed_member("schema", parse_schema),
    "set-current-schema": _int_member("schema-id"),
    "add-spec": _parsed_member("spec", parse_spec),
    "set-default-spec": _int_member("spec-id"),
    "add-sort-order": _parsed_member("sort-order", parse_sort_order),
    "set-default-sort-order": _int_member("sort-order-id"),
    "add-snapshot": _parsed_member("snapshot", parse_snapshot),
    "remove-snapshots": _remove_snapshots,
    "set-snapshot-ref": _set_snapshot_ref,
    "remove-snapshot-ref": _string_member("ref-name"),
    "set-location": _set_location,
    "set-properties": _set_properties,
    "remove-properties": _remove_properties,
    "set-statistics": _parsed_member("statistics", parse_statistics),
    "remove-statistics": _long_member("snapshot-id"),
    "set-partition-statistics": _parsed_member("partition-statistics", parse_partition_statistics),
    "remove-partition-statistics": _long_member("snapshot-id"),
    "remove-partition-specs": _ints_member("spec-ids"),
    "remove-schemas": _ints_member("schema-ids"),
    "add-encryption-key": _add_encryption_key,
    "remove-encryption-key": _string_member("key-id"),
    "add-view-version": _add_view_version,
    "set-current-view-version": _int_member("view-version-id"),
}

_REQUIREMENTS: dict[str, Callable[[Metadata], Metadata]] = {
    "assert-create": lambda json: {},
    "assert-table-uuid": _string_member("uuid"),
    "assert-view-uuid": _string_member("uuid"),
    "assert-ref-snapshot-id": _assert_ref,
    "assert-last-assigned-field-id": _int_member("last-assigned-field-id"),
    "assert-current-schema-id": _int_member("current-schema-id"),
    "assert-last-assigned-partition-id": _int_member("last-assigned-partition-id"),
    "assert-default-spec-id": _int_member("default-spec-id"),
    "assert-default-sort-order-id": _int_member("default-sort-order-id"),
}
