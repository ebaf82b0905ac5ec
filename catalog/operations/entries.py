"""Finding entries at a commit, and the errors that say what is missing."""

from collections.abc import Iterator

from catalog.errors import (
    AlreadyExists,
    InvalidInput,
    NoSuchFunction,
    NoSuchNamespace,
    NoSuchTable,
    NoSuchView,
    NotFound,
)
from catalog.operations.warehouses import Warehouse
from catalog.versioning.ids import ObjectId
from catalog.versioning.keys import Key
from catalog.versioning.object_store import Objects
from catalog.versioning.objects import Entry, EntryKind
from catalog.versioning.tree import get, get_many

_MAX_NAME_BYTES = 255
_MAX_LEVELS = 32
_STEPS = (".", "..")
# Of more parts than these, only the reading without dots in a level is looked for.
_MAX_DOTTED = 8


def shown(key: Key) -> str:
    """Render a key as people write it."""
    return ".".join(key)


def find_key(objects: Objects, tree: ObjectId, text: str) -> Key:
    """Return the key that people write so; where a level holds dots itself, the one that is there.

    What is not there is taken for a name whose levels hold none.
    """
    levels = text.split(".")
    plain = tuple(levels)
    if not 2 <= len(levels) <= _MAX_DOTTED:
        return plain
    found = get_many(objects, tree, _groupings(levels))
    return plain if plain in found else min(found, default=plain)


def _groupings(levels: list[str]) -> Iterator[Key]:
    """Yield every way to join neighbours among the levels by dots."""
    if len(levels) == 1:
        yield (levels[0],)
        return
    for rest in _groupings(levels[1:]):
        yield (levels[0], *rest)
        yield (f"{levels[0]}.{rest[0]}", *rest[1:])


def check_name(key: Key) -> Key:
    """Return the key of something about to be created, if it may be called so.

    Raises:
        InvalidInput: with the rule that the name breaks.
    """
    if not key or len(key) > _MAX_LEVELS:
        raise InvalidInput(f"A name has 1 to {_MAX_LEVELS} levels, not {len(key)}")
    for level in key:
        if not level or len(level.encode()) > _MAX_NAME_BYTES:
            raise InvalidInput(
                f"Invalid name {shown(key)!r}: each level has 1 to {_MAX_NAME_BYTES} bytes"
            )
        if any(ord(character) < 32 or ord(character) == 127 for character in level):
            raise InvalidInput(f"Invalid name {shown(key)!r}: control characters are not allowed")
    if key[-1] in _STEPS or key[0] in _STEPS:
        raise InvalidInput(
            f"Invalid name {shown(key)!r}: clients take '.' and '..' for steps of the path that"
            " they ask for, and would reach something else"
        )
    if "@" in key[-1]:
        raise InvalidInput(f"Invalid name {shown(key)!r}: '@' separates a name from a revision")
    return key


def find_entry(warehouse: Warehouse, commit_id: ObjectId, key: Key) -> Entry | None:
    """Return what `key` names at a commit."""
    objects = warehouse.objects()
    return get(objects, objects.commit(commit_id).tree, key)


def require_namespace(objects: Objects, tree: ObjectId, namespace: Key, *, where: str) -> None:
    """Check that a namespace and all its ancestors exist.

    Raises:
        NoSuchNamespace: naming each missing one and the branch it is missing on.
    """
    wanted = [namespace[:depth] for depth in range(1, len(namespace) + 1)]
    found = get_many(objects, tree, wanted)
    missing = [
        key for key in wanted if key not in found or found[key].kind is not EntryKind.NAMESPACE
    ]
    if missing:
        names = ", ".join(shown(key) for key in missing)
        raise NoSuchNamespace(
            f"Namespace does not exist: {shown(namespace)} (missing on {where}: {names};"
            " create it first)",
            namespace=list(namespace),
            missing=[list(key) for key in missing],
        )


_MISSING: dict[EntryKind, type[NotFound]] = {
    EntryKind.NAMESPACE: NoSuchNamespace,
    EntryKind.TABLE: NoSuchTable,
    EntryKind.VIEW: NoSuchView,
    EntryKind.FUNCTION: NoSuchFunction,
}


def missing_error(kind: EntryKind, key: Key) -> NotFound:
    """Return the error for a table, view or function that is not there."""
    name = kind.value.capitalize()
    return _MISSING[kind](f"{name} does not exist: {shown(key)}", key=list(key))


def taken_error(kind: EntryKind, existing: Entry, key: Key) -> AlreadyExists:
    """Return the error for a name that is taken, in the words that clients expect."""
    name = existing.kind.value.capitalize()
    if existing.kind is kind:
        return AlreadyExists(f"{name} already exists: {shown(key)}", key=list(key))
    return AlreadyExists(f"{name} with same name already exists: {shown(key)}", key=list(key))
