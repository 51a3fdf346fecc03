"""Reporting periods: the days that reports are about, and the window in which they are handed in."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import CODE_LENGTH, NAME_LENGTH, Base, Instant, Json


class ReportingPeriod(Base):
    """A period of an institution; its days overlap with those of no other one."""

    __tablename__ = "reporting_period"
    __table_args__ = (
        ForeignKeyConstraint(
            ["institution_id", "report_id"], ["frozen_report.institution_id", "frozen_report.id"]
        ),
        UniqueConstraint("institution_id", "code_key"),
        Index(None, "institution_id", "starts_on"),
        Index(None, "acts_on"),
        CheckConstraint("starts_on <= ends_on", "days"),
        CheckConstraint("opens_on <= closes_on AND ends_on <= closes_on", "window"),
        CheckConstraint("locked_at IS NULL OR closed_at IS NOT NULL", "lock"),
        CheckConstraint("version >= 1", "version"),
    )

    institution_id: Mapped[UUID] = mapped_column(ForeignKey("institution.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(CODE_LENGTH))
    code_key: Mapped[str] = mapped_column(String(CODE_LENGTH))
    name_id: Mapped[str] = mapped_column(String(NAME_LENGTH))
    name_en: Mapped[str] = mapped_column(String(NAME_LENGTH))
    year: Mapped[int] = mapped_column(SmallInteger)
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    opens_on: Mapped[date]
    closes_on: Mapped[date]
    remind_days_before: Mapped[list[int]] = mapped_column(Json)
    closes_by_itself: Mapped[bool]
    locks: Mapped[bool]
    all_years: Mapped[bool]
    reminded_on: Mapped[date]
    """Reminders up to this day were sent, or were over when the period was made."""
    acts_on: Mapped[date | None]
    """The next day on which something happens by itself."""
    closed_at: Mapped[datetime | None] = mapped_column(Instant)
    closed_by: Mapped[str | None] = mapped_column(String(NAME_LENGTH))
    locked_at: Mapped[datetime | None] = mapped_column(Instant)
    report_id: Mapped[UUID | None]
    """What the last close has frozen."""
    counts: Mapped[dict[str, Any] | None] = mapped_column(Json)
    """Who had reported when it was closed last."""
    reopened_at: Mapped[datetime | None] = mapped_column(Instant)
    reopened_by: Mapped[str | None] = mapped_column(String(NAME_LENGTH))
    reopened_until: Mapped[date | None]
    reopening_reason: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Instant)
    updated_at: Mapped[datetime] = mapped_column(Instant)
    version: Mapped[int]
