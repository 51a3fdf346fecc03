"""What is not done, by its day: an overview shows the first of it, whatever there is in all."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"

_OPEN = sa.text("done_on IS NULL AND dropped_at IS NULL")


def upgrade() -> None:
    """Add the index; a report changes none of its columns until the milestone is done."""
    op.create_index(
        "ix_milestone_open",
        "milestone",
        ["institution_id", "due_on", "id"],
        postgresql_where=_OPEN,
        sqlite_where=_OPEN,
    )


def downgrade() -> None:
    """Drop the index."""
    op.drop_index("ix_milestone_open", "milestone", postgresql_where=_OPEN, sqlite_where=_OPEN)
