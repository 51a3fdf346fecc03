"""Obstacles of initiatives and units, and what is done about them."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    SmallInteger,
    String,
    Text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import NAME_LENGTH, Base, Instant, choice
from app.schemas.obstacles import FollowUpState, ObstacleState, Severity


def _person(column: str) -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["institution_id", column], ["person.institution_id", "person.id"])


class Obstacle(Base):
    """What holds an initiative up, or a unit; it belongs to the initiative's unit, wherever that is."""

    __tablename__ = "obstacle"
    __table_args__ = (
        ForeignKeyConstraint(
            ["institution_id", "initiative_id"],
            ["initiative.institution_id", "initiative.id"],
            ondelete="CASCADE",
        ),
        ForeignKeyConstraint(["institution_id", "unit_id"], ["unit.institution_id", "unit.id"]),
        ForeignKeyConstraint(
            ["institution_id", "escalated_to_id"], ["unit.institution_id", "unit.id"]
        ),
        _person("owner_id"),
        Index(None, "institution_id", "initiative_id"),
        Index(None, "institution_id", "unit_id"),
        Index(None, "institution_id", "escalated_to_id"),
        Index(None, "institution_id", "owner_id"),
        CheckConstraint("(initiative_id IS NULL) <> (unit_id IS NULL)", "noun"),
        CheckConstraint("(unit_id IS NULL) = (year IS NULL)", "year"),
        CheckConstraint("decided_at IS NULL OR asked_at IS NOT NULL", "decision"),
        CheckConstraint("version >= 1", "version"),
    )

    institution_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    initiative_id: Mapped[UUID | None]
    unit_id: Mapped[UUID | None]
    year: Mapped[int | None] = mapped_column(SmallInteger)
    """Of a unit's; an initiative's has that of the initiative."""
    title: Mapped[str] = mapped_column(String(NAME_LENGTH))
    description: Mapped[str | None] = mapped_column(Text)
    severity: Mapped[Severity] = mapped_column(choice(Severity))
    state: Mapped[ObstacleState] = mapped_column(choice(ObstacleState))
    owner_id: Mapped[UUID | None]
    due_on: Mapped[date | None]
    escalated_to_id: Mapped[UUID | None]
    escalated_by: Mapped[str | None] = mapped_column(String(NAME_LENGTH))
    escalated_at: Mapped[datetime | None] = mapped_column(Instant)
    escalation_reason: Mapped[str | None] = mapped_column(Text)
    asked: Mapped[str | None] = mapped_column(Text)
    """The decision that is asked for."""
    asked_by: Mapped[str | None] = mapped_column(String(NAME_LENGTH))
    asked_at: Mapped[datetime | None] = mapped_column(Instant)
    decided: Mapped[str | None] = mapped_column(Text)
    """The decision that was given."""
    decided_by: Mapped[str | None] = mapped_column(String(NAME_LENGTH))
    decided_at: Mapped[datetime | None] = mapped_column(Instant)
    resolution: Mapped[str | None] = mapped_column(Text)
    resolved_at: Mapped[datetime | None] = mapped_column(Instant)
    raised_by: Mapped[str] = mapped_column(String(NAME_LENGTH))
    created_at: Mapped[datetime] = mapped_column(Instant)
    updated_at: Mapped[datetime] = mapped_column(Instant)
    version: Mapped[int]


class FollowUp(Base):
    """An action against an obstacle."""

    __tablename__ = "follow_up"
    __table_args__ = (
        ForeignKeyConstraint(
            ["institution_id", "obstacle_id"],
            ["obstacle.institution_id", "obstacle.id"],
            ondelete="CASCADE",
        ),
        _person("owner_id"),
        Index(None, "institution_id", "obstacle_id", "id"),
        Index(None, "institution_id", "owner_id"),
        CheckConstraint("(state = 'done') = (done_on IS NOT NULL)", "done"),
        CheckConstraint("version >= 1", "version"),
    )

    institution_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    obstacle_id: Mapped[UUID]
    action: Mapped[str] = mapped_column(Text)
    owner_id: Mapped[UUID | None]
    due_on: Mapped[date | None]
    state: Mapped[FollowUpState] = mapped_column(choice(FollowUpState))
    done_on: Mapped[date | None]
    created_at: Mapped[datetime] = mapped_column(Instant)
    updated_at: Mapped[datetime] = mapped_column(Instant)
    version: Mapped[int]
