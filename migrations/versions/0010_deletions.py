"""Deletions, which can be restored for a while."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "deletion",
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "noun",
            sa.Enum(
                "unit", "person", "initiative", "milestone",
                name="deletednoun", native_enum=False, create_constraint=True, length=20,
            ),
            nullable=False,
        ),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=500), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_by", sa.String(length=500), nullable=False),
        sa.Column("restorable_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("restored_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("restored_by", sa.String(length=500), nullable=True),
        sa.Column(
            "content",
            sa.JSON(none_as_null=True).with_variant(
                postgresql.JSONB(none_as_null=True), "postgresql"
            ),
            nullable=True,
        ),
        sa.CheckConstraint(
            "(content IS NULL) = (restored_at IS NOT NULL)", name=op.f("ck_deletion_content")
        ),
        sa.CheckConstraint("restorable_until > deleted_at", name=op.f("ck_deletion_period")),
        sa.ForeignKeyConstraint(
            ["institution_id"], ["institution.id"], name=op.f("fk_deletion_institution_id")
        ),
        sa.PrimaryKeyConstraint("institution_id", "id", name=op.f("pk_deletion")),
    )  # fmt: skip
    with op.batch_alter_table("deletion", schema=None) as batch_op:
        for columns in (
            ("institution_id", "deleted_at", "id"),
            ("institution_id", "unit_id", "deleted_at", "id"),
            ("restorable_until",),
        ):
            name = batch_op.f(f"ix_deletion_{'_'.join(columns)}")
            batch_op.create_index(name, list(columns), unique=False)


def downgrade() -> None:
    """Drop the table; what was deleted stays so."""
    with op.batch_alter_table("deletion", schema=None) as batch_op:
        for columns in (
            "restorable_until",
            "institution_id_unit_id_deleted_at_id",
            "institution_id_deleted_at_id",
        ):
            batch_op.drop_index(batch_op.f(f"ix_deletion_{columns}"))

    op.drop_table("deletion")
