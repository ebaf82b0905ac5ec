"""An OpenAPI document as the judge of a running server."""

from collections.abc import Collection
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.generation import GenerationMode
from schemathesis.schemas import APIOperation, BaseSchema
from schemathesis.specs.openapi import checks

Json = dict[str, Any]

# The same examples in every run: chance finds must not turn up in somebody else's change.
_BOUNDED = {
    "deadline": None,
    "database": None,
    "derandomize": True,
    "phases": [Phase.generate],
    "suppress_health_check": list(HealthCheck),
}
_ALWAYS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]


def open_document(document: Json, base_url: str) -> BaseSchema:
    """Make a document ready to be held against the server."""
    config = SchemathesisConfig.from_dict({"base-url": base_url})
    return schemathesis.openapi.from_dict(document, config=config)


def judge(case: Case, response: Any) -> None:
    """Insist that an answer is one that the document allows."""
    # An answer to HEAD has no body, and so no type of one.
    typed = [] if case.method == "HEAD" else [checks.content_type_conformance]
    case.validate_response(response, checks=[*_ALWAYS, *typed])


def fuzz(operation: APIOperation, examples: int) -> None:
    """Send requests that the document allows, and as many that it does not; judge the answers."""
    for mode in GenerationMode:

        @given(case=operation.as_strategy(generation_mode=mode))
        @settings(max_examples=examples, **_BOUNDED)
        def send(case: Case) -> None:
            judge(case, case.call())

        try:
            send()
        except Unsatisfiable:
            # What takes nothing has no request that is not allowed.
            assert mode is GenerationMode.NEGATIVE


def run_sequences(schema: BaseSchema, runs: int, steps: int) -> None:
    """Send requests that use what earlier answers gave; judge the answers."""
    machine = schema.as_state_machine()

    class Judged(machine):  # type: ignore[misc, valid-type]
        def validate_response(self, response: Any, case: Case, *_: Any, **__: Any) -> None:
            judge(case, response)

    Judged.run(settings=settings(max_examples=runs, stateful_step_count=steps, **_BOUNDED))


def choose(document: Json, parameter: str, values: Collection[str]) -> None:
    """Let a parameter be one of a few values: random ones name nothing that is there."""
    items = document["paths"].values()
    listed = [*items, *(operation for _, _, operation in operations(document))]
    shared = document.get("components", {}).get("parameters", {}).values()
    for each in [*shared, *(each for item in listed for each in item.get("parameters", []))]:
        if each.get("name") == parameter:
            each["schema"] = {"type": "string", "enum": list(values)}


def operations(document: Json) -> list[tuple[str, str, Json]]:
    """List path, method and definition of all operations."""
    return [
        (path, method, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method != "parameters"
    ]
