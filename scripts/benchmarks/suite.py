"""Everything that is measured of one database and one size of lake."""

from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import MEBIBYTES, Figure, Place
from benchmarks.lake import Lake, seed
from benchmarks.loads import measure_loads
from benchmarks.merges import measure_merges
from benchmarks.processes import mainstem
from benchmarks.rounds import Rounds
from benchmarks.writes import measure_writes
from catalog.settings import Settings

_MEBIBYTE = 1024 * 1024


def measure(
    directory: Path, database_url: str, lake: Lake, rounds: Rounds, database: str
) -> Iterator[Figure]:
    """Seed a lake in an empty directory and database, and measure a server on it."""
    seed(Settings(data_dir=directory, database_url=database_url), lake)
    place = Place("mainstem", database, lake.tables)
    with mainstem(directory, database_url) as server:
        started = server.resident_bytes()
        address = server.address
        yield from measure_loads(address, lake, place, rounds, directory)
        loaded = server.resident_bytes()
        yield from measure_writes(address, lake, place, rounds, database_url)
        yield from measure_merges(address, lake, place, rounds)
        ended = server.resident_bytes()
    yield place.figure("memory when started", MEBIBYTES, [started / _MEBIBYTE])
    yield place.figure("memory after loads", MEBIBYTES, [loaded / _MEBIBYTE])
    yield place.figure("memory at the end", MEBIBYTES, [ended / _MEBIBYTE])
