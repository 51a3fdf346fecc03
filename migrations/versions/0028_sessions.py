"""Browsers that are signed in."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"

_INSTANT = sa.DateTime(timezone=True)
_INDEXES = (["institution_id", "person_id"], ["token_digest"], ["ends_at"])


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "browser_session",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("institution_id", sa.Uuid(), nullable=True),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("token_digest", sa.String(length=64), nullable=True),
        sa.Column("oidc_subject", sa.String(length=255), nullable=True),
        sa.Column("oidc_email", sa.String(length=254), nullable=True),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("last_used_at", _INSTANT, nullable=False),
        sa.Column("expires_at", _INSTANT, nullable=False),
        sa.Column("ends_at", _INSTANT, nullable=False),
        sa.CheckConstraint(
            "(institution_id IS NULL) = (person_id IS NULL)", name=op.f("ck_browser_session_owner")
        ),
        sa.CheckConstraint(
            "(token_digest IS NULL) <> (oidc_subject IS NULL)",
            name=op.f("ck_browser_session_means"),
        ),
        sa.CheckConstraint(
            "oidc_subject IS NULL OR person_id IS NOT NULL", name=op.f("ck_browser_session_person")
        ),
        sa.ForeignKeyConstraint(
            ["institution_id", "person_id"],
            ["person.institution_id", "person.id"],
            name=op.f("fk_browser_session_institution_id_person_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_browser_session")),
        sa.UniqueConstraint("digest", name=op.f("uq_browser_session_digest")),
    )
    for columns in _INDEXES:
        name = op.f(f"ix_browser_session_{'_'.join(columns)}")
        op.create_index(name, "browser_session", columns)


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("browser_session")
