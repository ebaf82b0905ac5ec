"""A tour of pyiceberg's REST client."""

from typing import Any

import pyarrow as pa
import pytest
from pyiceberg.catalog.rest import RestCatalog
from pyiceberg.exceptions import (
    CommitFailedException,
    ForbiddenError,
    NamespaceAlreadyExistsError,
    NamespaceNotEmptyError,
    NoSuchNamespaceError,
    NoSuchTableError,
    NoSuchViewError,
    TableAlreadyExistsError,
)
from pyiceberg.expressions import EqualTo
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.table.sorting import SortField, SortOrder
from pyiceberg.transforms import BucketTransform, IdentityTransform
from pyiceberg.types import DoubleType, LongType, NestedField, StringType
from pyiceberg.view.metadata import SQLViewRepresentation, ViewVersion

from tests.engines.lake import Lake

SCHEMA = Schema(
    NestedField(1, "id", LongType(), required=False),
    NestedField(2, "v", StringType(), required=False),
    identifier_field_ids=[],
)


def rows(*pairs: tuple[int, str]) -> pa.Table:
    return pa.table(
        {"id": pa.array([id_ for id_, _ in pairs], pa.int64()), "v": [v for _, v in pairs]}
    )


def ids(table: Any, **how: Any) -> list[int]:
    return sorted(table.scan(**how).to_arrow()["id"].to_pylist())


@pytest.fixture
def catalog(lake: Lake) -> RestCatalog:
    """Give `main` with a namespace `ns`."""
    opened = lake.pyiceberg()
    opened.create_namespace("ns")
    return opened


def test_rows_are_appended_overwritten_deleted_and_upserted(catalog: RestCatalog) -> None:
    table = catalog.create_table("ns.t", SCHEMA)
    table.append(rows((1, "a"), (2, "b"), (3, "c")))
    table.overwrite(rows((9, "z")), overwrite_filter=EqualTo("id", 3))
    table.delete("id = 2")
    changed = table.upsert(rows((1, "A"), (5, "e")), join_cols=["id"])
    assert (changed.rows_updated, changed.rows_inserted) == (1, 1)
    assert ids(catalog.load_table("ns.t")) == [1, 5, 9]
    assert table.scan(row_filter="id == 1").to_arrow()["v"].to_pylist() == ["A"]
    assert table.inspect.snapshots().num_rows == len(table.snapshots())


def test_schemas_specs_and_orders_evolve(catalog: RestCatalog) -> None:
    table = catalog.create_table("ns.t", SCHEMA, properties={"a": "1"})
    table.append(rows((1, "a")))
    with table.update_schema() as update:
        update.add_column("score", DoubleType(), doc="of the model")
        update.rename_column("v", "label")
        update.move_first("score")
    with table.update_spec() as update:
        update.add_field("id", BucketTransform(4), "shard")
    with table.update_sort_order() as update:
        update.asc("id", IdentityTransform())
    with table.transaction() as transaction:
        transaction.set_properties(b="2")
        transaction.remove_properties("a")
    fresh = catalog.load_table("ns.t")
    assert [field.name for field in fresh.schema().fields] == ["score", "id", "label"]
    assert fresh.spec().fields[0].name == "shard"
    assert fresh.sort_order().fields[0].source_id == 1
    assert (fresh.properties.get("b"), fresh.properties.get("a")) == ("2", None)
    fresh.append(pa.table({"score": [0.5], "id": [2], "label": ["b"]}))
    assert ids(fresh) == [1, 2]


