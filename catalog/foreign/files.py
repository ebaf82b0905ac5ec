"""Import of a folder of Parquet files: a table whose files they are, in one commit, in place.

A file's columns are found by name (`schema.name-mapping.default`), since Parquet files of others
have no field ids; a column that only the folders' names tell is a partition, whose value readers
take from the table's metadata (Iceberg's specification, "Column Projection").
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Literal

from pyiceberg.catalog.rest import RestCatalog
from pyiceberg.exceptions import CommitFailedException, NoSuchTableError, RESTError
from pyiceberg.manifest import DataFile
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema, assign_fresh_schema_ids
from pyiceberg.table import Table, Transaction
from pyiceberg.table.metadata import TableMetadata, new_table_metadata
from pyiceberg.table.sorting import UNSORTED_SORT_ORDER
from pyiceberg.transforms import IdentityTransform
from pyiceberg.types import IcebergType, PrimitiveType

from catalog.foreign import hive
from catalog.foreign.columns import Columns, Unfit, columns_of, schema_of, widened
from catalog.foreign.data_files import DataFiles
from catalog.foreign.folders import (
    File,
    Folder,
    FolderRefused,
    Watch,
    for_each,
    is_cut,
    is_engines,
    is_parquet,
)

Outcome = Literal["added", "unchanged", "left-out"]
_ENGINES_WRITE = "Engines will write there: import that folder as a table of its own"
_CUT = "Its name has # or ?, where some clients end an address"
_MAPPING = "schema.name-mapping.default"


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a file, or would; `reason` if it was left out, or holds no rows."""

    path: str
    outcome: Outcome
    reason: str | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """What to import: a folder's files into the table of a name, its partitions' types if given.

    `summary` is what the commit's snapshot says.
    """

    key: tuple[str, ...]
    folder: Folder
    types: Mapping[str, PrimitiveType]
    summary: Mapping[str, str]
    dry_run: bool


@dataclass
class _Work:
    """An import in the doing: what became of files so far."""

    request: Request
    watch: Watch
    done: list[Imported] = field(default_factory=list)

    def left_out(self, file: File, unfit: Unfit) -> None:
        self.done.append(Imported(file.relative, "left-out", unfit.reason, unfit.detail))


def import_files(properties: Mapping[str, str], request: Request, watch: Watch) -> list[Imported]:
    """Import what is new in a folder, through the REST catalog of these properties; by path.

    Raises:
        FolderRefused: if nothing can be imported as it is, or the catalog refuses.
    """
    work = _Work(request, watch)
    reach = request.folder.properties
    try:
        with closing(RestCatalog("mainstem", **reach, **properties)) as catalog:
            try:
                table = catalog.load_table(request.key)
            except NoSuchTableError:
                _create(work, catalog)
            else:
                _extend(work, table)
    except (RESTError, CommitFailedException, OSError) as error:
        raise FolderRefused(str(error)) from error
    return sorted(work.done, key=lambda each: each.path)


def _create(work: _Work, catalog: RestCatalog) -> None:
    request = work.request
    columns, files = _read_columns(work, _listed(work, below=None))
    if not files:
        return
    names, files = _partition_names(work, files)
    _check_types(request, {name: columns.get(name) for name in names})
    kinds = {name: _kind(request, name, columns, files) for name in names}
    schema = assign_fresh_schema_ids(_schema(columns, kinds))
    spec = PartitionSpec(
        *(
            PartitionField(
                schema.find_field(name).field_id, 1000 + place, IdentityTransform(), name
            )
            for place, name in enumerate(names)
        )
    )
    properties = {_MAPPING: schema.name_mapping.model_dump_json(), "gc.enabled": "false"}
    address = request.folder.address
    if request.dry_run:
        made = new_table_metadata(schema, spec, UNSORTED_SORT_ORDER, address, properties)
        _data_files(work, made, files)
        return
    catalog.create_namespace_if_not_exists(request.key[:-1])
    transaction = catalog.create_table_transaction(
        request.key, schema, address, spec, properties=properties
    )
    if _append(work, transaction, files):
        transaction.commit_transaction()


def _schema(columns: Columns, partitions: Columns) -> Schema:
    try:
        return schema_of(widened(columns, partitions))
    except Unfit as unfit:
        raise FolderRefused(unfit.detail) from unfit


def _extend(work: _Work, table: Table) -> None:
    root, address = table.location().rstrip("/"), work.request.folder.address
    if not f"{address}/".startswith(f"{root}/"):
        raise FolderRefused(f"The table's folder is {root}: only what lies in it can be added")
    if any(not isinstance(each.transform, IdentityTransform) for each in table.spec().fields):
        raise FolderRefused("The table is partitioned by what a folder's name does not tell")
    if _MAPPING not in table.properties:
        raise FolderRefused(
            f"The table does not say by {_MAPPING} how its files' columns are found"
        )
    partitions = [table.schema().find_field(each.source_id) for each in table.spec().fields]
    _check_types(work.request, {each.name: each.field_type for each in partitions})
    files = _listed(work, below=address.removeprefix(root).strip("/"))
    known = set(_ever(table))
    work.done += [Imported(f.relative, "unchanged") for f in files if f.address in known]
    new = [file for file in files if file.address not in known]
    if work.request.dry_run:
        _data_files(work, table.metadata, new)
        return
    # pyiceberg would append again to what another import has made of the table, its files twice.
    table.metadata.properties["commit.retry.num-retries"] = "0"
    transaction = table.transaction()
    if new and _append(work, transaction, new):
        transaction.commit_transaction()


