"""Files in object stores: S3 and what speaks it, Azure, Google Cloud Storage; by obstore."""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import ObjectStore, from_url

from catalog.errors import AlreadyExists, InvalidInput, NoSuchFile, StorageUnavailable
from catalog.files.delegation import is_path_style
from catalog.files.parallel import for_all
from catalog.files.trust import Trust

# obstore opens others too, as HTTP, which cannot create a file only where none is.
_SCHEMES = ("s3", "abfss", "abfs", "az", "gs")
_PARALLEL = 32
# S3, Azure and Google agree in this.
_MAX_NAME_BYTES = 1024
_TIMEOUT = timedelta(seconds=30)

# Its overloads know one kind of store each; which one it is follows from the URL.
_FROM_URL: Any = from_url

# Iceberg's FileIO properties, and what obstore calls them.
_OPTIONS = {
    "s3.endpoint": "endpoint",
    "s3.region": "region",
    "client.region": "region",
    "s3.access-key-id": "access_key_id",
    "s3.secret-access-key": "secret_access_key",
    "s3.session-token": "session_token",
    "gcs.service.host": "base_url",
    "gcs.service-account-key": "service_account_key",
    "adls.endpoint": "endpoint",
    "adls.tenant-id": "tenant_id",
    "adls.client-id": "client_id",
    "adls.client-secret": "client_secret",
    "adls.account-name": "account_name",
    "adls.account-key": "account_key",
    "adls.sas-token": "sas_key",
}


class BucketFiles:
    """Files under `s3:`, `abfss:`, `abfs:`, `az:` and `gs:` locations.

    Credentials that the properties do not name come from the environment or the cloud's own chain.
    """

    def __init__(self, storage: Mapping[str, str], trust: Trust) -> None:
        self._storage = storage
        self._trust = trust
        self._pool = ThreadPoolExecutor(_PARALLEL, thread_name_prefix="files")
        self._stores: dict[str, ObjectStore] = {}

    def check(self, location: str) -> None:
        """Check that a store can be opened for the location; the store itself is not asked.

        Raises:
            InvalidInput: saying what of the location or of the properties is wrong.
        """
        scheme = urlsplit(location).scheme
        if scheme not in _SCHEMES:
            raise InvalidInput(
                f"Location {location}: no store is called {scheme}; files are kept under"
                f" file, {', '.join(_SCHEMES)}",
                location=location,
            )
        try:
            self._locate(location)
        except StorageUnavailable as error:
            raise InvalidInput(error.message, location=location) from error

    def read(self, location: str) -> bytes:
        """Return a file's bytes.

        Raises:
            NoSuchFile: if it does not exist.
            StorageUnavailable: if the store does not answer, or refuses.
        """
        store, path = self._locate(location)
        try:
            return bytes(obstore.get(store, path).bytes())
        except FileNotFoundError as error:
            raise NoSuchFile(
                f"Failed to open input stream for file: {location}", location=location
            ) from error
        except (BaseError, OSError) as error:
            raise _unavailable("read", location, error) from error

    def write_all(self, files: Mapping[str, bytes]) -> None:
        """Create files, in parallel; when this returns, all are stored.

        Raises:
            AlreadyExists: if one exists with other bytes.
            StorageUnavailable: if one cannot be written.
        """
        if len(files) == 1:
            for location, data in files.items():
                self._create(location, data)
        else:
            for_all(self._pool, self._create, files.keys(), files.values())

    def make_directories(self, locations: Iterable[str]) -> None:
        """Do nothing: object stores have no folders."""

    def resolve(self, location: str) -> str:
        """Return the location: object stores have no symbolic links.

        Raises:
            InvalidInput: if it is longer than a name of an object can be.
        """
        _, _, name = location.partition("://")[2].partition("/")
        if len(name.encode()) > _MAX_NAME_BYTES:
            raise InvalidInput(
                f"Location {location} names an object by more than {_MAX_NAME_BYTES} bytes",
                location=location,
            )
        return location

    def _create(self, location: str, data: bytes) -> None:
        store, path = self._locate(location)
        try:
            obstore.put(store, path, data, mode="create", use_multipart=False)
        except AlreadyExistsError as error:
            # The store may have kept the file, and only its answer to a first try got lost.
            if self.read(location) != data:
                raise AlreadyExists(
                    f"File already exists: {location}", location=location
                ) from error
        except (BaseError, OSError) as error:
            raise _unavailable("write", location, error) from error

    def _locate(self, location: str) -> tuple[ObjectStore, str]:
        parts = urlsplit(location)
        root = f"{parts.scheme}://{parts.netloc}"
        if root not in self._stores:
            self._stores[root] = self._open(root)
        return self._stores[root], location[len(root) :].lstrip("/")

    def _open(self, root: str) -> ObjectStore:
        options: dict[str, Any] = {
            name: self._storage[key] for key, name in _OPTIONS.items() if key in self._storage
        }
        client: dict[str, Any] = {"timeout": _TIMEOUT, "connect_timeout": timedelta(seconds=5)}
        if root.startswith("s3:"):
            in_host = not is_path_style(self._storage) and "endpoint" not in options
            options["virtual_hosted_style_request"] = in_host
        address = str(options.get("endpoint", options.get("base_url", "")))
        client["allow_http"] = address.startswith("http:")
        if self._trust.own is not None:
            client["root_certificate"] = self._trust.own
        retry: Any = {"max_retries": 3, "retry_timeout": timedelta(seconds=20)}
        try:
            opened: ObjectStore = _FROM_URL(
                root, config=options or None, client_options=client, retry_config=retry
            )
        except (BaseError, ValueError) as error:
            raise _unavailable("open", root, error) from error
        return opened


def _unavailable(what: str, location: str, error: Exception) -> StorageUnavailable:
    reason = str(error).strip().split("\n", 1)[0]
    return StorageUnavailable(
        f"Cannot {what} {location}: {reason}; nothing was changed", location=location
    )
