"""Several locations in a warehouse, each with a store of its own."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Let warehouses have more locations than their first; those that are there have none."""
    op.add_column(
        "warehouses",
        sa.Column("locations", sa.Text(), nullable=False, server_default="[]"),
    )
