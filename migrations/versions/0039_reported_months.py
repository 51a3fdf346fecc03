"""The months for which initiatives have reports, and since when the last of their milestones is done."""

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"

# One bit for each month from January of the year before the initiative's own on, 63 of them.
_FILL = """
    UPDATE initiative SET
        last_done_on = (
            SELECT max(m.done_on)
            FROM milestone m
            WHERE m.institution_id = initiative.institution_id
              AND m.initiative_id = initiative.id AND m.dropped_at IS NULL
        ),
        reported_months = (
            SELECT coalesce(sum(DISTINCT CAST(1 AS BIGINT) << r.place), 0)
            FROM (
                SELECT CAST(({year} - initiative.year + 1) * 12 + {month} - 1 AS INTEGER) AS place
                FROM progress_update u
                WHERE u.institution_id = initiative.institution_id
                  AND u.initiative_id = initiative.id
            ) r
            WHERE r.place BETWEEN 0 AND 62
        )
"""
_PARTS = {
    "postgresql": {"year": "extract(year FROM u.effective_on)", "month": "extract(month FROM u.effective_on)"},
    "sqlite": {
        "year": "CAST(strftime('%Y', u.effective_on) AS INTEGER)",
        "month": "CAST(strftime('%m', u.effective_on) AS INTEGER)",
    },
}  # fmt: skip


def upgrade() -> None:
    """Add the columns, and fill them from the milestones and the reports."""
    op.add_column("initiative", sa.Column("last_done_on", sa.Date(), nullable=True))
    op.add_column("initiative", sa.Column("reported_months", sa.BigInteger(), nullable=True))
    op.execute(_FILL.format(**_PARTS[op.get_bind().dialect.name]))


def downgrade() -> None:
    """Drop them."""
    op.drop_column("initiative", "reported_months")
    op.drop_column("initiative", "last_done_on")
