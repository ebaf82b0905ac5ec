"""What is wrong about a command line is told before any server is asked."""

import socket

import pytest
from typer.testing import CliRunner

from catalog.cli.main import app


def run(*arguments: str, **environment: str):
    return CliRunner().invoke(app, list(arguments), env=environment)


@pytest.fixture
def nobody() -> str:
    """Give an address where nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.mark.parametrize(
    "arguments",
    [
        ["branch", "create"],
        ["branch", "rename", "a", "b"],
        ["log", "--count", "0"],
        ["log", "--since", "yesterday"],
        ["merge"],
        ["merge", "work", "--strategy", "best"],
        ["merge", "work", "--table", "day.slides"],
        ["merge", "work", "--table", "day.slides=best"],
        ["tag", "create", "v1", "--metadata", "no-equals-sign"],
        ["tag", "create", "v1", "--metadata", "k=1", "--metadata", "k=2"],
        ["check", "report", "main", "dbt", "green"],
        ["release", "run", "--name", "r", "--branch", "b"],
        ["serve", "--port", "70000"],
        ["nonsense"],
    ],
)
def test_wrong_usage_ends_with_2(arguments: list[str], nobody: str) -> None:
    result = run(*arguments, MAINSTEM_SERVER=nobody)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr


def test_an_absent_server_ends_with_5_and_says_what_to_do(nobody: str) -> None:
    result = run("branch", "list", "--server", nobody)
    assert result.exit_code == 5
    assert nobody in result.stderr
    assert "mainstem serve" in result.stderr


def test_with_json_an_absent_server_is_one_document(nobody: str) -> None:
    result = run("log", "main", "--server", nobody, "--json")
    assert result.exit_code == 5
    assert result.stdout.startswith("{")
    assert nobody in result.stdout


@pytest.mark.parametrize("server", ["localhost:8181", "not an address", "ftp://127.0.0.1"])
def test_a_server_that_is_no_address_is_wrong_usage(server: str) -> None:
    result = run("branch", "list", "--server", server)
    assert result.exit_code == 2
    assert "http://" in result.stderr


def test_version_is_printed() -> None:
    result = run("--version")
    assert (result.exit_code, result.stdout.split()[0]) == (0, "mainstem")


def test_an_option_after_the_command_wins_over_the_environment(nobody: str) -> None:
    result = run("branch", "list", "--server", nobody, MAINSTEM_SERVER="http://127.0.0.1:1")
    assert nobody in result.stderr


def test_an_option_before_the_command_wins_over_the_environment(nobody: str) -> None:
    result = run("--server", nobody, "branch", "list", MAINSTEM_SERVER="http://127.0.0.1:1")
    assert nobody in result.stderr
