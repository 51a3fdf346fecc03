"""What came back from verification, in the order of its arrival: worklists begin with the newest."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"

_RETURNED = sa.text("verification = 'returned'")


def upgrade() -> None:
    """Add the index; few reports are in it."""
    op.create_index(
        "ix_progress_update_returned",
        "progress_update",
        ["institution_id", "id"],
        postgresql_where=_RETURNED,
        sqlite_where=_RETURNED,
    )


def downgrade() -> None:
    """Drop the index."""
    op.drop_index("ix_progress_update_returned", table_name="progress_update")
