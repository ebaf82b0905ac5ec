"""The management interface: one router of all its resources."""

from fastapi import APIRouter

from catalog.api.management import (
    branches,
    checks,
    commits,
    functions,
    imports,
    merges,
    metrics,
    protections,
    server,
    tags,
    warehouses,
)

router = APIRouter()
# Checks stand before commits: `/commits/{revision}` would take `main/checks` for a revision.
for module in (
    server,
    warehouses,
    branches,
    tags,
    checks,
    commits,
    merges,
    protections,
    functions,
    imports,
    metrics,
):
    router.include_router(module.router)
