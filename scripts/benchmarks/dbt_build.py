"""`dbt build` in the folder where it is run, by the engine that DBT_TARGET names."""

import os
import sys
from importlib import import_module
from pathlib import Path

from dbt.cli.main import dbtRunner


def main(conf: str) -> int:
    """Build; `conf` is a folder that holds Spark's settings, one a line, in the file `told`."""
    if os.environ["DBT_TARGET"] == "spark":
        sys.path.insert(0, str(Path.cwd()))
        settings = import_module("spark_settings")
        folder = Path(conf)
        settings.use_java(folder)
        settings.use_settings(folder, (folder / "told").read_text().splitlines())
    built = dbtRunner().invoke(["build", "--log-level", "error"])
    return 0 if built.success else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
