"""Whose certificates are believed: the usual authorities, and those of the house."""

import os
import ssl
import tempfile
import threading
import weakref
from pathlib import Path

import certifi

from catalog.errors import InvalidInput


class Trust:
    """The authorities that vouch for object stores and what gives out their credentials.

    The house's own, if there are any, come from a PEM file and never replace the usual ones, so
    that one server reaches a store in the house and one at a cloud.
    """

    def __init__(self, path: Path | None = None) -> None:
        """Read the file.

        Raises:
            InvalidInput: if it cannot be read or holds no certificates.
        """
        self.own: bytes | None = None
        self._lock = threading.Lock()
        self._bundle: str | None = None
        if path is not None:
            try:
                self.own = path.read_bytes()
                ssl.create_default_context(cafile=path)
            except ssl.SSLError as error:
                raise InvalidInput(f"MAINSTEM_CA_FILE {path} holds no certificates") from error
            except OSError as error:
                raise InvalidInput(f"Cannot read MAINSTEM_CA_FILE {path}: {error}") from error

    def bundle(self) -> str | None:
        """Return a file with all authorities, for what takes nothing else; None without own."""
        if self.own is None:
            return None
        with self._lock:
            if self._bundle is None:
                descriptor, self._bundle = tempfile.mkstemp(prefix="mainstem-", suffix=".pem")
                weakref.finalize(self, Path(self._bundle).unlink, missing_ok=True)
                with os.fdopen(descriptor, "wb") as file:
                    file.write(Path(certifi.where()).read_bytes() + b"\n" + self.own)
            return self._bundle


USUAL = Trust()
