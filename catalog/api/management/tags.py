"""`/tags`: create, list, show and delete; a tag never moves."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from catalog.api.answering import answering_json, answering_nothing
from catalog.api.management.context import CallerOf, TagName, WarehouseOf
from catalog.api.management.documents import tag_document
from catalog.api.management.fields import problems
from catalog.api.management.models import RefsQuery, TagAnswer, TagRequest, TagsAnswer
from catalog.api.management.pages import name_page
from catalog.api.management.routing import ManagementRoute
from catalog.api.responses import JsonResponse
from catalog.operations.refs import create_tag, delete_tag, get_tag, list_tags

router = APIRouter(tags=["tags"], route_class=ManagementRoute)


@router.get(
    "/warehouses/{warehouse}/tags",
    summary="List tags",
    response_model=TagsAnswer,
    responses=problems(404),
)
def list_all(warehouse: WarehouseOf, query: Annotated[RefsQuery, Query()]) -> Response:
    """Tags by name, those that begin with `prefix`."""
    found = list_tags(warehouse, prefix=query.prefix, after=query.page_token, limit=query.limit + 1)
    page, token = name_page(found, query.limit)
    return JsonResponse({"tags": [tag_document(ref) for ref in page], "next_page_token": token})


@router.post(
    "/warehouses/{warehouse}/tags",
    summary="Create a tag",
    status_code=201,
    response_model=TagAnswer,
    responses=problems(404, 409),
)
def create(warehouse: WarehouseOf, caller: CallerOf, body: TagRequest) -> Response:
    """Give a commit a name for good."""
    answer = answering_json(caller, tag_document, 201)
    return answer(
        create_tag(
            warehouse,
            body.name,
            body.at,
            message=body.message,
            metadata=body.metadata,
            caller=caller,
        )
    )


@router.get(
    "/warehouses/{warehouse}/tags/{name:path}",
    summary="Show a tag",
    response_model=TagAnswer,
    responses=problems(404),
)
def show(warehouse: WarehouseOf, name: TagName) -> Response:
    """One tag and its commit."""
    return JsonResponse(tag_document(get_tag(warehouse, name)))


@router.delete(
    "/warehouses/{warehouse}/tags/{name:path}",
    summary="Delete a tag",
    status_code=204,
    responses=problems(403, 404),
)
def delete(warehouse: WarehouseOf, name: TagName, caller: CallerOf) -> Response:
    """Delete a tag; its commit stays."""
    answer = answering_nothing(caller)
    delete_tag(warehouse, name, caller=caller)
    return answer()
