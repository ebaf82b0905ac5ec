"""`POST /v1/oauth/tokens`: a token for a client's id and secret, or for a token that goes stale.

Without configured clients the server asks nobody who they are, and no token means anything. The
endpoint then gives out one that says so: engines whose shared configuration names a credential ask
for a token before all else, and could not work with an open server otherwise.
"""

import base64
import binascii
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import parse_qsl, unquote_plus

from fastapi import APIRouter, Depends, Request, Response

from catalog.api.authentication import Identity
from catalog.api.dependencies import get_catalog, read_body
from catalog.api.responses import JsonResponse
from catalog.errors import Unauthenticated

router = APIRouter()

_FORM = "application/x-www-form-urlencoded"
_CREDENTIALS = "client_credentials"
_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
_ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
_JWT = "urn:ietf:params:oauth:token-type:jwt"
_NOBODY = "anonymous"


class OAuthError(Exception):
    """A refusal in OAuth's own form (RFC 6749 section 5.2)."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error = error
        self.description = description


@dataclass(frozen=True, slots=True)
class _Credential:
    """What a client says of itself."""

    client_id: str
    secret: str


@router.post("/v1/oauth/tokens")
def get_token(request: Request, body: Annotated[bytes, Depends(read_body)]) -> Response:
    """Give an access token by client credentials or token exchange."""
    identity: Identity | None = request.app.state.identity
    try:
        form = _form(request, body)
        client_id = _client(form, request, identity)
    except OAuthError as refused:
        return _refusal(refused)
    settings, now = get_catalog(request).settings, get_catalog(request).clock()
    token = _NOBODY if identity is None else identity.tokens.issue(client_id, now)
    answer: dict[str, Any] = {
        "access_token": token,
        "token_type": "bearer",
        "expires_in": settings.token_lifetime_seconds,
        "issued_token_type": _ACCESS_TOKEN,
    }
    if "scope" in form:
        answer["scope"] = form["scope"]
    return JsonResponse(answer, headers={"cache-control": "no-store"})


def _client(form: dict[str, str], request: Request, identity: Identity | None) -> str:
    """Return the client that a token is for."""
    grant = form.get("grant_type")
    if grant is None:
        raise OAuthError("invalid_request", "grant_type is missing")
    if grant not in (_CREDENTIALS, _EXCHANGE):
        raise OAuthError(
            "unsupported_grant_type",
            f"grant_type must be {_CREDENTIALS} or {_EXCHANGE}, not {grant}",
        )
    if grant == _EXCHANGE:
        _check_exchange(form)
    if identity is None:
        return _NOBODY
    give = _exchanged if grant == _EXCHANGE else _accepted
    return give(identity, form, request)


def _accepted(identity: Identity, form: dict[str, str], request: Request) -> str:
    for each in _credentials(form, request):
        if identity.clients.accept(each.client_id, each.secret):
            return each.client_id
    raise OAuthError("invalid_client", "Unknown client, or a wrong secret")


def _credentials(form: dict[str, str], request: Request) -> list[_Credential]:
    """Return the readings of a client's credential: of the header, else of the form."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return [_Credential(form.get("client_id", ""), form.get("client_secret", ""))]
    try:
        text = base64.b64decode(value.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise OAuthError("invalid_client", "The Basic credential is malformed") from None
    client_id, _, secret = text.partition(":")
    # RFC 6749 has both encoded as in a form, and most clients send them plain.
    return [
        _Credential(client_id, secret),
        _Credential(unquote_plus(client_id), unquote_plus(secret)),
    ]


def _check_exchange(form: dict[str, str]) -> None:
    for name in ("subject_token", "subject_token_type"):
        if not form.get(name):
            raise OAuthError("invalid_request", f"{name} is missing")
    wanted = form.get("requested_token_type", _ACCESS_TOKEN)
    if wanted not in (_ACCESS_TOKEN, _JWT):
        raise OAuthError("invalid_request", f"requested_token_type {wanted} is not issued here")
    if "actor_token" in form and "actor_token_type" not in form:
        raise OAuthError("invalid_request", "actor_token_type is missing")


def _exchanged(identity: Identity, form: dict[str, str], request: Request) -> str:
    """Return the client of the subject token, which has expired only if the client is present.

    Tokens of other identity providers are refused: the server has none that it could ask.
    """
    scheme = request.headers.get("authorization", "").partition(" ")[0].lower()
    present = _accepted(identity, form, request) if scheme == "basic" else None
    now = get_catalog(request).clock() if present is None else None
    try:
        client_id = identity.tokens.client_of(form["subject_token"], now)
    except Unauthenticated as error:
        raise OAuthError("invalid_request", f"subject_token: {error.message}") from error
    if client_id not in identity.clients.hashes or present not in (None, client_id):
        raise OAuthError("invalid_request", "subject_token: its client may not have a new one")
    return client_id


def _form(request: Request, body: bytes) -> dict[str, str]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != _FORM:
        raise OAuthError("invalid_request", f"Send the body with Content-Type: {_FORM}")
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, errors="strict")
    except ValueError as error:
        raise OAuthError("invalid_request", "The body is no form that can be read") from error
    form = dict(pairs)
    if len(form) < len(pairs):
        raise OAuthError("invalid_request", "A parameter is given twice")
    return form


def _refusal(refused: OAuthError) -> Response:
    headers = {"cache-control": "no-store"}
    status = 400
    if refused.error == "invalid_client":
        status = 401
        headers["www-authenticate"] = 'Basic realm="mainstem"'
    body = {"error": refused.error, "error_description": refused.description}
    return JsonResponse(body, status, headers)
