"""Writing the entries of manifests again, as a merge inside a table does; beside pyiceberg.

Each way runs in a process of its own, so that its peak of memory is its own; a manifest on disk is
written again once, or ten times.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import orjson
from pyiceberg.io.pyarrow import PyArrowFileIO
from pyiceberg.manifest import ManifestFile, write_manifest

from benchmarks.figures import ENTRIES, MEBIBYTES, MILLIS, Figure, Place
from benchmarks.manifests import SCHEMA, SPEC, VERSION, data_manifest
from benchmarks.processes import status_bytes
from benchmarks.rounds import Rounds
from catalog.iceberg.manifests.entries import Manifest, read_stored
from catalog.iceberg.manifests.writing import ManifestWriter

_MANIFESTS = (1, 10)
_KIBIBYTES = 1024
_OLD, _NEW = 1, 2


def measure_splices(rounds: Rounds) -> Iterator[Figure]:
    """Measure both ways on one manifest and on ten."""
    with tempfile.TemporaryDirectory(prefix="mainstem-bench-") as directory:
        source = Path(directory) / "m0.avro"
        source.write_bytes(data_manifest(range(rounds.entries), f"file://{directory}/data/f", _OLD))
        for manifests in _MANIFESTS:
            for way in _WAYS:
                place = Place(way, ENTRIES, manifests * rounds.entries)
                runs = [_run(way, source, manifests) for _ in range(rounds.rounds)]
                yield place.figure("manifests written again", MILLIS, [run[0] for run in runs])
                yield place.figure("memory for it", MEBIBYTES, [run[1] for run in runs])


def _run(way: str, source: Path, manifests: int) -> tuple[float, float]:
    command = [sys.executable, "-m", "benchmarks.splices", way, str(source), str(manifests)]
    millis, mebibytes = orjson.loads(subprocess.check_output(command))
    return millis, mebibytes


def _splice(source: Path, target: Path) -> None:
    manifest = Manifest(str(source), 0, False, 1, 1, _OLD, None, None, None)
    data = source.read_bytes()
    writer = ManifestWriter(data, SPEC, format_version=VERSION, snapshot_id=_NEW)
    for stored in read_stored(manifest, SPEC, lambda _: data):
        writer.add(stored)
    target.write_bytes(writer.finish())


def _by_pyiceberg(source: Path, target: Path) -> None:
    """Read the entries and add them to a new manifest, by pyiceberg's own classes."""
    files = PyArrowFileIO()
    record = ManifestFile.from_args(
        manifest_path=str(source),
        manifest_length=source.stat().st_size,
        partition_spec_id=0,
        content=0,
        sequence_number=1,
        added_snapshot_id=_OLD,
    )
    output = files.new_output(str(target))
    with write_manifest(VERSION, SPEC, SCHEMA, output, _NEW, "deflate") as writer:
        for entry in record.fetch_manifest_entry(files):
            entry.sequence_number = None
            writer.add(entry)


_WAYS: Mapping[str, Callable[[Path, Path], None]] = {
    "mainstem": _splice,
    "pyiceberg": _by_pyiceberg,
}


def main() -> None:
    """Run one way, and print its milliseconds and the MiB that it took beyond the imports."""
    way, source, manifests = sys.argv[1:]
    before = _peak()
    begun = time.perf_counter()
    for number in range(int(manifests)):
        _WAYS[way](Path(source), Path(source).with_name(f"{way}-{number}.avro"))
    millis = 1000 * (time.perf_counter() - begun)
    sys.stdout.buffer.write(orjson.dumps([millis, _peak() - before]))


def _peak() -> float:
    """Return the most memory that the process ever held, in MiB; its imports take a part."""
    # Linux hands what getrusage tells down from the process that started this one.
    found = status_bytes(os.getpid(), "VmHWM")
    if found is not None:
        return found / _KIBIBYTES**2
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _KIBIBYTES**2


if __name__ == "__main__":
    main()
