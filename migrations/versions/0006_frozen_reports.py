"""Frozen reports."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "frozen_report",
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("unit_code", sa.String(length=64), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=True),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("title", sa.String(length=500), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("frozen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("frozen_by", sa.String(length=500), nullable=False),
        sa.Column("supersedes_id", sa.Uuid(), nullable=True),
        sa.Column("content", sa.Text(), nullable=False),
        sa.CheckConstraint("length(digest) = 64", name=op.f("ck_frozen_report_digest")),
        sa.CheckConstraint("supersedes_id <> id", name=op.f("ck_frozen_report_supersedes")),
        sa.CheckConstraint("version >= 0", name=op.f("ck_frozen_report_version")),
        sa.CheckConstraint("year BETWEEN 1900 AND 2199", name=op.f("ck_frozen_report_year")),
        sa.ForeignKeyConstraint(
            ["institution_id"],
            ["institution.id"],
            name=op.f("fk_frozen_report_institution_id"),
        ),
        sa.ForeignKeyConstraint(
            ["institution_id", "supersedes_id"],
            ["frozen_report.institution_id", "frozen_report.id"],
            name=op.f("fk_frozen_report_institution_id_supersedes_id"),
        ),
        sa.ForeignKeyConstraint(
            ["institution_id", "unit_id"],
            ["unit.institution_id", "unit.id"],
            name=op.f("fk_frozen_report_institution_id_unit_id"),
        ),
        sa.PrimaryKeyConstraint("institution_id", "id", name=op.f("pk_frozen_report")),
        sa.UniqueConstraint(
            "institution_id",
            "supersedes_id",
            name=op.f("uq_frozen_report_institution_id_supersedes_id"),
        ),
    )
    with op.batch_alter_table("frozen_report", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_frozen_report_institution_id_unit_id_version_id"),
            ["institution_id", "unit_id", "version", "id"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_frozen_report_institution_id_version_id"),
            ["institution_id", "version", "id"],
            unique=False,
        )


def downgrade() -> None:
    """Drop the table."""
    with op.batch_alter_table("frozen_report", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_frozen_report_institution_id_version_id"))
        batch_op.drop_index(batch_op.f("ix_frozen_report_institution_id_unit_id_version_id"))

    op.drop_table("frozen_report")
