"""What every route of the management interface begins with: a warehouse, and who asks."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any

from fastapi import Depends, Header, Path, Request

from catalog.api.dependencies import get_caller, get_catalog
from catalog.api.progress import report_of
from catalog.operations.callers import Caller
from catalog.operations.merging.contents import Report
from catalog.operations.warehouses import Catalog, Warehouse, get_warehouse


def _warehouse(
    request: Request,
    warehouse: Annotated[str, Path(description="A warehouse's name.", examples=["lake"])],
) -> Warehouse:
    return get_warehouse(get_catalog(request), warehouse)


def _caller(
    request: Request,
    idempotency_key: Annotated[
        str | None,
        Header(
            description="A UUID of the client's own making, the same whenever it sends this request"
            " again: it takes place once, and is answered alike each time.",
            json_schema_extra={"format": "uuid"},
        ),
    ] = None,
) -> Caller:
    # The key is declared here for the interface's document; the middleware has read it.
    del idempotency_key
    return get_caller(request)


def _report(request: Request) -> Report:
    return report_of(request.scope)


CatalogOf = Annotated[Catalog, Depends(get_catalog)]
WarehouseOf = Annotated[Warehouse, Depends(_warehouse)]
CallerOf = Annotated[Caller, Depends(_caller)]
ReportOf = Annotated[Report, Depends(_report)]
BranchName = Annotated[
    str,
    Path(
        description="A branch's name; its slashes plain or percent-encoded.",
        examples=["ingest/2026-11-23"],
    ),
]
TagName = Annotated[
    str,
    Path(
        description="A tag's name; its slashes plain or percent-encoded.",
        examples=["release/2026-11-23"],
    ),
]
RevisionInPath = Annotated[
    str,
    Path(
        description="A branch, a tag, a commit id or the beginning of one, with `~n` or `^n`;"
        " slashes plain or percent-encoded.",
        examples=["main", "release/2026-11-23", "main~1"],
    ),
]


def speaking(
    caller: Caller, *, author: str | None, message: str | None, metadata: Mapping[str, str]
) -> Caller:
    """Return the caller with what the body says in place of what the headers say."""
    merged: dict[str, Any] = {"metadata": {**caller.metadata, **metadata}}
    return replace(
        caller, author=author or caller.author, message=message or caller.message, **merged
    )
