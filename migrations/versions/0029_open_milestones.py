"""What is not done, by its day: an overview shows the first of it, whatever there is in all."""

from migrations import indexes

revision = "0029"
down_revision = "0028"

_OPEN = "done_on IS NULL AND dropped_at IS NULL"


def upgrade() -> None:
    """Add the index; a report changes none of its columns until the milestone is done."""
    indexes.create(
        "ix_milestone_open", "milestone", ["institution_id", "due_on", "id"], where=_OPEN
    )


def downgrade() -> None:
    """Drop the index."""
    indexes.drop("ix_milestone_open", "milestone")
