"""`mainstem doctor spark-conf`: fill in the templates of `spark_conf/` for a revision."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template
from typing import Annotated, Any
from urllib.parse import urlsplit

import orjson
import typer

from catalog.cli.client import Json
from catalog.cli.commands import Session, query
from catalog.cli.completion import complete_branch, complete_revision
from catalog.cli.output import Verbatim

# By Spark's version, its Scala and the newest Iceberg that has a runtime for the two.
_RUNTIMES = {"3.5": ("2.12", "1.12.0"), "4.0": ("2.13", "1.11.0"), "4.1": ("2.13", "1.12.0")}
# What Iceberg needs besides its runtime to reach an object store.
_BUNDLES = {
    "s3": "aws",
    "s3a": "aws",
    "abfs": "azure",
    "abfss": "azure",
    "wasb": "azure",
    "wasbs": "azure",
    "gs": "gcp",
}

# What a client asks for; static credentials come to whoever loads a table.
_DELEGATIONS = ("vended-credentials", "remote-signing")


class SparkVersion(StrEnum):
    """The release of Spark."""

    V3_5 = "3.5"
    V4_0 = "4.0"
    V4_1 = "4.1"


class Platform(StrEnum):
    """Where Spark runs."""

    SPARK = "spark"
    EMR = "emr"
    EMR_SERVERLESS = "emr-serverless"
    DATABRICKS = "databricks"
    THRIFT_SERVER = "thrift-server"


# How a platform names what it keeps in its store of secrets.
_SECRETS = {
    Platform.EMR: "EMR.secret@{}",
    Platform.EMR_SERVERLESS: "EMR.secret@{}",
    Platform.DATABRICKS: "{{{{secrets/{}}}}}",
}


def register(app: typer.Typer) -> None:
    """Add the command to its group."""
    query(app, "spark-conf")(print_spark_conf)


def print_spark_conf(
    session: Session,
    branch: Annotated[
        str | None,
        typer.Option(
            metavar="BRANCH",
            help="Write to this branch. (default: the default branch)",
            autocompletion=complete_branch,
            show_default=False,
        ),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(
            metavar="REVISION",
            help="Only read, at this revision: release/2026-11-23, 'main@{now}'.",
            autocompletion=complete_revision,
            show_default=False,
        ),
    ] = None,
    platform: Annotated[Platform, typer.Option("--for", help="Where Spark runs.")] = Platform.SPARK,
    version: Annotated[
        SparkVersion, typer.Option("--spark", help="Spark's version.")
    ] = SparkVersion.V3_5,
    catalog: Annotated[
        str, typer.Option(metavar="NAME", help="What Spark calls the catalog.")
    ] = "lake",
    secret: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The credential, ID:SECRET, is kept by the platform under this name.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Print the settings with which Spark uses a revision of the warehouse."""
    if branch and at:
        raise typer.BadParameter("give --branch or --at, not both", param_hint="--at")
    if platform is not Platform.SPARK and version is not SparkVersion.V3_5:
        detail = f"the settings of {platform} are those of its releases with Spark 3.5"
        raise typer.BadParameter(detail, param_hint="--spark")
    if secret and platform not in _SECRETS:
        detail = f"nothing keeps secrets for {platform}; add the credential to the file yourself"
        raise typer.BadParameter(detail, param_hint="--secret")
    if not catalog.isidentifier():
        raise typer.BadParameter(f"{catalog!r} is no SQL name", param_hint="--catalog")
    if at:
        session.get("commits", at)
    else:
        branch = branch or session.default_branch()
        session.get("branches", branch)
    revision = str(at or branch)
    warehouse = session.get()
    values = {
        "catalog": catalog,
        "uri": f"{session.client.server}/iceberg",
        "warehouse": f"{session.warehouse}@{revision}",
        "cached": "true" if at else "false",
        **_jars(_places(warehouse), version),
    }
    more = {f"header.{name}": value for name, value in _headers(_places(warehouse)).items()}
    if secret:
        more["credential"] = _SECRETS[platform].format(secret)
    settings = {f"spark.sql.catalog.{catalog}.{name}": value for name, value in more.items()}
    text = fill(_template(platform, at), values, settings)
    document = {"warehouse": f"{session.warehouse}@{revision}", "content": text}
    session.output.answer(document, Verbatim(text))


def fill(template: Traversable, values: dict[str, Any], more: Mapping[str, str]) -> str:
    """Put values into a template, and more settings; in JSON a value may be more than text."""
    text = template.read_text("utf-8")
    if not template.name.endswith(".json"):
        lines = (f"{name}   {value}\n" for name, value in more.items())
        return "".join((Template(text).substitute(values), *lines))
    filled = _filled(orjson.loads(text), values)
    _add(filled, f"spark.sql.catalog.{values['catalog']}", more)
    return orjson.dumps(filled, option=orjson.OPT_INDENT_2).decode() + "\n"


def _filled(node: Any, values: dict[str, Any]) -> Any:
    match node:
        case dict():
            return {_filled(key, values): _filled(value, values) for key, value in node.items()}
        case list():
            return [_filled(each, values) for each in node]
        case str() if node.startswith("$") and not isinstance(values.get(node[1:], ""), str):
            return values[node[1:]]
        case str():
            return Template(node).substitute(values)
    return node


def _add(node: Any, beside: str, more: Mapping[str, str]) -> None:
    """Add settings where this one is among them."""
    for each in node.values() if isinstance(node, dict) else node:
        if isinstance(each, dict | list):
            _add(each, beside, more)
    if isinstance(node, dict) and beside in node:
        node.update(more)


def _template(platform: Platform, at: str | None) -> Traversable:
    # A wheel carries the folder inside the package; in a checkout it lies beside it.
    folder: Traversable = files("catalog") / "spark_conf"
    if not folder.is_dir():
        folder = Path(__file__).parents[2] / "spark_conf"
    if platform is Platform.THRIFT_SERVER:
        return folder / f"{platform}.conf"
    if platform is not Platform.SPARK:
        return folder / f"{platform}.json"
    kind = "branch" if at is None else "pinned" if "@{" in at else "release"
    return folder / f"{kind}.conf"


def _places(warehouse: Json) -> list[Json]:
    return [warehouse, *warehouse["locations"]]


def _jars(places: Sequence[Json], version: SparkVersion) -> dict[str, Any]:
    scala, iceberg = _RUNTIMES[version]
    schemes = [urlsplit(each["location"]).scheme for each in places]
    # In this order, each once.
    bundles = dict.fromkeys(_BUNDLES[scheme] for scheme in schemes if scheme in _BUNDLES)
    names = [f"spark-runtime-{version}_{scala}", *(f"{each}-bundle" for each in bundles)]
    packages = [f"org.apache.iceberg:iceberg-{name}:{iceberg}" for name in names]
    return {
        "packages": ",".join(packages),
        "libraries": [{"maven": {"coordinates": package}} for package in packages],
    }


def _headers(places: Sequence[Json]) -> dict[str, str]:
    """Return what has the catalog give access to files, where the warehouse is set up so."""
    offered = ",".join(each["storage"].get("access-delegation", "") for each in places).split(",")
    asked = [each for each in _DELEGATIONS if each in {name.strip() for name in offered}]
    return {"X-Iceberg-Access-Delegation": ",".join(asked)} if asked else {}
