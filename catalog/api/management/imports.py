"""`/imports`: tables of another catalog, registered where their files lie."""

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from catalog.api.answering import answering_json
from catalog.api.management.context import CallerOf, WarehouseOf, speaking
from catalog.api.management.documents import Json
from catalog.api.management.fields import (
    Answer,
    CommitId,
    Line,
    Metadata,
    RequestBody,
    Text,
    problems,
)
from catalog.api.management.models import KeyLevels
from catalog.api.management.routing import ManagementRoute
from catalog.operations.imports import Foreign, Import, Imported, import_tables
from catalog.operations.resolve import resolve
from catalog.versioning.ids import to_hex
from catalog.versioning.objects import EntryKind

router = APIRouter(tags=["imports"], route_class=ManagementRoute)
_MAX_NAMES = 100_000


class NamespaceToImport(RequestBody):
    """A namespace with the properties that it gets if it is not there."""

    key: Annotated[list[str], Field(min_length=1, examples=[["features"]])]
    properties: dict[str, Text] = Field(default={}, max_length=1000)


class TableToImport(RequestBody):
    """A table or view, and its current metadata file."""

    key: Annotated[list[str], Field(min_length=2, examples=[["features", "slides"]])]
    metadata_location: Line = Field(
        examples=["s3://bucket/lake/features/slides/metadata/00012-5f2c.metadata.json"]
    )
    kind: Literal["table", "view"] = "table"


class ImportRequest(RequestBody):
    """What another catalog has."""

    branch: Line | None = Field(default=None, description="Default: the default branch.")
    namespaces: list[NamespaceToImport] = Field(default=[], max_length=_MAX_NAMES)
    tables: list[TableToImport] = Field(
        max_length=_MAX_NAMES,
        description="The namespaces that they lie in are made where they are missing.",
    )
    update: bool = Field(
        default=False,
        description="Follow tables that were imported before and have moved on in their catalog.",
    )
    dry_run: bool = Field(
        default=False, description="Answer as the request would without this; change nothing."
    )
    message: Text | None = None
    author: Line | None = None
    metadata: Metadata = Field(default_factory=dict)


class ImportedAnswer(Answer):
    """What became of one name."""

    key: KeyLevels
    kind: Literal["namespace", "table", "view"]
    outcome: Literal["added", "updated", "unchanged", "left-out"]
    reason: (
        Literal[
            "invalid-name",
            "name-taken",
            "outside-warehouse",
            "missing-file",
            "invalid-metadata",
            "under-another-name",
            "moved-on",
            "diverged",
        ]
        | None
    ) = Field(description="Why it was left out.")
    detail: str


class ImportAnswer(Answer):
    """Where the branch stands, and what became of each name, by key."""

    commit_id: CommitId
    names: list[ImportedAnswer]


@router.post(
    "/warehouses/{warehouse}/imports",
    summary="Import tables of another catalog",
    response_model=ImportAnswer,
    responses=problems(403, 404, 409),
)
def create_import(warehouse: WarehouseOf, caller: CallerOf, body: ImportRequest) -> Response:
    """Register tables and views where their files lie, as one commit; no file is copied.

    What cannot be registered is left out, with the reason. What is there already is left as it is,
    so an import may be repeated. Where nothing is to be done the branch's head is answered.
    """
    branch = body.branch or warehouse.default_branch
    answer = answering_json(caller, _document)
    return answer(
        import_tables(
            warehouse,
            resolve(warehouse, branch).writable(branch),
            {tuple(each.key): each.properties for each in body.namespaces},
            [
                Foreign(tuple(each.key), each.metadata_location, EntryKind(each.kind))
                for each in body.tables
            ],
            update=body.update,
            dry_run=body.dry_run,
            caller=speaking(
                caller, author=body.author, message=body.message, metadata=body.metadata
            ),
        )
    )


def _document(done: Import) -> Json:
    return {"commit_id": to_hex(done.commit_id), "names": [_name(each) for each in done.names]}


def _name(name: Imported) -> Json:
    return {
        "key": list(name.key),
        "kind": name.kind.value,
        "outcome": name.outcome.value,
        "reason": None if name.reason is None else name.reason.value,
        "detail": name.detail,
    }
