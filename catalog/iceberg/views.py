"""Views: new metadata, requirements, and the check of metadata from elsewhere (view spec)."""

from collections.abc import Iterable

from catalog.errors import InvalidInput, ValidationFailed
from catalog.iceberg.defaults import canonical_uuid
from catalog.iceberg.metadata import Metadata
from catalog.iceberg.properties import metadata_codec
from catalog.iceberg.reading import (
    as_object,
    check_json,
    class_name,
    read_int,
    read_list,
    read_long,
    read_string,
    read_string_map,
)
from catalog.iceberg.requirements import check_uuid
from catalog.iceberg.schemas import parse_schema
from catalog.iceberg.validation import check_unique
from catalog.iceberg.view_updates import (
    VIEW_CODEC,
    VIEW_FORMAT_VERSION,
    history_entries,
    written_view,
)
from catalog.iceberg.view_updates import update_view as update_view
from catalog.iceberg.view_versions import parse_view_version


def new_view(request: object, *, location: str, view_uuid: str, now_ms: int) -> Metadata:
    """Return the first metadata of a view from a REST CreateViewRequest.

    The schema becomes 0 and keeps its field ids; the version becomes 1 and keeps its summary, and
    its time where it has one.

    Raises:
        InvalidInput: if the request is malformed.
    """
    check_json(request)
    wanted = as_object(request, "create view request")
    for member, what in (("view-version", "a query"), ("schema", "schema")):
        if wanted.get(member) is None:
            raise InvalidInput(f"Cannot create view without specifying {what}")
    asked = as_object(wanted["view-version"], "view version")
    version = parse_view_version({"timestamp-ms": now_ms} | asked)
    if not version["representations"]:
        raise InvalidInput("Cannot create view without specifying a query")
    properties = _properties(wanted)
    history_entries(properties)
    metadata_codec(properties, default=VIEW_CODEC)
    if not location:
        raise InvalidInput("Invalid location: null")
    return written_view(
        {
            "view-uuid": view_uuid,
            "format-version": VIEW_FORMAT_VERSION,
            "location": location,
            "properties": properties,
            "schemas": [parse_schema(wanted["schema"]) | {"schema-id": 0}],
            "current-version-id": 1,
            "versions": [version | {"version-id": 1, "schema-id": 0}],
            "version-log": [{"timestamp-ms": version["timestamp-ms"], "version-id": 1}],
        }
    )


def check_view_requirements(requirements: Iterable[Metadata], metadata: Metadata | None) -> None:
    """Check parsed requirements, in order, against a view's metadata, None if there is none.

    Raises:
        CommitFailed: if one does not hold.
        ValidationFailed: if one cannot be asked of a view.
    """
    for requirement in requirements:
        kind = requirement["type"]
        if kind != "assert-view-uuid":
            raise ValidationFailed(f"Cannot validate {class_name(kind)} against a view")
        check_uuid(requirement, (metadata or {}).get("view-uuid"), "view UUID")


def check_view(metadata: object) -> None:
    """Check the metadata of a view that another catalog wrote.

    Raises:
        InvalidInput: naming the first rule of the format that it breaks.
    """
    check_json(metadata)
    view = as_object(metadata, "view metadata")
    version = read_int(view, "format-version")
    if version != VIEW_FORMAT_VERSION:
        raise InvalidInput(f"Unsupported format version: {version}")
    if canonical_uuid(read_string(view, "view-uuid")) is None:
        raise InvalidInput(f"Not a UUID: {view['view-uuid']}")
    if not read_string(view, "location"):
        raise InvalidInput("Invalid location: null")
    # As with tables: what may be absent may not be null.
    if "properties" in view:
        read_string_map(view, "properties")
    _check_versions(view)
    for item in read_list(view, "version-log"):
        entry = as_object(item, "version log entry")
        read_long(entry, "timestamp-ms")
        read_int(entry, "version-id")


def _check_versions(view: Metadata) -> None:
    for schema in read_list(view, "schemas"):
        parse_schema(schema)
    schemas = [read_int({"schema-id": 0} | schema, "schema-id") for schema in view["schemas"]]
    versions = [parse_view_version(version) for version in read_list(view, "versions")]
    ids = [version["version-id"] for version in versions]
    check_unique(schemas, "schema")
    check_unique(ids, "view version")
    for version in versions:
        if version["schema-id"] not in schemas:
            raise InvalidInput(
                f"Cannot find schema with schema-id={version['schema-id']} "
                f"of view version {version['version-id']}"
            )
    current = read_int(view, "current-version-id")
    if current not in ids:
        raise InvalidInput(f"Cannot find current version {current} in view versions: {ids}")


def _properties(json: Metadata) -> dict[str, str]:
    return {} if json.get("properties") is None else read_string_map(json, "properties")
