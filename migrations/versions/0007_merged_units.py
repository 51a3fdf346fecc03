"""Units that were merged into another."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "unit_merger",
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("into_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("unit_id <> into_id", name=op.f("ck_unit_merger_ends")),
        sa.ForeignKeyConstraint(
            ["institution_id", "unit_id"],
            ["unit.institution_id", "unit.id"],
            name=op.f("fk_unit_merger_institution_id_unit_id"),
        ),
        sa.ForeignKeyConstraint(
            ["institution_id", "into_id"],
            ["unit.institution_id", "unit.id"],
            name=op.f("fk_unit_merger_institution_id_into_id"),
        ),
        sa.PrimaryKeyConstraint("institution_id", "unit_id", name=op.f("pk_unit_merger")),
    )
    with op.batch_alter_table("unit_merger", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_unit_merger_institution_id_into_id"),
            ["institution_id", "into_id"],
            unique=False,
        )


def downgrade() -> None:
    """Drop the table; merged units stay archived."""
    with op.batch_alter_table("unit_merger", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_unit_merger_institution_id_into_id"))

    op.drop_table("unit_merger")
