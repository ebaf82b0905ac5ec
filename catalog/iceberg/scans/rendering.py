"""File scan tasks as the REST document writes them."""

from collections.abc import Mapping, Sequence
from typing import Any

from pyiceberg.conversions import from_bytes
from pyiceberg.manifest import DataFile, DataFileContent
from pyiceberg.schema import Schema
from pyiceberg.types import IcebergType, PrimitiveType

from catalog.iceberg.manifests.entries import Entry
from catalog.iceberg.scans.filters import Filter
from catalog.iceberg.scans.values import to_json

Json = dict[str, Any]

_CONTENT = {
    DataFileContent.DATA: "data",
    DataFileContent.POSITION_DELETES: "position-deletes",
    DataFileContent.EQUALITY_DELETES: "equality-deletes",
}
_COUNTS = ("column_sizes", "value_counts", "null_value_counts", "nan_value_counts")
_BOUNDS = ("lower_bounds", "upper_bounds")


class Renderer:
    """Renders the files of one scan; column statistics only for the fields asked for."""

    def __init__(self, scan_filter: Filter, stats_fields: frozenset[int]) -> None:
        schema = scan_filter.schema
        self._filter = scan_filter
        self._stats = sorted(stats_fields)
        self._types = {field_id: schema.find_type(field_id) for field_id in self._stats}
        self._partitions = _partition_types(scan_filter, schema)

    def scan_tasks(self, data: Sequence[Entry], deletes: Sequence[Sequence[Entry]]) -> Json:
        """Return ScanTasks: each delete file once, and the data files that refer to it by number.

        A residual is always given, though the document lets it be left out: Java's client (1.12)
        then fails when it reads the file.
        """
        numbers: dict[tuple[str, int | None], int] = {}
        delete_files: list[Json] = []
        tasks: list[Json] = []
        for entry, attached in zip(data, deletes, strict=True):
            task: Json = {"data-file": self._data_file(entry)}
            references = []
            for delete in attached:
                key = (delete.file.file_path, delete.content_offset)
                if key not in numbers:
                    numbers[key] = len(delete_files)
                    delete_files.append(self._delete_file(delete))
                references.append(numbers[key])
            if references:
                task["delete-file-references"] = references
            residual = self._filter.residual(entry)
            task["residual-filter"] = True if residual is None else residual
            tasks.append(task)
        return {"delete-files": delete_files, "file-scan-tasks": tasks}

    def _data_file(self, entry: Entry) -> Json:
        result = self._content_file(entry)
        if entry.first_row_id is not None:
            result["first-row-id"] = entry.first_row_id
        return result | self._statistics(entry.file)

    def _delete_file(self, entry: Entry) -> Json:
        result = self._content_file(entry)
        if entry.file.content is DataFileContent.EQUALITY_DELETES:
            result["equality-ids"] = entry.file.equality_ids or []
        # The document has no member for it yet, but a deletion vector cannot be read without.
        if entry.referenced_data_file is not None:
            result["referenced-data-file"] = entry.referenced_data_file
        if entry.content_offset is not None:
            result["content-offset"] = entry.content_offset
            result["content-size-in-bytes"] = entry.content_size_in_bytes
        return result

    def _content_file(self, entry: Entry) -> Json:
        file = entry.file
        types = self._partitions[entry.spec_id]
        result: Json = {
            "content": _CONTENT[file.content],
            "file-path": file.file_path,
            "file-format": file.file_format.value.lower(),
            "spec-id": entry.spec_id,
            "partition": [
                to_json(file.partition[number], field_type)
                for number, field_type in enumerate(types)
            ],
            "file-size-in-bytes": file.file_size_in_bytes,
            "record-count": file.record_count,
        }
        if file.key_metadata is not None:
            result["key-metadata"] = file.key_metadata.hex().upper()
        if file.split_offsets is not None:
            result["split-offsets"] = file.split_offsets
        if file.sort_order_id is not None:
            result["sort-order-id"] = file.sort_order_id
        return result

    def _statistics(self, file: DataFile) -> Json:
        result: Json = {}
        for name in (*_COUNTS, *_BOUNDS):
            found: Mapping[int, Any] = getattr(file, name) or {}
            keys = [field_id for field_id in self._stats if field_id in found]
            if name in _BOUNDS:
                values = [_bound(found[each], self._types[each]) for each in keys]
            else:
                values = [found[each] for each in keys]
            if keys:
                result[name.replace("_", "-")] = {"keys": keys, "values": values}
        return result


def _partition_types(scan_filter: Filter, schema: Schema) -> dict[int, list[IcebergType]]:
    return {
        spec_id: [field.field_type for field in spec.partition_type(schema).fields]
        for spec_id, spec in scan_filter.specs.items()
    }


def _bound(value: bytes, field_type: IcebergType) -> Any:
    assert isinstance(field_type, PrimitiveType)
    decoded: Any = from_bytes(field_type, value)
    return to_json(decoded, field_type)
