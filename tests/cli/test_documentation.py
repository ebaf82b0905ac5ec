"""docs/cli.md says what the commands are, no less and no more."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from catalog.cli.failures import ExitCode
from catalog.cli.main import app

PAGE = (Path(__file__).parents[2] / "docs" / "cli.md").read_text()
SHARED = {"--server", "--warehouse", "--json", "--help"}


def commands(command: Any, path: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    below = getattr(command, "commands", None)
    if below is None or path == ("mainstem", "doctor"):
        yield " ".join(path), command
    for name, each in (below or {}).items():
        yield from commands(each, (*path, name))


def sections() -> dict[str, str]:
    parts = re.split(r"^#{2,3} ", PAGE, flags=re.MULTILINE)
    named = (part.partition("\n") for part in parts)
    return {title: body for title, _, body in named if title.startswith("mainstem ")}


COMMANDS = dict(commands(typer.main.get_command(app), ("mainstem",)))


def test_every_command_has_a_section_and_no_section_is_of_another() -> None:
    assert set(sections()) == set(COMMANDS)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_a_section_lists_the_options_of_its_command(name: str) -> None:
    options = {
        option
        for parameter in COMMANDS[name].params
        if parameter.param_type_name == "option"
        for option in parameter.opts
        if option.startswith("--")
    }
    own = options - SHARED
    if "--oneline" not in own:
        own -= {"--author"}
    rows = [line for line in sections()[name].splitlines() if line.startswith("| `")]
    documented = {found for row in rows for found in re.findall(r"`(--[a-z-]+)", row.split("|")[1])}
    assert documented == own


def test_shared_options_are_documented() -> None:
    for option in SHARED - {"--help"} | {"--author"}:
        assert f"| `{option}" in PAGE


def test_exit_codes_are_documented() -> None:
    table = PAGE.partition("## Exit codes")[2].partition("##")[0]
    documented = {
        int(code)
        for row in re.findall(r"^\| ([\d, ]+) \|", table, flags=re.MULTILINE)
        for code in row.split(",")
    }
    assert documented == {code.value for code in ExitCode}
