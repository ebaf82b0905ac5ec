"""`/commits`, `/diff` and `/blame`: the log, what a commit changed, what differs, who did it."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from catalog.api.management.context import RevisionInPath, WarehouseOf
from catalog.api.management.documents import (
    blame_document,
    changes_document,
    commit_document,
    shown_commit_document,
)
from catalog.api.management.fields import problems
from catalog.api.management.models import (
    BlameAnswer,
    BlameQuery,
    CommitAnswer,
    CommitQuery,
    CommitsAnswer,
    CommitsQuery,
    DiffAnswer,
    DiffQuery,
)
from catalog.api.management.pages import commit_token, from_commits, time_of
from catalog.api.management.routing import ManagementRoute
from catalog.api.responses import JsonResponse
from catalog.operations.blame import blame
from catalog.operations.details import find_details
from catalog.operations.history import (
    LogFilter,
    diff_revisions,
    every_parent,
    first_parent,
    get_commit,
    list_commits,
)
from catalog.versioning.ids import to_hex

router = APIRouter(tags=["history"], route_class=ManagementRoute)


@router.get(
    "/warehouses/{warehouse}/commits",
    summary="List commits",
    response_model=CommitsAnswer,
    responses=problems(404),
)
def log(warehouse: WarehouseOf, query: Annotated[CommitsQuery, Query()]) -> Response:
    """A revision's history, newest first, no commit before one that came after it.

    A page token names the commits that the next page begins with, so new ones shift nothing.
    """
    wanted = LogFilter(query.author, time_of("since", query.since), time_of("until", query.until))
    page = list_commits(
        warehouse,
        query.ref,
        going_on=from_commits(query.page_token),
        table=query.table,
        wanted=wanted,
        limit=query.limit,
        follow=first_parent if query.first_parent else every_parent,
    )
    return JsonResponse(
        {
            "commits": [commit_document(logged) for logged in page.commits],
            "next_page_token": commit_token(page.going_on),
        }
    )


@router.get(
    "/warehouses/{warehouse}/commits/{revision:path}",
    summary="Show a commit",
    response_model=CommitAnswer,
    responses=problems(404),
)
def show(
    warehouse: WarehouseOf, revision: RevisionInPath, query: Annotated[CommitQuery, Query()]
) -> Response:
    """A commit, and what it changed against its first parent."""
    logged, changes = get_commit(warehouse, revision)
    details = find_details(warehouse, changes) if query.detail else None
    return JsonResponse(shown_commit_document(logged, changes, details))


@router.get(
    "/warehouses/{warehouse}/diff",
    summary="Compare two revisions",
    response_model=DiffAnswer,
    responses=problems(404),
)
def diff(warehouse: WarehouseOf, query: Annotated[DiffQuery, Query()]) -> Response:
    """The changes that lead from one revision to the other, by key."""
    compared = diff_revisions(warehouse, query.before, query.to)
    details = find_details(warehouse, compared.changes) if query.detail else None
    return JsonResponse(
        {
            "from_commit_id": to_hex(compared.before),
            "to_commit_id": to_hex(compared.after),
            **changes_document(compared.changes, details),
        }
    )


@router.get(
    "/warehouses/{warehouse}/blame",
    summary="Tell which commit brought each part of a table",
    response_model=BlameAnswer,
    responses=problems(404),
)
def tell_blame(warehouse: WarehouseOf, query: Annotated[BlameQuery, Query()]) -> Response:
    """Each column, property and other part of a table, with the commit that brought it.

    Views, functions and namespaces have parts too. The trail leads through merges to the commit on
    the branch, and through renames; it ends where the table was made.
    """
    return JsonResponse(blame_document(blame(warehouse, query.ref, query.table)))
