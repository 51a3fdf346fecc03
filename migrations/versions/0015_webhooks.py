"""Webhooks with their secrets and their log, and the last known health of each unit."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0014"

_PENDING = sa.text("outcome = 'pending'")
_INDEXES = {
    "webhook": (("active", "due_at"), ("institution_id", "unit_id")),
    "webhook_secret": (("institution_id", "webhook_id"),),
    "webhook_delivery": (("expires_at",), ("institution_id", "webhook_id", "id")),
}


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "health_watch",
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(
            ["institution_id"], ["institution.id"], name=op.f("fk_health_watch_institution_id")
        ),
        sa.PrimaryKeyConstraint("institution_id", name=op.f("pk_health_watch")),
    )
    op.create_table(
        "unit_health",
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column(
            "health",
            _choice(
                "health",
                "not_measurable",
                "completed",
                "not_started",
                "on_track",
                "at_risk",
                "off_track",
            ),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["institution_id"], ["institution.id"], name=op.f("fk_unit_health_institution_id")
        ),
        sa.PrimaryKeyConstraint("institution_id", "unit_id", name=op.f("pk_unit_health")),
    )
    _create_webhook()
    op.create_table(
        "webhook_secret",
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("webhook_id", sa.Uuid(), nullable=False),
        sa.Column("sealed", sa.String(length=400), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        _of_webhook("webhook_secret"),
        sa.PrimaryKeyConstraint("institution_id", "id", name=op.f("pk_webhook_secret")),
    )
    _create_delivery()
    for table, indexes in _INDEXES.items():
        for columns in indexes:
            op.create_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table, list(columns))
    op.create_index(
        "ix_webhook_delivery_pending",
        "webhook_delivery",
        ["institution_id", "webhook_id", "id"],
        postgresql_where=_PENDING,
        sqlite_where=_PENDING,
    )


def _create_webhook() -> None:
    op.create_table(
        "webhook",
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("url", sa.String(length=2000), nullable=False),
        sa.Column("description", sa.String(length=500), nullable=True),
        sa.Column(
            "patterns",
            sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"),
            nullable=False,
        ),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column(
            "disabled_reason",
            _choice("disabledreason", "gone", "failing", "rights_ended"),
            nullable=True,
        ),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("responsible_id", sa.Uuid(), nullable=True),
        sa.Column("responsible", sa.String(length=500), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("failed_attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(disabled_reason IS NULL) = (disabled_at IS NULL)",
            name=op.f("ck_webhook_disabled_at"),
        ),
        sa.CheckConstraint(
            "NOT active OR disabled_reason IS NULL", name=op.f("ck_webhook_disabled")
        ),
        sa.CheckConstraint("failed_attempts >= 0", name=op.f("ck_webhook_failed_attempts")),
        sa.CheckConstraint("position >= 0", name=op.f("ck_webhook_position")),
        sa.CheckConstraint("version >= 1", name=op.f("ck_webhook_version")),
        sa.ForeignKeyConstraint(
            ["institution_id", "unit_id"],
            ["unit.institution_id", "unit.id"],
            name=op.f("fk_webhook_institution_id_unit_id"),
        ),
        sa.ForeignKeyConstraint(
            ["institution_id"], ["institution.id"], name=op.f("fk_webhook_institution_id")
        ),
        sa.PrimaryKeyConstraint("institution_id", "id", name=op.f("pk_webhook")),
    )


def _create_delivery() -> None:
    errors = (
        "name_not_found", "address_refused", "port_refused", "https_needed", "not_connected",
        "timeout", "broken", "status", "no_secret",
    )  # fmt: skip
    op.create_table(
        "webhook_delivery",
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("webhook_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=True),
        sa.Column("type", sa.String(length=64), nullable=False),
        sa.Column("cause", _choice("deliverycause", "event", "redelivery", "test"), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column(
            "outcome",
            _choice("deliveryoutcome", "pending", "succeeded", "failed"),
            nullable=False,
        ),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("duration_ms", sa.Integer(), nullable=True),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("error", _choice("deliveryerror", *errors), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(outcome = 'pending') = (attempted_at IS NULL)",
            name=op.f("ck_webhook_delivery_attempted_at"),
        ),
        sa.CheckConstraint("attempt >= 1", name=op.f("ck_webhook_delivery_attempt")),
        _of_webhook("webhook_delivery"),
        sa.PrimaryKeyConstraint("institution_id", "id", name=op.f("pk_webhook_delivery")),
    )


def _choice(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=20)


def _of_webhook(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["institution_id", "webhook_id"],
        ["webhook.institution_id", "webhook.id"],
        name=op.f(f"fk_{table}_institution_id_webhook_id"),
        ondelete="CASCADE",
    )


def downgrade() -> None:
    """Drop the tables."""
    for table in ("webhook_delivery", "webhook_secret", "webhook", "unit_health", "health_watch"):
        op.drop_table(table)
