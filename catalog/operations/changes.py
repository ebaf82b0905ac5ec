"""Commits to tables and views: requirements and updates, one table or many, always one commit."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from catalog.clock import to_millis
from catalog.errors import InvalidInput
from catalog.iceberg.metadata import Metadata
from catalog.iceberg.requirements import check_requirements
from catalog.iceberg.updates import update_table
from catalog.iceberg.views import check_view_requirements, update_view
from catalog.operations.callers import Caller
from catalog.operations.claims import with_claims
from catalog.operations.commit import Head, Plan, commit
from catalog.operations.entries import (
    check_name,
    missing_error,
    require_namespace,
    shown,
    taken_error,
)
from catalog.operations.metadata import read_metadata, read_metadata_bytes, write_metadata
from catalog.operations.paths import check_paths, new_metadata_location
from catalog.operations.tables import Loaded, new_entry
from catalog.operations.warehouses import Warehouse
from catalog.versioning.keys import Key
from catalog.versioning.object_store import Objects
from catalog.versioning.objects import Entry, EntryKind
from catalog.versioning.tree import get_many

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class TableChange:
    """What a client asks of one table or view: parsed requirements, parsed updates."""

    key: Key
    requirements: list[dict[str, Any]]
    updates: list[dict[str, Any]]
    kind: EntryKind = EntryKind.TABLE

    @property
    def creates(self) -> bool:
        """Whether the change makes the table, after a staged create."""
        return any(requirement["type"] == "assert-create" for requirement in self.requirements)

    @property
    def snapshots(self) -> list[Metadata]:
        """The snapshots that the change adds."""
        return [each["snapshot"] for each in self.updates if each["action"] == "add-snapshot"]


@dataclass(frozen=True, slots=True)
class _Standing:
    """A change and the table as it stands; no base if there is none."""

    change: TableChange
    base_location: str | None
    base: Metadata | None


@dataclass(frozen=True, slots=True)
class _Changed:
    """One table's part of a plan; `location` is where its new metadata goes, None if unchanged."""

    change: TableChange
    base_location: str | None
    location: str | None
    metadata: Metadata


def commit_tables(
    warehouse: Warehouse, branch: str, changes: Sequence[TableChange], *, caller: Caller
) -> list[Loaded]:
    """Apply all changes as one commit, or none, and return each table as it is afterwards.

    Raises:
        CommitFailed: if a requirement fails.
        NoSuchTable, NoSuchView: if one to be changed is missing.
        AlreadyExists: if one to be created is there under another kind.
        InvalidInput: if an update breaks a rule. Nothing is changed in any of these cases.
    """
    return _commit(warehouse, branch, changes, lambda loaded: loaded, caller)


def commit_table(
    warehouse: Warehouse, branch: str, change: TableChange, *, caller: Caller
) -> Loaded:
    """Apply the change of one table or view, as `commit_tables` does, and return it."""
    return _commit(warehouse, branch, [change], lambda loaded: loaded[0], caller)


def _commit(
    warehouse: Warehouse,
    branch: str,
    changes: Sequence[TableChange],
    returns: Callable[[list[Loaded]], T],
    caller: Caller,
) -> T:
    keys = [change.key for change in changes]
    if len(set(keys)) < len(keys):
        raise InvalidInput("A table may be named only once in a transaction")

    def build(objects: Objects, head: Head) -> Plan | None:
        planned = _plan(warehouse, objects, head, branch, changes)
        new = {part.location: part.metadata for part in planned if part.location is not None}
        results[:] = _write(warehouse, planned, new)
        if not new:
            return None
        edits: dict[Key, Entry | None] = {
            part.change.key: new_entry(part.change.kind, part.location, part.metadata)
            for part in planned
            if part.location is not None
        }
        return Plan(
            edits,
            _message(planned),
            reads=_reads(changes),
            returns=lambda done: returns(results),
        )

    results: list[Loaded] = []
    caller = with_claims(caller, (update for change in changes for update in change.updates))
    operation = "commit-transaction" if len(changes) > 1 else f"update-{changes[0].kind.value}"
    commit(warehouse, branch, build, caller=caller, operation=operation)
    return returns(results)


def _plan(
    warehouse: Warehouse,
    objects: Objects,
    head: Head,
    branch: str,
    changes: Sequence[TableChange],
) -> list[_Changed]:
    entries = get_many(objects, head.commit.tree, [change.key for change in changes])
    for change in changes:
        if change.creates:
            check_name(change.key)
            require_namespace(
                objects, head.commit.tree, change.key[:-1], where=f"branch {branch!r}"
            )
    standing = [_standing(warehouse, change, entries.get(change.key)) for change in changes]
    again = _again(standing)
    return again or [_change(warehouse, each) for each in standing]


