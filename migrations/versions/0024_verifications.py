"""Verifications of a report side by side, resubmissions, and the queue of what waits."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0024"
down_revision = "0023"

_TABLE = "progress_update"
_WAITING = "ix_progress_update_waiting"
_RESUBMITS = "uq_progress_update_resubmits"


def upgrade() -> None:
    """Add the columns in place, with indexes of the few rows that they are about."""
    json = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
    op.add_column(_TABLE, sa.Column("verifications", json, nullable=False, server_default="[]"))
    op.add_column(_TABLE, sa.Column("resubmits_id", sa.Uuid(), nullable=True))
    for name, columns, condition, unique in (
        (_WAITING, ["institution_id", "id"], "verification = 'reported'", False),
        (_RESUBMITS, ["institution_id", "resubmits_id"], "resubmits_id IS NOT NULL", True),
    ):
        where = sa.text(condition)
        op.create_index(
            name, _TABLE, columns, unique=unique, postgresql_where=where, sqlite_where=where
        )


def downgrade() -> None:
    """Drop them; the latest verdict stays where it always was."""
    for name in (_RESUBMITS, _WAITING):
        op.drop_index(name, table_name=_TABLE)
    for column in ("resubmits_id", "verifications"):
        op.drop_column(_TABLE, column)
