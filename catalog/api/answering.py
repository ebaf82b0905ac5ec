"""How a route's answer follows from what its operation returns.

Said before the operation runs, so that a request with an idempotency key has its answer stored in
the transaction of what it does.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from starlette.responses import Response

from catalog.api.responses import JsonResponse, no_content
from catalog.operations.callers import Caller
from catalog.operations.idempotency import Answer

T = TypeVar("T")


def answering(
    caller: Caller,
    render: Callable[[T], Response],
    record: Callable[[T], Answer] | None = None,
) -> Callable[[T], Response]:
    """Return `render`, and have a request with a key answered so if it is sent again.

    `record` makes what is stored, where that is not the rendered response itself.
    """
    if caller.once is not None:
        caller.once.answer = record or (lambda result: answer_of(render(result)))
    return render


def answering_json(
    caller: Caller, document: Callable[[T], Any], status: int = 200
) -> Callable[[T], Response]:
    """Answer with the document of what the operation returns."""

    def render(result: T) -> Response:
        return JsonResponse(document(result), status)

    return answering(caller, render)


def answering_nothing(caller: Caller) -> Callable[[], Response]:
    """Answer with an empty 204 whatever the operation returns."""

    def render(result: object) -> Response:
        return no_content()

    answering(caller, render)
    return no_content


def answer_of(response: Response) -> Answer:
    """Return what is stored of a response."""
    return Answer(response.status_code, response.headers.get("content-type"), bytes(response.body))
