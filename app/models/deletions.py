"""Deletions: what was deleted, kept whole for as long as it can be restored."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import NAME_LENGTH, Base, Instant, choice
from app.schemas.deletions import DeletedNoun


class Deletion(Base):
    """One deletion; `content` is all that it removed, the other columns find it.

    What it removed is gone from all other tables, so no query has to know of deletions. Without
    foreign keys to what was: a unit may be deleted after its initiatives.
    """

    __tablename__ = "deletion"
    __table_args__ = (
        Index(None, "institution_id", "deleted_at", "id"),
        Index(None, "institution_id", "unit_id", "deleted_at", "id"),
        Index(None, "restorable_until"),
        CheckConstraint("restorable_until > deleted_at", "period"),
        CheckConstraint("(content IS NULL) = (restored_at IS NOT NULL)", "content"),
    )

    institution_id: Mapped[UUID] = mapped_column(ForeignKey("institution.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    noun: Mapped[DeletedNoun] = mapped_column(choice(DeletedNoun))
    subject: Mapped[str] = mapped_column(String(200))
    """Code or address, as in events."""
    subject_id: Mapped[UUID]
    name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    unit_id: Mapped[UUID | None]
    """The unit that it comes back to: for a unit the one above. Goes along when units are merged."""
    reason: Mapped[str | None] = mapped_column(Text)
    deleted_at: Mapped[datetime] = mapped_column(Instant)
    deleted_by: Mapped[str] = mapped_column(String(NAME_LENGTH))
    restorable_until: Mapped[datetime] = mapped_column(Instant)
    restored_at: Mapped[datetime | None] = mapped_column(Instant)
    restored_by: Mapped[str | None] = mapped_column(String(NAME_LENGTH))
    # Rows by table, as `app.rows` writes them; null once they are back. Lists leave it out.
    content: Mapped[dict[str, Any] | None] = mapped_column(
        JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql"),
        deferred=True,
        deferred_raiseload=True,
    )