def _listed(work: _Work, *, below: str | None) -> list[File]:
    """Return a folder's Parquet files, by their paths below the table's folder.

    `below` is where the folder lies below that of a table that is there.
    """
    listing = work.request.folder.listing(is_table=below is not None)
    files = [_below(below or "", file) for file in listing]
    found = []
    for file in files:
        if is_engines(file.relative):
            if below is None:
                work.left_out(file, Unfit("engines-folder", _ENGINES_WRITE))
        elif not is_parquet(file.relative):
            work.left_out(file, Unfit("not-parquet", ""))
        elif is_cut(file.relative):
            work.left_out(file, Unfit("unsupported-name", _CUT))
        else:
            found.append(file)
    return found


def _below(folder: str, file: File) -> File:
    return replace(file, relative=f"{folder}/{file.relative}".lstrip("/"))


def _ever(table: Table) -> Iterator[str]:
    """Yield the data files that the table ever had: one that it removed must not come back."""
    seen: set[str] = set()
    for snapshot in table.snapshots():
        for manifest in snapshot.manifests(table.io):
            if manifest.manifest_path not in seen:
                seen.add(manifest.manifest_path)
                for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=False):
                    yield entry.data_file.file_path


def _read_columns(work: _Work, files: Sequence[File]) -> tuple[Columns, list[File]]:
    """Return columns for the values of all files, and the files that they fit."""
    folder, fitting = work.request.folder, []
    columns: Columns = {}

    def read(file: File) -> Columns:
        return columns_of(folder.footer(file)[0].schema.to_arrow_schema())

    for file, found in for_each(read, files, work.watch):
        try:
            if isinstance(found, Unfit):
                raise found
            columns = widened(columns, found)
            fitting.append(file)
        except Unfit as unfit:
            work.left_out(file, unfit)
    return columns, fitting


def _partition_names(work: _Work, files: Sequence[File]) -> tuple[list[str], list[File]]:
    """Return the names that folders give values of, as the first file has them, and who has them.

    Raises:
        FolderRefused: if one stands twice in a path.
    """
    names = [name for name, _ in hive.pairs_of(files[0].relative)]
    if len(set(names)) < len(names):
        raise FolderRefused(f"A name has two values in one path: {files[0].relative}")
    same = []
    for file in files:
        if [name for name, _ in hive.pairs_of(file.relative)] == names:
            same.append(file)
        else:
            first = "/".join(names) or "none"
            detail = f"Its folders name other columns than those of the first file ({first})"
            work.left_out(file, Unfit("other-partitions", detail))
    return names, same


def _kind(request: Request, name: str, columns: Columns, files: Sequence[File]) -> PrimitiveType:
    kind = columns.get(name) or request.types.get(name)
    kind = kind or hive.inferred(dict(hive.pairs_of(file.relative))[name] for file in files)
    if not isinstance(kind, PrimitiveType):
        raise FolderRefused(f"Column {name} is nested, and cannot be a partition")
    return kind


def _check_types(request: Request, known: Mapping[str, IcebergType | None]) -> None:
    """Check the types that were given, against those of the partitions that have one already.

    Raises:
        FolderRefused: if one would have no effect.
    """
    for name, kind in request.types.items():
        if name not in known:
            raise FolderRefused(f"{name} is to be of type {kind}, but no folder tells its values")
        if known[name] not in (None, kind):
            raise FolderRefused(f"{name} is to be of type {kind}, but is {known[name]} already")


def _append(work: _Work, transaction: Transaction, files: Sequence[File]) -> bool:
    """Append files to a table, and say whether there were any that fit."""
    found = _data_files(work, transaction.table_metadata, files)
    if found:
        with transaction.update_snapshot(dict(work.request.summary)).fast_append() as producer:
            for data_file in found:
                producer.append_data_file(data_file)
    return bool(found)


def _data_files(work: _Work, metadata: TableMetadata, files: Sequence[File]) -> list[DataFile]:
    data_files = DataFiles(work.request.folder, metadata)
    found = []
    for file, made in for_each(data_files.of, files, work.watch):
        if isinstance(made, Unfit):
            work.left_out(file, made)
        elif made is None:
            work.done.append(Imported(file.relative, "unchanged", "no-rows"))
        else:
            found.append(made)
            work.done.append(Imported(file.relative, "added"))
    return found
