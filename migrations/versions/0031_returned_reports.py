"""What came back from verification, in the order of its arrival: worklists begin with the newest."""

from migrations import indexes

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    """Add the index; few reports are in it."""
    indexes.create(
        "ix_progress_update_returned",
        "progress_update",
        ["institution_id", "id"],
        where="verification = 'returned'",
    )


def downgrade() -> None:
    """Drop the index."""
    indexes.drop("ix_progress_update_returned", "progress_update")
