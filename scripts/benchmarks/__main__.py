"""Measure Mainstem: a table, or JSON."""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.both_sides import measure_both_sides
from benchmarks.databases import DATABASES
from benchmarks.engines import show_engines
from benchmarks.figures import Figure
from benchmarks.lake import CHANGED, Lake
from benchmarks.object_stores import show_libraries
from benchmarks.report import show
from benchmarks.rounds import FULL, PEER, QUICK
from benchmarks.splices import measure_splices
from benchmarks.suite import measure, measure_nessie

# Of dbt's project in the quickstart.
_MODELS, _QUICK_MODELS = 200, 20
_ENGINES = {"duckdb": ["duckdb"], "spark": ["spark"], "both": ["duckdb", "spark"]}
_CHOICES = {**{name: [name] for name in DATABASES}, "both": list(DATABASES)}


def main() -> int:
    """Run what the arguments ask for."""
    arguments = _parse()
    if arguments.what == "engines":
        models = _QUICK_MODELS if arguments.quick else _MODELS
        show_engines(
            _ENGINES[arguments.engine],
            arguments.peer,
            arguments.models or models,
            1 if arguments.quick else arguments.rounds,
            as_json=arguments.json,
        )
        return 0
    if arguments.stores:
        show_libraries(quick=arguments.quick, as_json=arguments.json)
        return 0
    figures = list(_figures(arguments))
    show(figures, as_json=arguments.json)
    return 0


def _figures(arguments: argparse.Namespace) -> Iterator[Figure]:
    rounds = QUICK if arguments.quick else FULL
    for database in _CHOICES[arguments.database]:
        with _directory() as directory, DATABASES[database](directory) as new_database:
            for tables in arguments.sizes:
                _say(f"{database}, {tables:,} tables")
                with _directory() as lake:
                    yield from measure(lake, new_database(lake), Lake(tables), rounds, database)
                if arguments.peer and tables == min(arguments.sizes):
                    _say(f"nessie, {tables:,} tables")
                    with _directory() as lake:
                        slow = rounds if arguments.quick else PEER
                        yield from measure_nessie(lake, Lake(tables), slow, database)
            _say(f"{database}, tables that both sides changed")
            yield from measure_both_sides(_directory, new_database, rounds, database)
    _say("manifests")
    yield from measure_splices(rounds)


@contextmanager
def _directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="mainstem-bench-") as name:
        yield Path(name)


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def _sizes(text: str) -> list[int]:
    sizes = [int(part) for part in text.split(",")]
    if min(sizes) < CHANGED:
        raise argparse.ArgumentTypeError(f"a lake has at least {CHANGED} tables here")
    return sizes


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument(
        "what",
        nargs="?",
        choices=["engines"],
        help="measure what share of dbt's time is the catalog's instead, by DuckDB and by Spark",
    )
    parser.add_argument("--engine", choices=_ENGINES, default="both", help="whose dbt builds")
    parser.add_argument("--models", type=int, help="how many dbt builds at least (default: 200)")
    parser.add_argument("--rounds", type=int, default=1, help="how often dbt builds on each")
    parser.add_argument("--sizes", type=_sizes, default=[200, 10_000, 100_000])
    parser.add_argument("--database", choices=_CHOICES, default="both")
    parser.add_argument(
        "--peer",
        choices=["nessie", "sql"],
        action="append",
        default=[],
        help="measure Nessie beside it, on the smallest lake; the first time, its server is fetched"
        " by the Maven on PATH, and its Java by pip, into the user's cache. Of engines, also `sql`:"
        " Iceberg's SQL catalog on SQLite",
    )
    parser.add_argument(
        "--stores",
        action="store_true",
        help="measure obstore beside pyarrow's file systems on an S3 store instead",
    )
    parser.add_argument("--quick", action="store_true", help="measure once: a smoke test")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    arguments = parser.parse_args()
    if "sql" in arguments.peer and arguments.what != "engines":
        parser.error("--peer sql is a peer of `engines` only")
    return arguments


if __name__ == "__main__":
    sys.exit(main())
