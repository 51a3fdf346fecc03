"""Uploaded files as evidence."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "file_content",
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("touched_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removing", sa.Boolean(), nullable=False),
        sa.CheckConstraint("length(digest) = 64", name=op.f("ck_file_content_digest")),
        sa.ForeignKeyConstraint(
            ["institution_id"], ["institution.id"], name=op.f("fk_file_content_institution_id")
        ),
        sa.PrimaryKeyConstraint("institution_id", "digest", name=op.f("pk_file_content")),
    )
    op.create_table(
        "uploaded_file",
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=500), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("uploaded_by", sa.String(length=500), nullable=False),
        sa.Column("uploader_id", sa.Uuid(), nullable=False),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("size >= 1", name=op.f("ck_uploaded_file_size")),
        sa.ForeignKeyConstraint(
            ["institution_id", "digest"],
            ["file_content.institution_id", "file_content.digest"],
            name=op.f("fk_uploaded_file_institution_id_digest"),
        ),
        sa.PrimaryKeyConstraint("institution_id", "id", name=op.f("pk_uploaded_file")),
    )
    op.create_table(
        "evidence_file",
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("update_id", sa.Uuid(), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["institution_id", "update_id"],
            ["progress_update.institution_id", "progress_update.id"],
            name=op.f("fk_evidence_file_institution_id_update_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["institution_id", "file_id"],
            ["uploaded_file.institution_id", "uploaded_file.id"],
            name=op.f("fk_evidence_file_institution_id_file_id"),
        ),
        sa.PrimaryKeyConstraint(
            "institution_id", "update_id", "file_id", name=op.f("pk_evidence_file")
        ),
    )
    for table, columns in (
        ("file_content", ("touched_at",)),
        ("uploaded_file", ("institution_id", "digest")),
        ("uploaded_file", ("institution_id", "uploader_id", "expires_at")),
        ("uploaded_file", ("expires_at",)),
        ("evidence_file", ("institution_id", "file_id")),
    ):
        op.create_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table, list(columns))


def downgrade() -> None:
    """Drop the tables; the bytes stay where they are stored."""
    for table in ("evidence_file", "uploaded_file", "file_content"):
        op.drop_table(table)
