"""Which releases the schema serves."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
oldest_release = "0032"


def upgrade() -> None:
    """Create the table with its one row; the migrations keep it from here on."""
    floor = op.create_table(
        "schema_floor",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("revision", sa.String(length=32), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_schema_floor_only")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schema_floor")),
    )
    op.bulk_insert(floor, [{"id": 1, "revision": oldest_release}])


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("schema_floor")
