"""Three-way merge of functions: definitions by id, properties by key."""

from catalog.iceberg.merging.problems import Problem
from catalog.iceberg.merging.shapes.properties import PROPERTY_CONFLICT
from catalog.iceberg.merging.shapes.schemas import MEMBER_CHANGED_TWICE
from catalog.iceberg.merging.shapes.three_way import merged_members
from catalog.iceberg.metadata import Metadata

FUNCTION_CHANGED_TWICE = "function-changed-twice"

_LISTS = ("definitions", "definition-log", "properties")


def merge_functions(base: Metadata, ours: Metadata, theirs: Metadata) -> Metadata | list[Problem]:
    """Merge the metadata of a function, or return every problem that there is.

    A definition, the function for parameters of certain types, is changed by one side only.
    """
    sides = (base, ours, theirs)
    members = merged_members(base, ours, theirs, without=_LISTS)
    properties = merged_members(*(each["properties"] for each in sides))
    by_id = [{item["definition-id"]: item for item in each["definitions"]} for each in sides]
    definitions = merged_members(by_id[0], by_id[1], by_id[2])
    problems = [
        Problem(code, f"Both sides changed the {what} {name} of the function, differently.")
        for code, what, merged in (
            (FUNCTION_CHANGED_TWICE, "definition", definitions),
            (PROPERTY_CONFLICT, "property", properties),
            (MEMBER_CHANGED_TWICE, "member", members),
        )
        for name in merged.clashing
    ]
    if not definitions.merged:
        problems.append(
            Problem(FUNCTION_CHANGED_TWICE, "Together the two sides dropped every definition.")
        )
    if problems:
        return problems
    merged = list(definitions.merged.values())
    return members.merged | {
        "definitions": merged,
        "definition-log": _log(merged, ours, theirs),
        "properties": properties.merged,
    }


def _log(definitions: list[Metadata], ours: Metadata, theirs: Metadata) -> list[Metadata]:
    log: list[Metadata] = ours["definition-log"]
    current = [
        {"definition-id": each["definition-id"], "version-id": each["current-version-id"]}
        for each in definitions
    ]
    if log and log[-1]["definition-versions"] == current:
        return log
    moment = max(each["timestamp-ms"] for each in (*log, *theirs["definition-log"]))
    return [*log, {"timestamp-ms": moment, "definition-versions": current}]
