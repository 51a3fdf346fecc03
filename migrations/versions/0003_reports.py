"""Progress reports and the roll-up ledger."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"

_json = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "rollup_period",
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("area_id", sa.Uuid(), nullable=False),
        sa.Column("span", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("year", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("planned", sa.BigInteger(), nullable=False),
        sa.Column("earned", sa.BigInteger(), nullable=False),
        sa.Column("verified", sa.BigInteger(), nullable=False),
        sa.Column("due", sa.Integer(), nullable=False),
        sa.Column("met", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("overdue", sa.Integer(), nullable=False),
        sa.Column("due_soon", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            "institution_id",
            "unit_id",
            "area_id",
            "span",
            "starts_on",
            "year",
            name=op.f("pk_rollup_period"),
        ),
    )
    op.create_table(
        "rollup_total",
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("area_id", sa.Uuid(), nullable=False),
        sa.Column("year", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("bac", sa.BigInteger(), nullable=False),
        sa.Column("active", sa.Integer(), nullable=False),
        sa.Column("on_hold", sa.Integer(), nullable=False),
        sa.Column("completed", sa.Integer(), nullable=False),
        sa.Column("unmeasured", sa.Integer(), nullable=False),
        sa.Column("milestones", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            "institution_id", "unit_id", "area_id", "year", name=op.f("pk_rollup_total")
        ),
    )
    op.create_table(
        "progress_update",
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("initiative_id", sa.Uuid(), nullable=False),
        sa.Column("milestone_id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("percent", sa.Integer(), nullable=False),
        sa.Column("previous", sa.Integer(), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("evidence", _json, nullable=False),
        sa.Column("source", sa.String(length=64), nullable=True),
        sa.Column("external_id", sa.String(length=200), nullable=True),
        sa.Column("reported_by", sa.String(length=500), nullable=False),
        sa.Column("reporter_id", sa.Uuid(), nullable=False),
        sa.Column("reported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "verification",
            sa.Enum(
                "reported",
                "verified",
                "returned",
                name="verification",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("verified_by", sa.String(length=500), nullable=True),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("verification_note", sa.Text(), nullable=True),
        sa.CheckConstraint("percent BETWEEN 0 AND 10000", name=op.f("ck_progress_update_percent")),
        sa.CheckConstraint(
            "previous BETWEEN 0 AND 10000", name=op.f("ck_progress_update_previous")
        ),
        sa.CheckConstraint("sequence >= 1", name=op.f("ck_progress_update_sequence")),
        sa.ForeignKeyConstraint(
            ["institution_id", "initiative_id"],
            ["initiative.institution_id", "initiative.id"],
            name=op.f("fk_progress_update_institution_id_initiative_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["institution_id", "milestone_id"],
            ["milestone.institution_id", "milestone.id"],
            name=op.f("fk_progress_update_institution_id_milestone_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("institution_id", "id", name=op.f("pk_progress_update")),
        sa.UniqueConstraint(
            "institution_id",
            "milestone_id",
            "sequence",
            name=op.f("uq_progress_update_institution_id_milestone_id_sequence"),
        ),
        sa.UniqueConstraint(
            "institution_id",
            "milestone_id",
            "source",
            "external_id",
            name=op.f("uq_progress_update_institution_id_milestone_id_source_external_id"),
        ),
    )
    with op.batch_alter_table("progress_update", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_progress_update_institution_id_initiative_id"),
            ["institution_id", "initiative_id"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_progress_update_institution_id_milestone_id_effective_on_sequence"),
            ["institution_id", "milestone_id", "effective_on", "sequence"],
            unique=False,
        )


def downgrade() -> None:
    """Drop the tables."""
    with op.batch_alter_table("progress_update", schema=None) as batch_op:
        batch_op.drop_index(
            batch_op.f("ix_progress_update_institution_id_milestone_id_effective_on_sequence")
        )
        batch_op.drop_index(batch_op.f("ix_progress_update_institution_id_initiative_id"))

    op.drop_table("progress_update")
    op.drop_table("rollup_total")
    op.drop_table("rollup_period")
