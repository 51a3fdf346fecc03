"""People as an OIDC issuer knows them: by subject, or by e-mail address."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Add columns in place, and fill in how addresses are compared."""
    op.add_column("person", sa.Column("email_key", sa.String(length=254), nullable=True))
    op.add_column("person", sa.Column("oidc_subject", sa.String(length=255), nullable=True))
    # ASCII letters alone, as SQLite's lower() has it by itself.
    ascii_only = ' COLLATE "C"' if op.get_bind().dialect.name == "postgresql" else ""
    op.execute(f"UPDATE person SET email_key = lower(email{ascii_only})")  # noqa: S608  ours alone
    op.create_index(op.f("ix_person_email_key"), "person", ["email_key"], unique=False)
    op.create_index(op.f("ix_person_oidc_subject"), "person", ["oidc_subject"], unique=True)


def downgrade() -> None:
    """Drop the columns."""
    op.drop_index(op.f("ix_person_oidc_subject"), table_name="person")
    op.drop_index(op.f("ix_person_email_key"), table_name="person")
    op.drop_column("person", "oidc_subject")
    op.drop_column("person", "email_key")
