"""Everything that is measured of one server on one size of lake."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from benchmarks.figures import MEBIBYTES, Figure, Place
from benchmarks.lake import Lake, seed
from benchmarks.loads import measure_loads
from benchmarks.mainstem import Mainstem
from benchmarks.merges import measure_merges
from benchmarks.nessie import nessie
from benchmarks.parts import measure_parts
from benchmarks.processes import mainstem
from benchmarks.replicas import measure_replicas
from benchmarks.rounds import Rounds
from benchmarks.store import stored_bytes
from benchmarks.writes import measure_writes
from catalog.settings import Settings

_MEBIBYTE = 1024 * 1024


def measure(
    directory: Path, database_url: str, lake: Lake, rounds: Rounds, database: str
) -> Iterator[Figure]:
    """Seed a lake in an empty directory and database, and measure Mainstem on it."""
    settings = Settings(data_dir=directory, database_url=database_url)
    seed(settings, lake)
    place = Place("mainstem", database, lake.tables)
    with mainstem(directory, database_url) as process:
        memory = [process.resident_bytes()]
        server = Mainstem(process.address)
        yield from measure_loads(server, lake, place, rounds, directory)
        memory.append(process.resident_bytes())
        yield from measure_writes(server, lake, place, rounds, partial(stored_bytes, database_url))
        yield from measure_merges(server, lake, place, rounds)
        memory.append(process.resident_bytes())
        if database == "postgresql":
            with mainstem(directory, database_url) as other:
                servers = (server, Mainstem(other.address))
                yield from measure_replicas(servers, lake, place, rounds)
    for moment, size in zip(("when started", "after loads", "at the end"), memory, strict=True):
        yield place.figure(f"memory {moment}", MEBIBYTES, [size / _MEBIBYTE])
    yield from measure_parts(settings, lake, place, rounds)


def measure_nessie(directory: Path, lake: Lake, rounds: Rounds, database: str) -> Iterator[Figure]:
    """Measure Nessie on the same lake; its figures go beside those on `database`."""
    place = Place("nessie", database, lake.tables)
    with nessie(directory, lake) as server:
        yield from measure_loads(server, lake, place, rounds, directory)
        yield from measure_writes(server, lake, place, rounds)
        yield from measure_merges(server, lake, place, rounds)
