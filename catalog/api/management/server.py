"""`/server`: what a client should know of the server before it works with it."""

from datetime import datetime

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from catalog import __version__
from catalog.api.management.context import CatalogOf
from catalog.api.management.fields import Answer
from catalog.api.management.routing import ManagementRoute
from catalog.api.responses import JsonResponse
from catalog.clock import format_time
from catalog.store.engine import ping

router = APIRouter(tags=["server"], route_class=ManagementRoute)


class ServerAnswer(Answer):
    """The server's version, clock and defaults."""

    version: str = Field(examples=["0.1.0"])
    time: datetime = Field(description="The server's clock.")
    database: str = Field(description="The kind of database.", examples=["sqlite", "postgresql"])
    default_warehouse: str = Field(description="Meant where a client names none.")


class HealthAnswer(Answer):
    """Whether the server can do its work."""

    status: str = Field(examples=["ok"])


@router.get("/health", summary="Check the server", response_model=HealthAnswer)
def check(catalog: CatalogOf) -> Response:
    """For load balancers: 200 while the database answers, 503 while it does not."""
    ping(catalog.engine)
    return JsonResponse({"status": "ok"})


@router.get("/server", summary="Show the server", response_model=ServerAnswer)
def show(catalog: CatalogOf) -> Response:
    """Version, clock, kind of database and default warehouse; it reads nothing."""
    settings = catalog.settings
    scheme = settings.effective_database_url.partition(":")[0]
    return JsonResponse(
        {
            "version": __version__,
            "time": format_time(catalog.clock()),
            "database": scheme.partition("+")[0],
            "default_warehouse": settings.default_warehouse,
        }
    )
