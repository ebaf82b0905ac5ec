"""Who may ask: nobody but configured clients, by a token of the server's own."""

from dataclasses import dataclass

from starlette.types import ASGIApp, Receive, Scope, Send

from catalog.api.docs_page import ASSETS
from catalog.api.errors import error_response
from catalog.auth.clients import Clients, read_clients
from catalog.auth.tokens import Tokens, open_tokens
from catalog.clock import Clock
from catalog.errors import Unauthenticated
from catalog.settings import Settings

# What needs no token: asking for one, and what the interface looks like. The paths are those that
# came, not decoded, so that nothing else can pass for one of them.
_OPEN = {
    b"/iceberg/v1/oauth/tokens",
    b"/api/v1/health",
    b"/api/v1/openapi.json",
    b"/api/v1/docs",
    *(f"/api/v1/docs/{name}".encode() for name in ASSETS),
}


@dataclass(frozen=True, slots=True)
class Identity:
    """The configured clients and what signs their tokens."""

    clients: Clients
    tokens: Tokens

    def authenticate(self, token: str, clock: Clock) -> str:
        """Return the client that a token stands for.

        Raises:
            Unauthenticated: if it is not valid, or its client is not configured any more.
        """
        client_id = self.tokens.client_of(token, clock())
        if client_id not in self.clients.hashes:
            raise Unauthenticated(f"Client {client_id!r} is not known any more")
        return client_id


def open_identity(settings: Settings) -> Identity | None:
    """Return who may ask; None if no clients are configured, and everybody may.

    Raises:
        InvalidInput: if a setting cannot be.
    """
    clients = read_clients(settings.clients, settings.clients_file)
    if not clients:
        return None
    return Identity(clients, open_tokens(settings.token_key, settings.token_lifetime_seconds))


class Authentication:
    """Let requests with a valid token pass, as their client's; answer 401 to all others."""

    def __init__(self, app: ASGIApp, identity: Identity, clock: Clock) -> None:
        self.app = app
        self._identity = identity
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Authenticate a request."""
        if scope["type"] == "http" and _raw_path(scope) not in _OPEN:
            try:
                scope["mainstem.client"] = self._identity.authenticate(_bearer(scope), self._clock)
            except Unauthenticated as error:
                await error_response(scope, error)(scope, receive, send)
                return
        await self.app(scope, receive, send)


def _raw_path(scope: Scope) -> bytes:
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    return raw.partition(b"?")[0]


def _bearer(scope: Scope) -> str:
    given = [value for name, value in scope["headers"] if name == b"authorization"]
    scheme, _, token = (given[0] if len(given) == 1 else b"").decode("latin-1").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated(
            "This server needs an access token (Authorization: Bearer ...); POST"
            " /iceberg/v1/oauth/tokens gives one for a client's id and secret"
        )
    return token.strip()
