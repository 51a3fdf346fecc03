"""Which initiatives are public, and what was told of them."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"

_DONE = sa.text("done_on IS NOT NULL")


def upgrade() -> None:
    """Add the flag, off for all that is there; the table; and the order in which milestones were reached."""
    op.add_column(
        "initiative", sa.Column("public", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    op.create_table(
        "publication",
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("initiative_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.String(length=500), nullable=False),
        sa.Column("said", sa.Text(), nullable=True),
        sa.Column("published_on", sa.Date(), nullable=False),
        sa.Column("channel", sa.String(length=500), nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("version >= 1", name=op.f("ck_publication_version")),
        sa.ForeignKeyConstraint(
            ["institution_id", "initiative_id"],
            ["initiative.institution_id", "initiative.id"],
            name=op.f("fk_publication_institution_id_initiative_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("institution_id", "id", name=op.f("pk_publication")),
    )
    op.create_index(
        op.f("ix_publication_institution_id_initiative_id_published_on_id"),
        "publication",
        ["institution_id", "initiative_id", "published_on", "id"],
    )
    op.create_index(
        op.f("ix_publication_institution_id_published_on_id"),
        "publication",
        ["institution_id", "published_on", "id"],
    )
    op.create_index(
        "ix_milestone_done",
        "milestone",
        ["institution_id", "done_on", "id"],
        postgresql_where=_DONE,
        sqlite_where=_DONE,
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_index("ix_milestone_done", table_name="milestone")
    op.drop_table("publication")
    op.drop_column("initiative", "public")
