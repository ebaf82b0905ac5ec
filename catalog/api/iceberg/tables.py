"""Tables, as the specification has them; loading one is the hot path of every engine."""

from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from starlette.background import BackgroundTask

from catalog.api.answering import answering_nothing
from catalog.api.dependencies import require_object
from catalog.api.iceberg.addresses import (
    Address,
    AddressOf,
    NamespaceOf,
    Place,
    PlaceOf,
    address_in,
    key_of_identifier,
)
from catalog.api.iceberg.delegation import asker_of
from catalog.api.iceberg.namespaces import BodyOf, CallerOf
from catalog.api.iceberg.paging import page_of
from catalog.api.iceberg.results import answering_loaded, answering_staged, load_result
from catalog.api.responses import JsonResponse, no_content
from catalog.errors import InvalidInput
from catalog.iceberg.parsing import parse_requirements, parse_updates
from catalog.operations import changes, metrics, namespaces, tables
from catalog.operations.callers import Caller
from catalog.versioning.keys import Key
from catalog.versioning.objects import EntryKind

router = APIRouter()

_TABLES = "/v1/{prefix}/namespaces/{namespace}/tables"


def page_of_kind(
    request: Request, place: Place, namespace: Key, kind: EntryKind
) -> tuple[list[str], str | None]:
    """Return names of one kind in a namespace, by pages if asked, and the next page's token."""
    page = page_of(request, place, kind, namespace)
    found = namespaces.list_children(
        place.warehouse,
        page.commit_id,
        namespace,
        kind,
        after=page.after,
        limit=page.limit,
    )
    return page.cut([key[-1] for key in found])


def list_kind(request: Request, place: Place, namespace: Key, kind: EntryKind) -> Response:
    """List the tables or views of a namespace."""
    names, token = page_of_kind(request, place, namespace, kind)
    identifiers = [{"namespace": namespace, "name": name} for name in names]
    return JsonResponse({"identifiers": identifiers, "next-page-token": token})


def register(
    request: Request, place: Place, namespace: Key, caller: Caller, body: Any, kind: EntryKind
) -> Response:
    """Point a name at an existing metadata file."""
    registered = require_object(body)
    location = registered.get("metadata-location")
    if not isinstance(location, str) or not location:
        raise InvalidInput(f"Cannot register an empty metadata file location as a {kind.value}")
    overwrite = _flag(registered, "overwrite")
    address = address_in(place, _named(namespace, registered))
    asker = None
    if kind is EntryKind.TABLE:
        asker = asker_of(request, address.place, quote(registered["name"], safe=""))
    answer = answering_loaded(caller, address.warehouse, asker=asker)
    return answer(
        tables.register_table(
            address.warehouse,
            address.place.branch(),
            address.key,
            location,
            overwrite=overwrite,
            caller=caller,
            kind=kind,
        )
    )


def rename(place: Place, caller: Caller, body: Any, kind: EntryKind) -> Response:
    """Give a table or view another name on the same branch."""
    request = require_object(body)
    source = address_in(place, key_of_identifier(request.get("source"), "source"))
    target = address_in(place, key_of_identifier(request.get("destination"), "destination"))
    branch = source.place.branch()
    # A new name without a revision is meant for the branch of the old one.
    if target.place is not place and target.place.branch() != branch:
        raise InvalidInput(
            f"Cannot rename from {source.place.described!r} to {target.place.described!r}:"
            " a rename stays on one branch"
        )
    answer = answering_nothing(caller)
    tables.rename_table(source.warehouse, branch, source.key, target.key, caller=caller, kind=kind)
    return answer()


def change_of(address: Address, body: Any, kind: EntryKind) -> changes.TableChange:
    """Read the requirements and updates of a commit."""
    request = require_object(body)
    return changes.TableChange(
        address.key,
        parse_requirements(request.get("requirements")),
        parse_updates(request.get("updates")),
        kind,
    )


def commit_one(
    address: Address, change: changes.TableChange, caller: Caller, *, with_config: bool
) -> Response:
    """Commit to one table or view and answer with it as it is then."""
    answer = answering_loaded(caller, address.warehouse, with_config=with_config)
    branch = address.place.branch()
    return answer(changes.commit_table(address.warehouse, branch, change, caller=caller))


def _flag(request: dict[str, Any], field: str) -> bool:
    value = request.get(field)
    if value is not None and not isinstance(value, bool):
        raise InvalidInput(f"Cannot parse to a boolean value: {field}: {value}")
    return value is True


def _named(namespace: Key, request: dict[str, Any]) -> Key:
    name = request.get("name")
    return key_of_identifier({"namespace": list(namespace), "name": name}, "the table")


@router.get(_TABLES)
def list_tables(request: Request, place: PlaceOf, namespace: NamespaceOf) -> Response:
    """List the tables of a namespace."""
    return list_kind(request, place, namespace, EntryKind.TABLE)


