"""The reform team: its roles and appointments."""

import sqlalchemy as sa
from alembic import op

revision = "a_teams"
down_revision = "0017"

_REFERENCES = {
    "person_id": "person",
    "role_id": "team_role",
    "unit_id": "unit",
    "decree_id": "decree",
}
_INDEXES = (("unit_id", "year"), ("year", "id"), ("role_id",), ("decree_id",))


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "team_role",
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("code_key", sa.String(length=64), nullable=False),
        sa.Column("name_id", sa.String(length=500), nullable=False),
        sa.Column("name_en", sa.String(length=500), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("version >= 1", name=op.f("ck_team_role_version")),
        sa.ForeignKeyConstraint(
            ["institution_id"], ["institution.id"], name=op.f("fk_team_role_institution_id")
        ),
        sa.PrimaryKeyConstraint("institution_id", "id", name=op.f("pk_team_role")),
        sa.UniqueConstraint(
            "institution_id", "code_key", name=op.f("uq_team_role_institution_id_code_key")
        ),
    )
    op.create_table(
        "appointment",
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("role_id", sa.Uuid(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("decree_id", sa.Uuid(), nullable=True),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("year BETWEEN 1900 AND 2199", name=op.f("ck_appointment_year")),
        sa.CheckConstraint("until_on >= from_on", name=op.f("ck_appointment_dates")),
        sa.CheckConstraint("version >= 1", name=op.f("ck_appointment_version")),
        *(
            sa.ForeignKeyConstraint(
                ["institution_id", column],
                [f"{table}.institution_id", f"{table}.id"],
                name=op.f(f"fk_appointment_institution_id_{column}"),
            )
            for column, table in _REFERENCES.items()
        ),
        sa.PrimaryKeyConstraint("institution_id", "id", name=op.f("pk_appointment")),
        sa.UniqueConstraint(
            "institution_id", "person_id", "role_id", "unit_id", "year",
            name=op.f("uq_appointment_institution_id_person_id_role_id_unit_id_year"),
        ),
    )  # fmt: skip
    for columns in _INDEXES:
        name = op.f(f"ix_appointment_institution_id_{'_'.join(columns)}")
        op.create_index(name, "appointment", ["institution_id", *columns])


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("appointment")
    op.drop_table("team_role")
