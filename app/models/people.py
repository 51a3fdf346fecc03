"""People: owners of initiatives, reporters and verifiers."""

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

from app.models.base import CODE_LENGTH, NAME_LENGTH, Base, Instant, choice
from app.schemas.fields import Language, PersonKind


class Person(Base):
    """A person of an institution."""

    __tablename__ = "person"
    __table_args__ = (
        ForeignKeyConstraint(["institution_id", "unit_id"], ["unit.institution_id", "unit.id"]),
        UniqueConstraint("institution_id", "code_key"),
        Index(None, "institution_id", "unit_id"),
        Index(None, "email_key"),
        Index(None, "oidc_subject", unique=True),
        CheckConstraint("version >= 1", "version"),
    )

    institution_id: Mapped[UUID] = mapped_column(ForeignKey("institution.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(CODE_LENGTH))
    code_key: Mapped[str] = mapped_column(String(CODE_LENGTH))
    name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    email: Mapped[str | None] = mapped_column(String(254))
    email_key: Mapped[str | None] = mapped_column(String(254))
    oidc_subject: Mapped[str | None] = mapped_column(String(255))
    """Unique in the service, which has one issuer."""
    position: Mapped[str | None] = mapped_column(String(NAME_LENGTH))
    unit_id: Mapped[UUID | None]
    kind: Mapped[PersonKind] = mapped_column(choice(PersonKind), server_default="person")
    language: Mapped[Language | None] = mapped_column(choice(Language))
    """What they read; null where they have not said."""
    active: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(Instant)
    updated_at: Mapped[datetime] = mapped_column(Instant)
    version: Mapped[int]
