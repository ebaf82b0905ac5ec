"""Imports: names pointed at metadata files of another catalog, all that can be, in one commit.

What cannot be is left out and told of, so that an import can be repeated until nothing is left:
what is there already stays as it is. Nothing that was committed here is ever lost by one.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import uuid4

from catalog.errors import InvalidInput, NoSuchFile
from catalog.iceberg.locations import normalise
from catalog.iceberg.metadata import Metadata
from catalog.iceberg.validation import check_table
from catalog.iceberg.views import check_view
from catalog.operations.callers import Caller
from catalog.operations.commit import Head, Plan, commit
from catalog.operations.entries import check_name, shown
from catalog.operations.metadata import read_foreign_metadata, read_metadata
from catalog.operations.paths import check_paths
from catalog.operations.resolve import head_of
from catalog.operations.tables import new_entry
from catalog.operations.warehouses import Warehouse
from catalog.versioning.ids import ObjectId
from catalog.versioning.keys import Key
from catalog.versioning.object_store import Objects
from catalog.versioning.objects import Entry, EntryKind
from catalog.versioning.tree import get, scan

# How many metadata files are read at once.
_PARALLEL = 16


class Outcome(StrEnum):
    """What becomes of one name."""

    ADDED = "added"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    LEFT_OUT = "left-out"


class Reason(StrEnum):
    """Why a name is left out."""

    INVALID_NAME = "invalid-name"
    NAME_TAKEN = "name-taken"
    OUTSIDE_WAREHOUSE = "outside-warehouse"
    MISSING_FILE = "missing-file"
    INVALID_METADATA = "invalid-metadata"
    UNDER_ANOTHER_NAME = "under-another-name"
    MOVED_ON = "moved-on"
    DIVERGED = "diverged"


@dataclass(frozen=True, slots=True)
class Foreign:
    """A table or view as another catalog has it now."""

    key: Key
    metadata_location: str
    kind: EntryKind = EntryKind.TABLE


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of one name, or would; `reason` is set if it was left out."""

    key: Key
    kind: EntryKind
    outcome: Outcome
    reason: Reason | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Import:
    """Where the branch stands afterwards, and every name in the order of the keys."""

    commit_id: ObjectId
    names: list[Imported]


@dataclass(frozen=True, slots=True)
class _Candidate:
    """One whose metadata is valid here; `came_from` are the metadata files before it."""

    key: Key
    entry: Entry
    came_from: frozenset[str]


def import_tables(
    warehouse: Warehouse,
    branch: str,
    namespaces: Mapping[Key, Mapping[str, str]],
    tables: Sequence[Foreign],
    *,
    update: bool,
    dry_run: bool,
    caller: Caller,
) -> Import:
    """Create the namespaces and register the tables and views, as one commit; no file is written.

    Namespaces that are there keep their properties. A table that was imported before and has moved
    on in its catalog is followed with `update`, unless commits of this branch would be lost by it.

    Raises:
        InvalidInput: if a name is given twice.
        StorageUnavailable: if object storage does not answer; nothing is changed then.
        ProtectedBranch: if a protection of the branch refuses commits.
    """
    keys = [table.key for table in tables]
    if len(set(keys)) < len(keys):
        raise InvalidInput("A table or view may be named only once in an import")
    with ThreadPoolExecutor(_PARALLEL, thread_name_prefix="import") as pool:
        read = list(pool.map(lambda table: _read(warehouse, table), tables))

    def build(objects: Objects, head: Head) -> Plan | None:
        draft = _Draft(warehouse, objects, head.commit.tree, namespaces, update)
        for namespace in sorted(namespaces):
            draft.add_namespace(namespace)
        for each in read:
            draft.add(each)
        results[:] = sorted(draft.names.values(), key=lambda name: name.key)
        if not draft.edits:
            return None
        # A name far away may come to hold the same table, so any change means to look again.
        return Plan(
            draft.edits,
            _message(draft.names.values()),
            ranges=((),),
            returns=lambda done: Import(done.commit_id, results),
        )

    results: list[Imported] = []
    if dry_run:
        head = head_of(warehouse, branch)
        objects = warehouse.objects()
        build(objects, Head(head, objects.commit(head)))
        return Import(head, results)
    done = commit(warehouse, branch, build, caller=caller, operation="import-tables")
    return Import(done.commit_id, results)


def _read(warehouse: Warehouse, table: Foreign) -> _Candidate | Imported:
    """Return what can be registered as far as its own metadata tells."""

    def left_out(reason: Reason, error: Exception) -> Imported:
        return Imported(table.key, table.kind, Outcome.LEFT_OUT, reason, str(error))

    try:
        check_name(table.key)
    except InvalidInput as error:
        return left_out(Reason.INVALID_NAME, error)
    try:
        location = warehouse.resolve_location(table.metadata_location)
    except InvalidInput as error:
        return left_out(Reason.OUTSIDE_WAREHOUSE, error)
    try:
        metadata = read_foreign_metadata(warehouse, location)
        (check_table if table.kind is EntryKind.TABLE else check_view)(metadata)
    except NoSuchFile as error:
        return left_out(Reason.MISSING_FILE, error)
    except InvalidInput as error:
        return left_out(Reason.INVALID_METADATA, error)
    try:
        check_paths(warehouse, metadata)
        warehouse.resolve_location(location, beside=metadata["location"])
    except InvalidInput as error:
        return left_out(Reason.OUTSIDE_WAREHOUSE, error)
    return _Candidate(table.key, new_entry(table.kind, location, metadata), _came_from(metadata))


def _came_from(metadata: Metadata) -> frozenset[str]:
    logged = (each["metadata-file"] for each in metadata.get("metadata-log") or ())
    return frozenset(_spelled(location) for location in logged)


