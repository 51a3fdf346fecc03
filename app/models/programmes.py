"""Programmes that one institution leads and others carry out, and the initiatives in them."""

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

from app.models.base import CODE_LENGTH, NAME_LENGTH, Base, Instant


class Programme(Base):
    """A programme across institutions, which are named by their own rows: `ProgrammePart`."""

    __tablename__ = "programme"
    __table_args__ = (
        UniqueConstraint("code_key"),
        CheckConstraint("to_year IS NULL OR to_year >= from_year", "years"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(CODE_LENGTH))
    code_key: Mapped[str] = mapped_column(String(CODE_LENGTH))
    name_id: Mapped[str] = mapped_column(String(NAME_LENGTH))
    name_en: Mapped[str] = mapped_column(String(NAME_LENGTH))
    level_id: Mapped[UUID | None] = mapped_column(ForeignKey("purpose.id"))
    from_year: Mapped[int]
    to_year: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(Instant)
    updated_at: Mapped[datetime] = mapped_column(Instant)
    version: Mapped[int]


class ProgrammePart(Base):
    """An institution's part in a programme: it leads it, or carries it out."""

    __tablename__ = "programme_part"
    __table_args__ = (Index(None, "programme_id", "institution_id"),)

    institution_id: Mapped[UUID] = mapped_column(ForeignKey("institution.id"), primary_key=True)
    programme_id: Mapped[UUID] = mapped_column(ForeignKey("programme.id"), primary_key=True)
    leads: Mapped[bool]
    carries: Mapped[bool]
    """Whether it carries the programme out; the leading one may."""


class InitiativeProgramme(Base):
    """The programme that an initiative belongs to: one at most."""

    __tablename__ = "initiative_programme"
    __table_args__ = (
        ForeignKeyConstraint(
            ["institution_id", "initiative_id"],
            ["initiative.institution_id", "initiative.id"],
            ondelete="CASCADE",
        ),
        Index(
            "ix_initiative_programme_programme", "institution_id", "programme_id", "initiative_id"
        ),
    )

    institution_id: Mapped[UUID] = mapped_column(primary_key=True)
    initiative_id: Mapped[UUID] = mapped_column(primary_key=True)
    programme_id: Mapped[UUID] = mapped_column(ForeignKey("programme.id"))
