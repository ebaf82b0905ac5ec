"""AWS's interfaces, by botocore: credentials from STS that run out, and signatures for S3."""

import hashlib
import re
import threading
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from catalog.clock import Clock, to_millis
from catalog.errors import StorageUnavailable
from catalog.files.delegation import ROLE_ARN, STS_ENDPOINT, duration_seconds, region_of
from catalog.files.scopes import Scope
from catalog.files.signing import SignRequest
from catalog.files.trust import USUAL, Trust
from catalog.files.vending import Vended, VendedCache

try:
    import botocore.auth as auth
    import botocore.session as sessions
    from botocore.awsrequest import AWSRequest
    from botocore.config import Config
    from botocore.credentials import Credentials
    from botocore.exceptions import BotoCoreError, ClientError
except ImportError:  # Without the extra `aws`.
    auth = None

_UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
_CONTENT_HASH = "x-amz-content-sha256"
# What S3 acts on. The rest is left unsigned, for clients and proxies change it on the way.
_SIGNED_HEADERS = ("x-amz-", "content-md5", "content-type")
_MAX_SESSION_NAME = 64


class AwsAccess:
    """What one warehouse's own credentials are good for; safe among threads.

    They come from `storage`, else from the environment or AWS's own chain.
    """

    def __init__(self, storage: Mapping[str, str], clock: Clock, trust: Trust = USUAL) -> None:
        self._storage = storage
        self._trust = trust
        self._lock = threading.Lock()
        self._session: Any = None
        self._sts: Any = None
        self._vended = VendedCache(clock, timedelta(seconds=duration_seconds(storage)))

    def vend(self, scope: Scope, name: str) -> Vended:
        """Return credentials for a scope that hold for half of their time at least.

        Raises:
            StorageUnavailable: if STS does not answer, or refuses.
        """
        return self._vended.get(scope, lambda: self._assume_role(scope, name))

    def sign(self, request: SignRequest) -> dict[str, str]:
        """Return the headers to be added to a request, which must have been checked.

        Raises:
            StorageUnavailable: if there are no credentials.
        """
        headers = {
            name: ",".join(values)
            for name, values in request.headers.items()
            if name.startswith(_SIGNED_HEADERS) and name != "x-amz-date"
        }
        content_hash = _content_hash(request)
        credentials = self._credentials()
        signed = AWSRequest(request.method, request.uri, headers)
        _signer(content_hash)(credentials, "s3", request.region).add_auth(signed)
        added = {name.lower(): value for name, value in signed.headers.items()}
        return {name: value for name, value in added.items() if headers.get(name) != value}

    def own_keys(self) -> dict[str, str]:
        """Return the server's own, long-lived credentials as FileIO properties.

        Raises:
            StorageUnavailable: if there are none.
        """
        return _properties(self._credentials().get_frozen_credentials())

    def _assume_role(self, scope: Scope, name: str) -> Vended:
        try:
            answer = self._sts_client().assume_role(
                RoleArn=self._storage[ROLE_ARN],
                RoleSessionName=re.sub(r"[^\w+=,.@-]", "-", name)[:_MAX_SESSION_NAME],
                Policy=scope.policy(),
                DurationSeconds=duration_seconds(self._storage),
            )
        except (BotoCoreError, ClientError) as error:
            raise StorageUnavailable(f"STS did not vend credentials: {error}") from error
        found = answer["Credentials"]
        expires_at: datetime = found["Expiration"]
        return Vended(
            {
                "s3.access-key-id": found["AccessKeyId"],
                "s3.secret-access-key": found["SecretAccessKey"],
                "s3.session-token": found["SessionToken"],
                "s3.session-token-expires-at-ms": str(to_millis(expires_at)),
            },
            expires_at,
        )

    def _sts_client(self) -> Any:
        credentials = self._credentials()
        with self._lock:
            if self._sts is None:
                frozen = credentials.get_frozen_credentials()
                own = "s3.access-key-id" in self._storage
                self._sts = self._open_session().create_client(
                    "sts",
                    region_name=region_of(self._storage) or "us-east-1",
                    endpoint_url=self._storage.get(STS_ENDPOINT, self._storage.get("s3.endpoint")),
                    aws_access_key_id=frozen.access_key if own else None,
                    aws_secret_access_key=frozen.secret_key if own else None,
                    aws_session_token=frozen.token if own else None,
                    config=Config(connect_timeout=5, read_timeout=10, retries={"max_attempts": 2}),
                )
            return self._sts

    def _credentials(self) -> Any:
        if auth is None:
            raise StorageUnavailable("The server lacks its extra 'aws': pip install mainstem[aws]")
        if "s3.access-key-id" in self._storage:
            return Credentials(
                self._storage["s3.access-key-id"],
                self._storage.get("s3.secret-access-key"),
                self._storage.get("s3.session-token"),
            )
        with self._lock:
            found = self._open_session().get_credentials()
        if found is None:
            raise StorageUnavailable("The server has no credentials for the warehouse's store")
        return found

    def _open_session(self) -> Any:
        if self._session is None:
            self._session = sessions.get_session()
            bundle = self._trust.bundle()
            if bundle is not None:
                self._session.set_config_variable("ca_bundle", bundle)
        return self._session


def _properties(keys: Any) -> dict[str, str]:
    found = {
        "s3.access-key-id": keys.access_key,
        "s3.secret-access-key": keys.secret_key,
        "s3.session-token": keys.token,
    }
    return {name: value for name, value in found.items() if value is not None}


def _content_hash(request: SignRequest) -> str:
    """Return what stands for the payload: the hash of a body that came along, else any payload."""
    if request.body is not None:
        return hashlib.sha256(request.body.encode()).hexdigest()
    return next(iter(request.headers.get(_CONTENT_HASH, ())), _UNSIGNED_PAYLOAD)


def _signer(content_hash: str) -> Any:
    """Return botocore's signer for S3, for a payload that is not here to be hashed."""

    class Signer(auth.S3SigV4Auth):  # type: ignore[misc]
        def payload(self, request: Any) -> str:
            return content_hash

    return Signer
