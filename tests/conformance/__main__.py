"""`scripts/conformance`: the kit against the configurations of CI, or against all of them."""

import argparse
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from tests.conformance.kit import (
    ALL,
    DEFAULT,
    Configuration,
    Kit,
    build_kit,
    run_kit,
    summary,
    whole,
)
from tests.services import object_store, postgres


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/conformance", description=__doc__)
    parser.add_argument("--all", action="store_true", help="every branch, database and storage")
    chosen = ALL if parser.parse_args().all else DEFAULT
    with tempfile.TemporaryDirectory(prefix="conformance-") as temporary:
        directory = Path(temporary)
        kit = build_kit(directory)
        verdicts = [
            _judge(kit, each, directory / str(number)) for number, each in enumerate(chosen)
        ]
    return 0 if all(verdicts) else 1


def _judge(kit: Kit, configuration: Configuration, directory: Path) -> bool:
    directory.mkdir()
    with ExitStack() as stack:
        url = store = None
        if configuration.database == "postgresql":
            url = stack.enter_context(postgres(directory))
        if configuration.files == "s3":
            store = stack.enter_context(object_store(directory))
        outcomes = run_kit(kit, configuration, directory, database_url=url, store=store)
    print(f"\n{configuration}", *summary(outcomes), sep="\n", flush=True)
    return whole(outcomes)


if __name__ == "__main__":
    sys.exit(main())
