"""Stages of a calendar that initiatives have to live with, and how each initiative relates to them."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import CODE_LENGTH, NAME_LENGTH, Base, Instant, choice
from app.schemas.stages import StageRelation


class Stage(Base):
    """A stretch of whole days in one of an institution's calendars; stages may overlap."""

    __tablename__ = "stage"
    __table_args__ = (
        UniqueConstraint("institution_id", "code_key"),
        Index(None, "institution_id", "starts_on", "code_key"),
        CheckConstraint("ends_on >= starts_on", "dates"),
        CheckConstraint("version >= 1", "version"),
    )

    institution_id: Mapped[UUID] = mapped_column(ForeignKey("institution.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(CODE_LENGTH))
    code_key: Mapped[str] = mapped_column(String(CODE_LENGTH))
    calendar: Mapped[str] = mapped_column(String(CODE_LENGTH))
    """Label of the calendar that it belongs to."""
    name_id: Mapped[str] = mapped_column(String(NAME_LENGTH))
    name_en: Mapped[str] = mapped_column(String(NAME_LENGTH))
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    """The last day, which belongs to it."""
    basis: Mapped[str | None] = mapped_column(String(NAME_LENGTH))
    source_url: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Instant)
    updated_at: Mapped[datetime] = mapped_column(Instant)
    version: Mapped[int]


class InitiativeStage(Base):
    """How an initiative relates to a stage."""

    __tablename__ = "initiative_stage"
    __table_args__ = (
        ForeignKeyConstraint(
            ["institution_id", "initiative_id"],
            ["initiative.institution_id", "initiative.id"],
            ondelete="CASCADE",
        ),
        ForeignKeyConstraint(["institution_id", "stage_id"], ["stage.institution_id", "stage.id"]),
        Index(None, "institution_id", "stage_id", "initiative_id"),
    )

    institution_id: Mapped[UUID] = mapped_column(primary_key=True)
    initiative_id: Mapped[UUID] = mapped_column(primary_key=True)
    stage_id: Mapped[UUID] = mapped_column(primary_key=True)
    relation: Mapped[StageRelation] = mapped_column(choice(StageRelation))