@router.post(_TABLES)
def create_table(
    request: Request, place: PlaceOf, namespace: NamespaceOf, caller: CallerOf, body: BodyOf
) -> Response:
    """Create a table, or stage one for a later commit."""
    wanted = require_object(body)
    address = address_in(place, _named(namespace, wanted))
    branch = address.place.branch()
    warehouse = address.warehouse
    asker = asker_of(request, address.place, quote(wanted["name"], safe=""))
    if _flag(wanted, "stage-create"):
        staged = answering_staged(caller, warehouse, asker)
        return staged(tables.stage_table(warehouse, branch, address.key, wanted))
    answer = answering_loaded(caller, warehouse, asker=asker)
    return answer(tables.create_table(warehouse, branch, address.key, wanted, caller=caller))


@router.post("/v1/{prefix}/namespaces/{namespace}/register")
def register_table(
    request: Request, place: PlaceOf, namespace: NamespaceOf, caller: CallerOf, body: BodyOf
) -> Response:
    """Register a table."""
    return register(request, place, namespace, caller, body, EntryKind.TABLE)


@router.get(_TABLES + "/{table}")
def load_table(request: Request, address: AddressOf) -> Response:
    """Load a table with its whole metadata, or with the snapshots that refs name."""
    asker = asker_of(request, address.place, request.path_params["table"])
    return load_result(request, address, EntryKind.TABLE, asker)


@router.head(_TABLES + "/{table}")
def table_exists(address: AddressOf) -> Response:
    """Say whether a table exists."""
    tables.get_table(address.warehouse, address.place.commit_id, address.key)
    return no_content()


@router.post(_TABLES + "/{table}")
def commit_table(address: AddressOf, caller: CallerOf, body: BodyOf) -> Response:
    """Commit to a table."""
    change = change_of(address, body, EntryKind.TABLE)
    return commit_one(address, change, caller, with_config=False)


@router.delete(_TABLES + "/{table}")
def drop_table(request: Request, address: AddressOf, caller: CallerOf) -> Response:
    """Drop a table's entry; deleting files is the garbage collection's business.

    So `purgeRequested` changes nothing: other revisions may hold the table.
    """
    purge = request.query_params.get("purgeRequested", "false")
    if purge.lower() not in ("true", "false"):
        raise InvalidInput(f"purgeRequested must be true or false, not {purge!r}")
    answer = answering_nothing(caller)
    tables.drop_table(address.warehouse, address.place.branch(), address.key, caller=caller)
    return answer()


@router.post(_TABLES + "/{table}/unregister")
def unregister_table(address: AddressOf, caller: CallerOf) -> Response:
    """Take a table out of this branch and say where its metadata lies, to register it elsewhere."""
    answer = answering_loaded(caller, address.warehouse, with_config=False)
    branch = address.place.branch()
    return answer(tables.unregister_table(address.warehouse, branch, address.key, caller=caller))


@router.post(_TABLES + "/{table}/metrics")
def report_metrics(address: AddressOf, caller: CallerOf, body: BodyOf) -> Response:
    """Accept a metrics report; it is stored once this is answered, so that no engine waits."""
    warehouse, commit_id = address.warehouse, address.place.commit_id
    report = metrics.read_report(
        warehouse, commit_id, address.key, require_object(body), caller=caller
    )
    return Response(
        status_code=204, background=BackgroundTask(metrics.keep_report, warehouse, report)
    )


@router.post("/v1/{prefix}/tables/rename")
def rename_table(place: PlaceOf, caller: CallerOf, body: BodyOf) -> Response:
    """Rename a table."""
    return rename(place, caller, body, EntryKind.TABLE)


@router.post("/v1/{prefix}/transactions/commit")
def commit_transaction(place: PlaceOf, caller: CallerOf, body: BodyOf) -> Response:
    """Commit to several tables at once: one commit, or nothing."""
    listed = require_object(body).get("table-changes")
    if not isinstance(listed, list):
        raise InvalidInput("Invalid table changes: null")
    if not listed:
        raise InvalidInput("Invalid table changes: empty")
    addressed = []
    for item in listed:
        if not isinstance(item, dict) or item.get("identifier") is None:
            raise InvalidInput("Invalid table changes: table identifier is required")
        address = address_in(place, key_of_identifier(item["identifier"], "identifier"))
        addressed.append((address, change_of(address, item, EntryKind.TABLE)))
    branches = {address.place.branch() for address, _ in addressed}
    if len(branches) > 1:
        raise InvalidInput(
            f"A transaction commits to one branch, not to {', '.join(sorted(branches))}"
        )
    answer = answering_nothing(caller)
    changes.commit_tables(
        place.warehouse, branches.pop(), [change for _, change in addressed], caller=caller
    )
    return answer()
