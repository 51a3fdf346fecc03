"""What people read."""

from alembic import op

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    """Add the column; nobody has said anything yet."""
    # As text: with its constraint both databases add this column in place, without a new table.
    op.execute(
        "ALTER TABLE person ADD COLUMN language VARCHAR(20) "
        "CONSTRAINT ck_person_language CHECK (language IN ('id', 'en'))"
    )


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("person", "language")
