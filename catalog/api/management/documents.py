"""What operations return, as the JSON of answers."""

from collections.abc import Sequence
from typing import Any

from catalog.clock import format_time
from catalog.files.secrets import is_secret
from catalog.operations.blame import Blame, Blamed
from catalog.operations.checks import Check
from catalog.operations.details import Details
from catalog.operations.history import Logged, ReflogEntry
from catalog.operations.merge import Merged
from catalog.operations.protections import Protection
from catalog.operations.refs import Ref
from catalog.operations.warehouses import Warehouse
from catalog.store.warehouses import Site
from catalog.versioning.ids import ObjectId, to_hex
from catalog.versioning.keys import Key
from catalog.versioning.objects import Change, Entry

Json = dict[str, Any]


def warehouse_document(warehouse: Warehouse) -> Json:
    """Render a warehouse without its secrets."""
    first, *further = warehouse.sites
    return {
        "name": warehouse.name,
        "default_branch": warehouse.default_branch,
        **_site_document(first),
        "locations": [_site_document(site) for site in further],
    }


def _site_document(site: Site) -> Json:
    shown = {name: value for name, value in site.storage.items() if not is_secret(name)}
    return {"location": site.location, "storage": shown}


def branch_document(ref: Ref) -> Json:
    """Render a branch."""
    return {
        "name": ref.name,
        "commit_id": to_hex(ref.commit_id),
        "created_at": format_time(ref.created_at),
        "created_by": ref.created_by,
    }


def tag_document(ref: Ref) -> Json:
    """Render a tag."""
    return {**branch_document(ref), "message": ref.message, "metadata": dict(ref.metadata)}


def commit_document(logged: Logged) -> Json:
    """Render a commit as a log shows it."""
    commit = logged.commit
    return {
        "commit_id": to_hex(logged.commit_id),
        "parent_ids": [to_hex(parent) for parent in commit.parents],
        "author": commit.author,
        "committer": commit.committer,
        "committed_at": format_time(commit.committed_at),
        "message": commit.message,
        "metadata": dict(commit.metadata),
        "changed_count": len(commit.changed_keys),
    }


def shown_commit_document(
    logged: Logged, changes: Sequence[Change], details: Details | None
) -> Json:
    """Render a commit with what it changed."""
    return {
        **commit_document(logged),
        "tree_id": to_hex(logged.commit.tree),
        "generation": logged.commit.generation,
        **changes_document(changes, details),
    }


def changes_document(changes: Sequence[Change], details: Details | None) -> Json:
    """Render changes, with their details if these were asked for."""
    documents = [change_document(change) for change in changes]
    if details is None:
        return {"changes": documents}
    for document, detail in zip(documents, details.by_change, strict=True):
        if detail is not None:
            document["detail"] = detail
    return {"changes": documents, "totals": details.totals}


def blame_document(blamed: Blame) -> Json:
    """Render the parts of something with the commits that brought them."""
    return {
        "commit_id": to_hex(blamed.commit_id),
        "key": blamed.key,
        "kind": blamed.entry.kind,
        "uuid": blamed.entry.uuid,
        "complete": all(each.brought is not None for each in blamed.parts),
        "parts": [_blamed_document(each) for each in blamed.parts],
    }


def _blamed_document(blamed: Blamed) -> Json:
    part = blamed.part
    document = {"part": part.kind, "name": part.name, "value": part.value}
    if part.field_id is not None:
        document["field_id"] = part.field_id
    brought = blamed.brought
    return {**document, "commit": None if brought is None else commit_document(Logged(*brought))}


def reflog_document(entry: ReflogEntry) -> Json:
    """Render a move of a branch."""
    return {
        "commit_id": _hex(entry.commit_id),
        "previous_commit_id": _hex(entry.previous_commit_id),
        "at": format_time(entry.at),
        "by": entry.by,
        "operation": entry.operation,
    }


def entry_document(key: Key, entry: Entry) -> Json:
    """Render what a tree holds for a key."""
    return {
        "key": key,
        "kind": entry.kind,
        "uuid": entry.uuid,
        "metadata_location": entry.metadata_location,
        "facts": dict(entry.facts),
        "properties": dict(entry.properties),
    }


def change_document(change: Change) -> Json:
    """Render a change; the side on which the key is absent is left out."""
    before, after = change.before, change.after
    present = after or before
    assert present is not None
    document: Json = {"key": change.key, "kind": present.kind, "change": change.change}
    if before is not None:
        document["from"] = entry_document(change.from_key or change.key, before)
    if after is not None:
        document["to"] = entry_document(change.key, after)
    return document


def merge_document(merged: Merged) -> Json:
    """Render what a merge did or would do."""
    return {
        "commit_id": _hex(merged.commit_id),
        "base_commit_id": _hex(merged.base),
        "source_commit_id": _hex(merged.source),
        "previous_commit_id": to_hex(merged.previous),
        "changes": [change_document(change) for change in merged.changes],
        "resolutions": [
            {"key": resolution.key, "action": resolution.action}
            for resolution in merged.resolutions
        ],
        "conflicts": [],
        "outcomes": merged.outcomes,
        "plan_id": merged.plan_id,
    }


def check_document(check: Check) -> Json:
    """Render the verdict of a check."""
    return {
        "name": check.name,
        "state": check.state,
        "summary": check.summary,
        "details_url": check.details_url,
        "commit_id": to_hex(check.commit_id),
        "at": format_time(check.at),
        "by": check.by,
    }


def protection_document(protection: Protection) -> Json:
    """Render a protection."""
    return {"pattern": protection.pattern, **protection.rules.to_json()}


def _hex(commit_id: ObjectId | None) -> str | None:
    return None if commit_id is None else to_hex(commit_id)
