"""From the segments of an Iceberg path to a warehouse, a revision and a key."""

from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import unquote_to_bytes

from fastapi import Depends, Request

from catalog.api.dependencies import get_catalog
from catalog.errors import InvalidInput, NoSuchRevision
from catalog.operations.resolve import Resolved, has_commit, head_of, resolve
from catalog.operations.warehouses import Warehouse, get_warehouse
from catalog.versioning.ids import ObjectId
from catalog.versioning.keys import Key
from catalog.versioning.revisions import decode_prefix, split_revision

# The unit separator joins the levels of a namespace in paths and queries.
SEPARATOR = "\x1f"
_NAMES = ("table", "view", "function")


@dataclass(frozen=True, slots=True)
class Place:
    """A warehouse at a revision: what a prefix stands for."""

    warehouse: Warehouse
    revision: Resolved
    described: str

    @property
    def commit_id(self) -> ObjectId:
        """The commit to read from."""
        return self.revision.commit_id

    def branch(self) -> str:
        """Return the branch to write to, or raise ReadOnlyRevision."""
        return self.revision.writable(self.described)

    def at(self, name: str) -> tuple["Place", str]:
        """Split `name@revision`; without a revision this place stays."""
        bare, revision = split_revision(name)
        if revision is None:
            return self, name
        return Place(self.warehouse, resolve(self.warehouse, revision), revision), bare


def get_place(request: Request) -> Place:
    """Resolve the prefix of the request's path."""
    return place_of(request, request.path_params["prefix"])


def place_of(request: Request, prefix: str) -> Place:
    """Resolve a prefix: a branch live, a commit for ever.

    Raises:
        NoSuchRevision: if there is no such branch or commit, or no such warehouse.
    """
    decoded = decode_prefix(decode(prefix))
    warehouse = get_warehouse(get_catalog(request), decoded.warehouse)
    if decoded.branch is not None:
        revision = Resolved(head_of(warehouse, decoded.branch), decoded.branch)
        return Place(warehouse, revision, str(decoded.branch))
    assert decoded.commit is not None
    described = decoded.commit.hex()[:12]
    if not has_commit(warehouse, decoded.commit):
        raise NoSuchRevision(f"Warehouse {warehouse.name!r} has no commit {described!r}")
    return Place(warehouse, Resolved(decoded.commit), described)


def decode(segment: str) -> str:
    """Percent-decode one segment of a path.

    Raises:
        InvalidInput: if it is not UTF-8.
    """
    try:
        return unquote_to_bytes(segment).decode()
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{segment!r} in the path is not UTF-8") from error


def namespace_of(text: str) -> Key:
    """Split a decoded namespace at the unit separator.

    Raises:
        InvalidInput: if a level is empty or holds a NUL.
    """
    return check_levels(tuple(text.split(SEPARATOR)))


def check_levels(levels: Key) -> Key:
    """Return `levels` if they can be a key at all; they need not exist."""
    if not levels or any(not level or "\0" in level for level in levels):
        raise InvalidInput(f"Invalid name {levels!r}: no level may be empty or hold a NUL")
    try:
        "".join(levels).encode()
    except UnicodeEncodeError as error:
        raise InvalidInput("Invalid name: it holds half of a surrogate pair") from error
    return levels


def get_namespace_key(request: Request) -> Key:
    """Return the namespace of the request's path."""
    return namespace_of(decode(request.path_params["namespace"]))


def key_of_identifier(value: Any, field: str) -> Key:
    """Read a TableIdentifier of a request body.

    Raises:
        InvalidInput: if it is none; the message names `field`.
    """
    if not isinstance(value, dict):
        raise InvalidInput(f"Cannot parse {field}: not an object with namespace and name")
    levels, name = value.get("namespace"), value.get("name")
    if not isinstance(levels, list) or not all(isinstance(level, str) for level in levels):
        raise InvalidInput(f"Cannot parse {field}: namespace is not a list of strings")
    if not isinstance(name, str):
        raise InvalidInput(f"Cannot parse {field}: name is not a string")
    return check_levels((*levels, name))


@dataclass(frozen=True, slots=True)
class Address:
    """A table or view in a path: its key, and the place after `name@revision` was split off."""

    place: Place
    key: Key

    @property
    def warehouse(self) -> Warehouse:
        """The warehouse."""
        return self.place.warehouse


def address_in(place: Place, key: Key) -> Address:
    """Split `@revision` off a key's last level."""
    where, name = place.at(key[-1])
    return Address(where, check_levels((*key[:-1], name)))


def get_address(request: Request) -> Address:
    """Return the table, view or function of the request's path."""
    name = next(request.path_params[each] for each in _NAMES if each in request.path_params)
    key = address_key(request.path_params["namespace"], name)
    return address_in(get_place(request), key)


def address_key(namespace: str, name: str) -> Key:
    """Return the key of two encoded segments of a path."""
    return check_levels((*namespace_of(decode(namespace)), decode(name)))


PlaceOf = Annotated[Place, Depends(get_place)]
NamespaceOf = Annotated[Key, Depends(get_namespace_key)]
AddressOf = Annotated[Address, Depends(get_address)]
