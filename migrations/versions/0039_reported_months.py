"""The months for which initiatives have reports, and since when the last of their milestones is done."""

import sqlalchemy as sa
from alembic import op

from migrations import filling

revision = "0039"
down_revision = "0038"

_LAST_DONE_ON = """
    SELECT max(m.done_on)
    FROM milestone m
    WHERE m.institution_id = initiative.institution_id
      AND m.initiative_id = initiative.id AND m.dropped_at IS NULL
"""
# One bit for each month from January of the year before the initiative's own on, 63 of them.
_REPORTED_MONTHS = """
    SELECT coalesce(sum(DISTINCT CAST(1 AS BIGINT) << r.place), 0)
    FROM (
        SELECT CAST(({year} - initiative.year + 1) * 12 + {month} - 1 AS INTEGER) AS place
        FROM progress_update u
        WHERE u.institution_id = initiative.institution_id
          AND u.initiative_id = initiative.id
    ) r
    WHERE r.place BETWEEN 0 AND 62
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
    for column in (
        sa.Column("last_done_on", sa.Date(), nullable=True),
        sa.Column("reported_months", sa.BigInteger(), nullable=True),
    ):
        op.add_column("initiative", column, if_not_exists=filling.may_be_there())
    months = _REPORTED_MONTHS.format(**_PARTS[op.get_context().dialect.name])
    filling.fill("initiative", last_done_on=_LAST_DONE_ON, reported_months=months)


def downgrade() -> None:
    """Drop them."""
    op.drop_column("initiative", "reported_months")
    op.drop_column("initiative", "last_done_on")