def test_a_table_has_branches_and_tags_of_its_own(catalog: RestCatalog) -> None:
    table = catalog.create_table("ns.t", SCHEMA)
    table.append(rows((1, "a")))
    first = table.current_snapshot()
    assert first is not None
    table.manage_snapshots().create_tag(first.snapshot_id, "kept").create_branch(
        first.snapshot_id, "wip"
    ).commit()
    table.append(rows((2, "b")), branch="wip")
    table.append(rows((3, "c")))
    assert ids(table) == [1, 3]
    assert sorted(table.scan().use_ref("wip").to_arrow()["id"].to_pylist()) == [1, 2]
    assert table.scan().use_ref("kept").to_arrow()["id"].to_pylist() == [1]
    assert ids(table, snapshot_id=first.snapshot_id) == [1]
    table.manage_snapshots().remove_branch("wip").remove_tag("kept").commit()
    assert set(catalog.load_table("ns.t").metadata.refs) == {"main"}


def test_a_table_and_its_first_rows_are_one_commit(catalog: RestCatalog, lake: Lake) -> None:
    before = lake.commits()
    spec = PartitionSpec(PartitionField(2, 1000, IdentityTransform(), "v"))
    order = SortOrder(SortField(1, transform=IdentityTransform()))
    with catalog.create_table_transaction(
        "ns.t", SCHEMA, partition_spec=spec, sort_order=order
    ) as transaction:
        transaction.append(rows((1, "a")))
    assert lake.commits()[1:] == before
    assert ids(catalog.load_table("ns.t")) == [1]


def test_names_are_changed_registered_and_dropped(catalog: RestCatalog) -> None:
    table = catalog.create_table("ns.t", SCHEMA)
    table.append(rows((1, "a")))
    with pytest.raises(TableAlreadyExistsError):
        catalog.create_table("ns.t", SCHEMA)
    same = catalog.create_table_if_not_exists("ns.t", SCHEMA)
    assert same.metadata.table_uuid == table.metadata.table_uuid
    catalog.create_namespace("other")
    moved = catalog.rename_table("ns.t", "other.u")
    assert ids(moved) == [1]
    assert not catalog.table_exists("ns.t")
    catalog.register_table("ns.again", moved.metadata_location)
    assert catalog.list_tables("ns") == [("ns", "again")]
    catalog.purge_table("other.u")
    assert ids(catalog.load_table("ns.again")) == [1]
    catalog.drop_table("ns.again")
    with pytest.raises(NoSuchTableError):
        catalog.load_table("ns.again")


def test_no_metadata_is_deleted_that_older_commits_read(catalog: RestCatalog, lake: Lake) -> None:
    """pyiceberg itself deletes what falls out of the metadata log, if the table says so."""
    deletes = {"write.metadata.delete-after-commit.enabled": "true"}
    short = {"write.metadata.previous-versions-max": "1"}
    table = catalog.create_table("ns.t", SCHEMA, properties=deletes | short)
    table.append(rows((1, "a")))
    lake.tag("v1")
    for number in (2, 3, 4):
        table.append(rows((number, "b")))
        with table.transaction() as transaction:
            transaction.set_properties(deletes)
    released = lake.pyiceberg("v1").load_table("ns.t")
    # The server has it in memory, until it is started again.
    assert released.io.new_input(released.metadata_location).exists()


def test_namespaces_nest_and_have_properties(catalog: RestCatalog) -> None:
    catalog.create_namespace("ns.inner", {"owner": "lab", "a": "1"})
    catalog.create_namespace_if_not_exists("ns.inner")
    with pytest.raises(NamespaceAlreadyExistsError):
        catalog.create_namespace("ns.inner")
    change = {"removals": {"a", "no"}, "updates": {"b": "2"}}
    summary = catalog.update_namespace_properties("ns.inner", **change)
    assert (summary.removed, summary.missing, summary.updated) == (["a"], ["no"], ["b"])
    assert catalog.load_namespace_properties("ns.inner") == {"owner": "lab", "b": "2"}
    catalog.create_table("ns.inner.t", SCHEMA).append(rows((1, "a")))
    assert ids(catalog.load_table("ns.inner.t")) == [1]
    assert catalog.list_namespaces("ns") == [("ns", "inner")]
    assert catalog.list_namespaces() == [("ns",)]
    with pytest.raises(NamespaceNotEmptyError):
        catalog.drop_namespace("ns.inner")
    catalog.drop_table("ns.inner.t")
    catalog.drop_namespace("ns.inner")
    with pytest.raises(NoSuchNamespaceError):
        catalog.load_namespace_properties("ns.inner")


