"""Google's interfaces, by its own library: tokens that are good for a part of a bucket only."""

import json
from collections.abc import Mapping
from datetime import UTC, timedelta
from typing import Any

from catalog.clock import Clock, to_millis
from catalog.errors import StorageUnavailable
from catalog.files.scopes import Scope
from catalog.files.trust import USUAL, Trust
from catalog.files.vending import Vended, VendedCache

try:
    import google.auth
    from google.auth import downscoped
    from google.auth.exceptions import GoogleAuthError
    from google.auth.transport.requests import Request
    from google.oauth2 import service_account
    from requests import Session
except ImportError:  # Without the extra `gcs`.
    _INSTALLED = False
else:
    _INSTALLED = True

_SCOPES = ["https://www.googleapis.com/auth/cloud-platform"]
# Nobody may delete, as in `scopes.py`; nor replace an object, which Iceberg never does.
_READ, _WRITE = "inRole:roles/storage.objectViewer", "inRole:roles/storage.objectCreator"
# Google's tokens hold for an hour; nobody else can say.
_LIFETIME = timedelta(hours=1)


class GcsAccess:
    """What the server's own identity at Google is good for; safe among threads.

    The identity comes from `storage`, else from the environment or Google's own chain.
    """

    def __init__(self, storage: Mapping[str, str], clock: Clock, trust: Trust = USUAL) -> None:
        self._storage = storage
        self._trust = trust
        self._vended = VendedCache(clock, _LIFETIME)

    def vend(self, scope: Scope, name: str) -> Vended:
        """Return a token for a scope that holds for half an hour at least.

        Raises:
            StorageUnavailable: if Google does not answer, or refuses.
        """
        if not _INSTALLED:
            raise StorageUnavailable("The server lacks its extra 'gcs': pip install mainstem[gcs]")
        return self._vended.get(scope, lambda: self._exchange(scope))

    def _exchange(self, scope: Scope) -> Vended:
        try:
            with Session() as session:
                session.verify = self._trust.bundle() or True
                # An identity of its own: it is renewed in place, and threads would be in the way.
                token: Any = downscoped.Credentials(self._identity(), _boundary(scope))
                token.refresh(Request(session))
        except (GoogleAuthError, ValueError) as error:
            reason = str(error).split("\n", 1)[0]
            raise StorageUnavailable(f"Google did not exchange a token: {reason}") from error
        expires_at = token.expiry.replace(tzinfo=UTC)
        return Vended(
            {
                "gcs.oauth2.token": token.token,
                "gcs.oauth2.token-expires-at": str(to_millis(expires_at)),
            },
            expires_at,
        )

    def _identity(self) -> Any:
        key = self._storage.get("gcs.service-account-key")
        if key is None:
            return google.auth.default(scopes=_SCOPES)[0]
        return service_account.Credentials.from_service_account_info(
            json.loads(key), scopes=_SCOPES
        )


def _boundary(scope: Scope) -> Any:
    """Return what a token is cut down to: this scope's objects, and listings of them."""
    bucket = f"projects/_/buckets/{scope.bucket}"
    # Google's language for conditions writes a text as JSON does.
    objects, listed = (
        json.dumps(f"{bucket}/objects/{scope.prefix}/"),
        json.dumps(f"{scope.prefix}/"),
    )
    listing = 'api.getAttribute("storage.googleapis.com/objectListPrefix", "")'
    condition = downscoped.AvailabilityCondition(
        f"resource.name.startsWith({objects}) || {listing}.startsWith({listed})"
    )
    allowed = [_READ] if scope.read_only else [_READ, _WRITE]
    rule = downscoped.AccessBoundaryRule(f"//storage.googleapis.com/{bucket}", allowed, condition)
    return downscoped.CredentialAccessBoundary([rule])