def _standing(warehouse: Warehouse, change: TableChange, entry: Entry | None) -> _Standing:
    if entry is not None and entry.kind is not change.kind:
        if change.creates:
            raise taken_error(change.kind, entry, change.key)
        raise missing_error(change.kind, change.key)
    if entry is None and not change.creates:
        raise missing_error(change.kind, change.key)
    base_location = None if entry is None else entry.metadata_location
    base = None if base_location is None else read_metadata(warehouse, base_location)
    return _Standing(change, base_location, base)


def _again(standing: Sequence[_Standing]) -> list[_Changed]:
    """Return a commit that took place and comes again as one that changes nothing; else nothing.

    The tables have all snapshots already that it adds, file for file. It may come again where a
    proxy sends what it heard no answer to. Told that it failed, as its requirements do now, Java's
    client would delete the files of the commit that stands.
    """
    if not any(each.change.snapshots for each in standing):
        return []
    found = []
    for each in standing:
        if each.base is None or not _has_snapshots(each.base, each.change.snapshots):
            return []
        found.append(_Changed(each.change, each.base_location, None, each.base))
    return found


def _has_snapshots(base: Metadata, snapshots: Sequence[Metadata]) -> bool:
    lists = {each["snapshot-id"]: each.get("manifest-list") for each in base.get("snapshots") or ()}
    return all(
        each.get("manifest-list") is not None
        and lists.get(each["snapshot-id"]) == each["manifest-list"]
        for each in snapshots
    )


def _change(warehouse: Warehouse, standing: _Standing) -> _Changed:
    change, base_location, base = standing.change, standing.base_location, standing.base
    metadata = _apply(warehouse, change, base, base_location)
    if metadata is base:
        return _Changed(change, base_location, None, metadata)
    check_paths(warehouse, metadata, base)
    location = new_metadata_location(warehouse, metadata, previous=base_location)
    return _Changed(change, base_location, location, metadata)


def _apply(
    warehouse: Warehouse, change: TableChange, base: Metadata | None, base_location: str | None
) -> Metadata:
    now_ms = to_millis(warehouse.catalog.clock())
    if change.kind is EntryKind.VIEW:
        check_view_requirements(change.requirements, base)
        assert base is not None
        return update_view(base, change.updates, now_ms=now_ms)
    check_requirements(change.requirements, base)
    return update_table(base, change.updates, base_location=base_location, now_ms=now_ms)


def _write(
    warehouse: Warehouse, planned: Sequence[_Changed], new: dict[str, Metadata]
) -> list[Loaded]:
    written = write_metadata(warehouse, new)
    loaded = []
    for part in planned:
        location = part.location or part.base_location
        assert location is not None
        data = written.get(location)
        if data is None:
            data = read_metadata_bytes(warehouse, location)
        loaded.append(Loaded(location, data))
    return loaded


def _reads(changes: Sequence[TableChange]) -> frozenset[Key]:
    """Return what must not move before the commit lands.

    These are all tables named, for one may have requirements and no updates; and the namespaces of
    those to be created.
    """
    namespaces = {change.key[:-1] for change in changes if change.creates}
    return frozenset(namespaces | {change.key for change in changes})


def _message(planned: Sequence[_Changed]) -> str:
    changed = [part for part in planned if part.location is not None]
    if len(changed) == 1:
        return f"{_verb(changed[0])} {changed[0].change.kind.value} {shown(changed[0].change.key)}"
    names = ", ".join(shown(part.change.key) for part in changed[:5])
    more = f" and {len(changed) - 5} more" if len(changed) > 5 else ""
    return f"Change {len(changed)} tables: {names}{more}"


def _verb(part: _Changed) -> str:
    if part.base_location is None:
        return "Create"
    operations = {
        update["snapshot"].get("summary", {}).get("operation", "")
        for update in part.change.updates
        if update["action"] == "add-snapshot"
    }
    if not operations:
        return "Alter"
    # Clients make an overwrite of two snapshots, a delete and an append.
    operation = operations.pop() if len(operations) == 1 else "overwrite"
    return {
        "append": "Append to",
        "overwrite": "Overwrite in",
        "delete": "Delete from",
        "replace": "Compact",
    }.get(operation, "Write to")
