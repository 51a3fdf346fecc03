"""Browsers that are signed in: what their cookies stand for."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Instant


class BrowserSession(Base):
    """A browser of a person, or of an operator (both columns null), until it is signed out.

    It says by what they signed in, and never what they may do: that is found anew for each request.
    """

    __tablename__ = "browser_session"
    __table_args__ = (
        ForeignKeyConstraint(
            ["institution_id", "person_id"], ["person.institution_id", "person.id"]
        ),
        UniqueConstraint("digest"),
        Index(None, "institution_id", "person_id"),
        Index(None, "token_digest"),
        Index(None, "ends_at"),
        CheckConstraint("(institution_id IS NULL) = (person_id IS NULL)", "owner"),
        CheckConstraint("(token_digest IS NULL) <> (oidc_subject IS NULL)", "means"),
        CheckConstraint("oidc_subject IS NULL OR person_id IS NOT NULL", "person"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    institution_id: Mapped[UUID | None]
    person_id: Mapped[UUID | None]
    digest: Mapped[str] = mapped_column(String(64))
    """SHA-256 of the cookie's value, hex; the value has 256 random bits."""
    token_digest: Mapped[str | None] = mapped_column(String(64))
    """Of the API token that it was begun with, as it was: one that was rotated is another."""
    oidc_subject: Mapped[str | None] = mapped_column(String(255))
    """What the issuer vouched for, where it was not begun with a token."""
    oidc_email: Mapped[str | None] = mapped_column(String(254))
    """Verified by the issuer; else null."""
    created_at: Mapped[datetime] = mapped_column(Instant)
    last_used_at: Mapped[datetime] = mapped_column(Instant)
    """To within a twentieth of the time that it may be idle."""
    expires_at: Mapped[datetime] = mapped_column(Instant)
    """When it ends, however much it is used."""
    ends_at: Mapped[datetime] = mapped_column(Instant)
    """When it ends if it is used no more."""
