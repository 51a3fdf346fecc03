"""Stages of calendars, and how initiatives relate to them."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "stage",
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("code_key", sa.String(length=64), nullable=False),
        sa.Column("calendar", sa.String(length=64), nullable=False),
        sa.Column("name_id", sa.String(length=500), nullable=False),
        sa.Column("name_en", sa.String(length=500), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("basis", sa.String(length=500), nullable=True),
        sa.Column("source_url", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("ends_on >= starts_on", name=op.f("ck_stage_dates")),
        sa.CheckConstraint("version >= 1", name=op.f("ck_stage_version")),
        sa.ForeignKeyConstraint(
            ["institution_id"], ["institution.id"], name=op.f("fk_stage_institution_id")
        ),
        sa.PrimaryKeyConstraint("institution_id", "id", name=op.f("pk_stage")),
        sa.UniqueConstraint(
            "institution_id", "code_key", name=op.f("uq_stage_institution_id_code_key")
        ),
    )
    op.create_index(
        op.f("ix_stage_institution_id_starts_on_code_key"),
        "stage",
        ["institution_id", "starts_on", "code_key"],
    )
    op.create_table(
        "initiative_stage",
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("initiative_id", sa.Uuid(), nullable=False),
        sa.Column("stage_id", sa.Uuid(), nullable=False),
        sa.Column(
            "relation",
            sa.Enum(
                "must_finish_before",
                "runs_during",
                "blocked_during",
                name="stagerelation",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["institution_id", "initiative_id"],
            ["initiative.institution_id", "initiative.id"],
            name=op.f("fk_initiative_stage_institution_id_initiative_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["institution_id", "stage_id"],
            ["stage.institution_id", "stage.id"],
            name=op.f("fk_initiative_stage_institution_id_stage_id"),
        ),
        sa.PrimaryKeyConstraint(
            "institution_id", "initiative_id", "stage_id", name=op.f("pk_initiative_stage")
        ),
    )
    op.create_index(
        op.f("ix_initiative_stage_institution_id_stage_id_initiative_id"),
        "initiative_stage",
        ["institution_id", "stage_id", "initiative_id"],
    )


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("initiative_stage")
    op.drop_table("stage")
