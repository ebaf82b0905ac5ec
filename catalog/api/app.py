"""The application: wiring only."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import cached_property
from pathlib import Path

import anyio.to_thread
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

import catalog
from catalog import clock
from catalog.api import docs_page
from catalog.api.authentication import Authentication, open_identity
from catalog.api.errors import error_response, iceberg_body, is_iceberg, problem_body
from catalog.api.iceberg import access, config, functions, namespaces, oauth, plans, tables, views
from catalog.api.iceberg.hot import HotLoads
from catalog.api.idempotency import Idempotency
from catalog.api.management import router as management
from catalog.api.middleware import RawIcebergPath, RequestLog
from catalog.api.progress import ProgressLines
from catalog.api.responses import JsonResponse, ProblemResponse
from catalog.errors import AlreadyExists, CatalogError, InvalidInput, NoSuchWarehouse
from catalog.files.cache import ByteCache
from catalog.files.secrets import Secrets
from catalog.files.trust import Trust
from catalog.operations.callers import Caller
from catalog.operations.warehouses import Catalog, create_warehouse, get_warehouse
from catalog.settings import Settings
from catalog.store.engine import open_database
from catalog.store.heads import open_head_reader
from catalog.store.schema import migrate
from catalog.versioning.object_store import ObjectCache

ICEBERG_MODULES = (config, oauth, namespaces, tables, plans, access, views, functions)

logger = structlog.get_logger()


def open_catalog(settings: Settings) -> Catalog:
    """Open the database, bring it up to date, and see that the default warehouse exists."""
    engine = open_database(settings.effective_database_url, settings.database_connections)
    migrate(engine)
    catalog = Catalog(
        engine=engine,
        settings=settings,
        clock=clock.now,
        monotonic=time.monotonic,
        objects=ObjectCache(settings.object_cache_bytes),
        metadata=ByteCache(settings.file_cache_bytes // 2),
        responses=ByteCache(settings.file_cache_bytes // 2),
        secrets=Secrets(Path(settings.secrets_file) if settings.secrets_file else None),
        trust=Trust(Path(settings.ca_file) if settings.ca_file else None),
    )
    try:
        get_warehouse(catalog)
    except NoSuchWarehouse:
        # Another server that starts at the same moment may be faster.
        with suppress(AlreadyExists):
            create_warehouse(
                catalog,
                settings.default_warehouse,
                location=settings.effective_default_location,
                default_branch=settings.default_branch,
                caller=Caller("mainstem"),
            )
    return catalog


class Application(FastAPI):
    """FastAPI with ours around all that it does with a request, even by default."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        await self._outermost(scope, receive, send)

    @cached_property
    def _outermost(self) -> ASGIApp:
        app: ASGIApp = HotLoads(RawIcebergPath(super().__call__), self.state)
        app = ProgressLines(app)
        if self.state.identity is not None:
            app = Authentication(app, self.state.identity, clock.now)
        return RequestLog(app)


def create_app(settings: Settings) -> FastAPI:
    """Build the application; the database is opened when it starts."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        limiter = anyio.to_thread.current_default_thread_limiter()
        limiter.total_tokens = settings.threads
        app.state.catalog = await anyio.to_thread.run_sync(open_catalog, settings)
        app.state.heads = open_head_reader(app.state.catalog.engine)
        yield
        app.state.heads.close()
        app.state.catalog.engine.dispose()

    app = Application(
        title="Mainstem",
        version=catalog.__version__,
        description="Branches, tags, merges and history of all Iceberg tables of a warehouse.",
        lifespan=lifespan,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    app.state.settings = settings
    app.state.identity = open_identity(settings)
    for module in ICEBERG_MODULES:
        app.include_router(module.router, prefix="/iceberg", include_in_schema=False)
    app.state.iceberg_endpoints = iceberg_endpoints()
    app.include_router(management.router, prefix="/api/v1")
    app.include_router(docs_page.router, prefix="/api/v1")
    app.add_exception_handler(CatalogError, _catalog_error)
    app.add_exception_handler(RequestValidationError, _invalid_request)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _unexpected)
    app.add_middleware(Idempotency)
    return app


def iceberg_endpoints() -> list[str]:
    """List the endpoints as `/v1/config` advertises them, from the routes themselves."""
    return sorted(
        # The document's names have hyphens, which a route's parameters cannot.
        f"{method} {route.path.replace('_', '-')}"
        for module in ICEBERG_MODULES
        for route in module.router.routes
        if isinstance(route, APIRoute) and "{prefix}" in route.path
        for method in route.methods or ()
    )


def _catalog_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, CatalogError)
    return error_response(request.scope, error)


def _invalid_request(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    faults = [
        {"where": ".".join(str(part) for part in fault["loc"]), "what": fault["msg"]}
        for fault in error.errors()
    ]
    detail = "; ".join(f"{fault['where']}: {fault['what']}" for fault in faults)
    return error_response(request.scope, InvalidInput(detail, faults=faults))


def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    status, headers = error.status_code, error.headers
    detail = f"{request.method} {request.scope['path']}: {error.detail}"
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers)
    if is_iceberg(request.scope):
        kind = "UnsupportedOperationException" if status == 405 else "NotFoundException"
        if "/namespaces//" in request.scope["path"]:
            # Spark looks for `t.snapshots` as metadata of a table `t` in no namespace. Only told of
            # a missing table, not of a missing endpoint, does it say that there is no such table.
            kind = "NoSuchTableException"
        return JsonResponse(iceberg_body(detail, kind, status), status, headers)
    return ProblemResponse(
        problem_body("no-such-endpoint", "No such endpoint.", status, detail), status, headers
    )


def _unexpected(request: Request, error: Exception) -> Response:
    request_id = request.scope.get("mainstem.request_id", "")
    logger.error("unexpected", request_id=request_id, exc_info=error)
    detail = f"Unexpected fault in the server; its log has more under request id {request_id}"
    if is_iceberg(request.scope):
        return JsonResponse(iceberg_body(detail, "ServerErrorException", 500), 500)
    return ProblemResponse(problem_body("unexpected", "Unexpected fault.", 500, detail), 500)
