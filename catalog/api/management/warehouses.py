"""`/warehouses`: create, list, show, change and delete."""

from fastapi import APIRouter
from starlette.responses import Response

from catalog.api.answering import answering_json, answering_nothing
from catalog.api.management.context import CallerOf, CatalogOf, WarehouseOf
from catalog.api.management.documents import warehouse_document
from catalog.api.management.fields import problems
from catalog.api.management.models import (
    LocationRequest,
    WarehouseAnswer,
    WarehousePatch,
    WarehouseRequest,
    WarehousesAnswer,
)
from catalog.api.management.routing import ManagementRoute
from catalog.api.responses import JsonResponse
from catalog.operations.moves import delete_warehouse
from catalog.operations.warehouses import (
    alter_warehouse,
    create_warehouse,
    list_warehouses,
)
from catalog.store.warehouses import Site

router = APIRouter(tags=["warehouses"], route_class=ManagementRoute)


@router.get("/warehouses", summary="List warehouses", response_model=WarehousesAnswer)
def list_all(catalog: CatalogOf) -> Response:
    """All warehouses, by name."""
    return JsonResponse({"warehouses": [warehouse_document(w) for w in list_warehouses(catalog)]})


@router.post(
    "/warehouses",
    summary="Create a warehouse",
    status_code=201,
    response_model=WarehouseAnswer,
    responses=problems(409),
)
def create(catalog: CatalogOf, caller: CallerOf, body: WarehouseRequest) -> Response:
    """A warehouse begins with its default branch, which holds one empty commit.

    None of its locations may lie in another, of this warehouse or any, nor hold one.
    """
    answer = answering_json(caller, warehouse_document, 201)
    return answer(
        create_warehouse(
            catalog,
            body.name,
            location=body.location,
            default_branch=body.default_branch,
            storage=body.storage,
            further=_sites(body.locations),
            caller=caller,
        )
    )


@router.get(
    "/warehouses/{warehouse}",
    summary="Show a warehouse",
    response_model=WarehouseAnswer,
    responses=problems(404),
)
def show(warehouse: WarehouseOf) -> Response:
    """One warehouse."""
    return JsonResponse(warehouse_document(warehouse))


@router.patch(
    "/warehouses/{warehouse}",
    summary="Change a warehouse",
    response_model=WarehouseAnswer,
    responses=problems(404),
)
def alter(warehouse: WarehouseOf, caller: CallerOf, body: WarehousePatch) -> Response:
    """Change storage properties or the default branch, or add locations; none is taken away."""
    answer = answering_json(caller, warehouse_document)
    return answer(
        alter_warehouse(
            warehouse,
            storage=body.storage,
            default_branch=body.default_branch,
            further=_sites(body.locations),
            caller=caller,
        )
    )


def _sites(locations: list[LocationRequest]) -> list[Site]:
    return [Site(each.location, each.storage) for each in locations]


@router.delete(
    "/warehouses/{warehouse}",
    summary="Delete a warehouse",
    status_code=204,
    responses=problems(403, 404),
)
def delete(warehouse: WarehouseOf, caller: CallerOf) -> Response:
    """Forget a warehouse with its branches, tags and reflog; no file is deleted.

    A protection that refuses to delete one of its branches or tags refuses this too.
    """
    answer = answering_nothing(caller)
    delete_warehouse(warehouse, caller=caller)
    return answer()