def _spelled(location: str) -> str:
    try:
        return normalise(location)
    except InvalidInput:
        return location


@dataclass
class _Draft:
    """The edits of an import, name by name, on top of a tree."""

    warehouse: Warehouse
    objects: Objects
    tree: ObjectId
    properties: Mapping[Key, Mapping[str, str]]
    update: bool
    edits: dict[Key, Entry] = field(default_factory=dict)
    names: dict[Key, Imported] = field(default_factory=dict)
    holders: dict[str, Key] = field(init=False)

    def __post_init__(self) -> None:
        standing = scan(self.objects, self.tree)
        self.holders = {entry.uuid: key for key, entry in standing}

    def add(self, read: _Candidate | Imported) -> None:
        """Register a table or view, if that can be."""
        if isinstance(read, Imported):
            self.names[read.key] = read
            return
        judged = self._judge(read)
        if judged.outcome in (Outcome.ADDED, Outcome.UPDATED):
            blocked = self._require(read.key[:-1])
            if blocked is not None:
                judged = _left_out(read, Reason.NAME_TAKEN, blocked)
            else:
                self.edits[read.key] = read.entry
                self.holders[read.entry.uuid] = read.key
        self.names[read.key] = judged

    def add_namespace(self, namespace: Key) -> None:
        """Create a namespace, and those it lies in, if they are not there."""
        try:
            for depth in range(1, len(namespace) + 1):
                check_name(namespace[:depth])
        except InvalidInput as error:
            self._name(namespace, Outcome.LEFT_OUT, Reason.INVALID_NAME, error.message)
            return
        blocked = self._require(namespace)
        if blocked is not None:
            self._name(namespace, Outcome.LEFT_OUT, Reason.NAME_TAKEN, blocked)
        elif namespace not in self.names:
            self._name(namespace, Outcome.UNCHANGED)

    def _require(self, namespace: Key) -> str | None:
        """Make a namespace and its ancestors, or say what stands in their place."""
        levels = [namespace[:depth] for depth in range(1, len(namespace) + 1)]
        standing = {key: self._standing(key) for key in levels}
        for key, existing in standing.items():
            if existing is not None and existing.kind is not EntryKind.NAMESPACE:
                return f"{existing.kind.value.capitalize()} {shown(key)} has the name"
        for key, existing in standing.items():
            if existing is None:
                self._create(key)
        return None

    def _standing(self, key: Key) -> Entry | None:
        return self.edits.get(key) or get(self.objects, self.tree, key)

    def _create(self, namespace: Key) -> None:
        properties = dict(self.properties.get(namespace, {}))
        detail = ""
        try:
            if "location" in properties:
                self.warehouse.resolve_location(properties["location"])
        except InvalidInput as error:
            # It says where new tables go, which cannot be there.
            del properties["location"]
            detail = f"Without its property location: {error.message}"
        entry = Entry(EntryKind.NAMESPACE, str(uuid4()), properties=properties)
        self.edits[namespace] = entry
        self._name(namespace, Outcome.ADDED, detail=detail)

    def _name(
        self, namespace: Key, outcome: Outcome, reason: Reason | None = None, detail: str = ""
    ) -> None:
        self.names[namespace] = Imported(namespace, EntryKind.NAMESPACE, outcome, reason, detail)

    def _judge(self, new: _Candidate) -> Imported:
        """Say what becomes of a table or view, its namespace left aside."""
        key, entry = new.key, new.entry
        existing = self._standing(key)
        if existing is None:
            holder = self.holders.get(entry.uuid)
            if holder is None:
                return Imported(key, entry.kind, Outcome.ADDED)
            return _left_out(new, Reason.UNDER_ANOTHER_NAME, f"It is {shown(holder)} here")
        if existing.kind is not entry.kind or existing.uuid != entry.uuid:
            detail = f"Another {existing.kind.value} has the name"
            return _left_out(new, Reason.NAME_TAKEN, detail)
        if existing.metadata_location == entry.metadata_location:
            return Imported(key, entry.kind, Outcome.UNCHANGED)
        return self._compare(new, existing)

    def _compare(self, new: _Candidate, existing: Entry) -> Imported:
        """Say which of two states of one table grew out of the other."""
        assert existing.metadata_location is not None
        if existing.metadata_location in new.came_from:
            if self.update:
                return Imported(new.key, new.entry.kind, Outcome.UPDATED)
            return _left_out(new, Reason.MOVED_ON, "Its catalog has a later state; ask for updates")
        if new.entry.metadata_location in self._came_from(existing.metadata_location):
            detail = "This branch has gone on from it"
            return Imported(new.key, new.entry.kind, Outcome.UNCHANGED, detail=detail)
        detail = "Neither the state here nor that of its catalog grew out of the other"
        return _left_out(new, Reason.DIVERGED, detail)

    def _came_from(self, location: str) -> frozenset[str]:
        try:
            return _came_from(read_metadata(self.warehouse, location))
        except NoSuchFile:
            return frozenset()


def _left_out(new: _Candidate, reason: Reason, detail: str) -> Imported:
    return Imported(new.key, new.entry.kind, Outcome.LEFT_OUT, reason, detail)


def _message(names: Iterable[Imported]) -> str:
    changed = [name for name in names if name.outcome in (Outcome.ADDED, Outcome.UPDATED)]
    if len(changed) == 1:
        return f"Import {changed[0].kind.value} {shown(changed[0].key)}"
    counts = Counter(name.kind.value for name in changed)
    order = (EntryKind.TABLE, EntryKind.VIEW, EntryKind.NAMESPACE)
    parts = [
        f"{counts[kind]} {kind.value}{'' if counts[kind] == 1 else 's'}"
        for kind in order
        if counts[kind]
    ]
    return f"Import {', '.join(parts)}"
