"""Runs Apache Iceberg's own catalog tests, unchanged, against a Mainstem server."""

import os
import subprocess
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from xml.etree import ElementTree

import httpx

from tests.java import java, resolve_jars, run
from tests.servers import serve
from tests.services import ObjectStore

_HERE = Path(__file__).parent
_PACKAGE = "io.mainstem"
SUITES = ("MainstemCatalogTests", "MainstemViewCatalogTests")
# The suites have this many cases in Iceberg 1.11.0, so that none can get lost unseen.
CASES = {"MainstemCatalogTests": 106, "MainstemViewCatalogTests": 51}
# An empty namespace has no path over REST; Iceberg's own REST catalog skips these, too.
SKIPPED = {
    "createAndDropEmptyNamespace",
    "listNamespacesWithEmptyNamespace",
    "listTablesInEmptyNamespace",
    "listViewsInEmptyNamespace",
    "namespacePropertiesOnEmptyNamespace",
}


@dataclass(frozen=True)
class Configuration:
    """What the kit is run against."""

    branch: str
    database: Literal["sqlite", "postgresql"]
    files: Literal["local", "s3"]

    def __str__(self) -> str:
        return f"{self.branch} on {self.database} and {self.files} files"


BRANCHES = ("main", "ingest/2026-11-23")
ALL = tuple(
    Configuration(branch, database, files)
    for database in ("sqlite", "postgresql")
    for files in ("local", "s3")
    for branch in BRANCHES
)
DEFAULT = (ALL[0], ALL[1], Configuration(BRANCHES[1], "postgresql", "s3"))


@dataclass(frozen=True)
class Outcome:
    """How one case of a suite ended; `detail` says why it failed."""

    suite: str
    case: str
    state: Literal["passed", "failed", "skipped"]
    detail: str = ""

    @property
    def acceptable(self) -> bool:
        """Whether it passed, or is one that has no meaning over REST."""
        return self.state == "passed" or (self.state == "skipped" and self.case in SKIPPED)


@dataclass(frozen=True)
class Kit:
    """The compiled suites, and the jars that they run on."""

    class_path: str


def build_kit(directory: Path) -> Kit:
    """Fetch the jars, unless they are cached, and compile the suites."""
    jars = resolve_jars(_HERE / "ivy.xml", "*", directory)
    compiler = next(jar for jar in jars.split(os.pathsep) if Path(jar).name.startswith("ecj-"))
    classes = directory / "classes"
    options = ("-17", "-proc:none", "-nowarn", "-cp", jars, "-d", str(classes))
    run([*java(), "-jar", compiler, *options, str(_HERE / "java")])
    return Kit(f"{classes}{os.pathsep}{jars}")


def run_kit(
    kit: Kit,
    configuration: Configuration,
    directory: Path,
    *,
    database_url: str | None = None,
    store: ObjectStore | None = None,
) -> list[Outcome]:
    """Start servers, run the suites against them, and tell how every case ended."""
    environment = {} if database_url is None else {"MAINSTEM_DATABASE_URL": database_url}
    if store is not None:
        environment["AWS_ACCESS_KEY_ID"] = store.access_key
        environment["AWS_SECRET_ACCESS_KEY"] = store.secret_key
    location = (directory / "files").as_uri() if store is None else f"s3://{store.bucket}/kit"
    with ExitStack() as stack:
        server = stack.enter_context(serve(directory, "server", **environment))
        # A second process on the same database that remembers no file: what it is for says the
        # case that is run against it.
        forgetful = {**environment, "MAINSTEM_FILE_CACHE_BYTES": "0"}
        forgetful_server = stack.enter_context(serve(directory, "forgetful", **forgetful))
        _prepare(server, configuration.branch, location, {} if store is None else store.storage)
        properties = {
            "mainstem.uri": f"{server}/iceberg",
            "mainstem.forgetful-uri": f"{forgetful_server}/iceberg",
            "mainstem.warehouse": f"kit@{configuration.branch}",
            "mainstem.location": location,
            # Listings come in pages on the branch, and whole on main.
            **({} if configuration.branch == "main" else {"client.rest-page-size": "3"}),
            **({} if store is None else _client(store)),
        }
        return _run_suites(kit, properties, directory)


def summary(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Yield a line per suite with its counts, and what is wrong with the name of each case."""
    for suite in SUITES:
        found = [outcome for outcome in outcomes if outcome.suite == suite]
        states = Counter(outcome.state for outcome in found)
        counts = ", ".join(f"{states[state]} {state}" for state in ("passed", "failed", "skipped"))
        yield f"{suite}: {counts}"
        if len(found) != CASES[suite]:
            yield f"  {len(found)} cases ran, and there should be {CASES[suite]}"
        for outcome in found:
            if not outcome.acceptable:
                yield f"  {outcome.state}: {outcome.case}\n{outcome.detail}".rstrip()


def whole(outcomes: Sequence[Outcome]) -> bool:
    """Whether every case ran, and passed if it means anything over REST."""
    ran = Counter(outcome.suite for outcome in outcomes)
    return ran == CASES and all(outcome.acceptable for outcome in outcomes)


def _prepare(server: str, branch: str, location: str, storage: dict[str, str]) -> None:
    with httpx.Client(base_url=f"{server}/api/v1") as client:
        body = {"name": "kit", "location": location, "storage": storage}
        client.post("/warehouses", json=body).raise_for_status()
        if branch != "main":
            path = "/warehouses/kit/branches"
            client.post(path, json={"name": branch, "from": "main"}).raise_for_status()


def _client(store: ObjectStore) -> dict[str, str]:
    properties = {**store.storage, **store.secrets, "client.region": store.region}
    return {f"client.{name}": value for name, value in properties.items()}


def _run_suites(kit: Kit, properties: dict[str, str], directory: Path) -> list[Outcome]:
    reports = directory / "reports"
    command = [
        *java(*(f"-D{name}={value}" for name, value in properties.items())),
        *("-cp", kit.class_path, "org.junit.platform.console.ConsoleLauncher", "execute"),
        *(f"--select-class={_PACKAGE}.{suite}" for suite in SUITES),
        *(f"--reports-dir={reports}", "--details=none", "--disable-banner"),
    ]
    # It ends with 1 where a case failed, which the reports tell better.
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    report = reports / "TEST-junit-jupiter.xml"
    if not report.exists():
        raise RuntimeError(f"The kit did not run:\n{done.stdout}{done.stderr}")
    return [_outcome(case) for case in ElementTree.parse(report).getroot().iter("testcase")]


def _outcome(case: ElementTree.Element) -> Outcome:
    suite = case.get("classname", "").rpartition(".")[2]
    name, _, arguments = case.get("name", "").partition("(")
    number = arguments.partition("[")[2]
    name = f"{name}[{number}" if number else name
    for element in case:
        if element.tag in ("failure", "error"):
            return Outcome(suite, name, "failed", "\n".join((element.text or "").splitlines()[:12]))
        if element.tag == "skipped":
            return Outcome(suite, name, "skipped")
    return Outcome(suite, name, "passed")
