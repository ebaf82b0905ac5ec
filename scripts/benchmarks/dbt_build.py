"""`dbt build` in the folder where it is run, by the engine that DBT_TARGET names."""

import os
import sys
from importlib import import_module
from pathlib import Path

from dbt.cli.main import dbtRunner


def main(directory: str) -> int:
    """Build; `directory` is where Spark's settings may be written."""
    if os.environ["DBT_TARGET"] == "spark":
        sys.path.insert(0, str(Path.cwd()))
        settings = import_module("spark_settings")
        folder = Path(directory, "conf")
        folder.mkdir()
        settings.use_java(folder)
        settings.use_branch(folder)
    built = dbtRunner().invoke(["build", "--log-level", "error"])
    return 0 if built.success else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
