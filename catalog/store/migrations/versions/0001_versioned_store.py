"""The versioned store: warehouses, objects, refs, reflog, checks, protections, keys, reports."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def _warehouse_id(
    table: str, *, nullable: bool = False
) -> tuple[sa.Column[int], sa.ForeignKeyConstraint]:
    return (
        sa.Column("warehouse_id", _ROW_ID, nullable=nullable),
        sa.ForeignKeyConstraint(
            ["warehouse_id"],
            ["warehouses.id"],
            name=f"fk_{table}_warehouse_id_warehouses",
            ondelete="CASCADE",
        ),
    )


def upgrade() -> None:
    """Make all tables."""
    op.create_table(
        "warehouses",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("name", _NAME, nullable=False),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("default_branch", sa.Text(), nullable=False),
        sa.Column("storage", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_warehouses"),
        sa.UniqueConstraint("name", name="uq_warehouses_name"),
    )
    op.create_table(
        "objects",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_objects"),
    )
    op.create_table(
        "commits",
        *_warehouse_id("commits"),
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("warehouse_id", "id", name="pk_commits"),
    )
    op.create_table(
        "refs",
        *_warehouse_id("refs"),
        sa.Column("name", _NAME, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("commit_id", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("metadata", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("warehouse_id", "name", name="pk_refs"),
    )
    op.create_table(
        "reflog",
        sa.Column("id", _ROW_ID, nullable=False),
        *_warehouse_id("reflog"),
        sa.Column("branch", _NAME, nullable=False),
        sa.Column("commit_id", sa.LargeBinary()),
        sa.Column("previous_commit_id", sa.LargeBinary()),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("operation", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_reflog"),
    )
    op.create_index("ix_reflog_warehouse_id_branch_id", "reflog", ["warehouse_id", "branch", "id"])
    op.create_table(
        "checks",
        sa.Column("id", _ROW_ID, nullable=False),
        *_warehouse_id("checks"),
        sa.Column("commit_id", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("details_url", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_checks"),
    )
    op.create_index(
        "ix_checks_warehouse_id_commit_id_id", "checks", ["warehouse_id", "commit_id", "id"]
    )
    op.create_table(
        "protections",
        *_warehouse_id("protections"),
        sa.Column("pattern", _NAME, nullable=False),
        sa.Column("rules", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("warehouse_id", "pattern", name="pk_protections"),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("media_type", sa.Text()),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        *_warehouse_id("idempotency_keys", nullable=True),
        sa.Column("loaded", sa.Text()),
        sa.PrimaryKeyConstraint("key", name="pk_idempotency_keys"),
    )
    op.create_index("ix_idempotency_keys_at", "idempotency_keys", ["at"])
    op.create_table(
        "metrics_reports",
        sa.Column("id", _ROW_ID, nullable=False),
        *_warehouse_id("metrics_reports"),
        sa.Column("table_uuid", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("snapshot_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("report", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_metrics_reports"),
    )
    op.create_index(
        "ix_metrics_reports_warehouse_id_table_uuid_id",
        "metrics_reports",
        ["warehouse_id", "table_uuid", "id"],
    )
