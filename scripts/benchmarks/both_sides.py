"""Merges of 200 tables that both sides changed: time, files written, and the server's memory.

A server of its own merges tables of few data files, another one tables of many, so that their peaks
of memory can be held against each other. Every round has 200 tables of its own.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from uuid import uuid4

import orjson

from benchmarks.figures import COUNT, MEBIBYTES, MILLIS, Figure, Place
from benchmarks.histories import OURS, THEIRS, Histories
from benchmarks.lake import CHANGED
from benchmarks.mainstem import Mainstem
from benchmarks.processes import mainstem
from benchmarks.rounds import Rounds
from catalog.api.app import open_catalog
from catalog.iceberg.metadata import Metadata
from catalog.operations.callers import Caller
from catalog.operations.commit import Plan, commit
from catalog.operations.tables import new_entry
from catalog.operations.warehouses import Warehouse, get_warehouse
from catalog.settings import Settings
from catalog.versioning.keys import Key
from catalog.versioning.objects import Entry, EntryKind

_MEBIBYTE = 1024 * 1024
# What theirs does to each table, beside one file that ours appends.
_KINDS = {"append": False, "rewrite": True}


def measure_both_sides(
    new_directory: Callable[[], AbstractContextManager[Path]],
    new_database: Callable[[Path], str],
    rounds: Rounds,
    database: str,
) -> Iterator[Figure]:
    """Measure appends against appends, and against files that are written again."""
    place = Place("mainstem", database, CHANGED)
    for kind, rewriting in _KINDS.items():
        for files in rounds.files:
            with new_directory() as directory:
                url = new_database(directory)
                settings = Settings(data_dir=directory, database_url=url)
                histories = _seed(settings, files, rounds.rounds, rewriting=rewriting)
                with mainstem(directory, url) as process:
                    server = Mainstem(process.address)
                    before = process.peak_bytes()
                    runs = [_merge(server, directory, n, histories) for n in range(rounds.rounds)]
                    grown = process.peak_bytes() - before
            what = f"merge 200 changed on both sides, {kind}, {files:,} files each"
            yield place.figure(what, MILLIS, [millis for millis, _ in runs])
            yield place.figure(f"{what}: files a table", COUNT, [count for _, count in runs])
            yield place.figure(f"{what}: memory for it", MEBIBYTES, [grown / _MEBIBYTE])


def _seed(settings: Settings, files: int, rounds: int, *, rewriting: bool) -> Histories:
    """Fill a warehouse with the tables of all rounds, each round's in a namespace of its own."""
    catalog = open_catalog(settings)
    try:
        warehouse = get_warehouse(catalog)
        folder = Path(warehouse.location.removeprefix("file://")) / "shared"
        folder.mkdir(parents=True)
        histories = Histories(folder, files, rewriting=rewriting)
        for number in range(rounds):
            _commit(warehouse, _tables(warehouse, histories, number))
        return histories
    finally:
        catalog.engine.dispose()


def _tables(warehouse: Warehouse, histories: Histories, number: int) -> dict[Key, Entry | None]:
    entries: dict[Key, Entry | None] = {
        (f"round{number}",): Entry(EntryKind.NAMESPACE, str(uuid4()))
    }
    for key in _keys(number):
        location = f"{warehouse.location}/{'/'.join(key)}-{uuid4().hex[:8]}"
        entries[key] = _write(location, histories.metadata(location, str(uuid4())))
    return entries


def _keys(number: int) -> list[Key]:
    return [(f"round{number}", f"t{table:03}") for table in range(CHANGED)]


def _write(location: str, metadata: Metadata) -> Entry:
    name = f"{location}/metadata/00000-{uuid4()}.metadata.json"
    path = Path(name.removeprefix("file://"))
    path.parent.mkdir(parents=True)
    path.write_bytes(orjson.dumps(metadata))
    return new_entry(EntryKind.TABLE, name, metadata)


def _commit(warehouse: Warehouse, entries: dict[Key, Entry | None]) -> None:
    plan = Plan(entries, f"Add {len(entries)} entries")
    branch = warehouse.default_branch
    commit(warehouse, branch, lambda *_: plan, caller=Caller("bench"), operation="bench")


def _merge(
    server: Mainstem, directory: Path, number: int, histories: Histories
) -> tuple[float, float]:
    """Change all tables of a round on a branch and on `main`; merge, and count what was written."""
    branch = f"both/{number}"
    server.address.send([[server.create_branch(branch)]]).check()
    for ref, snapshot_id in ((branch, THEIRS), ("main", OURS)):
        updates = histories.updates(snapshot_id)
        server.address.send([[server.updates(ref, _keys(number), updates)]]).check()
    before = _files_in(directory)
    millis = server.address.send([[server.merge(branch)]]).check().millis[0]
    return millis, (_files_in(directory) - before) / CHANGED


def _files_in(directory: Path) -> int:
    return sum(1 for path in directory.rglob("*") if path.suffix in (".avro", ".json"))
