"""Secrets of object stores: from a file beside the server, never from the database.

The file is TOML, a table for each warehouse, with Iceberg's FileIO properties, and in it a table
for each of the warehouse's further locations:

    [lake]
    "s3.access-key-id" = "…"
    "s3.secret-access-key" = "…"

    [lake."abfss://slides@account.dfs.core.windows.net/lake"]
    "adls.account-key" = "…"
"""

import re
import threading
import tomllib
from collections.abc import Mapping
from pathlib import Path

from catalog.errors import InvalidInput, StorageUnavailable
from catalog.iceberg.locations import normalise

# Names are written with hyphens, dots and underscores alike, after the engine that they are for.
_SECRET = re.compile(
    r"secret|password|passphrase|token|credential|authorization|sas|signature|connection-string"
    r"|(access|account|shared|private|encryption|decryption|sse)-key"
)
_WITH_PASSWORD = re.compile(r"https?://[^/@]*:[^/@]*@", re.IGNORECASE)

Properties = Mapping[str, str]


def is_secret(name: str) -> bool:
    """Tell by a property's name whether it opens doors."""
    return _SECRET.search(re.sub(r"[._]", "-", name.lower())) is not None


def check_no_secret(storage: Properties) -> None:
    """Check that storage properties can be kept in the database.

    Raises:
        InvalidInput: naming the properties that cannot.
    """
    secret = sorted(
        name
        for name, value in storage.items()
        if is_secret(name) or _WITH_PASSWORD.match(value) is not None
    )
    if secret:
        raise InvalidInput(
            f"Storage properties {', '.join(secret)} are secrets, which the database does not"
            " keep: put them into the server's secrets file (MAINSTEM_SECRETS_FILE) or its"
            " environment"
        )


class Secrets:
    """The secrets file, read again when it changes; safe among threads."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._stamp: tuple[int, int] | None = None
        self._found: Mapping[tuple[str, str | None], Properties] = {}

    def of(self, warehouse: str, location: str | None = None) -> Properties:
        """Return the secrets of a warehouse, or of one of its further locations.

        There are none if the file does not name it. The keys to one store are never shown to
        another, so a further location does not fall back on those of its warehouse.

        Raises:
            StorageUnavailable: if there should be a file and it cannot be read.
        """
        if self._path is None:
            return {}
        try:
            with self._lock:
                state = self._path.stat()
                stamp = (state.st_mtime_ns, state.st_ino)
                if stamp != self._stamp:
                    self._found = _parse(self._path.read_text())
                    self._stamp = stamp
                return self._found.get((warehouse, location), {})
        except (OSError, ValueError, InvalidInput) as error:
            # What is wrong with the text would show some of it.
            reason = error.strerror if isinstance(error, OSError) else "it is not as it should be"
            raise StorageUnavailable(
                f"Cannot read the secrets file {self._path}: {reason}"
            ) from None


def _parse(text: str) -> Mapping[tuple[str, str | None], Properties]:
    found: dict[tuple[str, str | None], Properties] = {}
    for warehouse, table in tomllib.loads(text).items():
        if not isinstance(table, dict):
            raise ValueError
        for name, value in table.items():
            if isinstance(value, dict):
                found[(warehouse, normalise(name))] = _properties(value)
        own = {name: value for name, value in table.items() if not isinstance(value, dict)}
        found[(warehouse, None)] = _properties(own)
    return found


def _properties(table: Mapping[str, object]) -> Properties:
    found = {name: value for name, value in table.items() if isinstance(value, str)}
    if len(found) != len(table):
        raise ValueError
    return found
