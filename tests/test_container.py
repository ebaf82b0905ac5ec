"""The Dockerfile names files, a command and an endpoint that exist; nothing here builds it."""

import json
import re
import tomllib
from pathlib import Path

from typer.testing import CliRunner

from catalog.api.app import create_app
from catalog.cli.main import app
from catalog.settings import Settings

ROOT = Path(__file__).parents[1]
DOCKERFILE = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")


def instructions(name: str) -> list[str]:
    return re.findall(rf"^{name} (.*)$", DOCKERFILE, flags=re.MULTILINE)


def test_what_it_copies_is_there_and_all_that_the_package_is_made_of() -> None:
    sources = {word for line in instructions("COPY") for word in line.split()[:-1]}
    assert [source for source in sources if not (ROOT / source).exists()] == []
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    parts = {*wheel["packages"], *wheel["force-include"], project["project"]["readme"]}
    assert parts <= sources


def test_what_it_asks_to_know_its_health_is_an_endpoint() -> None:
    [line] = instructions("HEALTHCHECK")
    command = json.loads(line[line.index("[") :])
    [path] = re.findall(r"8181(/[a-z0-9/]*)", command[-1])
    assert path in create_app(Settings()).openapi()["paths"]


def test_what_it_runs_is_a_command_with_these_options() -> None:
    [[command]] = [json.loads(line) for line in instructions("ENTRYPOINT")]
    [arguments] = [json.loads(line) for line in re.findall(r"^CMD (.*)$", DOCKERFILE, re.MULTILINE)]
    assert command == "mainstem"
    assert CliRunner().invoke(app, [*arguments, "--help"]).exit_code == 0
