"""Indicators of units, and national ones, with their targets and actuals by period."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import CODE_LENGTH, NAME_LENGTH, Base, Hundredths, Instant, choice
from app.models.instruments import URL_LENGTH
from app.schemas.indicators import Aggregation, Polarity


class Indicator(Base):
    """What is measured, period by period.

    National ones stand above institutions, as the catalogues' events do: their `institution_id` is
    zero, and they have no unit.
    """

    __tablename__ = "indicator"
    __table_args__ = (
        ForeignKeyConstraint(["institution_id", "unit_id"], ["unit.institution_id", "unit.id"]),
        UniqueConstraint("institution_id", "code_key"),
        Index(None, "institution_id", "unit_id"),
        CheckConstraint("version >= 1", "version"),
    )

    institution_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(CODE_LENGTH))
    code_key: Mapped[str] = mapped_column(String(CODE_LENGTH))
    name_id: Mapped[str] = mapped_column(String(NAME_LENGTH))
    name_en: Mapped[str] = mapped_column(String(NAME_LENGTH))
    unit_id: Mapped[UUID | None]
    unit_of_measure: Mapped[str] = mapped_column(String(NAME_LENGTH))
    polarity: Mapped[Polarity] = mapped_column(choice(Polarity))
    aggregation: Mapped[Aggregation] = mapped_column(choice(Aggregation))
    baseline: Mapped[Decimal | None] = mapped_column(Hundredths)
    baseline_year: Mapped[int | None]
    source: Mapped[str | None] = mapped_column(Text)
    source_url: Mapped[str | None] = mapped_column(String(URL_LENGTH))
    retired_on: Mapped[date | None]
    created_at: Mapped[datetime] = mapped_column(Instant)
    updated_at: Mapped[datetime] = mapped_column(Instant)
    version: Mapped[int]


class IndicatorValue(Base):
    """What was aimed at and reached in one period."""

    __tablename__ = "indicator_value"
    __table_args__ = (
        ForeignKeyConstraint(
            ["institution_id", "indicator_id"], ["indicator.institution_id", "indicator.id"]
        ),
        UniqueConstraint("institution_id", "indicator_id", "period_key"),
        CheckConstraint("ends_on >= starts_on", "dates"),
        CheckConstraint("version >= 1", "version"),
    )

    institution_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    indicator_id: Mapped[UUID]
    period: Mapped[str] = mapped_column(String(CODE_LENGTH))
    period_key: Mapped[str] = mapped_column(String(CODE_LENGTH))
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    target: Mapped[Decimal | None] = mapped_column(Hundredths)
    actual: Mapped[Decimal | None] = mapped_column(Hundredths)
    source: Mapped[str | None] = mapped_column(Text)
    source_url: Mapped[str | None] = mapped_column(String(URL_LENGTH))
    created_at: Mapped[datetime] = mapped_column(Instant)
    updated_at: Mapped[datetime] = mapped_column(Instant)
    version: Mapped[int]
