"""Initiatives of a year that are under way, on PostgreSQL: they owe the reports of its periods."""

from alembic import op

from migrations import indexes

revision = "0040"
down_revision = "0039"

_INDEX = "ix_initiative_by_year"


def upgrade() -> None:
    """Make the index."""
    if op.get_context().dialect.name == "postgresql":
        indexes.create(_INDEX, "initiative", ["institution_id", "year", "status"])


def downgrade() -> None:
    """Drop it."""
    if op.get_context().dialect.name == "postgresql":
        indexes.drop(_INDEX, "initiative")
