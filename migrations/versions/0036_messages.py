"""What lets an import's faults be told in any language; of earlier ones the text alone is known."""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"


def upgrade() -> None:
    """Add the column."""
    op.add_column("import", sa.Column("messages", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    """Forget them."""
    op.drop_column("import", "messages")
