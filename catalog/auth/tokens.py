"""Access tokens of the server's own: signed, short-lived, and valid on every replica."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import jwt

from catalog.errors import InvalidInput, Unauthenticated

_ALGORITHM = "HS256"
_ISSUER = "mainstem"
_MIN_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Tokens:
    """Signs tokens and reads them, with the key that all replicas share."""

    key: bytes
    lifetime_seconds: int

    def issue(self, client_id: str, now: datetime) -> str:
        """Return a token that names the client until its lifetime is over."""
        expires = now + timedelta(seconds=self.lifetime_seconds)
        claims = {"iss": _ISSUER, "sub": client_id, "iat": now, "exp": expires}
        return jwt.encode(claims, self.key, _ALGORITHM)

    def client_of(self, token: str, now: datetime | None) -> str:
        """Return the client that a token names; without a time it may have expired.

        Raises:
            Unauthenticated: if the server did not sign it, or it has expired.
        """
        try:
            claims = jwt.decode(
                token,
                self.key,
                [_ALGORITHM],
                issuer=_ISSUER,
                options={"require": ["sub", "exp"], "verify_exp": False, "verify_iat": False},
            )
        except jwt.InvalidTokenError as error:
            raise Unauthenticated(f"The access token is not one of this server: {error}") from error
        if now is not None and now.timestamp() >= claims["exp"]:
            raise Unauthenticated("The access token has expired; ask for a new one")
        client_id: str = claims["sub"]
        return client_id


def open_tokens(key: str, lifetime_seconds: int) -> Tokens:
    """Return what signs tokens with the key of the settings.

    Raises:
        InvalidInput: if the key is missing or short.
    """
    encoded = key.encode()
    if len(encoded) < _MIN_KEY_BYTES:
        raise InvalidInput(
            f"MAINSTEM_TOKEN_KEY must have at least {_MIN_KEY_BYTES} bytes where clients are"
            " configured: it signs their tokens, and all replicas share it"
        )
    return Tokens(encoded, lifetime_seconds)
