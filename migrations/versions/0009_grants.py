"""Roles on units; scopes and last use of tokens; services among people."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql
from uuid_utils.compat import uuid7

revision = "0009"
down_revision = "0008"

_ROLES = ("viewer", "reporter", "planner", "verifier", "admin")
_KINDS = ("person", "service")


def upgrade() -> None:
    """Create the table of grants; whoever has a token keeps the rights that it gave until now."""
    op.create_table(
        "role_grant",
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column(
            "role",
            sa.Enum(*_ROLES, name="role", native_enum=False, create_constraint=True, length=20),
            nullable=False,
        ),
        sa.Column("granted_by", sa.String(length=500), nullable=False),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["institution_id", "person_id"],
            ["person.institution_id", "person.id"],
            name=op.f("fk_role_grant_institution_id_person_id"),
        ),
        sa.ForeignKeyConstraint(
            ["institution_id", "unit_id"],
            ["unit.institution_id", "unit.id"],
            name=op.f("fk_role_grant_institution_id_unit_id"),
        ),
        sa.PrimaryKeyConstraint("institution_id", "id", name=op.f("pk_role_grant")),
        sa.UniqueConstraint(
            "institution_id",
            "person_id",
            "unit_id",
            "role",
            name=op.f("uq_role_grant_institution_id_person_id_unit_id_role"),
        ),
    )
    op.create_index(
        op.f("ix_role_grant_institution_id_unit_id"), "role_grant", ["institution_id", "unit_id"]
    )
    scopes = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
    op.add_column("api_token", sa.Column("scopes", scopes, nullable=True))
    op.add_column("api_token", sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True))
    kinds = ", ".join(f"'{kind}'" for kind in _KINDS)
    # As text: with its constraint both databases add this column in place, without a new table.
    op.execute(
        "ALTER TABLE person ADD COLUMN kind VARCHAR(20) DEFAULT 'person' NOT NULL "
        f"CONSTRAINT ck_person_personkind CHECK (kind IN ({kinds}))"
    )
    _keep_rights()


def _keep_rights() -> None:
    connection = op.get_bind()
    holders = connection.execute(
        sa.text(
            "SELECT DISTINCT t.institution_id, t.person_id, u.id AS unit_id FROM api_token t "
            "JOIN unit u ON u.institution_id = t.institution_id AND u.parent_id IS NULL "
            "WHERE t.revoked_at IS NULL"
        ).columns(institution_id=sa.Uuid(), person_id=sa.Uuid(), unit_id=sa.Uuid())
    ).all()
    grant = sa.table(
        "role_grant",
        sa.column("institution_id", sa.Uuid()),
        sa.column("id", sa.Uuid()),
        sa.column("person_id", sa.Uuid()),
        sa.column("unit_id", sa.Uuid()),
        sa.column("role"),
        sa.column("granted_by"),
        sa.column("granted_at"),
    )
    for holder in holders:
        connection.execute(
            grant.insert().values(
                **holder._mapping,  # noqa: SLF001  a row as a mapping: its public name
                id=uuid7(),
                role="admin",
                granted_by="quickwin",
                granted_at=sa.func.current_timestamp(),
            )
        )


def downgrade() -> None:
    """Drop the table and the columns."""
    op.drop_column("person", "kind")
    op.drop_column("api_token", "last_used_at")
    op.drop_column("api_token", "scopes")
    op.drop_index(op.f("ix_role_grant_institution_id_unit_id"), table_name="role_grant")
    op.drop_table("role_grant")
