"""Judged ratings of initiatives and units: append-only, and the latest one kept on its noun."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import NAME_LENGTH, Base, Instant, choice
from app.schemas.fields import Confidence


class Judged:
    """The latest rating of a row, so that lists neither join nor search; all null without one."""

    rating: Mapped[Confidence | None] = mapped_column(choice(Confidence))
    rating_reason: Mapped[str | None] = mapped_column(Text)
    judged_on: Mapped[date | None]
    judged_by: Mapped[str | None] = mapped_column(String(NAME_LENGTH))
    judged_at: Mapped[datetime | None] = mapped_column(Instant)


class Rating(Base):
    """One judgement of an initiative or of a unit."""

    __tablename__ = "rating"
    __table_args__ = (
        ForeignKeyConstraint(
            ["institution_id", "initiative_id"],
            ["initiative.institution_id", "initiative.id"],
            ondelete="CASCADE",
        ),
        ForeignKeyConstraint(
            ["institution_id", "unit_id"],
            ["unit.institution_id", "unit.id"],
            ondelete="CASCADE",
        ),
        Index(None, "institution_id", "initiative_id", "judged_on", "id"),
        Index(None, "institution_id", "unit_id", "judged_on", "id"),
        CheckConstraint("(initiative_id IS NULL) <> (unit_id IS NULL)", "noun"),
    )

    institution_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    initiative_id: Mapped[UUID | None]
    unit_id: Mapped[UUID | None]
    rating: Mapped[Confidence] = mapped_column(choice(Confidence))
    reason: Mapped[str] = mapped_column(Text)
    judged_on: Mapped[date]
    judged_by: Mapped[str] = mapped_column(String(NAME_LENGTH))
    """Who judged, as they are called: a person's code or a token's name."""
    judge_id: Mapped[UUID]
    """The person, or the token that acts for nobody in particular."""
    judged_at: Mapped[datetime] = mapped_column(Instant)
