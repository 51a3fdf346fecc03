"""Weight and due date of the initiative itself in baselines; of earlier versions they are not known."""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"


def upgrade() -> None:
    """Add the columns."""
    op.add_column("baseline", sa.Column("weight", sa.Integer(), nullable=True))
    op.add_column("baseline", sa.Column("due_on", sa.Date(), nullable=True))


def downgrade() -> None:
    """Forget them."""
    op.drop_column("baseline", "due_on")
    op.drop_column("baseline", "weight")
