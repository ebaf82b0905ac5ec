"""The pages say what is true: the README's lines run, its commands, files and sizes exist."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from catalog import __version__
from catalog.cli.main import app
from examples.quickstart.size import LARGEST, SMALLEST, Size
from tests.engines.merging.page import PAGE as MATRIX_PAGE
from tests.engines.merging.page import written

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
PAGES = sorted(
    page
    for pattern in ("*.md", "docs/**/*.md", "examples/*/*.md", "spark_conf/*.md")
    for page in ROOT.glob(pattern)
)
BLOCK = re.compile(r"^```\w*\n(.*?)^```", flags=re.MULTILINE | re.DOTALL)


def command_lines(page: str) -> Iterator[str]:
    """Give what a page says of `mainstem …`: lines of its blocks, and code inside its sentences."""
    for block in BLOCK.findall(page):
        yield from (line for line in block.splitlines() if line.startswith("mainstem "))
    yield from re.findall(r"`(mainstem [a-z][^`]*)`", BLOCK.sub("", page))


def unknown_part(line: str) -> str | None:
    """Name the part of a command line that the command line does not have."""
    command = typer.main.get_command(app)
    words = re.split(r" -- | \| | & | > ", line.split(" #")[0])[0].split()[1:]
    while words and hasattr(command, "commands") and words[0] in command.commands:
        command = command.commands[words.pop(0)]
    options = {name for each in command.params for name in (*each.opts, *each.secondary_opts)}
    if hasattr(command, "commands") and words and not words[0].startswith(("-", "…")):
        return words[0]
    asked = {word.split("=")[0] for word in words if word.startswith("-")}
    return next(iter(asked - options - {"-h", "--help"}), None)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_commands_of_a_page_exist(page: Path) -> None:
    for line in command_lines(page.read_text()):
        assert unknown_part(line) is None, line


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_of_a_page_lead_to_files(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        assert "://" in target or (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_files_that_a_page_names_exist(page: Path) -> None:
    named = re.findall(
        r"`((?:catalog|docs|examples|scripts|spark_conf|tests)/[\w./*-]+)", page.read_text()
    )
    for name in named:
        assert list(ROOT.glob(name)), name


def test_pages_install_from_a_clone() -> None:
    """No package index has Mainstem: who asks one gets nothing, or what a stranger called so."""
    texts = {page: page.read_text() for page in [*PAGES, *ROOT.glob("examples/**/*.ipynb")]}
    extras = set(
        tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    )
    install = README.partition("## Install")[2].partition("\n## ")[0]
    assert f"mainstem-{__version__}-py3-none-any.whl" in install
    for page, text in texts.items():
        assert "pip install 'mainstem[" not in text.replace(install, ""), page
        for chosen in re.findall(r"'\.\[([^]]+)\]'", text):
            assert set(chosen.split(",")) <= extras, (page, chosen)
        if page.parent == ROOT / "docs" / "engines":
            assert "README.md#install)" in text, page


def test_the_page_on_prefect_loads_by_options_that_there_are() -> None:
    page = (ROOT / "examples" / "prefect" / "README.md").read_text()
    (options,) = re.findall(r'--load "python ingest\.py \{day\}([^"]*)"', page)
    ingest = (ROOT / "examples" / "pathology" / "ingest.py").read_text()
    accepted = re.findall(r'add_argument\("(--[\w-]+)"', ingest)
    named = re.findall(r"--[\w-]+", options + ingest.partition("import")[0])
    assert set(named) <= set(accepted)


def test_the_readme_gives_the_sizes_of_the_quickstart() -> None:
    assert f"{Size().tables} tables by dbt" in README
    assert f"from {SMALLEST.tables} to\n{LARGEST.tables:,};" in README


def test_scripts_that_the_readme_names_exist() -> None:
    scripts = set(re.findall(r"scripts/\w+", README))
    assert scripts >= {"scripts/quickstart", "scripts/test"}
    assert all(os.access(ROOT / script, os.X_OK) for script in scripts)


def test_the_page_on_merging_has_the_matrix_that_the_tests_prove() -> None:
    page = MATRIX_PAGE.read_text()
    assert page == written(page), "run scripts/matrix"
    assert page.count("| ours ↓ theirs → |") > 5


@pytest.mark.slow
def test_the_ten_lines_run(tmp_path: Path) -> None:
    """As a person does: a server on its defaults, and the block pasted into a shell."""
    (lines,) = [block for block in BLOCK.findall(README) if "<<'END'" in block]
    tools = tmp_path / "bin"
    tools.mkdir()
    for name, arguments in (("python", ""), ("mainstem", "-m catalog")):
        (tools / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {arguments} "$@"\n')
        (tools / name).chmod(0o755)
    command = [sys.executable, "-m", "catalog", "serve", "--port", "0"]
    server = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    with server.stdout:
        address = server.stdout.readline().split()[-1]
        ended = subprocess.run(
            ["sh", "-eu"],
            input=lines.replace("http://127.0.0.1:8181", address),
            env={
                **os.environ,
                "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
                "MAINSTEM_SERVER": address,
            },
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        server.terminate()
        assert server.wait(timeout=30) == 0
    assert ended.returncode == 0, ended.stderr
    assert "added\ttable\tfeatures.slides\t- -> 2" in ended.stdout
    assert "release/2026-11-23" in ended.stdout


def named_modules(page: str) -> Iterator[tuple[Path, str]]:
    """Give the modules that the page on architecture lists, with what it says of each."""
    packages = re.findall(r"^### (\w+) \(.*?\n```\n(.*?)^```", page, flags=re.MULTILINE | re.DOTALL)
    for package, block in packages:
        parts = re.split(r"\b(\w[\w/]*/|\w+\.py)", block.replace("docs/", ""))
        folder = ROOT / "catalog" / package
        for name, said in zip(parts[1::2], parts[2::2], strict=True):
            if name.endswith("/"):
                folder = ROOT / "catalog" / package / name
            else:
                yield folder / name, said


def names_of(module: Path) -> set[str]:
    tree = ast.parse(module.read_text())
    defined = {
        node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)
    }
    fields = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    arguments = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    return defined | fields | arguments


ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text()


def test_the_page_on_architecture_lists_every_module() -> None:
    listed = {module for module, _ in named_modules(ARCHITECTURE)}
    packages = {module.relative_to(ROOT / "catalog").parts[0] for module in listed}
    assert packages == {
        "versioning",
        "iceberg",
        "governance",
        "store",
        "files",
        "auth",
        "foreign",
        "operations",
    }
    there = {
        module
        for package in packages
        for module in (ROOT / "catalog" / package).rglob("*.py")
        if module.name != "__init__.py" and "migrations" not in module.parts
    }
    assert listed == there


def test_the_page_on_architecture_names_what_the_modules_have() -> None:
    for module, said in named_modules(ARCHITECTURE):
        missing = set(re.findall(r"\b(\w+)\(", said)) - names_of(module)
        assert not missing, (module.name, missing)


def test_the_readme_leads_to_every_page() -> None:
    pages = {path.relative_to(ROOT).as_posix() for path in ROOT.glob("docs/**/*.md")}
    assert pages <= set(re.findall(r"\]\(([^)#]+)\)", README))
