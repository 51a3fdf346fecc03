"""Catalogues, institutions, units, people, tokens and events."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None

_json = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "event",
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=500), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("data", _json, nullable=False),
        sa.PrimaryKeyConstraint("institution_id", "sequence", name=op.f("pk_event")),
    )
    op.create_table(
        "institution_clock",
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("sequence >= 0", name=op.f("ck_institution_clock_sequence")),
        sa.PrimaryKeyConstraint("institution_id", name=op.f("pk_institution_clock")),
    )
    op.create_table(
        "reform_area",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("code_key", sa.String(length=64), nullable=False),
        sa.Column("name_id", sa.String(length=500), nullable=False),
        sa.Column("name_en", sa.String(length=500), nullable=False),
        sa.Column("aliases", _json, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reform_area")),
        sa.UniqueConstraint("code_key", name=op.f("uq_reform_area_code_key")),
    )
    op.create_table(
        "scheme",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("code_key", sa.String(length=64), nullable=False),
        sa.Column("name_id", sa.String(length=500), nullable=False),
        sa.Column("name_en", sa.String(length=500), nullable=False),
        sa.Column("basis", sa.String(length=500), nullable=True),
        sa.Column("from_year", sa.Integer(), nullable=False),
        sa.Column("to_year", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("to_year IS NULL OR to_year >= from_year", name=op.f("ck_scheme_years")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scheme")),
        sa.UniqueConstraint("code_key", name=op.f("uq_scheme_code_key")),
    )
    op.create_table(
        "service_secret",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("value", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_service_secret")),
    )
    op.create_table(
        "institution",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("code_key", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=500), nullable=False),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("scheme_id", sa.Uuid(), nullable=False),
        sa.Column("policy", _json, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("version >= 1", name=op.f("ck_institution_version")),
        sa.ForeignKeyConstraint(
            ["scheme_id"], ["scheme.id"], name=op.f("fk_institution_scheme_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_institution")),
        sa.UniqueConstraint("code_key", name=op.f("uq_institution_code_key")),
    )
    op.create_table(
        "scheme_area",
        sa.Column("scheme_id", sa.Uuid(), nullable=False),
        sa.Column("area_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column(
            "compliance_weight", sa.Numeric(precision=6, scale=2, asdecimal=False), nullable=True
        ),
        sa.CheckConstraint("position >= 1", name=op.f("ck_scheme_area_position")),
        sa.ForeignKeyConstraint(
            ["area_id"], ["reform_area.id"], name=op.f("fk_scheme_area_area_id")
        ),
        sa.ForeignKeyConstraint(
            ["scheme_id"], ["scheme.id"], name=op.f("fk_scheme_area_scheme_id")
        ),
        sa.PrimaryKeyConstraint("scheme_id", "area_id", name=op.f("pk_scheme_area")),
    )
    op.create_table(
        "unit",
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("code_key", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=500), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=True),
        sa.Column("reference_code", sa.String(length=64), nullable=True),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("version >= 1", name=op.f("ck_unit_version")),
        sa.ForeignKeyConstraint(
            ["institution_id", "parent_id"],
            ["unit.institution_id", "unit.id"],
            name=op.f("fk_unit_institution_id_parent_id"),
        ),
        sa.ForeignKeyConstraint(
            ["institution_id"], ["institution.id"], name=op.f("fk_unit_institution_id")
        ),
        sa.PrimaryKeyConstraint("institution_id", "id", name=op.f("pk_unit")),
        sa.UniqueConstraint(
            "institution_id", "code_key", name=op.f("uq_unit_institution_id_code_key")
        ),
    )
    with op.batch_alter_table("unit", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_unit_institution_id_parent_id"),
            ["institution_id", "parent_id"],
            unique=False,
        )

    op.create_table(
        "person",
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("code_key", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=500), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("position", sa.String(length=500), nullable=True),
        sa.Column("unit_id", sa.Uuid(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("version >= 1", name=op.f("ck_person_version")),
        sa.ForeignKeyConstraint(
            ["institution_id", "unit_id"],
            ["unit.institution_id", "unit.id"],
            name=op.f("fk_person_institution_id_unit_id"),
        ),
        sa.ForeignKeyConstraint(
            ["institution_id"], ["institution.id"], name=op.f("fk_person_institution_id")
        ),
        sa.PrimaryKeyConstraint("institution_id", "id", name=op.f("pk_person")),
        sa.UniqueConstraint(
            "institution_id", "code_key", name=op.f("uq_person_institution_id_code_key")
        ),
    )
    with op.batch_alter_table("person", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_person_institution_id_unit_id"),
            ["institution_id", "unit_id"],
            unique=False,
        )

    op.create_table(
        "unit_closure",
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("descendant_id", sa.Uuid(), nullable=False),
        sa.Column("ancestor_id", sa.Uuid(), nullable=False),
        sa.Column("distance", sa.Integer(), nullable=False),
        sa.CheckConstraint("distance >= 0", name=op.f("ck_unit_closure_distance")),
        sa.ForeignKeyConstraint(
            ["institution_id", "ancestor_id"],
            ["unit.institution_id", "unit.id"],
            name=op.f("fk_unit_closure_institution_id_ancestor_id"),
        ),
        sa.ForeignKeyConstraint(
            ["institution_id", "descendant_id"],
            ["unit.institution_id", "unit.id"],
            name=op.f("fk_unit_closure_institution_id_descendant_id"),
        ),
        sa.PrimaryKeyConstraint(
            "institution_id", "descendant_id", "ancestor_id", name=op.f("pk_unit_closure")
        ),
    )
    with op.batch_alter_table("unit_closure", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_unit_closure_institution_id_ancestor_id_descendant_id"),
            ["institution_id", "ancestor_id", "descendant_id"],
            unique=False,
        )

    op.create_table(
        "api_token",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("institution_id", sa.Uuid(), nullable=True),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.String(length=500), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(institution_id IS NULL) = (person_id IS NULL)", name=op.f("ck_api_token_owner")
        ),
        sa.ForeignKeyConstraint(
            ["institution_id", "person_id"],
            ["person.institution_id", "person.id"],
            name=op.f("fk_api_token_institution_id_person_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_token")),
        sa.UniqueConstraint("digest", name=op.f("uq_api_token_digest")),
    )


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("api_token")
    with op.batch_alter_table("unit_closure", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_unit_closure_institution_id_ancestor_id_descendant_id"))

    op.drop_table("unit_closure")
    with op.batch_alter_table("person", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_person_institution_id_unit_id"))

    op.drop_table("person")
    with op.batch_alter_table("unit", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_unit_institution_id_parent_id"))

    op.drop_table("unit")
    op.drop_table("scheme_area")
    op.drop_table("institution")
    op.drop_table("service_secret")
    op.drop_table("scheme")
    op.drop_table("reform_area")
    op.drop_table("institution_clock")
    op.drop_table("event")
