"""Three-way merge of views: versions by content, properties by key."""

from catalog.iceberg.build import next_id
from catalog.iceberg.merging.problems import Problem
from catalog.iceberg.merging.shapes.findings import Findings
from catalog.iceberg.merging.shapes.properties import PROPERTY_CONFLICT
from catalog.iceberg.merging.shapes.schemas import MEMBER_CHANGED_TWICE
from catalog.iceberg.merging.shapes.shape import LOCATION_CHANGED_TWICE
from catalog.iceberg.merging.shapes.three_way import CLASH, choose, merged_members
from catalog.iceberg.metadata import Metadata
from catalog.iceberg.schemas import find_same_schema, parse_schema
from catalog.iceberg.view_updates import written_view

VIEW_CHANGED_TWICE = "view-changed-twice"

_OWN = (
    *("view-uuid", "format-version", "location", "properties", "schemas", "current-version-id"),
    *("versions", "version-log"),
)
# What tells versions of one content apart.
_TOLD_APART = ("version-id", "timestamp-ms", "schema-id", "summary")


def merge_views(base: Metadata, ours: Metadata, theirs: Metadata) -> Metadata | list[Problem]:
    """Merge the metadata of a view, or return every problem that there is.

    Ours' versions keep their ids; of theirs' the current one is taken, if theirs changed it. Of two
    current versions that both sides made different the later is taken, if it came after the other,
    as after a squashed merge; else they are a conflict: what a query means is in its text, which no
    merge understands.
    """
    findings = Findings()
    result = _merged_rest(base, ours, theirs, findings)
    contents = [_content(view, _current(view)) for view in (base, ours, theirs)]
    chosen = choose(*contents)
    if chosen is CLASH and _came_after(base, ours, theirs):
        chosen = contents[2]
    elif chosen is CLASH and _came_after(base, theirs, ours):
        chosen = contents[1]
    if chosen is CLASH:
        findings.refuse(
            VIEW_CHANGED_TWICE, "Both sides changed the query of the view, or what it yields."
        )
    if findings.problems:
        return findings.problems
    if chosen != contents[1]:
        result |= _with_version(ours, theirs)
    return written_view(result)


def _merged_rest(base: Metadata, ours: Metadata, theirs: Metadata, findings: Findings) -> Metadata:
    merged = merged_members(base, ours, theirs, without=_OWN)
    for name in merged.clashing:
        findings.refuse(
            MEMBER_CHANGED_TWICE,
            f"Both sides changed the member {name} of the view's metadata, to different values.",
        )
    sets = [view.get("properties") or {} for view in (base, ours, theirs)]
    properties = merged_members(*sets)
    for name in properties.clashing:
        findings.refuse(
            PROPERTY_CONFLICT, f"Both sides changed the property {name}, to different values."
        )
    location = choose(*(view["location"] for view in (base, ours, theirs)))
    if location is CLASH:
        findings.refuse(LOCATION_CHANGED_TWICE, "Both sides moved the view, to different places.")
    return merged.merged | {"properties": properties.merged, "location": location}


def _came_after(base: Metadata, earlier: Metadata, later: Metadata) -> bool:
    """Say whether one side's versions went on from the other's, and these from the base's.

    A version that was set back to is logged again, so no log of the one is part of the other then.
    """
    logs = [view["version-log"] for view in (base, earlier, later)]
    version = _current(earlier)
    return (
        logs[1][: len(logs[0])] == logs[0]
        and logs[2][: len(logs[1])] == logs[1]
        and version in later["versions"]
        and _schema(earlier, version) in later["schemas"]
    )


def _with_version(ours: Metadata, theirs: Metadata) -> Metadata:
    """Return the members of ours with theirs' current version as the current one."""
    version = _current(theirs)
    content = _content(theirs, version)
    schemas, versions = list(ours["schemas"]), list(ours["versions"])
    twin = next((each for each in versions if _content(ours, each) == content), None)
    if twin is None:
        schema = _schema(theirs, version)
        schema_id = find_same_schema(schemas, schema)
        if schema_id is None:
            schema_id = next_id((each.get("schema-id", 0) for each in schemas), 0)
            schemas.append(schema | {"schema-id": schema_id})
        used = [each["version-id"] for each in versions]
        version_id = (
            version["version-id"] if version["version-id"] not in used else next_id(used, 1)
        )
        twin = version | {"version-id": version_id, "schema-id": schema_id}
        versions.append(twin)
    # Readers refuse a log that runs backwards.
    moment = max(version["timestamp-ms"], *(each["timestamp-ms"] for each in ours["version-log"]))
    entry = {"timestamp-ms": moment, "version-id": twin["version-id"]}
    return {
        "schemas": schemas,
        "versions": versions,
        "current-version-id": twin["version-id"],
        "version-log": [*ours["version-log"], entry],
    }


def _current(view: Metadata) -> Metadata:
    wanted = view["current-version-id"]
    return next(version for version in view["versions"] if version["version-id"] == wanted)


def _schema(view: Metadata, version: Metadata) -> Metadata:
    wanted = version["schema-id"]
    return next(each for each in view["schemas"] if each.get("schema-id", 0) == wanted)


def _content(view: Metadata, version: Metadata) -> Metadata:
    """Return what a version means, its schema written out."""
    meaning = {
        name: value
        for name, value in version.items()
        if name not in _TOLD_APART and value is not None
    }
    schema = parse_schema(_schema(view, version)) | {"schema-id": 0}
    return meaning | {"schema": schema}
