"""Instruments that reform is assessed by, the assessments of institutions, and expected lifts."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
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

from app.models.base import (
    CODE_LENGTH,
    NAME_LENGTH,
    Base,
    Hundredths,
    Instant,
    Json,
    choice,
)
from app.schemas.assessments import Assessor

PREDICATE_LENGTH = 20
URL_LENGTH = 2_000


class Instrument(Base):
    """An instrument of assessment: scores under different ones are not compared."""

    __tablename__ = "instrument"
    __table_args__ = (
        UniqueConstraint("code_key"),
        CheckConstraint("to_year IS NULL OR to_year >= from_year", "years"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(CODE_LENGTH))
    code_key: Mapped[str] = mapped_column(String(CODE_LENGTH))
    name_id: Mapped[str] = mapped_column(String(NAME_LENGTH))
    name_en: Mapped[str] = mapped_column(String(NAME_LENGTH))
    basis: Mapped[str | None] = mapped_column(String(NAME_LENGTH))
    source: Mapped[str | None] = mapped_column(Text)
    maximum: Mapped[Decimal | None] = mapped_column(Hundredths)
    from_year: Mapped[int | None]
    to_year: Mapped[int | None]
    bands: Mapped[list[Any]] = mapped_column(Json)
    """As they are on the wire, the highest first."""
    created_at: Mapped[datetime] = mapped_column(Instant)
    updated_at: Mapped[datetime] = mapped_column(Instant)
    version: Mapped[int]


class InstrumentComponent(Base):
    """A weighted part of an instrument, perhaps of another part."""

    __tablename__ = "instrument_component"
    __table_args__ = (UniqueConstraint("instrument_id", "code_key"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    instrument_id: Mapped[UUID] = mapped_column(ForeignKey("instrument.id"))
    code: Mapped[str] = mapped_column(String(CODE_LENGTH))
    code_key: Mapped[str] = mapped_column(String(CODE_LENGTH))
    name_id: Mapped[str] = mapped_column(String(NAME_LENGTH))
    name_en: Mapped[str] = mapped_column(String(NAME_LENGTH))
    weight: Mapped[Decimal] = mapped_column(Hundredths)
    """The most points that it gives."""
    parent_code: Mapped[str | None] = mapped_column(String(CODE_LENGTH))
    position: Mapped[int]


class Assessment(Base):
    """A score that an assessor gave an institution for a year under an instrument."""

    __tablename__ = "assessment"
    __table_args__ = (
        UniqueConstraint("institution_id", "instrument_id", "score_year", "assessor"),
        CheckConstraint("score IS NOT NULL OR target IS NOT NULL", "says"),
        CheckConstraint("version >= 1", "version"),
    )

    institution_id: Mapped[UUID] = mapped_column(ForeignKey("institution.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    instrument_id: Mapped[UUID] = mapped_column(ForeignKey("instrument.id"))
    score_year: Mapped[int]
    assessor: Mapped[Assessor] = mapped_column(choice(Assessor))
    announced_on: Mapped[date | None]
    score: Mapped[Decimal | None] = mapped_column(Hundredths)
    announced_predicate: Mapped[str | None] = mapped_column(String(PREDICATE_LENGTH))
    target: Mapped[Decimal | None] = mapped_column(Hundredths)
    source: Mapped[str | None] = mapped_column(Text)
    source_url: Mapped[str | None] = mapped_column(String(URL_LENGTH))
    note: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Instant)
    updated_at: Mapped[datetime] = mapped_column(Instant)
    version: Mapped[int]


class AssessmentScore(Base):
    """What an assessment gave one component."""

    __tablename__ = "assessment_score"
    __table_args__ = (
        ForeignKeyConstraint(
            ["institution_id", "assessment_id"],
            ["assessment.institution_id", "assessment.id"],
            ondelete="CASCADE",
        ),
        Index(None, "institution_id", "component_id"),
    )

    institution_id: Mapped[UUID] = mapped_column(primary_key=True)
    assessment_id: Mapped[UUID] = mapped_column(primary_key=True)
    component_id: Mapped[UUID] = mapped_column(
        ForeignKey("instrument_component.id"), primary_key=True
    )
    score: Mapped[Decimal] = mapped_column(Hundredths)


class InitiativeLift(Base):
    """By how much an initiative should lift a component."""

    __tablename__ = "initiative_lift"
    __table_args__ = (
        ForeignKeyConstraint(
            ["institution_id", "initiative_id"],
            ["initiative.institution_id", "initiative.id"],
            ondelete="CASCADE",
        ),
        CheckConstraint("points > 0", "points"),
    )

    institution_id: Mapped[UUID] = mapped_column(primary_key=True)
    initiative_id: Mapped[UUID] = mapped_column(primary_key=True)
    component_id: Mapped[UUID] = mapped_column(
        ForeignKey("instrument_component.id"), primary_key=True
    )
    points: Mapped[Decimal] = mapped_column(Hundredths)
