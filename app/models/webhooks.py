"""Webhooks: who is called when something was written, how far that is, and what became of it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import CODE_LENGTH, NAME_LENGTH, Base, Instant, Json, choice
from app.schemas.webhooks import DeliveryCause, DeliveryError, DeliveryOutcome, DisabledReason

_PENDING = text("outcome = 'pending'")


class Webhook(Base):
    """A subscription to the events of a unit with all below it, and its place in the feed."""

    __tablename__ = "webhook"
    __table_args__ = (
        ForeignKeyConstraint(["institution_id", "unit_id"], ["unit.institution_id", "unit.id"]),
        Index(None, "institution_id", "unit_id"),
        Index(None, "active", "due_at"),
        CheckConstraint("position >= 0", "position"),
        CheckConstraint("failed_attempts >= 0", "failed_attempts"),
        CheckConstraint("NOT active OR disabled_reason IS NULL", "disabled"),
        CheckConstraint("(disabled_reason IS NULL) = (disabled_at IS NULL)", "disabled_at"),
        CheckConstraint("version >= 1", "version"),
    )

    institution_id: Mapped[UUID] = mapped_column(ForeignKey("institution.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    unit_id: Mapped[UUID]
    url: Mapped[str] = mapped_column(String(2_000))
    description: Mapped[str | None] = mapped_column(String(NAME_LENGTH))
    patterns: Mapped[list[str]] = mapped_column(Json)
    active: Mapped[bool]
    disabled_reason: Mapped[DisabledReason | None] = mapped_column(choice(DisabledReason))
    disabled_at: Mapped[datetime | None] = mapped_column(Instant)
    responsible_id: Mapped[UUID | None]
    """The person whose rights it takes; null for an operator, whose rights do not end."""
    responsible: Mapped[str] = mapped_column(String(NAME_LENGTH))
    """Their code, or the name of the operator's token, of then."""
    position: Mapped[int] = mapped_column(BigInteger)
    """The sequence up to which everything was sent."""
    failed_attempts: Mapped[int]
    """For the first event behind the position."""
    due_at: Mapped[datetime] = mapped_column(Instant)
    """Not to be called before."""
    leased_until: Mapped[datetime | None] = mapped_column(Instant)
    """Until then one process alone calls it; null for nobody."""
    fence: Mapped[int] = mapped_column(BigInteger)
    """Rises with each lease: who comes with an older one has lost it."""
    created_at: Mapped[datetime] = mapped_column(Instant)
    updated_at: Mapped[datetime] = mapped_column(Instant)
    version: Mapped[int]


class WebhookSecret(Base):
    """A secret of a webhook, encrypted: it signs, so it must be readable."""

    __tablename__ = "webhook_secret"
    __table_args__ = (
        ForeignKeyConstraint(
            ["institution_id", "webhook_id"],
            ["webhook.institution_id", "webhook.id"],
            ondelete="CASCADE",
        ),
        Index(None, "institution_id", "webhook_id"),
    )

    institution_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    webhook_id: Mapped[UUID]
    sealed: Mapped[str] = mapped_column(String(400))
    created_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime | None] = mapped_column(Instant)


class WebhookDelivery(Base):
    """One attempt, or one that is asked for; of an answer only its status is kept."""

    __tablename__ = "webhook_delivery"
    __table_args__ = (
        ForeignKeyConstraint(
            ["institution_id", "webhook_id"],
            ["webhook.institution_id", "webhook.id"],
            ondelete="CASCADE",
        ),
        Index(None, "institution_id", "webhook_id", "id"),
        Index(None, "expires_at"),
        Index(
            "ix_webhook_delivery_pending", "institution_id", "webhook_id", "id",
            postgresql_where=_PENDING, sqlite_where=_PENDING,
        ),
        CheckConstraint("attempt >= 1", "attempt"),
        CheckConstraint("(outcome = 'pending') = (attempted_at IS NULL)", "attempted_at"),
    )  # fmt: skip

    institution_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    webhook_id: Mapped[UUID]
    event_id: Mapped[UUID]
    sequence: Mapped[int | None] = mapped_column(BigInteger)
    type: Mapped[str] = mapped_column(String(CODE_LENGTH))
    cause: Mapped[DeliveryCause] = mapped_column(choice(DeliveryCause))
    attempt: Mapped[int]
    outcome: Mapped[DeliveryOutcome] = mapped_column(choice(DeliveryOutcome))
    requested_at: Mapped[datetime] = mapped_column(Instant)
    attempted_at: Mapped[datetime | None] = mapped_column(Instant)
    duration_ms: Mapped[int | None]
    status: Mapped[int | None]
    error: Mapped[DeliveryError | None] = mapped_column(choice(DeliveryError))
    expires_at: Mapped[datetime] = mapped_column(Instant)
