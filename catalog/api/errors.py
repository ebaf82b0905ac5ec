"""The one table from error classes to status codes, and the two ways of rendering an error."""

from dataclasses import dataclass
from typing import Any

import structlog
from starlette.responses import Response
from starlette.types import Scope

from catalog import errors
from catalog.api.responses import JsonResponse, ProblemResponse
from catalog.errors import CatalogError

# How long a client is asked to wait when a part of ours does not answer.
RETRY_AFTER_SECONDS = 1


logger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Answer:
    """The status of an error, and its type in Iceberg's ErrorModel."""

    status: int
    iceberg_type: str


ANSWERS: dict[type[CatalogError], Answer] = {
    errors.CatalogError: Answer(500, "ServerErrorException"),
    errors.NotFound: Answer(404, "NotFoundException"),
    errors.NoSuchWarehouse: Answer(404, "NoSuchWarehouseException"),
    errors.NoSuchNamespace: Answer(404, "NoSuchNamespaceException"),
    errors.NoSuchTable: Answer(404, "NoSuchTableException"),
    errors.NoSuchView: Answer(404, "NoSuchViewException"),
    errors.NoSuchFunction: Answer(404, "NoSuchFunctionException"),
    errors.NoSuchRevision: Answer(404, "NoSuchRevisionException"),
    errors.NoSuchPlan: Answer(404, "NoSuchPlanIdException"),
    errors.NoSuchPlanTask: Answer(404, "NoSuchPlanTaskException"),
    errors.NoSuchFile: Answer(404, "NotFoundException"),
    errors.AlreadyExists: Answer(409, "AlreadyExistsException"),
    errors.InvalidInput: Answer(400, "IllegalArgumentException"),
    errors.ValidationFailed: Answer(400, "ValidationException"),
    errors.ContradictoryInput: Answer(422, "UnprocessableEntityException"),
    errors.IdempotencyKeyReused: Answer(400, "IllegalArgumentException"),
    errors.BodyTooLarge: Answer(413, "BadRequestException"),
    errors.Unauthenticated: Answer(401, "NotAuthorizedException"),
    errors.Forbidden: Answer(403, "ForbiddenException"),
    errors.ProtectedBranch: Answer(403, "ForbiddenException"),
    errors.ReadOnlyRevision: Answer(403, "ForbiddenException"),
    errors.Conflict: Answer(409, "CommitFailedException"),
    errors.CommitFailed: Answer(409, "CommitFailedException"),
    errors.HeadMoved: Answer(409, "CommitFailedException"),
    errors.AlreadyAnswered: Answer(409, "CommitFailedException"),
    errors.NamespaceNotEmpty: Answer(409, "NamespaceNotEmptyException"),
    errors.StaleHead: Answer(409, "CommitFailedException"),
    errors.StalePlan: Answer(409, "CommitFailedException"),
    errors.MergeConflicts: Answer(409, "CommitFailedException"),
    errors.Unavailable: Answer(503, "ServiceUnavailableException"),
    errors.StorageUnavailable: Answer(503, "ServiceUnavailableException"),
    errors.CommitStateUnknown: Answer(500, "CommitStateUnknownException"),
    errors.Corruption: Answer(500, "ServerErrorException"),
}


def answer_for(error: CatalogError) -> Answer:
    """Return the answer for the error's class, or for its nearest ancestor that has one."""
    for ancestor in type(error).__mro__:
        if ancestor in ANSWERS:
            return ANSWERS[ancestor]
    raise AssertionError("CatalogError itself has an answer")


def iceberg_error(error: CatalogError) -> dict[str, Any]:
    """Render as Iceberg's ErrorModel; clients decide by the `code` inside it."""
    answer = answer_for(error)
    return iceberg_body(error.message, answer.iceberg_type, answer.status)


def iceberg_body(message: str, kind: str, status: int) -> dict[str, Any]:
    """Return Iceberg's ErrorModel."""
    return {"error": {"message": message, "type": kind, "code": status}}


def problem(error: CatalogError) -> dict[str, Any]:
    """Render as an RFC 9457 problem document, with the facts of the case as members."""
    title = type(error).__doc__ or type(error).__name__
    return {
        **error.facts,
        **problem_body(error.code, title.splitlines()[0], answer_for(error).status, error.message),
    }


def problem_body(code: str, title: str, status: int, detail: str) -> dict[str, Any]:
    """Return an RFC 9457 problem document; `type` is relative to the documentation of errors."""
    return {
        "type": f"urn:mainstem:error:{code}",
        "code": code,
        "title": title,
        "status": status,
        "detail": detail,
    }


def is_iceberg(scope: Scope) -> bool:
    """Say whether the Iceberg interface was asked, whose errors have a form of their own."""
    return str(scope["path"]).startswith("/iceberg")


def error_response(scope: Scope, error: CatalogError) -> Response:
    """Answer a request with an error, in the form of the interface that was asked."""
    status = answer_for(error).status
    again = status == 503 or isinstance(error, errors.HeadMoved)
    headers = {"retry-after": str(RETRY_AFTER_SECONDS)} if again else {}
    if status == 401:
        headers["www-authenticate"] = 'Bearer realm="mainstem"'
    if status >= 500:
        logger.error("failed", code=error.code, message=error.message, exc_info=error)
    if scope["method"] == "HEAD":
        return Response(status_code=status, headers=headers)
    if is_iceberg(scope):
        return JsonResponse(iceberg_error(error), status_code=status, headers=headers)
    return ProblemResponse(problem(error), status_code=status, headers=headers)
