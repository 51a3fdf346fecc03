"""Judged ratings of initiatives and units."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_POINTS = ("green", "amber_green", "amber", "amber_red", "red")
_JUDGED = ("initiative", "unit")


def upgrade() -> None:
    """Create the table of ratings, and room for the latest one on what is rated."""
    op.create_table(
        "rating",
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("initiative_id", sa.Uuid(), nullable=True),
        sa.Column("unit_id", sa.Uuid(), nullable=True),
        sa.Column(
            "rating",
            sa.Enum(
                *_POINTS, name="confidence", native_enum=False, create_constraint=True, length=20
            ),
            nullable=False,
        ),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("judged_on", sa.Date(), nullable=False),
        sa.Column("judged_by", sa.String(length=500), nullable=False),
        sa.Column("judge_id", sa.Uuid(), nullable=False),
        sa.Column("judged_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(initiative_id IS NULL) <> (unit_id IS NULL)", name=op.f("ck_rating_noun")
        ),
        sa.ForeignKeyConstraint(
            ["institution_id", "initiative_id"],
            ["initiative.institution_id", "initiative.id"],
            name=op.f("fk_rating_institution_id_initiative_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["institution_id", "unit_id"],
            ["unit.institution_id", "unit.id"],
            name=op.f("fk_rating_institution_id_unit_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("institution_id", "id", name=op.f("pk_rating")),
    )
    with op.batch_alter_table("rating", schema=None) as batch_op:
        for noun in _JUDGED:
            batch_op.create_index(
                batch_op.f(f"ix_rating_institution_id_{noun}_id_judged_on_id"),
                ["institution_id", f"{noun}_id", "judged_on", "id"],
                unique=False,
            )

    points = ", ".join(f"'{point}'" for point in _POINTS)
    for table in _JUDGED:
        # As text: with its constraint both databases add this column in place, without a new table.
        op.execute(
            f"ALTER TABLE {table} ADD COLUMN rating VARCHAR(20) "
            f"CONSTRAINT ck_{table}_confidence CHECK (rating IN ({points}))"
        )
        op.add_column(table, sa.Column("rating_reason", sa.Text(), nullable=True))
        op.add_column(table, sa.Column("judged_on", sa.Date(), nullable=True))
        op.add_column(table, sa.Column("judged_by", sa.String(length=500), nullable=True))
        op.add_column(table, sa.Column("judged_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    """Drop the table and the columns."""
    for table in _JUDGED:
        for column in ("judged_at", "judged_by", "judged_on", "rating_reason", "rating"):
            op.drop_column(table, column)
    with op.batch_alter_table("rating", schema=None) as batch_op:
        for noun in _JUDGED:
            batch_op.drop_index(batch_op.f(f"ix_rating_institution_id_{noun}_id_judged_on_id"))

    op.drop_table("rating")
