"""Which delete files apply to which data files (spec "Scan Planning")."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from pyiceberg.manifest import DataFileContent
from pyiceberg.partitioning import PartitionSpec

from catalog.iceberg.manifests.entries import Entry
from catalog.iceberg.scans.schemas import is_unpartitioned

# The column of a position delete file that names data files.
_FILE_PATH = 2147483546

Partition = tuple[int, tuple[object, ...]]


class DeleteIndex:
    """The delete files of some data files; what applies to none of them is not kept."""

    def __init__(self, data: Sequence[Entry], specs: Mapping[int, PartitionSpec]) -> None:
        self._data = data
        self._found: list[list[Entry]] = [[] for _ in data]
        self._by_path: dict[str, list[int]] = defaultdict(list)
        self._by_partition: dict[Partition, list[int]] = defaultdict(list)
        self._global = {spec_id for spec_id, spec in specs.items() if is_unpartitioned(spec)}
        for number, entry in enumerate(data):
            self._by_path[entry.file.file_path].append(number)
            self._by_partition[partition_of(entry)].append(number)

    def add(self, delete: Entry) -> None:
        """Attach a delete file to the data files that it applies to."""
        for number in self._candidates(delete):
            if _is_in_time(delete, self._data[number]) and may_name(
                delete, self._data[number].file.file_path
            ):
                self._found[number].append(delete)

    def deletes_of(self, number: int) -> list[Entry]:
        """Return the delete files of one data file, in the order they were added.

        A deletion vector holds all positions: older position delete files are void beside it.
        """
        found = self._found[number]
        if not any(is_vector(delete) for delete in found):
            return found
        return [delete for delete in found if is_vector(delete) or is_equality(delete)]

    def _candidates(self, delete: Entry) -> Sequence[int]:
        if is_equality(delete):
            if delete.spec_id in self._global:
                return range(len(self._data))
            return self._by_partition.get(partition_of(delete), ())
        path = target_path(delete)
        if path is not None:
            return self._by_path.get(path, ())
        return self._by_partition.get(partition_of(delete), ())


def is_equality(delete: Entry) -> bool:
    """Tell whether a delete file names rows by the values of columns."""
    return delete.file.content is DataFileContent.EQUALITY_DELETES


def is_vector(delete: Entry) -> bool:
    """Tell whether a delete file is a deletion vector."""
    return delete.content_offset is not None


def target_path(delete: Entry) -> str | None:
    """Return the one data file that positions are of; None if there may be several.

    Older writers name it only by the bounds of the paths that the file holds.
    """
    return delete.referenced_data_file or _only_path(delete)


def may_name(delete: Entry, path: str) -> bool:
    """Tell whether a path lies within the bounds of the paths that a delete file holds."""
    if is_equality(delete) or delete.referenced_data_file is not None:
        return True
    named = path.encode()
    lower = (delete.file.lower_bounds or {}).get(_FILE_PATH)
    upper = (delete.file.upper_bounds or {}).get(_FILE_PATH)
    return (lower is None or lower <= named) and (upper is None or named <= upper)


def partition_of(entry: Entry) -> Partition:
    """Return what is equal for the files of one partition of one spec."""
    return entry.spec_id, tuple(_comparable(value) for value in entry.partition)


def _is_in_time(delete: Entry, data: Entry) -> bool:
    if is_equality(delete):
        return data.sequence_number < delete.sequence_number
    return data.sequence_number <= delete.sequence_number


def _only_path(delete: Entry) -> str | None:
    """Return the path that both bounds agree on."""
    lower = (delete.file.lower_bounds or {}).get(_FILE_PATH)
    upper = (delete.file.upper_bounds or {}).get(_FILE_PATH)
    if lower is None or lower != upper:
        return None
    return lower.decode(errors="surrogateescape")


def _comparable(value: object) -> object:
    # NaN is one partition, though it does not equal itself.
    return "NaN" if value != value else value
