"""A folder of Parquet files: what lies in it, and the footers that tell what is in each."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pyarrow.parquet as pq  # type: ignore[import-untyped]
from pyarrow.fs import FileInfo, FileSelector, FileType  # type: ignore[import-untyped]
from pyiceberg.io.pyarrow import PyArrowFileIO

from catalog.foreign.columns import Unfit

# Folders that belong to other table formats: their logs tell which files count.
_OTHER_FORMATS = {"_delta_log": "Delta", ".hoodie": "Hudi"}
# Where engines put the files of a table whose folder this is.
_ENGINES = ("data", "metadata")
_SUFFIXES = (".parquet", ".parq")
# How many footers are read at once.
_PARALLEL = 16

_Given = TypeVar("_Given")
_Read = TypeVar("_Read")
Watch = Callable[[int], None]


class FolderRefused(Exception):
    """Nothing of a folder can be imported as it is; a sentence says why."""


@dataclass(frozen=True, slots=True)
class File:
    """A file: its address, and its path below a folder, or below the table's."""

    address: str
    relative: str


class Folder:
    """A folder by its address; `properties` are pyiceberg's, and say how its store is reached.

    A table's metadata go to the same store.

    Raises:
        FolderRefused: if clients would read its address as that of another folder.
    """

    def __init__(self, place: str, properties: Mapping[str, str]) -> None:
        self.address = addressed(place)
        if is_cut(self.address):
            raise FolderRefused(f"{self.address} has # or ?, where some clients end an address")
        self.properties = dict(properties)
        scheme, netloc, self._path = PyArrowFileIO.parse_location(self.address)
        self._files = PyArrowFileIO(self.properties).fs_by_scheme(scheme, netloc)

    def listing(self, *, is_table: bool) -> list[File]:
        """List it, but for hidden files.

        Raises:
            FolderRefused: if it cannot be listed, or is a table of a format with a log of its own.
        """
        try:
            found = self._files.get_file_info(FileSelector(self._path, recursive=True))
        except OSError as error:
            raise FolderRefused(f"{self.address} cannot be listed: {error}") from error
        paths = sorted(self._relative(each) for each in found if each.type is FileType.File)
        _check_format(paths, is_table=is_table)
        return [File(f"{self.address}/{path}", path) for path in paths if not _is_hidden(path)]

    def footer(self, file: File) -> tuple[pq.FileMetaData, int]:
        """Read a file's footer, and its size in bytes.

        Raises:
            Unfit: if there is none.
        """
        path = self._path + file.address.removeprefix(self.address)
        try:
            with self._files.open_input_file(path) as opened:
                return pq.read_metadata(opened), opened.size()
        except (OSError, ValueError) as error:
            raise Unfit("unreadable", str(error)) from error

    def _relative(self, found: FileInfo) -> str:
        return str(found.path).removeprefix(self._path).lstrip("/")


def addressed(place: str) -> str:
    """Return a folder's address as Iceberg's metadata has it; a path of this machine gets one."""
    address = place if "://" in place else Path(place).resolve().as_posix()
    return (address if "://" in address else f"file://{address}").rstrip("/")


def for_each(
    work: Callable[[_Given], _Read], files: Sequence[_Given], watch: Watch
) -> Iterator[tuple[_Given, _Read | Unfit]]:
    """Do something with files, many at once and in their order; `watch` hears how many are done."""

    def tried(file: _Given) -> _Read | Unfit:
        try:
            return work(file)
        except Unfit as unfit:
            return unfit

    with ThreadPoolExecutor(_PARALLEL, thread_name_prefix="footers") as pool:
        for number, (file, read) in enumerate(zip(files, pool.map(tried, files), strict=True), 1):
            watch(number)
            yield file, read


def is_parquet(path: str) -> bool:
    """Say whether a file is one of Parquet, by its name."""
    return path.endswith(_SUFFIXES)


def is_cut(address: str) -> bool:
    """Say whether clients that take an address for a URL, as pyiceberg does, read only a part."""
    return "#" in address or "?" in address


def is_engines(path: str) -> bool:
    """Say whether a file lies where engines put those that they write to the table."""
    return path.partition("/")[0] in _ENGINES


def _check_format(paths: Sequence[str], *, is_table: bool) -> None:
    for path in paths:
        first, _, rest = path.partition("/")
        if first in _OTHER_FORMATS:
            raise FolderRefused(
                f"It is a table of {_OTHER_FORMATS[first]}, whose log tells which files count"
            )
        if first == "metadata" and rest.endswith(".metadata.json") and not is_table:
            raise FolderRefused("It is an Iceberg table: `mainstem import catalog` takes it over")


def _is_hidden(path: str) -> bool:
    """Say whether readers of Hive's folders pass a file over."""
    return any(part[0] in "._" and "=" not in part for part in path.split("/"))
