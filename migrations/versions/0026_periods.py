"""Reporting periods, what reports are held against of them, and which reports came late."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0026"
down_revision = "0025"

_JSON = sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql")
_LATE = sa.text("late")
_OF_INITIATIVE = ["institution_id", "initiative_id"]


def upgrade() -> None:
    """Create the table, and add the columns in place."""
    _create_period()
    op.add_column("institution", sa.Column("windows", _JSON, server_default="{}", nullable=False))
    op.add_column(
        "institution_clock", sa.Column("windows", sa.Integer(), server_default="0", nullable=False)
    )
    op.add_column(
        "progress_update",
        sa.Column("late", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    op.create_index(
        "ix_progress_update_late",
        "progress_update",
        ["institution_id", "id"],
        sqlite_where=_LATE,
        postgresql_where=_LATE,
    )
    op.create_index(
        op.f("ix_progress_update_institution_id_initiative_id_effective_on"),
        "progress_update",
        [*_OF_INITIATIVE, "effective_on"],
    )
    op.drop_index(op.f("ix_progress_update_institution_id_initiative_id"), "progress_update")


def _create_period() -> None:
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "reporting_period",
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("code_key", sa.String(length=64), nullable=False),
        sa.Column("name_id", sa.String(length=500), nullable=False),
        sa.Column("name_en", sa.String(length=500), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("opens_on", sa.Date(), nullable=False),
        sa.Column("closes_on", sa.Date(), nullable=False),
        sa.Column("remind_days_before", _JSON, nullable=False),
        sa.Column("closes_by_itself", sa.Boolean(), nullable=False),
        sa.Column("locks", sa.Boolean(), nullable=False),
        sa.Column("all_years", sa.Boolean(), nullable=False),
        sa.Column("reminded_on", sa.Date(), nullable=False),
        sa.Column("acts_on", sa.Date(), nullable=True),
        sa.Column("closed_at", instant, nullable=True),
        sa.Column("closed_by", sa.String(length=500), nullable=True),
        sa.Column("locked_at", instant, nullable=True),
        sa.Column("report_id", sa.Uuid(), nullable=True),
        sa.Column("counts", _JSON, nullable=True),
        sa.Column("reopened_at", instant, nullable=True),
        sa.Column("reopened_by", sa.String(length=500), nullable=True),
        sa.Column("reopened_until", sa.Date(), nullable=True),
        sa.Column("reopening_reason", sa.Text(), nullable=True),
        sa.Column("created_at", instant, nullable=False),
        sa.Column("updated_at", instant, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("starts_on <= ends_on", name=op.f("ck_reporting_period_days")),
        sa.CheckConstraint(
            "opens_on <= closes_on AND ends_on <= closes_on",
            name=op.f("ck_reporting_period_window"),
        ),
        sa.CheckConstraint(
            "locked_at IS NULL OR closed_at IS NOT NULL", name=op.f("ck_reporting_period_lock")
        ),
        sa.CheckConstraint("version >= 1", name=op.f("ck_reporting_period_version")),
        sa.ForeignKeyConstraint(
            ["institution_id"],
            ["institution.id"],
            name=op.f("fk_reporting_period_institution_id"),
        ),
        sa.ForeignKeyConstraint(
            ["institution_id", "report_id"],
            ["frozen_report.institution_id", "frozen_report.id"],
            name=op.f("fk_reporting_period_institution_id_report_id"),
        ),
        sa.PrimaryKeyConstraint("institution_id", "id", name=op.f("pk_reporting_period")),
        sa.UniqueConstraint(
            "institution_id", "code_key", name=op.f("uq_reporting_period_institution_id_code_key")
        ),
    )
    for columns in (["institution_id", "starts_on"], ["acts_on"]):
        op.create_index(
            op.f(f"ix_reporting_period_{'_'.join(columns)}"), "reporting_period", columns
        )


def downgrade() -> None:
    """Drop the table, the columns and their index."""
    op.create_index(
        op.f("ix_progress_update_institution_id_initiative_id"), "progress_update", _OF_INITIATIVE
    )
    op.drop_index(
        op.f("ix_progress_update_institution_id_initiative_id_effective_on"), "progress_update"
    )
    op.drop_index("ix_progress_update_late", "progress_update")
    op.drop_column("progress_update", "late")
    op.drop_column("institution_clock", "windows")
    op.drop_column("institution", "windows")
    op.drop_table("reporting_period")
