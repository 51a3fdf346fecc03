"""Initiatives and their milestones."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "initiative",
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("code_key", sa.String(length=64), nullable=False),
        sa.Column("title", sa.String(length=500), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "quick_win",
                "action_plan",
                "innovation",
                name="initiativekind",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column(
            "origin",
            sa.Enum(
                "self_selected",
                "mandated",
                name="origin",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column(
            "status",
            sa.Enum(
                "proposed",
                "shortlisted",
                "active",
                "on_hold",
                "completed",
                "cancelled",
                name="initiativestatus",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.Column("start_on", sa.Date(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("expected_result", sa.Text(), nullable=True),
        sa.Column("last_reported_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "due_on IS NULL OR start_on IS NULL OR due_on >= start_on",
            name=op.f("ck_initiative_dates"),
        ),
        sa.CheckConstraint("version >= 1", name=op.f("ck_initiative_version")),
        sa.CheckConstraint("weight BETWEEN 1 AND 1000", name=op.f("ck_initiative_weight")),
        sa.CheckConstraint("year BETWEEN 1900 AND 2199", name=op.f("ck_initiative_year")),
        sa.ForeignKeyConstraint(
            ["institution_id", "unit_id"],
            ["unit.institution_id", "unit.id"],
            name=op.f("fk_initiative_institution_id_unit_id"),
        ),
        sa.ForeignKeyConstraint(
            ["institution_id"], ["institution.id"], name=op.f("fk_initiative_institution_id")
        ),
        sa.PrimaryKeyConstraint("institution_id", "id", name=op.f("pk_initiative")),
        sa.UniqueConstraint(
            "institution_id", "code_key", name=op.f("uq_initiative_institution_id_code_key")
        ),
    )
    with op.batch_alter_table("initiative", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_initiative_institution_id_unit_id_code_key"),
            ["institution_id", "unit_id", "code_key"],
            unique=False,
        )

    op.create_table(
        "initiative_area",
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("initiative_id", sa.Uuid(), nullable=False),
        sa.Column("area_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["area_id"], ["reform_area.id"], name=op.f("fk_initiative_area_area_id")
        ),
        sa.ForeignKeyConstraint(
            ["institution_id", "initiative_id"],
            ["initiative.institution_id", "initiative.id"],
            name=op.f("fk_initiative_area_institution_id_initiative_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "institution_id", "initiative_id", "area_id", name=op.f("pk_initiative_area")
        ),
    )
    with op.batch_alter_table("initiative_area", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_initiative_area_institution_id_area_id_initiative_id"),
            ["institution_id", "area_id", "initiative_id"],
            unique=False,
        )

    op.create_table(
        "initiative_owner",
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("initiative_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "accountable",
                "responsible",
                "supporting",
                name="ownerrole",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["institution_id", "initiative_id"],
            ["initiative.institution_id", "initiative.id"],
            name=op.f("fk_initiative_owner_institution_id_initiative_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["institution_id", "person_id"],
            ["person.institution_id", "person.id"],
            name=op.f("fk_initiative_owner_institution_id_person_id"),
        ),
        sa.PrimaryKeyConstraint(
            "institution_id", "initiative_id", "person_id", name=op.f("pk_initiative_owner")
        ),
    )
    with op.batch_alter_table("initiative_owner", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_initiative_owner_institution_id_person_id_initiative_id"),
            ["institution_id", "person_id", "initiative_id"],
            unique=False,
        )

    op.create_table(
        "initiative_tag",
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("initiative_id", sa.Uuid(), nullable=False),
        sa.Column("tag", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["institution_id", "initiative_id"],
            ["initiative.institution_id", "initiative.id"],
            name=op.f("fk_initiative_tag_institution_id_initiative_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "institution_id", "initiative_id", "tag", name=op.f("pk_initiative_tag")
        ),
    )
    with op.batch_alter_table("initiative_tag", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_initiative_tag_institution_id_tag_initiative_id"),
            ["institution_id", "tag", "initiative_id"],
            unique=False,
        )

    op.create_table(
        "milestone",
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("initiative_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=500), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.Column(
            "technique",
            sa.Enum(
                "percent",
                "binary",
                name="technique",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("baseline_due_on", sa.Date(), nullable=True),
        sa.Column("dropped_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("share", sa.BigInteger(), nullable=False),
        sa.Column("percent", sa.Integer(), nullable=False),
        sa.Column("verified", sa.Integer(), nullable=False),
        sa.Column("done_on", sa.Date(), nullable=True),
        sa.Column("reports", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("number >= 1", name=op.f("ck_milestone_number")),
        sa.CheckConstraint("percent BETWEEN 0 AND 10000", name=op.f("ck_milestone_percent")),
        sa.CheckConstraint("reports >= 0", name=op.f("ck_milestone_reports")),
        sa.CheckConstraint("share BETWEEN 0 AND 1000000000", name=op.f("ck_milestone_share")),
        sa.CheckConstraint("verified BETWEEN 0 AND 10000", name=op.f("ck_milestone_verified")),
        sa.CheckConstraint("version >= 1", name=op.f("ck_milestone_version")),
        sa.CheckConstraint("weight BETWEEN 1 AND 1000", name=op.f("ck_milestone_weight")),
        sa.ForeignKeyConstraint(
            ["institution_id", "initiative_id"],
            ["initiative.institution_id", "initiative.id"],
            name=op.f("fk_milestone_institution_id_initiative_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("institution_id", "id", name=op.f("pk_milestone")),
        sa.UniqueConstraint(
            "institution_id",
            "initiative_id",
            "number",
            name=op.f("uq_milestone_institution_id_initiative_id_number"),
        ),
    )


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("milestone")
    with op.batch_alter_table("initiative_tag", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_initiative_tag_institution_id_tag_initiative_id"))

    op.drop_table("initiative_tag")
    with op.batch_alter_table("initiative_owner", schema=None) as batch_op:
        batch_op.drop_index(
            batch_op.f("ix_initiative_owner_institution_id_person_id_initiative_id")
        )

    op.drop_table("initiative_owner")
    with op.batch_alter_table("initiative_area", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_initiative_area_institution_id_area_id_initiative_id"))

    op.drop_table("initiative_area")
    with op.batch_alter_table("initiative", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_initiative_institution_id_unit_id_code_key"))

    op.drop_table("initiative")
