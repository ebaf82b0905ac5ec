"""What a client is given to get at a table's files: credentials, signatures, or nothing."""

from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from catalog.errors import Forbidden
from catalog.files.delegation import Delegation, delegations
from catalog.files.scopes import Scope, find_scope
from catalog.files.signing import SignRequest, check_request
from catalog.iceberg.locations import contains, normalise
from catalog.operations.tables import load_table
from catalog.operations.warehouses import Warehouse
from catalog.versioning.ids import ObjectId
from catalog.versioning.keys import Key


@dataclass(frozen=True, slots=True)
class Access:
    """What one client is given for one table: short-lived credentials, or else signatures."""

    prefix: str
    credentials: Mapping[str, str] | None


def offers_access(warehouse: Warehouse) -> bool:
    """Tell whether answers of this warehouse may hold what is for one client only."""
    return bool(delegations(warehouse.storage))


def grant(
    warehouse: Warehouse, location: str, *, read_only: bool, wanted: frozenset[str]
) -> Access | None:
    """Return the first that the warehouse offers of what a client can use, credentials before all.

    The scope is the table's location, which must lie below the warehouse's own.

    Raises:
        StorageUnavailable: if STS does not vend credentials.
    """
    scope = _scope(warehouse, location, read_only=read_only)
    if scope is None:
        return None
    usable = {each for each in delegations(warehouse.storage) if each.value in wanted}
    if Delegation.VENDED in usable:
        vended = warehouse.aws.vend(scope, f"mainstem-{warehouse.name}")
        return Access(normalise(location), vended.properties)
    if Delegation.SIGNING in usable:
        return Access(normalise(location), None)
    return None


def own_keys(warehouse: Warehouse) -> Mapping[str, str]:
    """Return the server's own keys if the warehouse hands them out, else nothing.

    Raises:
        StorageUnavailable: if it hands them out and there are none.
    """
    if Delegation.STATIC not in delegations(warehouse.storage):
        return {}
    return warehouse.aws.own_keys()


def load_credentials(
    warehouse: Warehouse, commit_id: ObjectId, key: Key, *, read_only: bool
) -> Access | None:
    """Return fresh credentials for a table; None if the warehouse vends none.

    Raises:
        NoSuchTable: if the key names no table at this commit.
        StorageUnavailable: if STS does not vend credentials.
    """
    location = table_location(load_table(warehouse, commit_id, key).metadata)
    return grant(
        warehouse, location, read_only=read_only, wanted=frozenset({Delegation.VENDED.value})
    )


def sign_request(
    warehouse: Warehouse, commit_id: ObjectId, key: Key, request: SignRequest, *, read_only: bool
) -> dict[str, str]:
    """Return the headers that let a client send a request to the table's files.

    Raises:
        NoSuchTable: if the key names no table at this commit.
        Forbidden: if the warehouse signs nothing, or the request leaves the table's files, or
            writes through a revision that cannot be written to.
    """
    location = table_location(load_table(warehouse, commit_id, key).metadata)
    scope = _scope(warehouse, location, read_only=read_only)
    if scope is None or Delegation.SIGNING not in delegations(warehouse.storage):
        raise Forbidden(f"Warehouse {warehouse.name!r} does not sign requests for {location}")
    check_request(request, scope, warehouse.storage)
    return warehouse.aws.sign(request)


def table_location(metadata: bytes) -> str:
    """Return the location that a metadata file names."""
    location: str = orjson.loads(metadata)["location"]
    return location


def _scope(warehouse: Warehouse, location: str, *, read_only: bool) -> Scope | None:
    inside = contains(warehouse.location, location)
    whole = normalise(location) == normalise(warehouse.location)
    return find_scope(location, read_only=read_only) if inside and not whole else None
