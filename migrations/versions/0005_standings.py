"""Where each initiative stands: derived numbers for grouped reads over initiatives."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_COLUMNS = {
    "milestones": sa.Integer(),
    "done": sa.Integer(),
    "earned": sa.BigInteger(),
    "verified": sa.BigInteger(),
}
_FILL = """
    UPDATE initiative SET (milestones, done, earned, verified) = (
        SELECT count(*),
               coalesce(sum(CASE WHEN percent = 10000 THEN 1 ELSE 0 END), 0),
               coalesce(sum(share * CASE WHEN technique = 'binary' AND percent < 10000
                                         THEN 0 ELSE percent END), 0),
               coalesce(sum(share * CASE WHEN technique = 'binary' AND m.verified < 10000
                                         THEN 0 ELSE m.verified END), 0)
        FROM milestone m
        WHERE m.institution_id = initiative.institution_id
          AND m.initiative_id = initiative.id AND m.dropped_at IS NULL
    )
"""


def upgrade() -> None:
    """Add the columns, filled from the milestones.

    Only what SQLite does in place: a batch would copy the table and drop the old one, and with it
    all that refers to it.
    """
    for name, kind in _COLUMNS.items():
        op.add_column("initiative", sa.Column(name, kind, server_default="0", nullable=False))
    op.execute(_FILL)


def downgrade() -> None:
    """Drop them."""
    for name in _COLUMNS:
        op.drop_column("initiative", name)
