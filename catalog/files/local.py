"""Files on local and mounted file systems: written once, durable, never half visible."""

import errno
import os
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from catalog.errors import AlreadyExists, InvalidInput, NoSuchFile, StorageUnavailable
from catalog.files.parallel import for_all
from catalog.iceberg.locations import normalise

_PARALLEL = 16
# What is wrong is the location: trying again would only fail again.
_IMPOSSIBLE = (errno.ENAMETOOLONG, errno.ENOTDIR, errno.EEXIST)


class LocalFiles:
    """Files under `file:` locations."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(_PARALLEL, thread_name_prefix="files")

    def check(self, location: str) -> None:
        """Do nothing: every `file:` location can be one."""

    def read(self, location: str) -> bytes:
        """Return a file's bytes.

        Raises:
            NoSuchFile: if it does not exist.
            StorageUnavailable: if it cannot be read.
        """
        try:
            return _path(location).read_bytes()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
            raise NoSuchFile(
                f"Failed to open input stream for file: {location}", location=location
            ) from error
        except OSError as error:
            raise _failure("read", location, error) from error

    def write_all(self, files: Mapping[str, bytes]) -> None:
        """Create files, in parallel; when this returns, all are durable.

        Raises:
            AlreadyExists: if one exists.
            InvalidInput: if a name is too long, or a file stands where a folder should.
            StorageUnavailable: if one cannot be written.
        """
        if len(files) == 1:
            for location, data in files.items():
                self._create_one(location, data)
            return
        for_all(self._pool, _create, files.keys(), files.values())
        for_all(self._pool, _seal_folder, {_path(location).parent for location in files})

    def _create_one(self, location: str, data: bytes) -> None:
        """Create a file, durable with its name: both at once share one flush of the disk."""
        with _placed(location, data) as stream:
            sealing = self._pool.submit(_sync_folder, _path(location).parent)
            try:
                os.fsync(stream.fileno())
            finally:
                wait([sealing])
            sealing.result()

    def make_directories(self, locations: Iterable[str]) -> None:
        """Make folders, for writers that rely on them."""
        for location in locations:
            try:
                _path(location).mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise _failure("make", location, error) from error

    def resolve(self, location: str) -> str:
        """Return the location with symbolic links resolved; what does not exist stays as named."""
        # A commit asks for eight, and pathlib takes three times as long.
        resolved = os.path.realpath(_path(location))
        try:
            os.stat(resolved)  # noqa: PTH116
        except (FileNotFoundError, NotADirectoryError):
            pass
        except OSError as error:
            # A circle of links is left as it is, and found out here.
            raise InvalidInput(
                f"Location {location} cannot be resolved: {error.strerror}"
            ) from error
        return f"file://{resolved}"


def _path(location: str) -> Path:
    """Return the path of a location as engines read it: nothing in it is percent-decoded.

    `file:/x` is `/x` too, and never a folder called `file:` in the one where the server started.
    """
    return Path(normalise(location).removeprefix("file://"))


def _create(location: str, data: bytes) -> None:
    """Create a file and make its bytes durable; its name is when its folder is sealed."""
    with _placed(location, data) as stream:
        os.fsync(stream.fileno())


@contextmanager
def _placed(location: str, data: bytes) -> Iterator[BinaryIO]:
    """Put a whole file in place, and take it away again if it cannot be made durable then.

    Nobody knows its name before that, so that a power cut may leave a part of it there.
    """
    path = _path(location)
    partial = path.with_name(f".{uuid4().hex}.partial")
    try:
        _make_folder(path.parent)
        with partial.open("xb") as stream:
            try:
                stream.write(data)
                stream.flush()
                _name(partial, path)
            finally:
                # Where even this fails, what failed before is what is to be told.
                with suppress(OSError):
                    partial.unlink()
            try:
                yield stream
            except OSError:
                with suppress(OSError):
                    path.unlink()
                raise
    except FileExistsError as error:
        raise AlreadyExists(f"File already exists: {location}", location=location) from error
    except OSError as error:
        raise _failure("write", location, error) from error


def _name(partial: Path, path: Path) -> None:
    """Give a file its name, which nothing may have yet."""
    try:
        # A link fails where a rename would overwrite.
        os.link(partial, path)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.EMLINK):
            raise
        if path.exists():
            raise FileExistsError(path) from error
        partial.rename(path)


def _make_folder(folder: Path) -> None:
    """Make a folder durably: its name is synced into the folder that holds it."""
    missing = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for each in reversed(missing):
        each.mkdir(exist_ok=True)
        _sync_folder(each.parent)


def _seal_folder(folder: Path) -> None:
    """Make the names of new files in a folder durable."""
    try:
        _sync_folder(folder)
    except OSError as error:
        raise _failure("write", f"file://{folder}", error) from error


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _failure(what: str, location: str, error: OSError) -> StorageUnavailable | InvalidInput:
    kind = InvalidInput if error.errno in _IMPOSSIBLE else StorageUnavailable
    return kind(
        f"Cannot {what} {location}: {error.strerror or error}; nothing was changed",
        location=location,
    )
