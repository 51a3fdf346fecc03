"""Decrees, and the initiatives that they designate."""

from datetime import date, datetime
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


class Decree(Base):
    """A decision of the institution on paper: its number, its day, who signed it."""

    __tablename__ = "decree"
    __table_args__ = (
        UniqueConstraint("institution_id", "code_key"),
        Index(None, "institution_id", "issued_on", "code_key"),
        CheckConstraint("version >= 1", "version"),
    )

    institution_id: Mapped[UUID] = mapped_column(ForeignKey("institution.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(CODE_LENGTH))
    code_key: Mapped[str] = mapped_column(String(CODE_LENGTH))
    number: Mapped[str] = mapped_column(String(NAME_LENGTH))
    issued_on: Mapped[date]
    signer: Mapped[str] = mapped_column(String(NAME_LENGTH))
    title: Mapped[str] = mapped_column(String(NAME_LENGTH))
    url: Mapped[str | None] = mapped_column(String(2_000))
    created_at: Mapped[datetime] = mapped_column(Instant)
    updated_at: Mapped[datetime] = mapped_column(Instant)
    version: Mapped[int]


class Designation(Base):
    """By which decree an initiative was made active: a row of its own for those that were."""

    __tablename__ = "designation"
    __table_args__ = (
        ForeignKeyConstraint(
            ["institution_id", "initiative_id"],
            ["initiative.institution_id", "initiative.id"],
            ondelete="CASCADE",
        ),
        ForeignKeyConstraint(
            ["institution_id", "decree_id"], ["decree.institution_id", "decree.id"]
        ),
        Index(None, "institution_id", "decree_id", "initiative_id"),
    )

    institution_id: Mapped[UUID] = mapped_column(primary_key=True)
    initiative_id: Mapped[UUID] = mapped_column(primary_key=True)
    decree_id: Mapped[UUID]
    designated_on: Mapped[date]
