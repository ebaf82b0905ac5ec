"""The layering rule of docs/architecture.md, held by reading the imports."""

import ast
from collections import defaultdict
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CATALOG = ROOT / "catalog"
MODULES = sorted(
    path for path in CATALOG.rglob("*.py") if "migrations/versions" not in path.as_posix()
)

# An import points to a smaller number, or stays in its own package.
LAYERS = {
    "errors": 0, "clock": 0, "settings": 0,
    "versioning": 1, "iceberg": 1, "governance": 1.5,
    "store": 2, "files": 2, "auth": 2, "foreign": 2,
    "operations": 3, "api": 4, "cli": 5, "client": 6,
}  # fmt: skip
# Who may import a library that does I/O or belongs to one face.
LIBRARIES = {
    "sqlalchemy": {"store"},
    "alembic": {"store"},
    "azure": {"files"},
    "botocore": {"files"},
    "google": {"files"},
    "obstore": {"files"},
    "pyiceberg": {"iceberg", "files", "foreign", "client"},
    "jwt": {"auth"},
    "fastapi": {"api"},
    "starlette": {"api"},
    "uvicorn": {"cli"},
    "typer": {"cli"},
    "rich": {"cli"},
}
PURE = {"versioning", "iceberg", "governance"}
IMPURE_MODULES = {"os", "pathlib", "random", "socket", "subprocess", "time", "uuid.uuid4"}
# The trunk of operations, which the others share.
TRUNK = {"callers", "idempotency", "warehouses", "resolve", "moves", "commit", "entries"}
TRUNK |= {"metadata", "paths", "sites", "tables"}
# What two operations have in common and the trunk does not need.
SHARED = {"ancestry", "heads"}
MAX_LINES = 400


def package_of(path: Path) -> str:
    return path.relative_to(CATALOG).parts[0].removesuffix(".py")


def imports_of(tree: ast.AST) -> list[str]:
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names.append(node.module or "")
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_module_keeps_the_layering_rule(path):
    text = path.read_text()
    tree = ast.parse(text)
    package = package_of(path)
    if text:
        assert ast.get_docstring(tree), "the first line says what the module is for"
    assert len(text.splitlines()) <= MAX_LINES, "a module can be read in one sitting"
    for name in imports_of(tree):
        parts = name.split(".")
        if parts[0] == "catalog" and len(parts) > 1 and parts[1] in LAYERS:
            target = parts[1]
            above = LAYERS.get(package, 9)
            assert target == package or LAYERS[target] < above or above == 0, (
                f"{package} imports {name}, which does not lie below it"
            )
        allowed = LIBRARIES.get(parts[0])
        assert allowed is None or package in allowed, f"only {allowed} may import {parts[0]}"
        impure = {parts[0], name} & IMPURE_MODULES
        assert not (package in PURE and impure), f"{package} is pure, {impure} is not"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_imports_stand_at_the_top(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            inner = [
                each for each in ast.walk(node) if isinstance(each, ast.Import | ast.ImportFrom)
            ]
            assert not inner, f"{node.name} imports inside itself"
        if isinstance(node, ast.If):
            assert "TYPE_CHECKING" not in ast.dump(node.test)


def imported_modules(path):
    """The modules of ours that a module imports."""
    for name in imports_of(ast.parse(path.read_text())):
        for dotted in (name, name.rpartition(".")[0]):
            file = ROOT / f"{dotted.replace('.', '/')}.py"
            if dotted.startswith("catalog.") and file.exists():
                yield file
                break


def test_no_modules_import_each_other_in_a_circle():
    graph = {path: set(imported_modules(path)) for path in MODULES}
    order = list(TopologicalSorter(graph).static_order())
    assert len(order) >= len(MODULES)


def test_operations_share_the_trunk_only():
    folder = CATALOG / "operations"
    importers = defaultdict(set)
    for path in folder.glob("*.py"):
        for module in imported_modules(path):
            if module.parent == folder:
                importers[module.stem].add(path.stem)
    shared = {name for name, by in importers.items() if len(by) > 1}
    assert shared <= TRUNK | SHARED
    of_trunk = {name for name, by in importers.items() if by & TRUNK}
    assert of_trunk <= TRUNK
