"""Namespaces: list, create, load, change properties, drop."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import uuid4

from catalog.errors import InvalidInput, NamespaceNotEmpty, NoSuchNamespace
from catalog.operations.callers import Caller
from catalog.operations.commit import Head, Plan, commit
from catalog.operations.entries import (
    check_name,
    find_entry,
    require_namespace,
    shown,
    taken_error,
)
from catalog.operations.warehouses import Warehouse
from catalog.versioning.ids import ObjectId
from catalog.versioning.keys import Key
from catalog.versioning.object_store import Objects
from catalog.versioning.objects import Entry, EntryKind
from catalog.versioning.tree import children, get


@dataclass(frozen=True, slots=True)
class PropertiesChange:
    """What became of each property that a request named."""

    updated: list[str]
    removed: list[str]
    missing: list[str]


def get_namespace(warehouse: Warehouse, commit_id: ObjectId, namespace: Key) -> Entry:
    """Return a namespace's entry.

    Raises:
        NoSuchNamespace: if it is absent at this commit.
    """
    entry = find_entry(warehouse, commit_id, namespace) if namespace else None
    return _existing(entry, namespace)


def list_children(
    warehouse: Warehouse,
    commit_id: ObjectId,
    namespace: Key,
    kind: EntryKind,
    *,
    after: str | None = None,
    limit: int | None = None,
) -> list[Key]:
    """Return the keys of one kind directly inside a namespace, in order; () is the top level.

    Raises:
        NoSuchNamespace: if the namespace is absent at this commit.
    """
    if namespace:
        get_namespace(warehouse, commit_id, namespace)
    objects = warehouse.objects()
    tree = objects.commit(commit_id).tree
    found: list[Key] = []
    for key, entry in children(objects, tree, namespace, after=after):
        if entry.kind is kind:
            found.append(key)
            if limit is not None and len(found) == limit:
                break
    return found


def create_namespace(
    warehouse: Warehouse,
    branch: str,
    namespace: Key,
    properties: Mapping[str, str],
    *,
    caller: Caller,
) -> Entry:
    """Create a namespace; its parent must exist.

    Raises:
        AlreadyExists: if the name is taken.
        NoSuchNamespace: if an ancestor is missing.
        InvalidInput: if the name, or a `location` among the properties, cannot be.
    """
    check_name(namespace)
    if "location" in properties:
        warehouse.resolve_location(properties["location"])
    entry = Entry(EntryKind.NAMESPACE, str(uuid4()), properties=dict(properties))

    def build(objects: Objects, head: Head) -> Plan:
        parent = namespace[:-1]
        if parent:
            require_namespace(objects, head.commit.tree, parent, where=f"branch {branch!r}")
        existing = get(objects, head.commit.tree, namespace)
        if existing is not None:
            raise taken_error(EntryKind.NAMESPACE, existing, namespace)
        return Plan(
            {namespace: entry},
            f"Create namespace {shown(namespace)}",
            reads=frozenset([parent] if parent else []),
            returns=lambda done: entry,
        )

    commit(warehouse, branch, build, caller=caller, operation="create-namespace")
    return entry


def update_namespace(
    warehouse: Warehouse,
    branch: str,
    namespace: Key,
    *,
    removals: Sequence[str],
    updates: Mapping[str, str],
    caller: Caller,
) -> PropertiesChange:
    """Set and remove properties of a namespace in one commit.

    Raises:
        NoSuchNamespace: if it is absent.
        InvalidInput: if a `location` lies outside the warehouse.
    """
    if "location" in updates:
        warehouse.resolve_location(updates["location"])

    def build(objects: Objects, head: Head) -> Plan | None:
        entry = _existing(get(objects, head.commit.tree, namespace), namespace)
        kept = {name: value for name, value in entry.properties.items() if name not in removals}
        changed = {**kept, **updates}
        change = PropertiesChange(
            updated=sorted(updates),
            removed=[name for name in removals if name in entry.properties],
            missing=[name for name in removals if name not in entry.properties],
        )
        results.append(change)
        if changed == dict(entry.properties):
            return None
        return Plan(
            {namespace: Entry(entry.kind, entry.uuid, properties=changed)},
            f"Change properties of namespace {shown(namespace)}",
            returns=lambda done: change,
        )

    results: list[PropertiesChange] = []
    commit(warehouse, branch, build, caller=caller, operation="update-namespace")
    return results[-1]


def drop_namespace(warehouse: Warehouse, branch: str, namespace: Key, *, caller: Caller) -> None:
    """Drop an empty namespace.

    Raises:
        NoSuchNamespace: if it is absent.
        NamespaceNotEmpty: naming some of what it holds.
    """
    if not namespace:
        raise InvalidInput("A namespace has at least one level")

    def build(objects: Objects, head: Head) -> Plan:
        _existing(get(objects, head.commit.tree, namespace), namespace)
        held = next(iter(children(objects, head.commit.tree, namespace)), None)
        if held is not None:
            raise NamespaceNotEmpty(
                f"Namespace {shown(namespace)} is not empty: it holds"
                f" {held[1].kind.value} {shown(held[0])}",
                namespace=list(namespace),
            )
        return Plan({namespace: None}, f"Drop namespace {shown(namespace)}", ranges=(namespace,))

    commit(warehouse, branch, build, caller=caller, operation="drop-namespace")


def _existing(entry: Entry | None, namespace: Key) -> Entry:
    if entry is None or entry.kind is not EntryKind.NAMESPACE:
        raise NoSuchNamespace(
            f"Namespace does not exist: {shown(namespace)}", namespace=list(namespace)
        )
    return entry
