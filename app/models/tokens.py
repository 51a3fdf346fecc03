"""API tokens, kept as digests, and the service's own secret."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import NAME_LENGTH, Base, Instant, Json


class ApiToken(Base):
    """A bearer token: of a person of an institution, or of an operator (both columns null)."""

    __tablename__ = "api_token"
    __table_args__ = (
        ForeignKeyConstraint(
            ["institution_id", "person_id"], ["person.institution_id", "person.id"]
        ),
        UniqueConstraint("digest"),
        CheckConstraint("(institution_id IS NULL) = (person_id IS NULL)", "owner"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    institution_id: Mapped[UUID | None]
    person_id: Mapped[UUID | None]
    name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    digest: Mapped[str] = mapped_column(String(64))
    """SHA-256 of the token, hex. The tokens have over 128 bits of entropy: no slow hash is needed."""
    created_at: Mapped[datetime] = mapped_column(Instant)
    scopes: Mapped[list[str] | None] = mapped_column(Json)
    """Permissions that it is limited to; null for all that its person may do."""
    last_used_at: Mapped[datetime | None] = mapped_column(Instant)
    """To within the minutes that `services.actors` allows."""
    expires_at: Mapped[datetime | None] = mapped_column(Instant)
    revoked_at: Mapped[datetime | None] = mapped_column(Instant)


class ServiceSecret(Base):
    """A random secret that all processes of this service share."""

    __tablename__ = "service_secret"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    value: Mapped[str] = mapped_column(String(64))
