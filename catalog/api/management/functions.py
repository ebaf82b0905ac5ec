"""`/functions`: show, set and drop; Iceberg's own interface lists and loads them for engines."""

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Path, Query
from pydantic import Field
from starlette.responses import Response

from catalog.api.answering import answering_json, answering_nothing
from catalog.api.management.context import CallerOf, WarehouseOf
from catalog.api.management.documents import Json
from catalog.api.management.fields import (
    Answer,
    AnyRevision,
    Line,
    Metadata,
    QueryString,
    RequestBody,
    Text,
    problems,
)
from catalog.api.management.routing import ManagementRoute
from catalog.api.responses import JsonResponse
from catalog.operations.functions import drop_function, get_function, put_function
from catalog.operations.resolve import resolve
from catalog.operations.tables import Loaded
from catalog.operations.warehouses import Warehouse
from catalog.versioning.keys import Key

router = APIRouter(tags=["functions"], route_class=ManagementRoute)
_PATH = "/warehouses/{warehouse}/functions/{name:path}"
Name = Annotated[str, Path(description="The function's name.", examples=["to_celsius"])]
NamespaceLevels = Annotated[
    list[Line],
    Field(
        min_length=1,
        max_length=32,
        description="The namespace: one `namespace` parameter for each level.",
        examples=[["analytics"]],
    ),
]


class FunctionQuery(QueryString):
    """Where to look for a function."""

    namespace: NamespaceLevels
    ref: AnyRevision | None = Field(default=None, description="Default: the default branch.")


class FunctionBranchQuery(QueryString):
    """Where to set or drop a function."""

    namespace: NamespaceLevels
    branch: Line | None = Field(default=None, description="Default: the default branch.")


class FunctionRequest(RequestBody):
    """What a function does; its uuid, its location and its log the server keeps."""

    definitions: list[dict[str, Any]] = Field(
        description="As the Iceberg REST specification's FunctionDefinition has them; a version"
        " without a time gets the time of this request.",
        examples=[
            [
                {
                    "definition-id": "double",
                    "parameters": [{"name": "fahrenheit", "type": "double"}],
                    "return-type": "double",
                    "function-type": "udf",
                    "current-version-id": 1,
                    "versions": [
                        {
                            "version-id": 1,
                            "deterministic": True,
                            "representations": [
                                {
                                    "type": "sql",
                                    "dialect": "spark",
                                    "sql": "(fahrenheit - 32) * 5 / 9",
                                }
                            ],
                        }
                    ],
                }
            ]
        ],
    )
    properties: Metadata = Field(default_factory=dict)
    secure: bool = False
    doc: Text = ""


class FunctionAnswer(Answer):
    """A function as Iceberg's REST specification loads it."""

    metadata_location: str
    metadata: dict[str, Any] = Field(description="FunctionMetadata of the specification.")


@router.get(
    _PATH, summary="Show a function", response_model=FunctionAnswer, responses=problems(404)
)
def show(warehouse: WarehouseOf, name: Name, query: Annotated[FunctionQuery, Query()]) -> Response:
    """A function with all its definitions, at any revision."""
    commit_id = resolve(warehouse, query.ref).commit_id
    return JsonResponse(_document(get_function(warehouse, commit_id, (*query.namespace, name))))


@router.put(
    _PATH,
    summary="Set a function",
    response_model=FunctionAnswer,
    responses=problems(403, 404, 409),
)
def put(
    warehouse: WarehouseOf,
    name: Name,
    query: Annotated[FunctionBranchQuery, Query()],
    caller: CallerOf,
    body: FunctionRequest,
) -> Response:
    """Create a function on a branch, or replace the definitions of one that is there.

    It is a commit as one to a table is: protections apply, and merges carry it on.
    """
    answer = answering_json(caller, _document)
    return answer(
        put_function(
            warehouse,
            _branch(warehouse, query),
            _key(query, name),
            body.model_dump(exclude_unset=True),
            caller=caller,
        )
    )


@router.delete(_PATH, summary="Drop a function", status_code=204, responses=problems(403, 404))
def delete(
    warehouse: WarehouseOf,
    name: Name,
    query: Annotated[FunctionBranchQuery, Query()],
    caller: CallerOf,
) -> Response:
    """Drop a function from a branch."""
    answer = answering_nothing(caller)
    drop_function(warehouse, _branch(warehouse, query), _key(query, name), caller=caller)
    return answer()


def _key(query: FunctionBranchQuery, name: str) -> Key:
    return (*query.namespace, name)


def _branch(warehouse: Warehouse, query: FunctionBranchQuery) -> str:
    branch = query.branch or warehouse.default_branch
    return resolve(warehouse, branch).writable(branch)


def _document(loaded: Loaded) -> Json:
    metadata = orjson.loads(loaded.metadata)
    return {"metadata_location": loaded.location, "metadata": metadata}
