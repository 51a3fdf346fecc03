"""Imports of spreadsheets."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Create the table of imports."""
    json = sa.JSON(none_as_null=True).with_variant(
        postgresql.JSONB(none_as_null=True), "postgresql"
    )
    op.create_table(
        "import",
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("mode", _one_of("importmode", "check", "apply"), nullable=False),
        sa.Column(
            "status",
            _one_of(
                "importstatus",
                "queued", "running", "checked", "applied", "refused", "failed", "cancelled",
            ),
            nullable=False,
        ),
        sa.Column("format", _one_of("sheetformat", "xlsx", "csv"), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("total_rows", sa.Integer(), nullable=False),
        sa.Column("done_rows", sa.Integer(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("token_id", sa.Uuid(), nullable=True),
        sa.Column("request_id", sa.String(length=64), nullable=True),
        sa.Column("submitted_by", sa.String(length=500), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("leased_by", sa.Uuid(), nullable=True),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("counts", json, nullable=True),
        sa.Column("problem", json, nullable=True),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("outcome", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint("length(digest) = 64", name=op.f("ck_import_digest")),
        sa.CheckConstraint("total_rows >= 0 AND done_rows >= 0", name=op.f("ck_import_rows")),
        sa.CheckConstraint(
            "(leased_until IS NULL) = (leased_by IS NULL)", name=op.f("ck_import_lease")
        ),
        sa.ForeignKeyConstraint(
            ["institution_id"], ["institution.id"], name=op.f("fk_import_institution_id")
        ),
        sa.PrimaryKeyConstraint("institution_id", "id", name=op.f("pk_import")),
    )  # fmt: skip
    for columns in (
        ("institution_id", "submitted_at", "id"),
        ("status", "leased_until"),
        ("expires_at",),
    ):
        op.create_index(op.f(f"ix_import_{'_'.join(columns)}"), "import", list(columns))


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("import")


def _one_of(name: str, *words: str) -> sa.Enum:
    return sa.Enum(*words, name=name, native_enum=False, create_constraint=True, length=20)
