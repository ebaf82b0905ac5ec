"""Pages of docs as scripts: their blocks of shell, SQL and Python, run in order."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.engines.lake import Lake, Rows

_PAGES = Path(__file__).parents[2] / "docs"
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Page:
    """A page, read for a server and warehouse of the tests' own."""

    def __init__(self, name: str, lake: Lake, directory: Path) -> None:
        self._lake, self._directory = lake, directory
        self._blocks = _BLOCK.findall((_PAGES / name).read_text("utf-8"))
        self.names: dict[str, Any] = {}
        """What the Python blocks have defined."""

    def block(self, language: str) -> str:
        """Return the page's first block in a language."""
        return next(self._here(text) for each, text in self._blocks if each == language)

    def shell(self, number: int) -> None:
        """Run one of the page's shell blocks, counted from 0."""
        found = [text for each, text in self._blocks if each == "sh"]
        self._shell(self._here(found[number]))

    def run(self, sql: Callable[[str], Rows] | None = None) -> Rows:
        """Run the blocks from top to bottom; return the rows of the last query."""
        rows: Rows = []
        for language, text in self._blocks:
            here = self._here(text)
            match language:
                case "sh":
                    self._shell(here)
                case "python":
                    exec(compile(here, "page", "exec"), self.names)
                case "sql":
                    assert sql is not None
                    for statement in re.split(r";\n", here):
                        if statement.strip():
                            rows = sql(statement) or rows
        return rows

    def _here(self, text: str) -> str:
        text = text.replace("http://127.0.0.1:8181", self._lake.server)
        text = text.replace('warehouse="lake"', f'warehouse="{self._lake.warehouse}"')
        return text.replace("lake@", f"{self._lake.warehouse}@")

    def _shell(self, text: str) -> None:
        environment = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "MAINSTEM_SERVER": self._lake.server,
            "MAINSTEM_WAREHOUSE": self._lake.warehouse,
        }
        subprocess.run(["sh", "-euc", text], env=environment, cwd=self._directory, check=True)
