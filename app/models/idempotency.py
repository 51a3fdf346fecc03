"""Idempotency keys: what a verb returned to a request, for a day."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Instant, Json


class IdempotencyKey(Base):
    """A request that had its effect. No foreign key: it goes by itself, whatever became of the caller."""

    __tablename__ = "idempotency_key"
    __table_args__ = (Index(None, "expires_at"),)

    actor_id: Mapped[UUID] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    """SHA-256 of the key as the caller sent it, hex."""
    fingerprint: Mapped[str] = mapped_column(String(64))
    """SHA-256 of what was asked, hex: the key stands for this request and no other."""
    answer: Mapped[bytes] = mapped_column(LargeBinary)
    """What the verb returned, as JSON; empty only within the transaction that has the effect."""
    is_sealed: Mapped[bool]
    """Whether the answer is encrypted, since it shows a secret."""
    demands: Mapped[list[Any]] = mapped_column(Json)
    """The permissions that the effect demanded."""
    claimed_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant)
