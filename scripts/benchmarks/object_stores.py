"""obstore beside pyarrow's file systems, on one store: what the catalog asks of either.

Each library works in a process of its own, so that its memory is its own.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any, Protocol

from benchmarks.processes import resident_bytes
from tests.files.faulty import faulty_server, hang
from tests.services import object_store

_FILES = 200
_THREADS = 32
_DATA = b"{" + b" " * 4094 + b"}"
_WAIT_SECONDS = 1

Store = Mapping[str, str]


class Library(Protocol):
    """What is measured of a library."""

    def put(self, name: str, data: bytes) -> None:
        """Write a file, only where none is if the library can."""

    def get(self, name: str) -> bytes:
        """Read a file."""

    def cancel(self, name: str, after: float) -> None:
        """Write a file, and give up after some seconds."""


class Obstore:
    """As `catalog/files/buckets.py` uses it."""

    def __init__(self, store: Store) -> None:
        import obstore
        from obstore.store import S3Store

        self._library = obstore
        self._bucket = S3Store(
            store["bucket"],
            endpoint=store["endpoint"],
            region="us-east-1",
            access_key_id=store["key"],
            secret_access_key=store["secret"],
            client_options={"allow_http": True, "timeout": timedelta(seconds=_WAIT_SECONDS)},
            retry_config={"max_retries": 0},
        )

    def put(self, name: str, data: bytes) -> None:
        self._library.put(self._bucket, name, data, mode="create", use_multipart=False)

    def get(self, name: str) -> bytes:
        return bytes(self._library.get(self._bucket, name).bytes())

    def cancel(self, name: str, after: float) -> None:
        async def write() -> None:
            async with asyncio.timeout(after):
                await self._library.put_async(self._bucket, name, b"x", use_multipart=False)

        asyncio.run(write())


class Pyarrow:
    """`pyarrow.fs.S3FileSystem`, with the same limits."""

    def __init__(self, store: Store) -> None:
        from pyarrow import fs

        scheme, _, address = store["endpoint"].partition("://")
        self._root = store["bucket"]
        self._files: Any = fs.S3FileSystem(
            access_key=store["key"],
            secret_key=store["secret"],
            endpoint_override=address,
            scheme=scheme,
            region="us-east-1",
            request_timeout=_WAIT_SECONDS,
            connect_timeout=_WAIT_SECONDS,
            retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=1),
            background_writes=False,
            # Else each file takes three requests.
            allow_delayed_open=True,
        )

    def put(self, name: str, data: bytes) -> None:
        with self._files.open_output_stream(f"{self._root}/{name}") as stream:
            stream.write(data)

    def get(self, name: str) -> bytes:
        with self._files.open_input_file(f"{self._root}/{name}") as stream:
            found: bytes = stream.read()
            return found

    def cancel(self, name: str, after: float) -> None:
        # It has no asynchronous calls, and none that can be ended: its own limit is all there is.
        self.put(name, b"x")


_LIBRARIES: Mapping[str, Callable[[Store], Library]] = {"obstore": Obstore, "pyarrow": Pyarrow}


def show_libraries(*, quick: bool, as_json: bool) -> None:
    """Measure each library and print what was found."""
    with (
        tempfile.TemporaryDirectory(prefix="mainstem-bench-") as directory,
        object_store(Path(directory)) as s3,
        faulty_server() as silent,
    ):
        keys = {"bucket": s3.bucket, "key": s3.access_key, "secret": s3.secret_key}
        silent.faults = [hang] * 1000
        hanging = {**keys, "endpoint": silent.storage["s3.endpoint"]}
        stores = json.dumps([{**keys, "endpoint": s3.endpoint}, hanging, 1 if quick else 9])
        found = {}
        for name in _LIBRARIES:
            command = [sys.executable, "-m", "benchmarks.object_stores", name, stores]
            found[name] = json.loads(subprocess.check_output(command))
    if as_json:
        sys.stdout.write(json.dumps(found) + "\n")
    else:
        for what in next(iter(found.values())):
            cells = "  ".join(f"{found[name][what]:>16}" for name in found)
            sys.stdout.write(f"{what:<48}  {cells}\n")


def _measure(name: str, store: Store, hanging: Store, rounds: int) -> dict[str, Any]:
    before = _mebibytes()
    library = _LIBRARIES[name](store)
    with ThreadPoolExecutor(_THREADS) as pool:
        seconds: dict[str, list[float]] = {"writes": [], "reads": []}
        for number in range(rounds + 1):
            names = [f"{name}/{number}/{each}" for each in range(_FILES)]
            data = [_DATA] * _FILES
            seconds["writes"].append(_timed(lambda: list(pool.map(library.put, names, data))))  # noqa: B023
            seconds["reads"].append(_timed(lambda: list(pool.map(library.get, names))))  # noqa: B023
    after = _mebibytes()
    silent = _LIBRARIES[name](hanging)
    return {
        f"{_FILES} writes of 4 KiB, {_THREADS} threads, ms": _best_and_median(seconds["writes"]),
        f"{_FILES} reads, {_THREADS} threads, ms": _best_and_median(seconds["reads"]),
        "a second write of a file is refused": str(_refuses(library, f"{name}/0/0")),
        f"a store hangs, limit {_WAIT_SECONDS} s: error after, s": _until(
            lambda: silent.put("a", b"x")
        ),
        "a store hangs, given up at 0.2 s: back after, s": _until(lambda: silent.cancel("a", 0.2)),
        "memory that it added, MiB": str(after - before),
    }


def _timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def _best_and_median(seconds: Sequence[float]) -> str:
    # The first round opens the connections.
    counted = seconds[1:]
    return f"{min(counted) * 1000:.0f} / {median(counted) * 1000:.0f}"


def _refuses(library: Library, name: str) -> bool:
    try:
        library.put(name, b"other")
    except Exception:
        return library.get(name) == _DATA
    return False


def _until(work: Callable[[], object]) -> str:
    begun = time.perf_counter()
    try:
        work()
    except Exception:
        return f"{time.perf_counter() - begun:.1f}"
    return "no error"


def _mebibytes() -> int:
    return resident_bytes(os.getpid()) >> 20


if __name__ == "__main__":
    _name, _stores = sys.argv[1:]
    sys.stdout.write(json.dumps(_measure(_name, *json.loads(_stores))))
