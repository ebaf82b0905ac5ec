"""The tables of the database; the migrations make them, and a test holds the two together.

Times are microseconds since 1970-01-01T00:00Z. JSON is text that is never queried into.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

metadata = MetaData(naming_convention=NAMING)

# SQLite numbers rows by itself only where the type is INTEGER.
_RowId = BigInteger().with_variant(Integer(), "sqlite")
# Refs are listed in the order of their bytes, on every database.
_Name = Text().with_variant(Text(collation="C"), "postgresql")


def _warehouse_id(*, primary_key: bool = True) -> Column[int]:
    return Column(
        "warehouse_id",
        _RowId,
        ForeignKey("warehouses.id", ondelete="CASCADE"),
        primary_key=primary_key,
        nullable=False,
    )


warehouses = Table(
    "warehouses",
    metadata,
    Column("id", _RowId, primary_key=True),
    Column("name", _Name, nullable=False, unique=True),
    Column("location", Text, nullable=False),
    Column("default_branch", Text, nullable=False),
    Column("storage", Text, nullable=False),
    # Further ones, each with its storage properties, as JSON.
    Column("locations", Text, nullable=False, server_default="[]"),
    Column("created_at", BigInteger, nullable=False),
)

# Nodes and commits by their SHA-256. Warehouses share equal objects.
objects = Table(
    "objects",
    metadata,
    Column("id", LargeBinary, primary_key=True),
    Column("data", LargeBinary, nullable=False),
)

# Which commits a warehouse has, so that one warehouse's cannot be read through another.
commits = Table(
    "commits",
    metadata,
    _warehouse_id(),
    Column("id", LargeBinary, primary_key=True),
)

refs = Table(
    "refs",
    metadata,
    _warehouse_id(),
    Column("name", _Name, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("commit_id", LargeBinary, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("metadata", Text, nullable=False),
)

# Every move of a ref; no commit id when it was deleted, no previous one when it was created.
reflog = Table(
    "reflog",
    metadata,
    Column("id", _RowId, primary_key=True),
    _warehouse_id(primary_key=False),
    Column("branch", _Name, nullable=False),
    Column("commit_id", LargeBinary),
    Column("previous_commit_id", LargeBinary),
    Column("at", BigInteger, nullable=False),
    Column("by", Text, nullable=False),
    Column("operation", Text, nullable=False),
    Index(None, "warehouse_id", "branch", "id"),
)

# What was said of commits; of several with one name the latest counts.
checks = Table(
    "checks",
    metadata,
    Column("id", _RowId, primary_key=True),
    _warehouse_id(primary_key=False),
    Column("commit_id", LargeBinary, nullable=False),
    Column("name", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("summary", Text, nullable=False),
    Column("details_url", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("by", Text, nullable=False),
    Index(None, "warehouse_id", "commit_id", "id"),
)

protections = Table(
    "protections",
    metadata,
    _warehouse_id(),
    Column("pattern", _Name, primary_key=True),
    Column("rules", Text, nullable=False),
)

# What requests with an `Idempotency-Key` were answered. `request` is a digest of what was asked.
# `loaded` says which metadata file the answer is made of, instead of keeping it in `body`.
idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("key", Text, primary_key=True),
    Column("request", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("status", Integer, nullable=False),
    Column("media_type", Text),
    Column("body", LargeBinary, nullable=False),
    Column("warehouse_id", _RowId, ForeignKey("warehouses.id", ondelete="CASCADE"), nullable=True),
    Column("loaded", Text),
    Index(None, "at"),
)

# What engines reported of scans and commits; no part of versioned content. `key` is JSON, the
# table's levels and name when it was reported.
metrics_reports = Table(
    "metrics_reports",
    metadata,
    Column("id", _RowId, primary_key=True),
    _warehouse_id(primary_key=False),
    Column("table_uuid", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("snapshot_id", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("by", Text, nullable=False),
    Column("report", Text, nullable=False),
    Index(None, "warehouse_id", "table_uuid", "id"),
)
