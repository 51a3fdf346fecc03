"""Calendar feeds: addresses of due dates, each a secret that is kept as a digest."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import NAME_LENGTH, Base, Instant, Json


class CalendarFeed(Base):
    """A feed of what its owner, a person or an operator's token, may see; until it is revoked.

    What it is narrowed to is named by ids without foreign keys: it outlives what it tells about,
    and then shows nothing.
    """

    __tablename__ = "calendar_feed"
    __table_args__ = (
        ForeignKeyConstraint(
            ["institution_id", "person_id"], ["person.institution_id", "person.id"]
        ),
        UniqueConstraint("digest"),
        Index(None, "institution_id", "person_id"),
        CheckConstraint("(person_id IS NULL) <> (token_id IS NULL)", "owner"),
    )

    institution_id: Mapped[UUID] = mapped_column(ForeignKey("institution.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID | None]
    token_id: Mapped[UUID | None] = mapped_column(ForeignKey("api_token.id"))
    """The operator's token that made it, where no person did."""
    name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    digest: Mapped[str] = mapped_column(String(64))
    """SHA-256 of the key in the address, hex."""
    unit_id: Mapped[UUID | None]
    owner_id: Mapped[UUID | None]
    initiative_id: Mapped[UUID | None]
    scopes: Mapped[list[str] | None] = mapped_column(Json)
    """Permissions of the token that made it, if it was limited: the feed sees no more than it."""
    created_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime | None] = mapped_column(Instant)
    """When that token ends."""
    revoked_at: Mapped[datetime | None] = mapped_column(Instant)
