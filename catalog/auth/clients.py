"""Clients that may work with the server: an id, and the SHA-256 of a secret, for each.

Secrets are made by a random generator, not thought up, so a fast hash gives nothing away.
"""

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from catalog.errors import InvalidInput

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,99}")
_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Clients:
    """The configured clients: the hash of its secret by the id of each."""

    hashes: Mapping[str, str]

    def __bool__(self) -> bool:
        """Tell whether there are any; without, the server is open to everybody."""
        return bool(self.hashes)

    def accept(self, client_id: str, secret: str) -> bool:
        """Say whether the secret is the client's, in the same time whether or not it exists."""
        given = hashlib.sha256(secret.encode()).hexdigest()
        expected = self.hashes.get(client_id, "")
        return hmac.compare_digest(given, expected)


def read_clients(listed: str, file: str) -> Clients:
    """Read `ID:HASH` entries, those of a setting parted by commas, those of a file by lines.

    In the file a line that begins with `#` is a remark.

    Raises:
        InvalidInput: if the file cannot be read, or an entry is malformed or given twice.
    """
    entries = [(entry, "MAINSTEM_CLIENTS") for entry in listed.split(",")]
    entries += [(line, file) for line in _lines(file)]
    hashes: dict[str, str] = {}
    for text, where in _written(entries):
        client_id, _, secret_hash = text.partition(":")
        # The entry itself is not shown: somebody may have written the secret in place of its hash.
        if _ID.fullmatch(client_id) is None or _HASH.fullmatch(secret_hash) is None:
            raise InvalidInput(
                f"{where} must hold ID:HASH, where HASH is the SHA-256 of the client's secret in"
                " lower-case hex, and ID has letters, digits and . _ @ - only"
            )
        if client_id in hashes:
            raise InvalidInput(f"{where} names client {client_id!r} twice")
        hashes[client_id] = secret_hash
    return Clients(hashes)


def _written(entries: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    stripped = ((text.strip(), where) for text, where in entries)
    return ((text, where) for text, where in stripped if text and not text.startswith("#"))


def _lines(file: str) -> list[str]:
    if not file:
        return []
    try:
        return Path(file).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeError) as error:
        raise InvalidInput(f"MAINSTEM_CLIENTS_FILE cannot be read: {error}") from error
