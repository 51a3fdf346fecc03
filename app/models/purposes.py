"""What reform is for: outcomes, strategies and levels of the schemes, and which initiatives serve."""

from datetime import datetime
from typing import Any
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

from app.models.base import CODE_LENGTH, NAME_LENGTH, Base, Instant, Json, choice
from app.schemas.purposes import PurposeKind


class Purpose(Base):
    """An outcome, a strategy or a level. Its code is unique over all schemes, which may share it."""

    __tablename__ = "purpose"
    __table_args__ = (UniqueConstraint("code_key"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[PurposeKind] = mapped_column(choice(PurposeKind))
    code: Mapped[str] = mapped_column(String(CODE_LENGTH))
    code_key: Mapped[str] = mapped_column(String(CODE_LENGTH))
    name_id: Mapped[str] = mapped_column(String(NAME_LENGTH))
    name_en: Mapped[str] = mapped_column(String(NAME_LENGTH))
    aliases: Mapped[list[Any]] = mapped_column(Json)
    created_at: Mapped[datetime] = mapped_column(Instant)
    updated_at: Mapped[datetime] = mapped_column(Instant)
    version: Mapped[int]


class SchemePurpose(Base):
    """A purpose's place in a scheme, among those of its kind."""

    __tablename__ = "scheme_purpose"
    __table_args__ = (CheckConstraint("position >= 1", "position"),)

    scheme_id: Mapped[UUID] = mapped_column(ForeignKey("scheme.id"), primary_key=True)
    purpose_id: Mapped[UUID] = mapped_column(ForeignKey("purpose.id"), primary_key=True)
    position: Mapped[int]


class InitiativePurpose(Base):
    """A purpose that an initiative serves; the kind, which never changes, tells the fields apart."""

    __tablename__ = "initiative_purpose"
    __table_args__ = (
        ForeignKeyConstraint(
            ["institution_id", "initiative_id"],
            ["initiative.institution_id", "initiative.id"],
            ondelete="CASCADE",
        ),
        Index(None, "institution_id", "purpose_id", "initiative_id"),
    )

    institution_id: Mapped[UUID] = mapped_column(primary_key=True)
    initiative_id: Mapped[UUID] = mapped_column(primary_key=True)
    purpose_id: Mapped[UUID] = mapped_column(ForeignKey("purpose.id"), primary_key=True)
    kind: Mapped[PurposeKind] = mapped_column(choice(PurposeKind))