def test_views_are_created_listed_and_dropped(catalog: RestCatalog) -> None:
    version = ViewVersion(
        version_id=1,
        timestamp_ms=1,
        schema_id=0,
        summary={"engine": "test"},
        representations=[SQLViewRepresentation(type="sql", sql="SELECT 1 AS id", dialect="spark")],
        default_namespace=["ns"],
    )
    catalog.create_view("ns.one", SCHEMA, version)
    assert catalog.view_exists("ns.one")
    assert catalog.list_views("ns") == [("ns", "one")]
    assert catalog.load_view("ns.one").metadata.versions[0].representations[0].root.sql
    assert catalog.list_tables("ns") == []
    catalog.drop_view("ns.one")
    with pytest.raises(NoSuchViewError):
        catalog.load_view("ns.one")


@pytest.mark.parametrize("revision", ["release/1", "main@{now}"])
def test_a_revision_stays_and_refuses_writes(
    catalog: RestCatalog, lake: Lake, revision: str
) -> None:
    table = catalog.create_table("ns.t", SCHEMA)
    table.append(rows((1, "a")))
    lake.tag("release/1")
    pinned = lake.pyiceberg(revision)
    table.append(rows((2, "b")))
    catalog.create_table("ns.u", SCHEMA)
    assert ids(pinned.load_table("ns.t")) == [1]
    assert pinned.list_tables("ns") == [("ns", "t")]
    before = lake.head()
    for write in (
        lambda: pinned.load_table("ns.t").append(rows((3, "c"))),
        lambda: pinned.create_table("ns.v", SCHEMA),
        lambda: pinned.drop_table("ns.t"),
        lambda: pinned.create_namespace("more"),
        lambda: pinned.rename_table("ns.t", "ns.w"),
    ):
        with pytest.raises(ForbiddenError, match="read-only"):
            write()
    assert lake.head() == before
    assert ids(pinned.load_table("ns.t")) == [1]


def test_a_table_is_named_with_its_revision(catalog: RestCatalog, lake: Lake) -> None:
    table = catalog.create_table("ns.t", SCHEMA)
    table.append(rows((1, "a")))
    lake.tag("release/1")
    lake.branch("fix/a")
    table.append(rows((2, "b")))
    assert ids(catalog.load_table("ns.t@release/1")) == [1]
    catalog.load_table("ns.t@fix/a").append(rows((9, "z")))
    assert ids(catalog.load_table("ns.t@fix/a")) == [1, 9]
    assert ids(catalog.load_table("ns.t")) == [1, 2]
    with pytest.raises(ForbiddenError, match="read-only"):
        catalog.load_table("ns.t@release/1").append(rows((3, "c")))


def test_a_stale_writer_is_told(catalog: RestCatalog) -> None:
    mine = catalog.create_table("ns.t", SCHEMA)
    mine.append(rows((1, "a"), (2, "b")))
    theirs = catalog.load_table("ns.t")
    with theirs.update_schema() as update:
        update.add_column("score", DoubleType())
    with pytest.raises(CommitFailedException), mine.update_schema() as update:
        update.add_column("grade", DoubleType())
    fields = catalog.load_table("ns.t").schema().fields
    assert [field.name for field in fields] == ["id", "v", "score"]


def test_commits_carry_the_message_and_author_of_the_headers(lake: Lake) -> None:
    author = {"header.X-Mainstem-Author": "Ada Byron"}
    lake.pyiceberg(**author, **{"header.X-Mainstem-Message": "Load the slides"}).create_namespace(
        "ns"
    )
    commit = lake.commits()[0]
    assert (commit["author"], commit["message"]) == ("Ada Byron", "Load the slides")
