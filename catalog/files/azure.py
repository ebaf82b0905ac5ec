"""Azure's interfaces, by its own library: shared access signatures of a user's delegation key."""

import threading
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from catalog.clock import Clock, to_millis
from catalog.errors import StorageUnavailable
from catalog.files.delegation import duration_seconds
from catalog.files.scopes import Scope
from catalog.files.trust import USUAL, Trust
from catalog.files.vending import Vended, VendedCache

try:
    from azure.core.exceptions import AzureError
    from azure.identity import ClientSecretCredential, DefaultAzureCredential
    from azure.storage.blob import BlobServiceClient, generate_blob_sas
except ImportError:  # Without the extra `azure`.
    _INSTALLED = False
else:
    _INSTALLED = True

# As Azure orders them: read, add, create, write, list; nobody may delete, as in `scopes.py`.
_READ, _WRITE = "rl", "racwl"
_CLIENT = ("adls.tenant-id", "adls.client-id", "adls.client-secret")
# Clocks differ; a key that is not yet good is refused.
_SKEW = timedelta(minutes=5)


class AzureAccess:
    """What the server's own identity in Azure is good for; safe among threads.

    The identity comes from `storage`, else from the environment or Azure's own chain.
    """

    def __init__(self, storage: Mapping[str, str], clock: Clock, trust: Trust = USUAL) -> None:
        self._storage = storage
        self._clock = clock
        self._trust = trust
        self._lifetime = timedelta(seconds=duration_seconds(storage))
        self._vended = VendedCache(clock, self._lifetime)
        self._lock = threading.Lock()
        self._credential: Any = None
        self._keys: dict[str, tuple[Any, datetime]] = {}

    def vend(self, scope: Scope, name: str) -> Vended:
        """Return a signature for a directory that holds for half of its time at least.

        Raises:
            StorageUnavailable: if Azure does not answer, or refuses.
        """
        if not _INSTALLED:
            raise StorageUnavailable(
                "The server lacks its extra 'azure': pip install mainstem[azure]"
            )
        return self._vended.get(scope, lambda: self._sign(scope))

    def _sign(self, scope: Scope) -> Vended:
        container, _, host = scope.bucket.partition("@")
        account = host.partition(".")[0]
        expires_at = self._clock() + self._lifetime
        signature = generate_blob_sas(
            account,
            container,
            scope.prefix,
            user_delegation_key=self._key(host, expires_at),
            permission=_READ if scope.read_only else _WRITE,
            expiry=expires_at,
            protocol="https",
            is_directory=True,
        )
        return Vended(
            {
                "adls.account-name": account,
                f"adls.sas-token.{host}": signature,
                f"adls.sas-token-expires-at-ms.{host}": str(to_millis(expires_at)),
            },
            expires_at,
        )

    def _key(self, host: str, needed_until: datetime) -> Any:
        """Return a delegation key, for as long as it serves the same as before."""
        with self._lock:
            key, expires_at = self._keys.get(host, (None, needed_until - _SKEW))
            if key is None or expires_at < needed_until:
                expires_at = needed_until + self._lifetime
                key = self._fetch_key(host, expires_at)
                self._keys[host] = (key, expires_at)
            return key

    def _fetch_key(self, host: str, expires_at: datetime) -> Any:
        url = self._storage.get("adls.endpoint", f"https://{host.replace('.dfs.', '.blob.')}")
        verify = self._trust.bundle() or True
        try:
            if self._credential is None:
                self._credential = self._identity(verify)
            with BlobServiceClient(
                url, self._credential, connection_verify=verify, retry_total=2
            ) as client:
                return client.get_user_delegation_key(self._clock() - _SKEW, expires_at)
        except (AzureError, ValueError) as error:
            reason = str(error).split("\n", 1)[0]
            raise StorageUnavailable(f"Azure did not give a delegation key: {reason}") from error

    def _identity(self, verify: str | bool) -> Any:
        if all(name in self._storage for name in _CLIENT):
            client = (self._storage[name] for name in _CLIENT)
            return ClientSecretCredential(*client, connection_verify=verify)
        return DefaultAzureCredential(connection_verify=verify)
