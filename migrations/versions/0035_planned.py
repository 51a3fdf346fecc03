"""What initiatives have planned by now and what they owe next; what was done late, by its date."""

import sqlalchemy as sa
from alembic import op

from migrations import filling, indexes

revision = "0035"
down_revision = "0034"

_DAY = "1900-01-01"
# What is planned is filled by the service, in portions: until then it is read from the milestones.
_NEXT_DUE_ON = """
    SELECT min(m.due_on)
    FROM milestone m
    WHERE m.institution_id = initiative.institution_id
      AND m.initiative_id = initiative.id AND m.dropped_at IS NULL AND m.percent < 10000
"""


def upgrade() -> None:
    """Add the columns, fill the next due dates from the milestones, and make the indexes."""
    for column in (
        sa.Column("next_due_on", sa.Date(), nullable=True),
        sa.Column("planned", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("planned_from", sa.Date(), server_default=_DAY, nullable=False),
        sa.Column("planned_until", sa.Date(), server_default=_DAY, nullable=False),
    ):
        op.add_column("initiative", column, if_not_exists=filling.may_be_there())
    filling.fill("initiative", next_due_on=_NEXT_DUE_ON)
    indexes.create(
        "ix_initiative_next_due",
        "initiative",
        ["institution_id", "next_due_on", "code_key"],
        where="next_due_on IS NOT NULL",
    )
    indexes.create(
        "ix_milestone_late",
        "milestone",
        ["institution_id", "due_on", "done_on"],
        where="done_on > due_on AND dropped_at IS NULL",
    )


def downgrade() -> None:
    """Drop them."""
    indexes.drop("ix_milestone_late", "milestone")
    indexes.drop("ix_initiative_next_due", "initiative")
    for name in ("next_due_on", "planned", "planned_from", "planned_until"):
        op.drop_column("initiative", name)
