"""Publications: what was told to the public of an initiative."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import NAME_LENGTH, Base, Instant


class Publication(Base):
    """Something that was told to the public of an initiative, on a day."""

    __tablename__ = "publication"
    __table_args__ = (
        ForeignKeyConstraint(
            ["institution_id", "initiative_id"],
            ["initiative.institution_id", "initiative.id"],
            ondelete="CASCADE",
        ),
        Index(None, "institution_id", "initiative_id", "published_on", "id"),
        Index(None, "institution_id", "published_on", "id"),
        CheckConstraint("version >= 1", "version"),
    )

    institution_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    initiative_id: Mapped[UUID]
    title: Mapped[str] = mapped_column(String(NAME_LENGTH))
    said: Mapped[str | None] = mapped_column(Text)
    published_on: Mapped[date]
    channel: Mapped[str | None] = mapped_column(String(NAME_LENGTH))
    url: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Instant)
    updated_at: Mapped[datetime] = mapped_column(Instant)
    version: Mapped[int]
