"""Criteria and scores by which quick wins are chosen, and the decrees that designate them."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Create the tables, and room for the day on which an initiative was cancelled."""
    op.create_table(
        "criterion",
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("code_key", sa.String(length=64), nullable=False),
        sa.Column("name_id", sa.String(length=500), nullable=False),
        sa.Column("name_en", sa.String(length=500), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.Column("highest_score", sa.Integer(), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("weight BETWEEN 1 AND 1000", name=op.f("ck_criterion_weight")),
        sa.CheckConstraint(
            "highest_score BETWEEN 1 AND 1000", name=op.f("ck_criterion_highest_score")
        ),
        sa.CheckConstraint("version >= 1", name=op.f("ck_criterion_version")),
        sa.ForeignKeyConstraint(
            ["institution_id"], ["institution.id"], name=op.f("fk_criterion_institution_id")
        ),
        sa.PrimaryKeyConstraint("institution_id", "id", name=op.f("pk_criterion")),
        sa.UniqueConstraint(
            "institution_id", "code_key", name=op.f("uq_criterion_institution_id_code_key")
        ),
    )
    op.create_table(
        "score",
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("initiative_id", sa.Uuid(), nullable=False),
        sa.Column("criterion_id", sa.Uuid(), nullable=False),
        sa.Column("scorer_id", sa.Uuid(), nullable=False),
        sa.Column("scorer", sa.String(length=500), nullable=False),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("scored_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("score >= 0", name=op.f("ck_score_score")),
        sa.ForeignKeyConstraint(
            ["institution_id", "criterion_id"],
            ["criterion.institution_id", "criterion.id"],
            name=op.f("fk_score_institution_id_criterion_id"),
        ),
        sa.ForeignKeyConstraint(
            ["institution_id", "initiative_id"],
            ["initiative.institution_id", "initiative.id"],
            name=op.f("fk_score_institution_id_initiative_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "institution_id", "initiative_id", "criterion_id", "scorer_id", name=op.f("pk_score")
        ),
    )
    for columns in (("institution_id", "criterion_id", "score"), ("institution_id", "scorer_id")):
        op.create_index(op.f(f"ix_score_{'_'.join(columns)}"), "score", list(columns))
    op.create_table(
        "decree",
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("code_key", sa.String(length=64), nullable=False),
        sa.Column("number", sa.String(length=500), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("signer", sa.String(length=500), nullable=False),
        sa.Column("title", sa.String(length=500), nullable=False),
        sa.Column("url", sa.String(length=2000), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("version >= 1", name=op.f("ck_decree_version")),
        sa.ForeignKeyConstraint(
            ["institution_id"], ["institution.id"], name=op.f("fk_decree_institution_id")
        ),
        sa.PrimaryKeyConstraint("institution_id", "id", name=op.f("pk_decree")),
        sa.UniqueConstraint(
            "institution_id", "code_key", name=op.f("uq_decree_institution_id_code_key")
        ),
    )
    op.create_index(
        op.f("ix_decree_institution_id_issued_on_code_key"),
        "decree",
        ["institution_id", "issued_on", "code_key"],
    )
    op.create_table(
        "designation",
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("initiative_id", sa.Uuid(), nullable=False),
        sa.Column("decree_id", sa.Uuid(), nullable=False),
        sa.Column("designated_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(
            ["institution_id", "decree_id"],
            ["decree.institution_id", "decree.id"],
            name=op.f("fk_designation_institution_id_decree_id"),
        ),
        sa.ForeignKeyConstraint(
            ["institution_id", "initiative_id"],
            ["initiative.institution_id", "initiative.id"],
            name=op.f("fk_designation_institution_id_initiative_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("institution_id", "initiative_id", name=op.f("pk_designation")),
    )
    op.create_index(
        op.f("ix_designation_institution_id_decree_id_initiative_id"),
        "designation",
        ["institution_id", "decree_id", "initiative_id"],
    )
    op.add_column("initiative", sa.Column("cancelled_on", sa.Date(), nullable=True))


def downgrade() -> None:
    """Drop the tables and the column."""
    op.drop_column("initiative", "cancelled_on")
    for table in ("designation", "decree", "score", "criterion"):
        op.drop_table(table)
