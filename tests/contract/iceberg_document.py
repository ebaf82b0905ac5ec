"""The official OpenAPI document of Iceberg REST, which the tests are given and the project has not.

`MAINSTEM_ICEBERG_OPENAPI` names a copy: Apache publishes it in its source repository only.
"""

import os
from pathlib import Path

import yaml

from tests.contract.contracts import Json, operations

_ERROR = {"$ref": "#/components/schemas/IcebergErrorResponse"}


def read_document() -> Json:
    """Read the document and mend its slips, each for the reason given."""
    path = os.environ.get("MAINSTEM_ICEBERG_OPENAPI")
    if not path:
        raise RuntimeError("MAINSTEM_ICEBERG_OPENAPI must name a copy of Iceberg's document")
    document: Json = yaml.safe_load(Path(path).read_text())
    _wrap_errors_of_views(document)
    _let_names_be_absent(document)
    return document


def _wrap_errors_of_views(document: Json) -> None:
    # Errors of views are described without the `error` that wraps those of tables; clients parse
    # one form only, the wrapped one.
    for _, _, operation in operations(document):
        for response in operation["responses"].values():
            schema = response.get("content", {}).get("application/json", {}).get("schema", {})
            if schema.get("$ref", "").endswith("/ErrorModel"):
                schema["$ref"] = _ERROR["$ref"]


def _let_names_be_absent(document: Json) -> None:
    # Whatever has a prefix may name a branch that is gone, and these two a parent namespace and a
    # table besides; the document gives them no 404.
    not_found = {"description": "Not Found", "content": {"application/json": {"schema": _ERROR}}}
    for _, _, operation in operations(document):
        if operation["operationId"] in ("createNamespace", "signRequest"):
            operation["responses"].setdefault("404", not_found)
