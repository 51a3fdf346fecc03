"""Baselines: the plan of an initiative as it was agreed on, in versions that never change."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import NAME_LENGTH, Base, Instant, Json


class Baseline(Base):
    """One version of an initiative's baseline."""

    __tablename__ = "baseline"
    __table_args__ = (
        ForeignKeyConstraint(
            ["institution_id", "initiative_id"],
            ["initiative.institution_id", "initiative.id"],
            ondelete="CASCADE",
        ),
        UniqueConstraint("institution_id", "initiative_id", "number"),
        CheckConstraint("number >= 1", "number"),
    )

    institution_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    initiative_id: Mapped[UUID]
    number: Mapped[int]
    reason: Mapped[str | None] = mapped_column(Text)
    """Null for the plan as it stood when the initiative became active."""
    taken_at: Mapped[datetime] = mapped_column(Instant)
    taken_by: Mapped[str] = mapped_column(String(NAME_LENGTH))
    weight: Mapped[int | None]
    """The initiative's own; null in a version from before it was kept."""
    due_on: Mapped[date | None]
    """The initiative's own; null too where it had none."""
    milestones: Mapped[int]
    finish_on: Mapped[date | None]
    """The latest date of the plan; null where it has no milestone."""
    plan: Mapped[list[dict[str, Any]]] = mapped_column(Json, deferred=True)
    """`schemas.baselines.PlannedMilestone`, by number. Milestones may be gone by now: no keys."""
