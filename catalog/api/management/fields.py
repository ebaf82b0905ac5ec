"""Field types that the management interface's models share, each with its limits."""

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from catalog.operations.callers import SERVERS_OWN

_MAX_METADATA_MEMBERS = 1000


def _no_control_characters(text: str) -> str:
    # PostgreSQL cannot store NUL in text, and terminals act on the others.
    for character in text:
        if (ord(character) < 32 and character not in "\n\t") or ord(character) == 127:
            raise ValueError(f"control character {character!r} is not allowed")
    return text


def _no_control_characters_in(members: dict[str, str]) -> dict[str, str]:
    for name, value in members.items():
        if not name:
            raise ValueError("a name in metadata may not be empty")
        if name.startswith(SERVERS_OWN):
            raise ValueError(f"{name!r} is the server's to say")
        _no_control_characters(name)
        _no_control_characters(value)
    return members


Line = Annotated[
    str,
    StringConstraints(min_length=1, max_length=1024, pattern=r"^[^\n\t]*$"),
    AfterValidator(_no_control_characters),
]
Text = Annotated[str, StringConstraints(max_length=65_536), AfterValidator(_no_control_characters)]
Metadata = Annotated[
    dict[str, Text],
    Field(max_length=_MAX_METADATA_MEMBERS, examples=[{"run": "dbt-4711"}]),
    AfterValidator(_no_control_characters_in),
]
CommitId = Annotated[str, Field(pattern="^[0-9a-f]{64}$", examples=["3f2a9c1e77" + "0" * 54])]
AnyRevision = Annotated[
    Line,
    Field(
        description="A branch, a tag, a commit id or a unique prefix of one, each with any of"
        " `~n`, `^n`; or `branch@{time}`.",
        examples=["main", "release/2026-11-23", "main~1", "main@{2026-11-23T08:00:00Z}"],
    ),
]
Limit = Annotated[int, Field(ge=1, le=1000, description="How many to answer with at most.")]
PageToken = Annotated[
    Line,
    StringConstraints(max_length=65_536),
    Field(description="`next_page_token` of the page before."),
]


class RequestBody(BaseModel):
    """A request's body: an unknown member or another type is an error, never ignored."""

    model_config = ConfigDict(extra="forbid", strict=True)


class QueryString(BaseModel):
    """A request's query: an unknown parameter is an error, never ignored."""

    model_config = ConfigDict(extra="forbid")


class Answer(BaseModel):
    """What a response looks like; it documents, responses are written without it."""


class Problem(Answer):
    """An RFC 9457 problem document; the facts of the case are further members."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(examples=["urn:mainstem:error:no-such-revision"])
    code: str = Field(examples=["no-such-revision"])
    title: str
    status: int = Field(examples=[404])
    detail: str = Field(description="One sentence that names the offending value.")


_DESCRIPTIONS = {
    400: "The request is malformed; `detail` says what and where. Nothing was changed.",
    403: "A protection refuses; `rule` and `pattern` name it. Nothing was changed.",
    404: "What the request names does not exist.",
    409: "The state is not what the request expects. Nothing was changed.",
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the `responses` of a route that answers with these errors in the usual course."""
    content = {"application/problem+json": {"schema": Problem.model_json_schema()}}
    named: dict[int | str, dict[str, Any]] = {
        status: {"description": _DESCRIPTIONS[status], "content": content}
        for status in (400, *statuses)
    }
    return {**named, "default": {"description": "Any other error.", "content": content}}
